"""Curves of many runs in one reading: the chart's policy, forks included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lineal.model.errors import NotFound
from lineal.model.vocabulary import Labels
from lineal.series import merge
from lineal.series.merge import History
from lineal.store.contracts import BucketPiece, Piece, SeriesName, TenantReader

_FORKS_MAX_COUNT = 32  # a fork of a fork of a ...: a bound against rings made by hand


class Curve(NamedTuple):
    """`value_type` is int64 if every piece's is."""

    run_id: str
    name: str
    labels: Labels
    value_type: str
    history: History


def read_curves(
    reader: TenantReader,
    run_ids: Sequence[str],
    names: Sequence[SeriesName],
    *,
    max_points: int | None,
    step_min: float | None = None,
    step_max: float | None = None,
    all_attempts: bool = False,
) -> list[Curve]:
    """The curves that there are, by run, then name. Without `max_points` exact. Unless `all_attempts`, a later attempt
    replaces the steps that it covers. NotFound for an unknown run."""
    found: dict[tuple[str, SeriesName], list[Piece] | list[BucketPiece]] = {}
    for end, pairs in _readings(reader, run_ids, step_max).items():
        wanted = [(source, name) for _, source in pairs for name in names]
        owners = [(run_id, name) for run_id, _ in pairs for name in names]
        pieces: Sequence[list[Piece] | list[BucketPiece]]
        if max_points is None:
            pieces = reader.read_points_of(wanted, step_min=step_min, step_max=end)
        else:
            pieces = reader.read_buckets(wanted, max_points, step_min=step_min, step_max=end)
        for owner, some in zip(owners, pieces, strict=True):
            if some:
                found.setdefault(owner, []).extend(some)  # type: ignore[arg-type]
    curves = []
    for run_id in run_ids:
        for name in names:
            read = found.get((run_id, name))
            if read:
                value_type = "int64" if all(piece.value_type == "int64" for piece in read) else "float64"
                curves.append(Curve(run_id, *name, value_type, _merged(read, max_points, name, all_attempts)))
    return curves


def _merged(
    pieces: list[Piece] | list[BucketPiece], max_points: int | None, name: SeriesName, all_attempts: bool
) -> History:
    if max_points is None:
        exact: list[Piece] = pieces  # type: ignore[assignment]
        return merge.merge_pieces(exact if all_attempts else merge.latest_attempt_wins(exact), *name)
    summed: list[BucketPiece] = pieces  # type: ignore[assignment]
    kept = summed if all_attempts else merge.latest_attempt_wins_buckets(summed)
    return merge.merge_bucket_pieces(kept, max_points, *name)


def _readings(
    reader: TenantReader, run_ids: Sequence[str], step_max: float | None
) -> dict[float | None, list[tuple[str, str]]]:
    """Last step that counts -> (run, the run whose points it takes), oldest first: a fork begins with what the run that it
    was forked from had logged up to the fork's step."""
    readings: dict[float | None, list[tuple[str, str]]] = {}
    depth_of: list[list[tuple[float | None, str, str]]] = []
    for run_id in run_ids:
        sources = [(step_max, run_id, run_id)]
        run, end = reader.get_run(run_id), step_max
        while run.forked_from is not None and len(sources) < _FORKS_MAX_COUNT:
            if run.fork_step is not None:
                end = run.fork_step if end is None else min(end, run.fork_step)
            try:
                run = reader.get_run(run.forked_from)
            except NotFound:
                break
            sources.append((end, run_id, run.run_id))
        depth_of.append(sources[::-1])
    for sources in depth_of:
        for end, run_id, source in sources:
            readings.setdefault(end, []).append((run_id, source))
    return readings
