"""Curves of many runs in one reading: the chart's policy, forks included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from lineal.model.errors import NotFound
from lineal.model.vocabulary import Labels
from lineal.series import merge
from lineal.series.merge import History
from lineal.store.contracts import BucketPiece, Piece, SeriesName, TenantReader

_FORKS_MAX_COUNT = 32  # a fork of a fork of a ...: a bound against rings made by hand


class _Source(NamedTuple):
    run_id: str
    step_max: float | None


class Curve(NamedTuple):
    """`value_type` is int64 if every piece's is."""

    run_id: str
    name: str
    labels: Labels
    value_type: str
    history: History


def read_curves(
    reader: TenantReader,
    wanted: Mapping[str, Sequence[SeriesName]],
    *,
    max_points: int | None,
    step_min: float | None = None,
    step_max: float | None = None,
    all_attempts: bool = False,
) -> list[Curve]:
    """The curves that there are of those wanted, by run, then name. Without `max_points` exact. Unless `all_attempts`, a later
    attempt replaces the steps that it covers. NotFound for an unknown run."""
    sources = {run_id: _sources(reader, run_id, step_max) for run_id in wanted}
    owners = {
        (source, name): None for run_id, of_run in sources.items() for source in of_run for name in wanted[run_id]
    }
    read = _read(reader, list(owners), max_points, step_min)
    curves = []
    for run_id, of_run in sources.items():
        for name in wanted[run_id]:
            pieces = [piece for source in of_run for piece in read.get((source, name), ())]
            if pieces:
                value_type = "int64" if all(piece.value_type == "int64" for piece in pieces) else "float64"
                curves.append(Curve(run_id, *name, value_type, _merged(pieces, max_points, name, all_attempts)))
    return curves


def _read(
    reader: TenantReader,
    owners: Sequence[tuple[_Source, SeriesName]],
    max_points: int | None,
    step_min: float | None,
) -> dict[tuple[_Source, SeriesName], Sequence[Piece] | Sequence[BucketPiece]]:
    """One question for all sources that end at the same step: without forks, one in all."""
    found: dict[tuple[_Source, SeriesName], Sequence[Piece] | Sequence[BucketPiece]] = {}
    for end in {source.step_max for source, _ in owners}:
        together = [(source, name) for source, name in owners if source.step_max == end]
        wanted = [(source.run_id, name) for source, name in together]
        answers: Sequence[Sequence[Piece] | Sequence[BucketPiece]]
        if max_points is None:
            answers = reader.read_points_of(wanted, step_min=step_min, step_max=end)
        else:
            answers = reader.read_buckets(wanted, max_points, step_min=step_min, step_max=end)
        found.update(zip(together, answers, strict=True))
    return found


def _sources(reader: TenantReader, run_id: str, step_max: float | None) -> list[_Source]:
    """The runs whose points make up this run's curves, oldest first, each with the last step that counts: a fork begins with
    what the run that it was forked from had logged up to the fork's step."""
    sources = [_Source(run_id, step_max)]
    run, end = reader.get_run(run_id), step_max
    while run.forked_from is not None and len(sources) < _FORKS_MAX_COUNT:
        if run.fork_step is not None:
            end = run.fork_step if end is None else min(end, run.fork_step)
        try:
            run = reader.get_run(run.forked_from)
        except NotFound:
            break
        sources.append(_Source(run.run_id, end))
    return sources[::-1]


def _merged(
    pieces: Sequence[Piece | BucketPiece], max_points: int | None, name: SeriesName, all_attempts: bool
) -> History:
    if max_points is None:
        exact = cast(Sequence[Piece], pieces)
        return merge.merge_pieces(exact if all_attempts else merge.latest_attempt_wins(exact), *name)
    summed = cast(Sequence[BucketPiece], pieces)
    kept = summed if all_attempts else merge.latest_attempt_wins_buckets(summed)
    return merge.merge_bucket_pieces(kept, max_points, *name)
