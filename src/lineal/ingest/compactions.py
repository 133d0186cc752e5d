"""Which runs shall be compacted, of those that requests gave points to: each after so many, a few between two commits.

To fold what has gathered of a thousand metrics takes a tenth of a second. In the transaction of the request that happened to
be one too many it would be waited for by everybody who shares that commit; and most requests would look in vain. Runs that
began together do not come together: the first turn of each is its own."""

from __future__ import annotations

from zlib import crc32

from lineal.model.limits import COMPACTION_APPENDS, COMPACTION_POINTS, COMPACTION_RUNS_MAX_COUNT

Place = tuple[str, str]
"""Tenant and run id."""


class Compactions:
    """For one thread. What is not compacted is read all the same; to forget a turn costs nothing but time."""

    def __init__(self) -> None:
        self._appends: dict[Place, int] = {}
        self._due: dict[Place, int] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

    def note(self, place: Place, point_count: int) -> None:
        """The run was given points."""
        count = self._appends.pop(place, None)
        count = 1 + (crc32(place[1].encode()) % COMPACTION_APPENDS if count is None else count)
        if count >= COMPACTION_APPENDS:
            self._due[place] = COMPACTION_APPENDS * point_count
            count = 0
        if len(self._appends) >= COMPACTION_RUNS_MAX_COUNT:
            del self._appends[next(iter(self._appends))]  # the one that was not written to for longest
        self._appends[place] = count

    def take(self) -> list[Place]:
        """The next in turn, with those behind it that are as little work: a transaction's own work is as much as that of ten
        short runs."""
        taken: list[Place] = []
        points = 0
        for place, point_count in self._due.items():
            points += point_count
            if taken and points > COMPACTION_POINTS:
                break
            taken.append(place)
        for place in taken:
            del self._due[place]
        return taken
