"""In what runs differ: every attribute, param, metric and tag of some runs side by side, the differing ones first."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lineal.model.direction import goal_of
from lineal.model.entities import Run, RunDetails, SeriesInfo
from lineal.model.values import ParamValue
from lineal.model.vocabulary import Goal, is_system
from lineal.store.compare import compare, definitions_of, latest_values
from lineal.store.rules import typed_text

Section: TypeAlias = Literal["attribute", "param", "metric", "tag"]
SECTIONS: tuple[Section, ...] = ("attribute", "param", "metric", "tag")


@dataclass(frozen=True, slots=True)
class Row:
    """One name across the runs. `values` holds, by run id, only runs that have it. Metrics have a `goal`, and
    `best_run_ids` where one value beats another."""

    section: Section
    name: str
    values: dict[str, ParamValue]
    differs: bool
    goal: Goal | None = None
    best_run_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows by section; within one the differing first, then by name (attributes in their usual order)."""

    run_ids: tuple[str, ...]
    rows: tuple[Row, ...]

    def of(self, section: Section, *, only_differing: bool = False) -> list[Row]:
        return [row for row in self.rows if row.section == section and (row.differs or not only_differing)]


def difference(details: Sequence[RunDetails], series: Sequence[Sequence[SeriesInfo]]) -> Difference:
    """Of the runs in the order given, `series` being theirs. Params differ as the store tells them apart (1 and "1" do),
    metrics by the value logged last; a run that lacks a name differs from one that has it."""
    run_ids = tuple(item.run.run_id for item in details)
    tags = {item.run.run_id: item.tags for item in details}
    params = {item.run.run_id: item.params for item in details}
    rows = [
        *_attributes([item.run for item in details]),
        *_rows("param", params, typed_text),
        *_metrics(details, series),
        *_rows("tag", tags, str),
    ]
    rows.sort(key=lambda row: (SECTIONS.index(row.section), not row.differs))
    return Difference(run_ids, tuple(rows))


def _attributes(runs: Sequence[Run]) -> Iterable[Row]:
    """What people tell runs apart by. Ids and times that differ always say nothing."""
    values: dict[str, list[ParamValue]] = {
        "name": [run.name for run in runs],
        "experiment": [run.experiment_name for run in runs],
        "status": [run.status for run in runs],
        "start_time": [run.started_ms for run in runs],
        "duration": [run.duration_ms for run in runs],
        "user_id": [run.user_id for run in runs],
        "description": [run.description or None for run in runs],
        "parent_run_id": [run.parent_run_id for run in runs],
        "forked_from": [run.forked_from for run in runs],
    }
    for name, found in values.items():
        known: dict[str, ParamValue] = {
            run.run_id: value for run, value in zip(runs, found, strict=True) if value is not None
        }
        if known:
            yield Row("attribute", name, known, _differs(known.values(), len(runs), typed_text))


def _rows(
    section: Section,
    values: Mapping[str, Mapping[str, ParamValue]],
    identity: Callable[[ParamValue], Hashable],
) -> Iterable[Row]:
    for name in sorted({name for known in values.values() for name in known}):
        found = {run_id: known[name] for run_id, known in values.items() if name in known}
        yield Row(section, name, found, _differs(found.values(), len(values), identity))


def _metrics(details: Sequence[RunDetails], series: Sequence[Sequence[SeriesInfo]]) -> Iterable[Row]:
    definitions = definitions_of(details)
    best = compare(details, series).metrics
    values: dict[str, Mapping[str, ParamValue]] = {
        item.run.run_id: {name: value for name, value in latest_values(infos).items() if not is_system(name)}
        for item, infos in zip(details, series, strict=True)
    }
    for row in _rows("metric", values, _number):
        numbers = [value for value in row.values.values() if not _is_nan(value)]
        holders = [run_id for run_id, value in row.values.items() if value == best[row.name].best_value]
        beaten = len(holders) < len(numbers)
        yield Row(
            "metric",
            row.name,
            row.values,
            row.differs,
            goal_of(row.name, definitions),
            tuple(holders) if beaten else (),
        )


def _differs(values: Iterable[ParamValue], run_count: int, identity: Callable[[ParamValue], Hashable]) -> bool:
    found = [identity(value) for value in values]
    return len(found) < run_count or len(set(found)) > 1


def _number(value: ParamValue) -> Hashable:
    return "NaN" if _is_nan(value) else value


def _is_nan(value: ParamValue) -> bool:
    return isinstance(value, float) and math.isnan(value)
