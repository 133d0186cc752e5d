"""Runs side by side: who is best in which metric. The shape behind POST /experiments/runs/compare."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lineal.model.direction import goal_of
from lineal.model.entities import MetricDefinition, RunDetails, SeriesInfo
from lineal.model.vocabulary import is_system


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """`best_run_id` is None when no run has a comparable value, or the best value is shared."""

    best_run_id: str | None
    best_value: float | int | None
    all_values: dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`best_run` is the run best in most metrics, None on a tie."""

    best_run: str | None
    metrics: dict[str, MetricComparison]


def latest_values(series: Sequence[SeriesInfo]) -> dict[str, float | int]:
    """Metric name -> value logged last, of series without labels; of two value types the one logged later."""
    latest: dict[str, tuple[int, float | int]] = {}
    for info in series:
        if info.key.labels:
            continue
        known = latest.get(info.key.name)
        if known is None or info.summary.last_ms >= known[0]:
            latest[info.key.name] = (info.summary.last_ms, info.summary.last)
    return {name: value for name, (_, value) in latest.items()}


def definitions_of(details: Sequence[RunDetails]) -> dict[str, MetricDefinition]:
    """What the runs declared about their metrics; the last run of the list wins."""
    return {name: definition for item in details for name, definition in item.metric_definitions.items()}


def compare(
    details: Sequence[RunDetails], series: Sequence[Sequence[SeriesInfo]], metrics: Sequence[str] | None = None
) -> Comparison:
    """Compares the last values of the named metrics, or of all that any of the runs has but the machine's. NaN is never best."""
    values = {item.run.run_id: latest_values(infos) for item, infos in zip(details, series, strict=True)}
    definitions = definitions_of(details)
    if metrics is None:
        metrics = sorted({name for known in values.values() for name in known if not is_system(name)})
    compared = {name: _compare_one(name, values, definitions) for name in metrics}
    wins = Counter(one.best_run_id for one in compared.values() if one.best_run_id is not None).most_common(2)
    tied = len(wins) > 1 and wins[0][1] == wins[1][1]
    return Comparison(None if tied or not wins else wins[0][0], compared)


def _compare_one(
    name: str, values: dict[str, dict[str, float | int]], definitions: dict[str, MetricDefinition]
) -> MetricComparison:
    found = {run_id: known[name] for run_id, known in values.items() if name in known}
    usable = {run_id: value for run_id, value in found.items() if not math.isnan(value)}
    if not usable:
        return MetricComparison(None, None, found)
    best = min(usable.values()) if goal_of(name, definitions) == "min" else max(usable.values())
    holders = [run_id for run_id, value in usable.items() if value == best]
    return MetricComparison(holders[0] if len(holders) == 1 else None, best, found)
