"""Versions that the program of a reproduction logged and that were not made (`client/reproducing.py`): it may read them all the same, as
those that the run before it made."""

from __future__ import annotations

from lineal.client.reproducing import unmade
from lineal.model.registry import ModelVersion, VersionContent, VersionFile
from lineal.model.values import to_json


def find_unmade(ref: str) -> ModelVersion | None:
    """By its id, or its run's if that logged no other."""
    of_run = [version_id for version_id, (run_id, _) in unmade.items() if run_id == ref]
    version_id = of_run[0] if len(of_run) == 1 else ref
    if version_id not in unmade:
        return None
    run_id, said = unmade[version_id]
    tags = {key: value for key, value in (said.tags or {}).items() if value is not None}
    return ModelVersion(
        version_id,
        said.name,
        0,
        run_id,
        source=said.source or "",
        path=said.path,
        format=said.format,
        description=said.description or "",
        tags=tags,
    )


def find_unmade_content(version_id: str) -> VersionContent | None:
    if version_id not in unmade:
        return None
    _, said = unmade[version_id]
    return VersionContent(
        tuple(VersionFile(*file) for file in said.files),
        None if said.signature is None else to_json(said.signature),
        None if said.input_example is None else to_json(said.input_example),
    )
