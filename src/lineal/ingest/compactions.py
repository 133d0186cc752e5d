"""Which runs shall be compacted, of those that requests gave points to: each after so many, one between two commits.

To fold what has gathered of a thousand metrics takes a tenth of a second. In the transaction of the request that happened to
be one too many it would be waited for by everybody who shares that commit; and most requests would look in vain. Runs that
began together do not come together: the first turn of each is its own."""

from __future__ import annotations

from zlib import crc32

from lineal.model.limits import COMPACTION_APPENDS, COMPACTION_RUNS_MAX_COUNT

Place = tuple[str, str]
"""Tenant and run id."""


class Compactions:
    """For one thread. What is not compacted is read all the same; to forget a turn costs nothing but time."""

    def __init__(self) -> None:
        self._appends: dict[Place, int] = {}
        self._due: dict[Place, None] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

    def note(self, place: Place) -> None:
        """The run was given points."""
        count = self._appends.pop(place, None)
        count = 1 + (crc32(place[1].encode()) % COMPACTION_APPENDS if count is None else count)
        if count >= COMPACTION_APPENDS:
            self._due[place] = None
            count = 0
        if len(self._appends) >= COMPACTION_RUNS_MAX_COUNT:
            del self._appends[next(iter(self._appends))]  # the one that was not written to for longest
        self._appends[place] = count

    def take(self) -> Place | None:
        """The next in turn."""
        place = next(iter(self._due), None)
        if place is not None:
            del self._due[place]
        return place
