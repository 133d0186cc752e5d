"""The pieces of a series, from several writers and attempts, made into what a reader gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from lineal.model.vocabulary import Labels
from lineal.series.blocks import concat_columns, select
from lineal.series.columns import Buckets, Columns, Int64s, Numbers
from lineal.series.downsample import bucketize, coarsen, concat_buckets, take_buckets
from lineal.series.steps import at_or_above


@dataclass(frozen=True, slots=True)
class History:
    """One series, all attempts and writers, in order of logging; arrays (n,), which may be read-only.

    step, value  int64 or float64; where both types met: float64 if every int is exact in it, else objects
                 (Python's ints and floats)
    attempt      int32, index into `attempts`, which has the ids of the attempts with points, in order
    buckets      None if exact; else the n rows sum up `point_count` points, and step, time_ms and value are those
                 of the end of each bucket (step_max, time_max, last)
    """

    name: str
    labels: Labels
    step: Numbers
    time_ms: Int64s
    value: Numbers
    attempt: npt.NDArray[np.int32]
    attempts: tuple[str, ...]
    point_count: int
    buckets: Buckets | None = None

    def __len__(self) -> int:
        return len(self.value)


class PieceOrigin(Protocol):
    """Which writer of which attempt said something."""

    @property
    def attempt_id(self) -> str: ...
    @property
    def writer(self) -> str: ...


class PointPiece(PieceOrigin, Protocol):
    """Points of one series and value type from one writer of one attempt (the store's `Piece` is one)."""

    @property
    def columns(self) -> Columns: ...
    def _replace(self, *, columns: Columns = ...) -> Self: ...


class SummedPiece(PieceOrigin, Protocol):
    """The same, summed up (the store's `BucketPiece` is one)."""

    @property
    def buckets(self) -> Buckets: ...
    def _replace(self, *, buckets: Buckets = ...) -> Self: ...


A = TypeVar("A", bound=PieceOrigin)
P = TypeVar("P", bound=PointPiece)
B = TypeVar("B", bound=SummedPiece)

_NO_INTS = np.zeros(0, np.int64)
_NO_POINTS = Columns(_NO_INTS, _NO_INTS, _NO_INTS, np.zeros(0, np.float64))


def merge_pieces(pieces: Sequence[PointPiece], name: str = "", labels: Labels = ()) -> History:
    """Every point of every piece, exactly, in order of logging.

    Attempts follow each other as they first appear in `pieces`. Within one, a writer's points are in the order of
    `seq`; those of several writers are merged by wall time, without ever changing a writer's own order."""
    attempts = _by_attempt([piece for piece in pieces if len(piece.columns)])
    merged = [_merge_writers(of_attempt) for of_attempt in attempts.values()]
    columns = concat_columns(merged) if merged else _NO_POINTS
    return History(
        name=name,
        labels=labels,
        step=columns.step,
        time_ms=columns.time_ms,
        value=columns.value,
        attempt=_attempt_of_rows([len(part) for part in merged]),
        attempts=tuple(attempts),
        point_count=len(columns),
    )


def merge_bucket_pieces(pieces: Sequence[SummedPiece], max_points: int, name: str = "", labels: Labels = ()) -> History:
    """The same of buckets, which are ordered by the wall time at which they begin. At most `max_points` of them, or
    one an attempt if there are more attempts; each attempt gets its share, and no bucket spans two.
    ValueError if max_points < 1."""
    attempts = _by_attempt([piece for piece in pieces if len(piece.buckets)])
    merged = [_merge_buckets([piece.buckets for piece in of_attempt]) for of_attempt in attempts.values()]
    rows = sum(len(part) for part in merged)
    if rows > max_points:
        spare = max(0, max_points - len(merged))
        merged = [coarsen(part, 1 + len(part) * spare // rows) for part in merged]
    buckets = concat_buckets(merged) if merged else bucketize(_NO_POINTS, max_points)
    return History(
        name=name,
        labels=labels,
        step=buckets.step_max,
        time_ms=buckets.time_max,
        value=buckets.last,
        attempt=_attempt_of_rows([len(part) for part in merged]),
        attempts=tuple(attempts),
        point_count=int(buckets.count.sum()),
        buckets=buckets,
    )


def latest_attempt_wins(pieces: Sequence[P]) -> list[P]:
    """What a chart shows of a run that was resumed from a checkpoint: of an earlier attempt only the points below the
    smallest step of each later one (and those whose step is NaN). Pieces without points are dropped."""
    kept = []
    for piece, cut in zip(pieces, _cuts(pieces, lambda piece: piece.columns.step), strict=True):
        columns = piece.columns
        if cut is not None:
            columns = select(columns, ~at_or_above(columns.step, cut))
        if len(columns):
            kept.append(piece if columns is piece.columns else piece._replace(columns=columns))
    return kept


def latest_attempt_wins_buckets(pieces: Sequence[B]) -> list[B]:
    """The same of buckets: those are kept that begin (step_min) below the cut, so that the line reaches the later
    attempt; a bucket on the cut also counts points beyond it."""
    kept = []
    for piece, cut in zip(pieces, _cuts(pieces, lambda piece: piece.buckets.step_min), strict=True):
        buckets = piece.buckets
        if cut is not None:
            keep = ~at_or_above(buckets.step_min, cut)
            buckets = buckets if keep.all() else take_buckets(buckets, keep)
        if len(buckets):
            kept.append(piece if buckets is piece.buckets else piece._replace(buckets=buckets))
    return kept


def _by_attempt(pieces: Sequence[A]) -> dict[str, list[A]]:
    """The pieces of each attempt; attempts and pieces in the order given."""
    attempts: dict[str, list[A]] = {}
    for piece in pieces:
        attempts.setdefault(piece.attempt_id, []).append(piece)
    return attempts


def _merge_writers(pieces: Sequence[PointPiece]) -> Columns:
    """All points of one attempt. A writer has a piece for each value type: together they rise in `seq`."""
    if len(pieces) == 1:
        return pieces[0].columns
    writers: dict[str, list[Columns]] = {}
    for piece in pieces:
        writers.setdefault(piece.writer, []).append(piece.columns)
    parts = [_in_order_of_seq(concat_columns(columns)) for columns in writers.values()]
    if len(parts) == 1:
        return parts[0]
    return _rows(concat_columns(parts), _interleaved([part.time_ms for part in parts]))


def _merge_buckets(parts: Sequence[Buckets]) -> Buckets:
    """All buckets of one attempt. They have no `seq`, so the value types of one writer are merged by time too."""
    if len(parts) == 1:
        return parts[0]
    return take_buckets(concat_buckets(parts), _interleaved([part.time_min for part in parts]))


def _in_order_of_seq(columns: Columns) -> Columns:
    if (columns.seq[1:] >= columns.seq[:-1]).all():
        return columns
    return _rows(columns, np.argsort(columns.seq, kind="stable"))


def _interleaved(times: Sequence[Int64s]) -> Int64s:
    """The order that merges the parts by time, equal times as the parts stand. A clock that went back counts as if it
    had stood still (running maximum): else a stable sort would change that part's own order."""
    rising = [part if (part[1:] >= part[:-1]).all() else np.maximum.accumulate(part) for part in times]
    return np.argsort(np.concatenate(rising), kind="stable")


def _rows(columns: Columns, order: Int64s) -> Columns:
    return Columns(columns.seq[order], columns.step[order], columns.time_ms[order], columns.value[order])


def _attempt_of_rows(lengths: Sequence[int]) -> npt.NDArray[np.int32]:
    if len(lengths) == 1:
        return np.broadcast_to(np.int32(0), lengths)  # one number in memory
    return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)


def _cuts(pieces: Sequence[A], steps_of: Callable[[A], Numbers]) -> list[float | int | None]:
    """For each piece the smallest step of all attempts later than its own; None if they have none."""
    lowest: dict[str, float | int] = {}
    for piece in pieces:
        # A NaN step starts nothing; tolist makes a Python number of it, which compares exactly.
        steps = steps_of(piece)
        steps = steps[steps == steps]
        if len(steps):
            [low] = steps.min(keepdims=True).tolist()
            lowest[piece.attempt_id] = min(low, lowest.get(piece.attempt_id, low))
    cuts: dict[str, float | int | None] = {}
    cut: float | int | None = None
    for attempt_id in reversed(_by_attempt(pieces)):
        cuts[attempt_id] = cut
        low = lowest.get(attempt_id)
        cut = low if cut is None else cut if low is None else min(cut, low)
    return [cuts[piece.attempt_id] for piece in pieces]
