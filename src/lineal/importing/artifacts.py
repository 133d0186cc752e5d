"""The files of a run: what lies in its folder, each with its digest; elsewhere, where it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lineal.client.given import artifact_path
from lineal.importing.nouns import Place
from lineal.importing.translate import REFERENCE_PATH, artifact_record, reference_record
from lineal.journal.blobs import Blob
from lineal.model.entities import Artifact
from lineal.model.errors import InvalidInput
from lineal.record.records import ArtifactLogged

_NS_PER_MS = 1_000_000


def list_files(folder: str) -> Iterator[tuple[str, Path]]:
    """(path within it, the file), by path. A link that leads out of the folder is not followed: OSError names it at the end."""
    root = Path(folder).resolve()
    outside: list[str] = []
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        if path.is_symlink() and root not in path.resolve().parents:
            outside.append(str(path))
            continue
        yield path.relative_to(folder).as_posix(), path
    if outside:
        raise OSError(0, f"{len(outside)} links lead out of the artifacts and were not followed", outside[0])


def take_artifacts(
    places: Sequence[Place],
    known: Sequence[Artifact],
    started_ms: int,
    take_file: Callable[[str], Blob],
    on_problem: Callable[[str], object],
) -> list[tuple[ArtifactLogged, int]]:
    """Records of all of them, with their times, the bytes being at the destination. A file of the size and time of one that is
    there is taken for the same, unread."""
    latest = {one.path: one for one in known}
    found: list[tuple[ArtifactLogged, int]] = []
    for place in places:
        if place.folder is None and place.uri is not None:
            found.append((reference_record(place.below or REFERENCE_PATH, place.uri), started_ms))
        for name, path in [] if place.folder is None else _listed(place.folder, on_problem):
            try:
                clean = artifact_path(f"{place.below}/{name}")
                found.append(_taken(clean, path, latest.get(clean), take_file))
            except (OSError, InvalidInput) as error:
                on_problem(f"{path}: {error}")
    return found


def take_model_files(
    place: Place, take_file: Callable[[str], Blob], on_problem: Callable[[str], object]
) -> dict[str, list[Any] | None]:
    """Of a logged model that no run made: path -> [digest, size, media type]."""
    found = take_artifacts([place._replace(uri=None)], [], 0, take_file, on_problem)
    return {record.path: [record.digest, record.size_bytes, record.media_type] for record, _ in found}


def _listed(folder: str, on_problem: Callable[[str], object]) -> Iterator[tuple[str, Path]]:
    try:
        yield from list_files(folder)
    except OSError as error:
        on_problem(f"{error.filename}: {error.strerror}")


def _taken(
    clean: str, path: Path, there: Artifact | None, take_file: Callable[[str], Blob]
) -> tuple[ArtifactLogged, int]:
    status = path.stat()
    time_ms = status.st_mtime_ns // _NS_PER_MS
    if there is not None and there.digest and (there.size_bytes, there.logged_ms) == (status.st_size, time_ms):
        return artifact_record(clean, Blob(there.digest, status.st_size)), time_ms
    return artifact_record(clean, take_file(os.fspath(path))), time_ms
