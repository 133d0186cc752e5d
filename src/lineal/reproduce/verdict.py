"""Whether a run that was made again came out the same: its metrics, bit for bit and step by step.

Two values are the same, and of a step that was logged again the last word counts, as `lineal runs diff` has it. Wall times are not
compared, nor what the machine said of itself (below `system/`). Where the original was cut off (killed, lost), what the other
logged beyond that is not held against it, nor metrics that the original did not come to log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from lineal.local import LoggedRun
from lineal.model.vocabulary import Labels, is_system
from lineal.reproduce.tolerance import SeedSpread, SeedSpreads, Tolerance, tolerance_of
from lineal.store.parting import are_equal, bits_of, by_step

if TYPE_CHECKING:
    from lineal.series.merge import History

Points: TypeAlias = dict[float | int, float | int]
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
    spreads: SeedSpreads | None = None,
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
        _compare(key, then.get(key), now.get(key), is_cut, tolerance_of(key[0], tolerances), spreads)
        for key in keys
        if key in then or not is_cut
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
    spreads: SeedSpreads | None,
) -> MetricVerdict:
    if then is not None and now is not None and are_equal([then, now]):
        return MetricVerdict(*key, "identical")
    old = {} if then is None else _points(then)
    new = {} if now is None else _points(now)
    if is_cut and then is not None and now is not None:
        new = _cut(new, now, then)
    steps = sorted({**old, **new}, key=_place)
    parted = [step for step in steps if step not in old or step not in new or bits_of(old[step]) != bits_of(new[step])]
    if not parted:
        return MetricVerdict(*key, "identical")
    first = parted[0]
    if then is None or now is None:
        why = "only the new run has it" if then is None else "the new run lacks it"
        return MetricVerdict(*key, "different", first, why=why)
    largest = _largest(old, new, parted)
    verdict, why = _tolerated(key, old, new, parted, largest, relative, spreads)
    return MetricVerdict(*key, verdict, first, old.get(first), new.get(first), largest, why)


def _place(step: float | int) -> tuple[bool, float | int]:
    """In order; a step that is no number comes last."""
    return (True, 0) if step != step else (False, step)


def _points(history: History) -> Points:
    """By step, its last word. All steps that are NaN are one, and the same object: a dict finds it although it equals nothing."""
    return {math.nan if step != step else step: value for step, value in by_step(history).items()}


def _cut(new: Points, now: History, then: History) -> Points:
    """Without what comes after the last step that the original logged; and of that one no later word than its."""
    last = max(then.step.tolist(), key=_place)
    found = {step: value for step, value in new.items() if _place(step) <= _place(last)}
    words = [value for step, value in zip(now.step.tolist(), now.value.tolist(), strict=True) if step == last]
    if words:
        found[last] = words[: then.step.tolist().count(last)][-1]
    return found


def _largest(old: Points, new: Points, parted: Sequence[float | int]) -> float | None:
    """None where the steps are not the same, or only one of two values is a finite number."""
    if old.keys() != new.keys():
        return None
    found = [_deviation(old[step], new[step]) for step in parted]
    return None if None in found else max(item for item in found if item is not None)


def _deviation(value: float | int, other: float | int) -> float | None:
    """Relative to the larger of the two; exact, for ints that a float would round."""
    if value == other:
        return 0.0
    if not (math.isfinite(value) and math.isfinite(other)):
        return None
    if isinstance(value, float) and isinstance(other, float):
        return abs(value - other) / max(abs(value), abs(other))
    return float(abs(Fraction(value) - Fraction(other)) / max(abs(Fraction(value)), abs(Fraction(other))))


def _tolerated(
    key: tuple[str, Labels],
    old: Points,
    new: Points,
    parted: Sequence[float | int],
    largest: float | None,
    relative: float | None,
    spreads: SeedSpreads | None,
) -> tuple[Verdict, str]:
    """At every step: a curve of other steps or of another length is never within anything."""
    if relative is not None:
        is_within = largest is not None and largest <= relative
        return ("within tolerance" if is_within else "different"), f"tolerance {relative:g}"
    spread = spreads.of(*key) if spreads is not None and largest is not None else None
    if spread is not None and all(_is_within(old[step], new[step], spread, step) for step in parted):
        return "within tolerance", f"at every step within three deviations of {spread.count} seeds"
    return "different", ""


def _is_within(value: float | int, other: float | int, spread: SeedSpread, step: float | int) -> bool:
    allowed = spread.allowed.get(step)
    return allowed is not None and abs(float(value) - float(other)) <= allowed


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
