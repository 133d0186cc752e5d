"""The files of a run: what lies in its folder, each with its digest; elsewhere, where it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lineal.client.given import artifact_path
from lineal.importing.nouns import Place
from lineal.importing.translate import artifact_record, reference_record
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
    place: Place,
    known: list[Artifact],
    started_ms: int,
    take_file: Callable[[str], Blob],
    on_problem: Callable[[str], object],
) -> list[tuple[ArtifactLogged, int]]:
    """Records of all of them, with their times, the bytes being at the destination. A file of the size and time of one that is
    there is taken for the same, unread."""
    if place.folder is None:
        return [] if place.uri is None else [(reference_record(place.uri), started_ms)]
    latest = {one.path: one for one in known}
    found: list[tuple[ArtifactLogged, int]] = []
    files = list_files(place.folder)
    while True:
        try:
            name, path = next(files)
        except StopIteration:
            return found
        except OSError as error:
            on_problem(f"{error.filename}: {error.strerror}")
            return found
        try:
            status = path.stat()
            time_ms = status.st_mtime_ns // _NS_PER_MS
            clean = artifact_path(name)
            there = latest.get(clean)
            if there is not None and there.digest and (there.size_bytes, there.logged_ms) == (status.st_size, time_ms):
                blob = Blob(there.digest, status.st_size)
            else:
                blob = take_file(os.fspath(path))
        except (OSError, InvalidInput) as error:
            on_problem(f"{path}: {error}")
            continue
        found.append((artifact_record(clean, blob), time_ms))
