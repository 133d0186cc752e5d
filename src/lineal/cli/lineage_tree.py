"""A lineage graph as text: a tree up, the thing itself, a tree down. What was drawn already is named again, not drawn again."""

from __future__ import annotations

from collections.abc import Iterator

from lineal.model.lineage_graph import Edge, LineageGraph, Node, NodeKind

NodeName = tuple[NodeKind, str]
_SHORT_CHARS = 12
_FILES_SHOWN = 3
_UP = {
    "used": "used",
    "made": "made by",
    "version": "made of",
    "same_content": "same content as",
    "parent": "part of",
    "forked": "forked from",
    "reproduction": "reproduces",
}
_DOWN = {
    "used": "used by",
    "made": "made",
    "version": "in",
    "same_content": "same content as",
    "parent": "parent of",
    "forked": "forked to",
    "reproduction": "reproduced by",
}


def tree_lines(graph: LineageGraph) -> Iterator[str]:
    nodes = {(node.kind, node.id): node for node in graph.nodes}
    yield _words(nodes[graph.start])
    above: dict[NodeName, list[Edge]] = {}
    below: dict[NodeName, list[Edge]] = {}
    for edge in graph.edges:
        above.setdefault(edge.target, []).append(edge)
        below.setdefault(edge.origin, []).append(edge)
    for title, edges, is_up in (("came from", above, True), ("led to", below, False)):
        if edges.get(graph.start):
            yield title
            yield from _branches(nodes, edges, graph.start, is_up=is_up)
    if len(graph.nodes) == 1:
        yield "nothing led to it, and it led to nothing, as far as was recorded"
    if not graph.is_complete:
        yield "... and more: --depth and --limit show it; of a run's artifacts those that nothing refers to are cut short"


def _branches(
    nodes: dict[NodeName, Node], edges: dict[NodeName, list[Edge]], start: NodeName, *, is_up: bool
) -> Iterator[str]:
    """Without recursion: a chain may be longer than the stack is deep."""
    words = _UP if is_up else _DOWN
    drawn = {start}
    # (edges, what stands before them, whether they are the last of their siblings), the next ones last
    waiting = [(some, "", last) for some, last in _lasting([[edge] for edge in edges[start]])]
    while waiting:
        some, before, is_last = waiting.pop()
        edge = some[0]
        far = edge.origin if is_up else edge.target
        if len(some) > 1:
            files = ", ".join(one.target[1].partition(":")[2] for one in some[:_FILES_SHOWN])
            more = ", ..." if len(some) > _FILES_SHOWN else ""
            yield f"{before}{'└── ' if is_last else '├── '}made: {len(some)} files that led to nothing ({files}{more})"
            continue
        context = f" for {edge.context}" if edge.context else ""
        again = " (above)" if far in drawn and edges.get(far) else ""
        yield f"{before}{'└── ' if is_last else '├── '}{words[edge.relation]}{context}: {_words(nodes[far])}{again}"
        if far not in drawn:
            drawn.add(far)
            inner = before + ("    " if is_last else "│   ")
            waiting += [(one, inner, last) for one, last in _lasting(_folded(nodes, edges, far, is_up))]


def _folded(
    nodes: dict[NodeName, Node], edges: dict[NodeName, list[Edge]], of: NodeName, is_up: bool
) -> list[list[Edge]]:
    """What a thing led to, a line each; its files that led nowhere, of which a run has many, are one line at the end."""
    found = edges.get(of, [])
    ends = [
        edge for edge in found if not is_up and nodes[edge.target].kind == "artifact" and not edges.get(edge.target)
    ]
    if len(ends) < 2:
        return [[edge] for edge in found]
    return [[edge] for edge in found if edge not in ends] + [ends]


def _lasting(siblings: list[list[Edge]]) -> list[tuple[list[Edge], bool]]:
    """Each with whether it is the last one drawn; the first drawn stands last."""
    return [(some, place == len(siblings) - 1) for place, some in enumerate(siblings)][::-1]


def _words(node: Node) -> str:
    if node.kind == "run":
        what = f"run {node.name} {node.id[:_SHORT_CHARS]}"
        details = [node.experiment, node.status]
        if node.attempt_count is not None and node.attempt_count > 1:
            details.append(f"{node.attempt_count} attempts")
    elif node.kind == "dataset":
        digest = node.digest or ""
        what = f"dataset {node.name}@{digest[:_SHORT_CHARS]}"
        others = ", ".join(name for name in node.names or () if name != node.name)
        details = [node.version and f"version {node.version}", node.source, others and f"also {others}"]
    elif node.kind == "artifact":
        run_id, _, path = node.id.partition(":")
        what = f"artifact {run_id[:_SHORT_CHARS]}:{path}"
        details = [None if node.size_bytes is None else f"{node.size_bytes:,} bytes", node.uri]
    elif node.kind == "logged_model":
        what = f"logged model {node.name}" + ("" if node.name == node.id else f" {node.id}")
        details = []
    else:
        what = f"model {node.name}/{node.version}" if node.is_known else f"model version {node.id}"
        details = [node.stage if node.stage != "none" else None]
    details.append("deleted" if node.is_deleted else None)
    details.append(None if node.is_known else "not here")
    said = ", ".join(str(detail) for detail in details if detail)
    return f"{what} ({said})" if said else what
