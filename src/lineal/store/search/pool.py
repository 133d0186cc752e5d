"""Many texts as one array of bytes, and tests of all of them at once.

UTF-8, with a byte behind each text that UTF-8 does not use: no match reaches from one text into the next, and bytes are
in the order of code points. A million names are 25 MB, which a test walks in milliseconds; as Python texts, scattered in
memory, they take a third of a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.series.columns import Int64s
from lineal.store.search.numbers import Mask, resized

_END = 0xFF
Bytes: TypeAlias = npt.NDArray[np.uint8]


class TextPool:
    """Texts are numbered from 0 in the order added, and never changed."""

    def __init__(self) -> None:
        self.count = 0
        self._bytes: Bytes = np.empty(0, np.uint8)
        self._starts: Int64s = np.zeros(1, np.int64)  # one more than texts: where the next one begins
        self._lower: Bytes = np.empty(0, np.uint8)
        self._frequency: Int64s = np.zeros(256, np.int64)
        self._odd: list[int] = []

    @property
    def size_bytes(self) -> int:
        return len(self._bytes) + len(self._lower) + 8 * len(self._starts)

    def add(self, texts: Sequence[str]) -> None:
        if not texts:
            return
        encoded = [text.encode() for text in texts]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1
        joined = np.frombuffer(b"\xff".join(encoded) + b"\xff", np.uint8)
        used, count = self._used, self.count
        if used + len(joined) > len(self._bytes):
            self._bytes = resized(self._bytes, _roomy(used + len(joined)), _END)
        if count + len(texts) + 1 > len(self._starts):
            self._starts = resized(self._starts, _roomy(count + len(texts) + 1), 0)
        self._bytes[used : used + len(joined)] = joined
        self._starts[count + 1 : count + len(texts) + 1] = used + np.cumsum(lengths)
        self.count += len(texts)
        self._frequency += np.bincount(joined, minlength=256)
        if bool(((joined >= 0x80) & (joined != _END)).any()):
            self._odd += [count + place for place, text in enumerate(texts) if not text.isascii()]

    def __getitem__(self, number: int) -> str:
        start, end = self._starts[number : number + 2].tolist()
        return self._bytes[start : end - 1].tobytes().decode()

    def texts(self, first: int = 0) -> list[str]:
        """From that one on."""
        if first >= self.count:
            return []
        data = self._bytes[self._starts[first] : self._used - 1].tobytes()
        return [text.decode() for text in data.split(b"\xff")]

    def odd(self, first: int) -> list[int]:
        """Those from `first` on that are not ASCII."""
        return [number for number in self._odd if number >= first] if self._odd else []

    # -- tests: of the texts from `first` on ---------------------------------------------------------------

    def equal(self, text: str, first: int) -> Mask:
        wanted = text.encode()
        starts, ends = self._bounds(first)
        alive = np.flatnonzero(ends - starts == len(wanted))
        found = np.zeros(len(starts), np.bool_)
        found[self._matching(self._bytes, starts, alive, wanted)] = True
        return found

    def is_in(self, texts: frozenset[str], first: int) -> Mask:
        wanted = {text.encode() for text in texts}
        if first >= self.count:
            return np.zeros(0, np.bool_)
        data = self._bytes[self._starts[first] : self._used - 1].tobytes()
        return np.array([text in wanted for text in data.split(b"\xff")], np.bool_)

    def below(self, text: str, first: int) -> tuple[Mask, Mask]:
        """Which texts come before that one, and which are it."""
        wanted = text.encode()
        starts, ends = self._bounds(first)
        below = np.zeros(len(starts), np.bool_)
        level = np.arange(len(starts))
        for place, byte in enumerate(wanted):
            at = starts[level] + place
            mine = self._bytes[at]
            # The byte behind a text is above all others, but a text that ends here comes before.
            below[level[(mine < byte) | (at == ends[level])]] = True
            level = level[mine == byte]
            if not len(level):
                break
        equal = np.zeros(len(starts), np.bool_)
        equal[level[starts[level] + len(wanted) == ends[level]]] = True
        return below, equal

    def like(self, pieces: Sequence[str], first: int, *, lower: bool = False) -> Mask:
        """Which texts are these pieces with anything between them: "a", "" is what begins with a. `lower`: of texts in lower
        case, right for ASCII only."""
        data = self._lowered() if lower else self._bytes
        head, *within, tail = [piece.encode() for piece in pieces] if len(pieces) > 1 else [b"", b""]
        starts, ends = self._bounds(first)
        if len(pieces) == 1:
            head = pieces[0].encode()
            alive = np.flatnonzero(ends - starts == len(head))
        else:
            alive = np.flatnonzero(ends - starts >= len(head) + len(tail))
        alive = self._matching(data, starts, alive, head)
        alive = self._matching(data, ends - len(tail), alive, tail)
        found = np.zeros(len(starts), np.bool_)
        found[alive] = True
        begin, end = starts + len(head), ends - len(tail)
        for piece in filter(None, within):
            at = self._places(data, piece, first)
            number = np.searchsorted(starts, at, side="right") - 1
            is_within = found[number] & (at >= begin[number]) & (at + len(piece) <= end[number])
            at, number = at[is_within], number[is_within]
            # The first place in each text; the next piece must stand behind it.
            is_first = np.ones(len(number), np.bool_)
            is_first[1:] = number[1:] != number[:-1]
            at, number = at[is_first], number[is_first]
            found = np.zeros(len(starts), np.bool_)
            found[number] = True
            begin[number] = at + len(piece)
        return found

    # -- inside --------------------------------------------------------------------------------------------

    @property
    def _used(self) -> int:
        return int(self._starts[self.count])

    def _bounds(self, first: int) -> tuple[Int64s, Int64s]:
        return self._starts[first : self.count].copy(), self._starts[first + 1 : self.count + 1] - 1

    def _lowered(self) -> Bytes:
        known = len(self._lower)
        if known < self._used:
            fresh = self._bytes[known : self._used]
            is_upper = (fresh >= ord("A")) & (fresh <= ord("Z"))
            self._lower = np.concatenate([self._lower, np.where(is_upper, fresh | 0x20, fresh)])
        return self._lower

    def _matching(self, data: Bytes, starts: Int64s, alive: Int64s, wanted: bytes) -> Int64s:
        """Which of these have those bytes from their start on."""
        for place, byte in enumerate(wanted):
            alive = alive[data[starts[alive] + place] == byte]
        return alive

    def _places(self, data: Bytes, piece: bytes, first: int) -> Int64s:
        """Everywhere the piece stands, in order: sought by its rarest byte."""
        low, high = int(self._starts[first]), self._used
        by_rarity = sorted(range(len(piece)), key=lambda place: int(self._frequency[piece[place]]))
        rarest = by_rarity[0]
        at = np.flatnonzero(data[low:high] == piece[rarest]) + (low - rarest)
        at = at[(at >= low) & (at + len(piece) <= high)]
        for place in by_rarity[1:]:
            at = at[data[at + place] == piece[place]]
        return at


def _roomy(count: int) -> int:
    return count + count // 8 + 64
