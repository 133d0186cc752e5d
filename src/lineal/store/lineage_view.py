"""A lineage graph as programs and browsers get it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lineal.model.lineage_graph import LineageGraph, Node, NodeKind
from lineal.store.run_view import iso_time


def key_of(kind: NodeKind, id: str) -> str:
    return f"{kind}:{id}"


def lineage_dict(graph: LineageGraph) -> dict[str, Any]:
    """As GET /api/v1/lineage answers."""
    return {
        "subject": key_of(*graph.start),
        "nodes": [_node_dict(node) for node in graph.nodes],
        "edges": [
            {
                "from": key_of(*edge.origin),
                "to": key_of(*edge.target),
                "relation": edge.relation,
                "context": edge.context,
            }
            for edge in graph.edges
        ],
        "is_complete": graph.is_complete,
    }


def _node_dict(node: Node) -> dict[str, Any]:
    said = asdict(node)
    del said["started_ms"]
    return {
        "key": key_of(node.kind, node.id),
        **said,
        "names": None if node.names is None else list(node.names),
        "started_at": iso_time(node.started_ms),
        "path": node.name if node.kind == "artifact" else None,
        "model_name": node.name if node.kind == "model_version" and node.is_known else None,
    }
