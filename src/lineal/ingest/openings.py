"""Heads of segments that arrive in pieces."""

from __future__ import annotations

from collections import OrderedDict

from lineal.model.limits import RUNS_KNOWN_MAX_COUNT
from lineal.record.records import SegmentOpened


class Openings:
    """Who writes which segment, as its head said. For one thread; what is forgotten is asked for again."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, int], SegmentOpened] = OrderedDict()

    def find(self, tenant: str, writer: str, segment: int) -> SegmentOpened | None:
        return self._known.get((tenant, writer, segment))

    def keep(self, tenant: str, opened: SegmentOpened, segment: int) -> None:
        self._known[tenant, opened.writer, segment] = opened
        while len(self._known) > RUNS_KNOWN_MAX_COUNT:
            self._known.popitem(last=False)
