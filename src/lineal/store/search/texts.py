"""A column of texts: a number for each text, and the texts once. Tests look at each text once, not at each run."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.model.limits import ORDER_TEXT_CHARS
from lineal.series.columns import Int64s
from lineal.store.search.numbers import Mask, Rows, resized
from lineal.store.search.pool import TextPool

KNOWN_MAX_COUNT = (
    100_000  # texts of a column that are looked up when one is added: 150 bytes each; beyond, all are taken for new
)
TESTS_MAX_COUNT = 16  # tests whose outcome is kept: a byte a text
GAP = 1 << 20  # between the ranks of neighbours, so that 20 texts fit between any two before all are ranked anew
INSERT_MAX_COUNT = 256  # texts put in order one by one; more are sorted with the rest

Test: TypeAlias = Callable[[TextPool, int], Mask]
"""Which of the texts from that number on satisfy it."""


class TextColumn:
    """Code -1: no text. A text may have several codes once there are many."""

    def __init__(self, capacity: int) -> None:
        self.code = np.full(capacity, -1, np.int32)
        self.pool = TextPool()
        self._known: dict[str, int] | None = {}
        self._outcomes: OrderedDict[Hashable, Mask] = OrderedDict()
        self._ranks = np.empty(0, np.int64)
        self._sorted: list[str] = []
        self._sorted_ranks: list[int] = []

    @property
    def size_bytes(self) -> int:
        known = 0 if self._known is None else 150 * len(self._known)
        ranked = 8 * len(self._ranks) + 100 * len(self._sorted)
        return len(self.code) * 4 + self.pool.size_bytes + known + ranked

    @property
    def is_wasteful(self) -> bool:
        """Most texts belong to no run any more."""
        return self.pool.count > 2 * len(self.code) + 1_000

    def resize(self, capacity: int) -> None:
        if capacity != len(self.code):
            self.code = resized(self.code, capacity, -1)

    def set(self, rows: Int64s, texts: Sequence[str | None]) -> None:
        self.code[rows] = self._codes(texts)

    def _codes(self, texts: Sequence[str | None]) -> npt.NDArray[np.int32]:
        known = self._known
        if known is None:
            given = np.fromiter((text is not None for text in texts), np.bool_, len(texts))
            codes = np.where(given, self.pool.count - 1 + np.cumsum(given), -1).astype(np.int32)
            self.pool.add([text for text in texts if text is not None])
            return codes
        fresh = [text for text in dict.fromkeys(texts) if text is not None and text not in known]
        known.update(zip(fresh, range(self.pool.count, self.pool.count + len(fresh)), strict=True))
        self.pool.add(fresh)
        codes = np.fromiter((-1 if text is None else known[text] for text in texts), np.int32, len(texts))
        if len(known) > KNOWN_MAX_COUNT:
            self._known = None
        return codes

    def clear(self, rows: Rows) -> None:
        self.code[rows] = -1

    def get(self, row: int) -> str | None:
        code = int(self.code[row])
        return None if code < 0 else self.pool[code]

    def has(self, rows: Rows) -> Mask:
        found: Mask = self.code[rows] >= 0
        return found

    def unique_codes(self, rows: Rows) -> Int64s:
        """Equal for equal texts, -1 for none."""
        code: Int64s = self.code[rows].astype(np.int64)
        if self._known is not None:
            return code
        used, place = np.unique(code, return_inverse=True)
        first: dict[str, int] = {}
        same = [-1 if one < 0 else first.setdefault(self.pool[one], one) for one in used.tolist()]
        return np.array(same, np.int64)[place]

    # -- tests ---------------------------------------------------------------------------------------------

    def equals(self, text: str, rows: Rows) -> Mask:
        if self._known is not None:
            code = self._known.get(text, -2)
            found: Mask = self.code[rows] == code
            return found
        return self.satisfies(("=", text), lambda pool, first: pool.equal(text, first), rows)

    def satisfies(self, name: Hashable, test: Test, rows: Rows) -> Mask:
        """Where the text satisfies a test that goes by that name."""
        outcome = self._outcomes.get(name)
        seen = 0 if outcome is None else len(outcome)
        if outcome is None or seen < self.pool.count:
            fresh = test(self.pool, seen)
            outcome = fresh if outcome is None else np.concatenate([outcome, fresh])
            self._outcomes[name] = outcome
            if len(self._outcomes) > TESTS_MAX_COUNT:
                self._outcomes.popitem(last=False)
        code = self.code[rows]
        if not len(outcome):
            return np.zeros(len(code), np.bool_)
        # Code -1 looks at the last text, and is taken out again.
        found: Mask = outcome[code] & (code >= 0)
        return found

    # -- order ---------------------------------------------------------------------------------------------

    def keys(self, rows: Rows, descending: bool) -> Int64s:
        """Numbers in the order of the texts' beginnings; what has no text may stand anywhere."""
        self._rank()
        if not len(self._ranks):
            return np.zeros(len(self.code[rows]), np.int64)
        ranks: Int64s = self._ranks[self.code[rows]]
        return -ranks if descending else ranks

    def compare_order(self, name: str, text: str, rows: Rows) -> Mask:
        """Where the text's beginning compares so with the given one; < > or =."""
        self._rank()
        code = self.code[rows]
        place = bisect_left(self._sorted, text)
        is_known = place < len(self._sorted) and self._sorted[place] == text
        if not len(self._ranks) or (name == "=" and not is_known):
            return np.zeros(len(code), np.bool_)
        ranks, found = self._ranks[code], code >= 0
        bound = self._sorted_ranks[place] if place < len(self._sorted) else self._sorted_ranks[-1] + 1
        if name == "=":
            found &= ranks == bound
        elif name == "<":
            found &= ranks < bound
        else:
            found &= ranks > bound if is_known else ranks >= bound
        return found

    def _rank(self) -> None:
        seen = len(self._ranks)
        if seen == self.pool.count:
            return
        fresh = [text[:ORDER_TEXT_CHARS] for text in self.pool.texts(seen)]
        if not seen or len(fresh) > INSERT_MAX_COUNT or not self._insert(fresh):
            self._rank_all()

    def _insert(self, fresh: list[str]) -> bool:
        """False if there was no room between two ranks."""
        ranks = []
        for text in fresh:
            place = bisect_left(self._sorted, text)
            if place < len(self._sorted) and self._sorted[place] == text:
                ranks.append(self._sorted_ranks[place])
                continue
            below = self._sorted_ranks[place - 1] if place else self._sorted_ranks[0] - 2 * GAP
            above = self._sorted_ranks[place] if place < len(self._sorted) else below + 2 * GAP
            if above - below < 2:
                return False
            ranks.append((below + above) // 2)
            self._sorted.insert(place, text)
            self._sorted_ranks.insert(place, ranks[-1])
        self._ranks = np.concatenate([self._ranks, np.array(ranks, np.int64)])
        return True

    def _rank_all(self) -> None:
        texts = [text[:ORDER_TEXT_CHARS] for text in self.pool.texts()]
        order = sorted(range(len(texts)), key=texts.__getitem__)
        ordered = [texts[place] for place in order]
        is_new = np.ones(len(ordered), np.bool_)
        is_new[1:] = [one != before for before, one in pairwise(ordered)]
        ranks = np.cumsum(is_new) * GAP
        self._ranks = np.empty(len(texts), np.int64)
        self._ranks[order] = ranks
        self._sorted = [text for text, new in zip(ordered, is_new.tolist(), strict=True) if new]
        self._sorted_ranks = ranks[is_new].tolist()
