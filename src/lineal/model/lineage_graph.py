"""What led to what, as a graph: datasets, runs, artifacts, logged models, model versions and their links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lineal.model.limits import LINEAGE_DEPTH, LINEAGE_NODES_COUNT
from lineal.model.registry import Stage
from lineal.model.vocabulary import Status

NodeKind: TypeAlias = Literal["dataset", "run", "artifact", "logged_model", "model_version"]
NODE_KINDS: tuple[NodeKind, ...] = ("dataset", "run", "artifact", "logged_model", "model_version")
Relation: TypeAlias = Literal["used", "made", "version", "same_content", "parent", "forked", "reproduction"]
"""What stands between the ends of an edge, the way that things went: a run used what leads to it, and made artifacts and logged
models (or a version, where nothing else that is shown stands between); a version is of a logged model, or has an artifact's bytes, and
an artifact is a file of a logged model; a dataset has the same content as an artifact; a run is the parent of another one, was forked
to, or has it as a reproduction."""

_SHA256 = re.compile("[0-9a-f]{64}")


def is_content_digest(digest: str) -> bool:
    """Whether equal ones mean equal content, whatever it is called: SHA-256, in hex. Others count together with a dataset's name."""
    return _SHA256.fullmatch(digest) is not None


@dataclass(frozen=True, slots=True)
class LineageQuery:
    """`thing`: a run's id or the beginning of one; a dataset's name, NAME@DIGEST, NAME@VERSION or digest (or eight characters or more of
    it); RUN:PATH or RUN:PATH@VERSION; a logged model's id; NAME@ALIAS, NAME/3, NAME/production or a version's id. `kind` says which it is
    where it could be several. `depth`: links, up and down from it. `limit`: nodes."""

    thing: str
    kind: NodeKind | None = None
    up: bool = True
    down: bool = True
    depth: int = LINEAGE_DEPTH
    limit: int = LINEAGE_NODES_COUNT


@dataclass(frozen=True, slots=True)
class Node:
    """`id` names it in another question. What a kind does not have is None.

    run            name, run_id, status, experiment, started_ms, attempt_count
    dataset        name (the first one that it was used under), digest, names, version (as text), source
    artifact       name (its path), run_id, version (as text), digest, size_bytes, uri
    logged_model   name, run_id (of the run that made it)
    model_version  name (of the model), version (as text), run_id, stage, digest of none

    Not `is_known`: something names it, and it is not here (yet, or in this tenant)."""

    kind: NodeKind
    id: str
    name: str
    is_known: bool = True
    is_deleted: bool = False
    run_id: str | None = None
    status: Status | None = None
    experiment: str | None = None
    started_ms: int | None = None
    attempt_count: int | None = None
    digest: str | None = None
    names: tuple[str, ...] | None = None
    version: str | None = None
    source: str | None = None
    size_bytes: int | None = None
    uri: str | None = None
    stage: Stage | None = None


class Edge(NamedTuple):
    """`origin` came before `target`; both are (kind, id). `context`: what a dataset was used for."""

    origin: tuple[NodeKind, str]
    target: tuple[NodeKind, str]
    relation: Relation
    context: str | None = None


class LineageGraph(NamedTuple):
    """`start`: (kind, id) of what was asked about. Nodes and edges are sorted. Not `is_complete`: there is more than is shown, by the
    bounds of the question or because of a run's artifacts only some are shown that nothing else refers to."""

    start: tuple[NodeKind, str]
    nodes: list[Node]
    edges: list[Edge]
    is_complete: bool
