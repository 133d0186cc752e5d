"""Which runs shall be compacted, of those that requests gave points to: each after so many, one between two commits.

To fold what has gathered of a thousand metrics takes a tenth of a second. In the transaction of the request that happened to
be one too many it would be waited for by everybody who shares that commit; and most requests would look in vain."""

from __future__ import annotations

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
        count = self._appends.pop(place, 0) + 1
        if count >= COMPACTION_APPENDS:
            self._due[place] = None
            return
        if len(self._appends) >= COMPACTION_RUNS_MAX_COUNT:
            del self._appends[next(iter(self._appends))]  # the one that was not written to for longest
        self._appends[place] = count

    def take(self) -> Place | None:
        """The next in turn."""
        place = next(iter(self._due), None)
        if place is not None:
            del self._due[place]
        return place
