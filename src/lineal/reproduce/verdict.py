"""Whether a run that was made again came out the same: its metrics, bit for bit and step by step.

Wall times are not compared, nor what the machine said of itself (below `system/`). Where the original was cut off (killed, lost),
what the other logged beyond that is not held against it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lineal.local import LoggedRun
from lineal.model.vocabulary import Labels, is_system
from lineal.reproduce.tolerance import SeedSpread, Tolerance, tolerance_of

if TYPE_CHECKING:
    from lineal.series.merge import History

Verdict: TypeAlias = Literal["identical", "within tolerance", "different", "failed"]


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """`first_step`: the first at which the two part, with the values there (None: only the other has a point there).
    `largest`: the largest deviation, relative to the larger value. `why`: what tolerance counted, in words."""

    name: str
    labels: Labels
    verdict: Verdict
    first_step: float | int | None = None
    original: float | int | None = None
    reproduced: float | int | None = None
    largest: float | None = None
    why: str = ""

    @property
    def shown_name(self) -> str:
        of = ", ".join(f"{key}={value}" for key, value in self.labels)
        return f"{self.name}{{{of}}}" if of else self.name


@dataclass(frozen=True, slots=True)
class Outcome:
    verdict: Verdict
    reason: str
    metrics: tuple[MetricVerdict, ...]


def judge(
    original: LoggedRun,
    reproduced: LoggedRun,
    *,
    tolerances: Sequence[Tolerance] = (),
    spreads: Mapping[str, SeedSpread] | None = None,
    ignored: Sequence[str] = (),
) -> Outcome:
    """`ignored`: patterns of metrics that measure the machine, a duration for example."""
    is_cut = original.status in ("killed", "lost")
    if reproduced.status != original.status and not (is_cut and reproduced.status == "finished"):
        return Outcome("failed", f"the new run is {reproduced.status}, and the original was {original.status}", ())
    keys = sorted(
        {(info.key.name, info.key.labels) for run in (original, reproduced) for info in run.series}
        - {(name, labels) for name, labels in _names(original, reproduced) if _is_ignored(name, ignored)}
    )
    then, now = _histories(original, keys), _histories(reproduced, keys)
    found = [
        _compare(
            key, then.get(key), now.get(key), is_cut, tolerance_of(key[0], tolerances), (spreads or {}).get(key[0])
        )
        for key in keys
    ]
    return Outcome(_overall(found), _reason(found, original, reproduced), tuple(found))


def _names(*runs: LoggedRun) -> list[tuple[str, Labels]]:
    return [(info.key.name, info.key.labels) for run in runs for info in run.series]


def _is_ignored(name: str, ignored: Sequence[str]) -> bool:
    return is_system(name) or any(fnmatchcase(name, pattern) for pattern in ignored)


def _histories(run: LoggedRun, keys: Sequence[tuple[str, Labels]]) -> dict[tuple[str, Labels], History]:
    own = {(info.key.name, info.key.labels) for info in run.series}
    by_labels: dict[Labels, list[str]] = {}
    for name, labels in keys:
        if (name, labels) in own:
            by_labels.setdefault(labels, []).append(name)
    return {
        (name, labels): history
        for labels, names in by_labels.items()
        for name, history in run.histories(names, labels=dict(labels), attempts="latest").items()
    }


def _compare(
    key: tuple[str, Labels],
    then: History | None,
    now: History | None,
    is_cut: bool,
    relative: float | None,
    spread: SeedSpread | None,
) -> MetricVerdict:
    if then is None or now is None:
        only = now if then is None else then
        assert only is not None
        step = _item(np.sort(only.step), 0)
        return MetricVerdict(
            *key, "different", step, why="only the new run has it" if then is None else "the new run lacks it"
        )
    steps, values = _ordered(then)
    new_steps, new_values = _ordered(now)
    if is_cut:
        new_steps, new_values = new_steps[: len(steps)], new_values[: len(steps)]
    place = _first_difference(steps, values, new_steps, new_values)
    if place is None:
        return MetricVerdict(*key, "identical")
    here, there = _item(steps, place), _item(new_steps, place)
    step = min(item for item in (here, there) if item is not None)
    largest = _largest(steps, values, new_steps, new_values)
    verdict, why = _tolerated(values, new_values, largest, relative, spread)
    return MetricVerdict(
        *key,
        verdict,
        step,
        _item(values, place) if here == step else None,
        _item(new_values, place) if there == step else None,
        largest,
        why,
    )


def _ordered(history: History) -> tuple[Any, Any]:
    """By step, and in order of logging within one: threads may log in any order."""
    order = np.argsort(history.step, kind="stable")
    return history.step[order], history.value[order]


def _first_difference(steps: Any, values: Any, new_steps: Any, new_values: Any) -> int | None:
    count = min(len(steps), len(new_steps))
    same = (steps[:count] == new_steps[:count]) & _same_bits(values[:count], new_values[:count])
    if not same.all():
        return int(np.argmin(same))
    return None if len(steps) == len(new_steps) else count


def _same_bits(values: Any, others: Any) -> Any:
    """NaN is NaN, whatever its payload; 0.0 and -0.0 are two values."""
    if "O" in (values.dtype.kind, others.dtype.kind):  # ints that float64 would round, among floats
        pairs = zip(values.tolist(), others.tolist(), strict=True)
        return np.array([_is_same(value, other) for value, other in pairs], dtype=bool)
    if values.dtype != others.dtype:
        values, others = values.astype("f8"), others.astype("f8")
    if values.dtype.kind != "f":
        return values == others
    return (values.view("i8") == others.view("i8")) | (np.isnan(values) & np.isnan(others))


def _is_same(value: float | int, other: float | int) -> bool:
    if value != value or other != other:
        return value != value and other != other
    return value == other and math.copysign(1, value) == math.copysign(1, other)


def _largest(steps: Any, values: Any, new_steps: Any, new_values: Any) -> float | None:
    """None where the steps are not the same, or only one of two values is a finite number."""
    if len(steps) != len(new_steps) or not (steps == new_steps).all():
        return None
    a, b = values.astype("f8"), new_values.astype("f8")
    different = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    a, b = a[different], b[different]
    if not (np.isfinite(a) & np.isfinite(b)).all():
        return None
    return float((np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))).max()) if len(a) else 0.0


def _tolerated(
    values: Any, new_values: Any, largest: float | None, relative: float | None, spread: SeedSpread | None
) -> tuple[Verdict, str]:
    if relative is not None:
        is_within = largest is not None and largest <= relative
        return ("within tolerance" if is_within else "different"), f"tolerance {relative:g}"
    if spread is not None and len(values) and len(new_values):
        apart = abs(float(values[-1]) - float(new_values[-1]))
        if math.isfinite(apart) and apart <= spread.allowed:
            return "within tolerance", f"the last value, within three deviations of {spread.count} seeds"
    return "different", ""


def _overall(found: Sequence[MetricVerdict]) -> Verdict:
    said = {item.verdict for item in found}
    return "different" if "different" in said else "within tolerance" if "within tolerance" in said else "identical"


def _reason(found: Sequence[MetricVerdict], original: LoggedRun, reproduced: LoggedRun) -> str:
    if not found:
        return f"no metric was logged that could differ; both runs are {reproduced.status}"
    points = sum(info.summary.count for info in original.series if not is_system(info.key.name))
    parted = [item for item in found if item.verdict != "identical"]
    if not parted:
        return f"all {len(found)} metrics are the same at every step ({points:,} points)"
    first = min(parted, key=lambda item: (item.first_step is None, item.first_step or 0))
    return f"{len(parted)} of {len(found)} metrics part, {first.shown_name} first, at step {first.first_step}"


def _item(column: Any, index: int) -> float | int | None:
    if index >= len(column):
        return None
    value = column[index]
    return value if isinstance(value, (int, float)) and not isinstance(value, np.generic) else value.item()
