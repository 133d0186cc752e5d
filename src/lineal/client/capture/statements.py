"""What a look found becomes a record, with the files that it found as artifacts of Lineal's own.

Runs of one process mostly share a look; then what is the same for all of them, the files' digests and the record's JSON, is made once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lineal.journal.blobs import Blob, find_blob
from lineal.model.values import Written
from lineal.record.records import CaptureSet

if TYPE_CHECKING:
    from lineal.client.run import Run


class Found(Protocol):
    """`files`, by the place in `content` ("lock", "untracked.archive") that is to say where each is kept: path and bytes. Neither is
    changed any more."""

    @property
    def content(self) -> Mapping[str, Any]: ...

    @property
    def files(self) -> Mapping[str, tuple[str, bytes]]: ...


class _Last(NamedTuple):
    """`found`: the content that a look found, by which that look is known again. Not its files, which may be some megabytes."""

    found: Mapping[str, Any]
    blobs: dict[str, Blob]
    content: Written


_NONE: Mapping[str, Blob] = MappingProxyType({})
_last: dict[str, _Last] = {}
"""Of each part, what was said last."""


def say(run: Run, part: str, found: Found, kept: Mapping[str, Blob] = _NONE) -> Mapping[str, Blob]:
    """`kept`: those of its files that the run has said already. A file that the disk refuses is left out of what is returned."""
    last = _last_of(part, found)
    known = {} if last is None else last.blobs
    blobs: dict[str, Blob] = {}
    for place, (path, data) in found.files.items():
        blob = kept.get(place) or run._keep_own(path, data, known.get(place))
        if blob is not None:
            blobs[place] = blob
    if last is None or last.blobs != blobs:
        _last[part] = last = _Last(found.content, blobs, Written(_content(found, blobs)))
    run._say(CaptureSet(run._journal.identity.attempt, part, last.content))
    return blobs


def is_at_hand(run: Run, part: str, found: Found) -> bool:
    """Whether `say` takes microseconds: a run before said the same, and the files are in the folder still. Where a server has taken
    them, or in another folder, they are written anew, and a disk may take its time."""
    last = _last_of(part, found)
    if last is None or last.blobs.keys() != found.files.keys():
        return False
    return all(find_blob(run._journal.folder, run.tenant, blob.digest) for blob in last.blobs.values())


def _last_of(part: str, found: Found) -> _Last | None:
    last = _last.get(part)
    return last if last is not None and last.found is found.content else None


def _content(found: Found, blobs: Mapping[str, Blob]) -> dict[str, Any]:
    content = {**found.content}
    for place, blob in blobs.items():
        ref = {"path": found.files[place][0], "digest": blob.digest, "size_bytes": blob.size_bytes}
        outer, _, inner = place.partition(".")
        content[outer] = {**content.get(outer, {}), **({inner: ref} if inner else ref)}
    return content
