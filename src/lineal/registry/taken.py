"""What runs take from other runs: artifacts with their bytes, and model versions. See `client/finding.py`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from lineal.api import shared_store
from lineal.client.finding import Taken
from lineal.local import LocalStore, LoggedRun
from lineal.model.entities import Artifact
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import USED_FILES_MAX_COUNT
from lineal.registry.calls import get_model_version
from lineal.registry.handles import ModelVersion


def take_artifacts(ref: Any, path: str | None, version: int | None, url: str, tenant: str | None) -> Sequence[Taken]:
    """`ref`: "RUN:path", "RUN:path@2", or a run (its id, the beginning of one, or what `lineal.get_run` returned) with `path`."""
    if isinstance(ref, LoggedRun):
        store, run = ref._store, ref
        if path is None:
            raise InvalidInput("say which artifact: use_artifact(run, 'path')", field="path")
    elif isinstance(ref, str):
        name, colon, inner = ref.partition(":")
        if path is None and not (colon and inner):
            raise InvalidInput(f"{ref!r:.80} names no artifact: say 'RUN:path'", field="ref")
        store = shared_store(url, tenant)
        run = store.get_run(name if path is None else ref)
        path = inner if path is None else path
    else:
        raise InvalidInput(f"{type(ref).__name__} names no artifact: say 'RUN:path', or a run and a path", field="ref")
    wanted = _wanted(run, path.strip("/"), version)
    if len(wanted) > USED_FILES_MAX_COUNT:
        raise InvalidInput(
            f"{path!r:.80} holds {len(wanted):,} files; {USED_FILES_MAX_COUNT:,} are taken at a time", field="path"
        )
    return [_taken(store, run, one) for one in wanted]


def _wanted(run: LoggedRun, path: str, version: int | None) -> list[Artifact]:
    """The file of that path, or the latest of each below it."""
    before, _, number = path.rpartition("@")
    of_path = [one for one in run.details.artifacts if one.path == path]
    if not of_path and version is None and before and number.isdecimal():
        of_path, version = [one for one in run.details.artifacts if one.path == before], int(number)
    fitting = [one for one in of_path if version in (None, one.version)]
    if fitting:
        return fitting[-1:]
    below = {one.path: one for one in run.details.artifacts if one.path.startswith(f"{path}/")}
    if of_path or not below or version is not None:
        which = f" version {version}" if version is not None else ""
        raise NotFound(f"run {run.run_id} has no artifact {path!r:.120}{which}", field="path")
    return [below[name] for name in sorted(below)]


def _taken(store: LocalStore, run: LoggedRun, artifact: Artifact) -> Taken:
    if artifact.digest is None or artifact.uri is not None:
        raise NotFound(
            f"artifact {artifact.path!r:.120} of run {run.run_id} is a reference: its bytes are at {artifact.uri}",
            field="path",
        )
    place = store.find_blob(artifact.digest, artifact.size_bytes)
    if place is None:
        raise NotFound(
            f"the bytes of artifact {artifact.path!r:.120} of run {run.run_id} are not here (yet)", field="path"
        )
    return Taken(run.run_id, artifact.path, artifact.version, artifact.digest, os.fspath(place))


def find_model_version(ref: Any, url: str, tenant: str | None) -> ModelVersion:
    """`ref` as for `lineal.get_model_version`, or one."""
    return ref if isinstance(ref, ModelVersion) else get_model_version(ref, url=url, tenant=tenant)
