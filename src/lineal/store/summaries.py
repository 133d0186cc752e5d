"""Stats of a series' pieces (a piece: one writer of one attempt), and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from lineal.query.syntax import Aggregate
from lineal.series.stats import Stats, merge, summary_of
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


def aggregate_of(pieces: Iterable[PieceStats], aggregate: Aggregate) -> float | int | None:
    """What a filter sees of a metric: of all its pieces, of both value types. None if there is none, or no number among them."""
    known = list(pieces)
    if not known:
        return None
    summary = summary_of(merge_in_order(known))
    return {
        "last": summary.last,
        "first": summary.first,
        "min": summary.min,
        "max": summary.max,
        "mean": summary.mean,
        "count": summary.count,
    }[aggregate]


def merge_in_order(pieces: Iterable[PieceStats]) -> Stats:
    """All pieces summed up. ValueError if there is none."""
    ordered = sorted(pieces, key=position)
    if not ordered:
        raise ValueError("a series without points has no summary")
    return reduce(merge, (piece.stats for piece in ordered))
