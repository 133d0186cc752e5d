"""The nodes and links of a lineage graph while it is walked."""

from __future__ import annotations

from typing import NamedTuple

from lineal.model.lineage_graph import NodeKind, Relation, is_content_digest
from lineal.store.links import ArtifactId


class Key(NamedTuple):
    """Of a node. `parts`: a run's id; a dataset's digest and, where that alone says nothing, its name; an artifact's run, path and
    digest; the id of a logged model or of a version."""

    kind: NodeKind
    parts: tuple[str, ...]


class Link(NamedTuple):
    origin: Key
    target: Key
    relation: Relation
    context: str | None = None


def run_key(run_id: str) -> Key:
    return Key("run", (run_id,))


def artifact_key(artifact: ArtifactId) -> Key:
    return Key("artifact", artifact)


def model_key(model_id: str) -> Key:
    return Key("logged_model", (model_id,))


def version_key(version_id: str) -> Key:
    return Key("model_version", (version_id,))


def dataset_key(name: str, digest: str) -> Key:
    return Key("dataset", (digest,) if is_content_digest(digest) else (digest, name))
