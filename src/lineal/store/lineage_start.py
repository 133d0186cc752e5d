"""Which node a text names: a run, a dataset, an artifact, a logged model or a model version."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lineal.model.entities import Artifact
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import LINEAGE_MAX_DEPTH, LINEAGE_NODES_MAX_COUNT
from lineal.model.lineage_graph import NODE_KINDS, LineageQuery, NodeKind, is_content_digest
from lineal.model.registry import STAGES, ModelVersion, is_model_name, is_version_id
from lineal.store.lineage_keys import Key, artifact_key, dataset_key, model_key, run_key, version_key
from lineal.store.registry import RegistryReader

if TYPE_CHECKING:
    from lineal.store.contracts import TenantReader
    from lineal.store.links import Links

_SHOWN = 12
_NAMED_COUNT = 6
_WAYS = 'a run\'s id, a dataset\'s name, NAME@DIGEST or digest, "RUN:path", "MODEL@alias", "MODEL/3" or a logged model\'s id'


def check(query: LineageQuery) -> None:
    """InvalidInput for bounds that cannot be used."""
    if query.kind is not None and query.kind not in NODE_KINDS:
        raise InvalidInput(f"kind {query.kind!r:.40} is not one of {', '.join(NODE_KINDS)}", field="kind")
    if type(query.depth) is not int or not 0 <= query.depth <= LINEAGE_MAX_DEPTH:
        raise InvalidInput(f"depth is a whole number of 0 to {LINEAGE_MAX_DEPTH}", field="depth")
    if type(query.limit) is not int or not 1 <= query.limit <= LINEAGE_NODES_MAX_COUNT:
        raise InvalidInput(f"limit is a whole number of 1 to {LINEAGE_NODES_MAX_COUNT:,}", field="limit")


def find_start(reader: TenantReader, links: Links, query: LineageQuery) -> Key:
    """NotFound; InvalidInput for what names several."""
    thing = query.thing.strip()
    finders: dict[NodeKind, Callable[[], Key | None]] = {
        "artifact": lambda: _artifact(reader, links, thing),
        "model_version": lambda: _version(reader.registry(), thing) or _version(reader.registry(), _as_uri(thing)),
        "logged_model": lambda: next((model_key(one.model_id) for one in links.logged_models([thing])), None),
        "dataset": lambda: _dataset(links, thing),
        "run": lambda: _run(reader, thing),
    }
    if query.kind is None and thing and reader.find_run_ids(thing, limit=1) == [thing]:
        return run_key(thing)
    for kind, find in finders.items():
        if thing and query.kind in (None, kind):
            found = find()
            if found is not None:
                return found
    what = "thing" if query.kind is None else query.kind.replace("_", " ")
    raise NotFound(f"no {what} {thing!r:.80} that has lineage: give {_WAYS}", field="id")


def _run(reader: TenantReader, text: str) -> Key | None:
    found = reader.find_run_ids(text, limit=3)
    if len(found) > 1:
        raise InvalidInput(f"several runs begin with {text!r:.80}: {', '.join(found)}", field="id")
    return run_key(found[0]) if found else None


def _dataset(links: Links, text: str) -> Key | None:
    found = links.find_data(text)
    if not found and "@" in text:
        name, _, which = text.rpartition("@")
        of_name = [one for one in links.find_data(name) if one.name == name]
        found = [one for one in of_name if one.version == which] or [
            one for one in of_name if one.digest.startswith(which)
        ]
    keys = {dataset_key(one.name, one.digest): one for one in sorted(found, key=lambda one: (one.name, one.digest))}
    if len(keys) > 1:
        said = [
            f"{one.name}@{one.digest[:_SHOWN]}" + (f" (version {one.version})" if one.version else "")
            for one in keys.values()
        ]
        more = " ..." if len(said) > _NAMED_COUNT else ""
        raise InvalidInput(
            f"{text!r:.80} names {len(said)} datasets of different content: {', '.join(said[:_NAMED_COUNT])}{more}",
            field="id",
        )
    return next(iter(keys), None)


def _artifact(reader: TenantReader, links: Links, text: str) -> Key | None:
    """RUN:PATH, or RUN:PATH@VERSION, or RUN:PATH@DIGEST. A path may itself have an "@"."""
    run, colon, path = text.partition(":")
    if not (run and colon and path):
        return None
    run_ids = reader.find_run_ids(run, limit=2)
    if len(run_ids) > 1:
        raise InvalidInput(f"several runs begin with {run!r:.80}: {', '.join(run_ids)}", field="id")
    before, _, which = path.rpartition("@")
    if run_ids:
        found = links.artifacts_at({(run_ids[0], one) for one in (path, before) if one}).get(run_ids[0], [])
        latest = [one for one in found if one.path == path][-1:]
        named = [one for one in found if one.path == before and which and _is_which(one, which)]
        for one in latest or named[-1:]:
            return artifact_key((run_ids[0], one.path, one.digest or ""))
    spoken_of = (run_ids[0] if run_ids else run, before, which)
    uses = links.uses_of_artifacts([spoken_of[0]], LINEAGE_NODES_MAX_COUNT) if is_content_digest(which) else ()
    return artifact_key(spoken_of) if any(use.artifact == spoken_of for use in uses) else None


def _is_which(artifact: Artifact, which: str) -> bool:
    """By its version, or the beginning of its digest."""
    return str(artifact.version) == which or (artifact.digest or "").startswith(which)


def _as_uri(text: str) -> str:
    """Without what MLflow puts before a model's name: "models:/NAME@ALIAS"."""
    return text.removeprefix("models:/").removeprefix("models/")


def _version(registry: RegistryReader, text: str) -> Key | None:
    found: ModelVersion | None = None
    name, slash, which = text.partition("/")
    model, at, alias = text.rpartition("@")
    if is_version_id(text):
        found = registry.find_version(text)
    elif slash and is_model_name(name) and registry.find_model(name) is not None:
        if which.isdecimal():
            found = registry.get_version(name, int(which))
        elif which.lower() in STAGES:
            latest = registry.list_latest([name]).get(name, [])
            found = next((one for one in latest if one.stage == which.lower()), None)
    elif at and is_model_name(model):
        found = registry.find_alias(model, alias)
    return None if found is None else version_key(found.version_id)
