"""How far a metric may lie from the original's and still count as the same: as the user says, or as seeds do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import stdev

from lineal.local import LocalStore, LoggedRun
from lineal.model.errors import InvalidInput
from lineal.model.vocabulary import REPRODUCES_TAG

_SIBLINGS_MAX_COUNT = 200
_VALUES_MIN_COUNT = 3
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """`pattern`: of names of metrics. `relative`: to the larger of the two values."""

    pattern: str
    relative: float


def parse_tolerances(texts: Sequence[str]) -> list[Tolerance]:
    """ "1e-6" for all metrics, "NAME=1e-6" for those whose name fits ("*" and "?" stand for anything). InvalidInput."""
    found = []
    for text in texts:
        pattern, equals, number = text.rpartition("=")
        try:
            relative = float(number)
        except ValueError:
            relative = math.nan
        if not (relative >= 0 and math.isfinite(relative)) or (equals and not pattern):
            raise InvalidInput(
                f"tolerance {text!r:.80} is neither a number, 0 or more, nor METRIC=number", field="tolerance"
            )
        found.append(Tolerance(pattern or "*", relative))
    return found


def tolerance_of(name: str, tolerances: Sequence[Tolerance]) -> float | None:
    """The last that fits, those with a name before those for all."""
    fitting = [item for item in tolerances if fnmatchcase(name, item.pattern) or name == item.pattern]
    named = [item for item in fitting if item.pattern != "*"] or fitting
    return named[-1].relative if named else None


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """`allowed`: by how much the last value may differ, three deviations of those that `count` seeds gave."""

    allowed: float
    count: int


def is_seed(name: str) -> bool:
    """Whether a param of that name holds a seed."""
    last = name.rpartition("/")[2].lower()
    return "seed" in last or last == "random_state"


def seed_spreads(store: LocalStore, original: LoggedRun) -> Mapping[str, SeedSpread]:
    """By metric, from the finished runs of its experiment that have the same params but for the seed, itself included."""
    own = _without_seed(original)
    if len(own) == len(original.params):
        return {}
    found = store.runs("status = 'finished'", experiments=[original.experiment], limit=_SIBLINGS_MAX_COUNT)
    siblings = [
        run
        for run in found
        if run.run_id != original.run_id and REPRODUCES_TAG not in run.tags and _without_seed(run) == own
    ]
    values: dict[str, list[float]] = {}
    for run in [original, *siblings]:
        for name, value in run.metrics.items():
            if math.isfinite(value):
                values.setdefault(name, []).append(float(value))
    return {
        name: SeedSpread(_DEVIATIONS * stdev(some), len(some))
        for name, some in values.items()
        if len(some) >= _VALUES_MIN_COUNT
    }


def _without_seed(run: LoggedRun) -> dict[str, object]:
    return {name: value for name, value in run.params.items() if not is_seed(name)}
