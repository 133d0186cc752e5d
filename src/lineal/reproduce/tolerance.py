"""How far a metric may lie from the original's and still count as the same: as the user says, or as seeds do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lineal.local import LocalStore, LoggedRun
from lineal.model.errors import InvalidInput
from lineal.model.vocabulary import REPRODUCES_TAG, Labels

_SIBLINGS_MAX_COUNT = 200
_CURVES_MAX_COUNT = 30  # read of one metric
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
    """`allowed`: by how much the value of a step may differ, three deviations of those that `count` seeds gave there. A step that one
    of them lacks, or where all are equal, has none: nothing else is allowed there."""

    allowed: Mapping[float | int, float]
    count: int


def is_seed(name: str) -> bool:
    """Whether a param of that name holds a seed."""
    last = name.rpartition("/")[2].lower()
    return "seed" in last or last == "random_state"


class SeedSpreads:
    """From the finished runs of an experiment that ran the same code on the same data with the same params but for the seed, the
    original included. Their curves are read when they are asked for."""

    def __init__(self, runs: Sequence[LoggedRun]) -> None:
        self._runs = runs

    def of(self, name: str, labels: Labels = ()) -> SeedSpread | None:
        if len(self._runs) < _VALUES_MIN_COUNT:
            return None
        import numpy as np

        from lineal.store.parting import by_step

        curves = [
            by_step(history)
            for run in self._runs
            if any((info.key.name, info.key.labels) == (name, labels) for info in run.series)
            for history in run.histories([name], labels=dict(labels), attempts="latest").values()
        ]
        if len(curves) < _VALUES_MIN_COUNT:
            return None
        common = list(set(curves[0]).intersection(*curves[1:]))
        values = np.array([[float(curve[step]) for step in common] for curve in curves])
        with np.errstate(over="ignore", invalid="ignore"):
            allowed = _DEVIATIONS * values.std(axis=0, ddof=1)
        moves = np.isfinite(allowed) & (values != values[0]).any(axis=0)  # of equal values rounding would leave a trace
        found = {step: float(allowed[place]) for place, step in enumerate(common) if moves[place]}
        return SeedSpread(found, len(curves))


def seed_spreads(store: LocalStore, original: LoggedRun) -> SeedSpreads:
    """Of that run; none where its code is not known."""
    own = _without_seed(original)
    code = _code_of(original)
    if len(own) == len(original.params) or code is None:
        return SeedSpreads([])
    data = _data_of(original)
    found = store.runs("status = 'finished'", experiments=[original.experiment], limit=_SIBLINGS_MAX_COUNT)
    siblings = [
        run
        for run in found
        if run.run_id != original.run_id
        and REPRODUCES_TAG not in run.tags
        and _without_seed(run) == own
        and _code_of(run) == code
        and _data_of(run) == data
    ]
    return SeedSpreads([original, *siblings][:_CURVES_MAX_COUNT])


def _code_of(run: LoggedRun) -> str | None:
    digest = (run.capture("code") or {}).get("digest")
    return digest if isinstance(digest, str) else None


def _data_of(run: LoggedRun) -> frozenset[tuple[str, str]]:
    return frozenset((use.dataset.name, use.dataset.digest) for use in run.details.datasets)


def _without_seed(run: LoggedRun) -> dict[str, object]:
    return {name: value for name, value in run.params.items() if not is_seed(name)}
