"""What led to what."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import (
    LINEAGE_DEPTH,
    LINEAGE_MAX_DEPTH,
    LINEAGE_NODES_COUNT,
    LINEAGE_NODES_MAX_COUNT,
    NAME_MAX_BYTES,
)
from lineal.server.shapes.runs import RunStatus

NodeKind = Literal["dataset", "run", "artifact", "logged_model", "model_version"]


class LineageNode(Struct, frozen=True):
    """What its kind does not have is null. `key` is unique within the answer, `id` names it in another question. `name`: of a run, of a
    dataset (`names`: all under which it was used), of the logged or registered model, or the artifact's path. `run_id`: the run itself, or
    the one that made it. `digest`: of a dataset or an artifact. `version`: a number, or what a dataset's users call it. Not
    `is_known`: something names it, and it is not here."""

    key: str
    kind: NodeKind
    id: str
    name: str
    is_known: bool
    is_deleted: bool
    run_id: str | None
    status: RunStatus | None
    experiment: str | None
    started_at: str | None
    attempt_count: int | None
    digest: str | None
    names: list[str] | None
    version: str | None
    source: str | None
    path: str | None
    size_bytes: int | None
    uri: str | None
    model_name: str | None
    stage: Literal["none", "staging", "production", "archived"] | None


class LineageEdge(Struct, frozen=True, rename={"origin": "from", "target": "to"}):
    """From what was there before to what came of it, by their keys. `context`: what a dataset was used for."""

    origin: str
    target: str
    relation: Literal["used", "made", "version", "same_content", "parent", "forked", "reproduction"]
    context: str | None


class Lineage(Struct, frozen=True):
    """`subject`: the key of what was asked about. Not `is_complete`: there is more, beyond the bounds of the question; of a run's artifacts
    only some are shown that nothing else refers to."""

    subject: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    is_complete: bool


class AskLineage(Struct, frozen=True):
    """`id`: a run's id or the beginning of one; a dataset's name, NAME@DIGEST, NAME@VERSION or digest; RUN:PATH or RUN:PATH@VERSION;
    MODEL@ALIAS, MODEL/3, MODEL/production or a version's id; a logged model's id. `kind` says which it is where it could be several.
    `depth`: links away from it. `limit`: nodes."""

    id: Annotated[str, Meta(min_length=1, max_length=4 * NAME_MAX_BYTES)]
    kind: NodeKind | None = None
    direction: Literal["up", "down", "both"] = "both"
    depth: Annotated[int, Meta(ge=0, le=LINEAGE_MAX_DEPTH)] = LINEAGE_DEPTH
    limit: Annotated[int, Meta(ge=1, le=LINEAGE_NODES_MAX_COUNT)] = LINEAGE_NODES_COUNT
