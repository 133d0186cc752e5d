"""Stats of a series' pieces (a piece: one writer of one attempt), and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from lineal.series.stats import Stats, merge
from lineal.store.rules import Rank


class PieceStats(NamedTuple):
    rank: Rank
    writer: str
    value_type: str
    last_seq: int
    stats: Stats


def position(piece: PieceStats) -> tuple[Rank, int, int, str, str]:
    """Pieces in the order in which a run's summary takes them: by attempt, then by when they were last written."""
    return piece.rank, piece.stats.last_ms, piece.last_seq, piece.writer, piece.value_type


def latest_of(pieces: Iterable[PieceStats]) -> PieceStats:
    """The piece whose last value is the series' last value. ValueError if there is none."""
    return max(pieces, key=position)


def merge_in_order(pieces: Iterable[PieceStats]) -> Stats:
    """All pieces summed up. ValueError if there is none."""
    ordered = sorted(pieces, key=position)
    if not ordered:
        raise ValueError("a series without points has no summary")
    return reduce(merge, (piece.stats for piece in ordered))
