"""What `lineal runs export` exports, row by row: runs a page at a time, points a few series at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lineal.model.values import ParamValue
from lineal.model.vocabulary import Labels
from lineal.store.compare import latest_values
from lineal.store.run_view import run_dict

if TYPE_CHECKING:
    from lineal.local import LocalStore
    from lineal.model.entities import Run, SeriesInfo
    from lineal.store.contracts import Piece, SeriesName

ATTRIBUTES = (
    "run_id",
    "name",
    "experiment",
    "status",
    "start_time",
    "end_time",
    "duration_seconds",
    "user_id",
    "parent_run_id",
    "description",
    "lifecycle_stage",
)
_PAGE_COUNT = 500
_POINTS_PAGE_COUNT = 100
_POINTS_OF_READING = 500_000
_ROWS_OF_SLICE = 50_000

Told = Callable[[int], None]
"""Progress: so many more runs are done."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as a table's row: typed values by name."""

    attributes: dict[str, ParamValue]
    params: dict[str, ParamValue]
    metrics: dict[str, float | int]
    tags: dict[str, str]
    body: dict[str, Any]
    """The REST run, with `experiment` and `typed_params`."""


class PointRows(NamedTuple):
    """Points of one series of one attempt, in order of logging; columns of equal length."""

    run_id: str
    metric: str
    labels: Labels
    attempt: str
    step: list[float | int]
    time_ms: list[int]
    value: list[float | int]


def run_rows(store: LocalStore, runs: Iterator[Run], told: Told) -> Iterator[RunRow]:
    reader = store.reader()
    while page := list(islice(runs, _PAGE_COUNT)):
        ids = [run.run_id for run in page]
        summaries = reader.list_summaries(ids)
        for details, series in zip(reader.get_details_of(ids), summaries, strict=True):
            run = details.run
            metrics = latest_values(series)
            body = run_dict(details, metrics, f"lineal:///{store.tenant}/{run.run_id}/artifacts")
            attributes = {name: body.get(name) for name in ATTRIBUTES} | {"experiment": run.experiment_name}
            yield RunRow(
                attributes,
                details.params,
                metrics,
                details.tags,
                body | {"experiment": run.experiment_name, "typed_params": details.params},
            )
        told(len(page))


def point_rows(store: LocalStore, runs: Iterator[Run], metrics: Sequence[str], told: Told) -> Iterator[PointRows]:
    """Every point that the runs themselves logged, bit-exact. What a fork continues is with the run it was forked from."""
    reader = store.reader()
    while page := list(islice(runs, _POINTS_PAGE_COUNT)):
        ids = [run.run_id for run in page]
        of_page = [
            (run_id, info)
            for run_id, series in zip(ids, reader.list_summaries(ids), strict=True)
            for info in sorted(series, key=lambda info: info.key[:2])
            if not metrics or info.key.name in metrics
        ]
        for wanted in _readings(of_page):
            for (run_id, (name, labels)), pieces in zip(wanted, reader.read_points_of(wanted), strict=True):
                for piece in pieces:
                    yield from _slices(run_id, name, labels, piece)
        told(len(page))


def _readings(series: Sequence[tuple[str, SeriesInfo]]) -> Iterator[list[tuple[str, SeriesName]]]:
    """Series that are read together: what was logged together shares its columns."""
    wanted: dict[tuple[str, SeriesName], None] = {}  # a name with values of two types is one series here
    count = 0
    for run_id, info in series:
        key = (run_id, (info.key.name, info.key.labels))
        if wanted and key not in wanted and count + info.summary.count > _POINTS_OF_READING:
            yield list(wanted)
            wanted, count = {}, 0
        wanted[key] = None
        count += info.summary.count
    if wanted:
        yield list(wanted)


def _slices(run_id: str, name: str, labels: Labels, piece: Piece) -> Iterator[PointRows]:
    columns = piece.columns
    for first in range(0, len(columns.step), _ROWS_OF_SLICE):
        rows = slice(first, first + _ROWS_OF_SLICE)
        yield PointRows(
            run_id,
            name,
            labels,
            piece.attempt_id,
            columns.step[rows].tolist(),
            columns.time_ms[rows].tolist(),
            columns.value[rows].tolist(),
        )
