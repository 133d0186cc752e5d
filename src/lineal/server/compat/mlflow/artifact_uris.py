"""`artifact_uri` in a filter: it is made of the experiment's place and the run's id and kept nowhere, so that what is asked of it is
turned into what can be asked of these two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineal.model.entities import Experiment
from lineal.query.syntax import And, Comparison, Field, Filter, Operator, Or
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.run_view import artifact_uri

_RUN_ID = Field("attribute", "run_id")
_EXPERIMENT_ID = Field("attribute", "experiment_id")
_WAYS_MAX_COUNT = 200  # to cut a pattern in three


def uri_filter(operator: str, value: Any, experiments: Sequence[Experiment]) -> Filter:
    """Of runs of these experiments."""
    of_ids: dict[Filter, list[str]] = {}
    for one in experiments:
        head, tail = artifact_uri(one, "\0").split("\0")
        of_ids.setdefault(_of_run_id(operator, str(value), head, tail), []).append(one.experiment_id)
    return Or(tuple(And((Comparison(_EXPERIMENT_ID, "in", tuple(found)), asked)) for asked, found in of_ids.items()))


def _of_run_id(operator: str, value: str, head: str, tail: str) -> Filter:
    """What a run's id must be for `head + id + tail` to satisfy the comparison."""
    if operator in ("=", "!="):
        fits = value.startswith(head) and value.endswith(tail) and len(value) > len(head) + len(tail)
        if not fits:
            return Or(()) if operator == "=" else And(())
        asked: Operator = "=" if operator == "=" else "!="
        return Comparison(_RUN_ID, asked, value[len(head) : len(value) - len(tail)])
    if operator not in ("LIKE", "ILIKE"):
        raise MlflowError(f"Invalid comparator '{operator}'")
    if operator == "ILIKE":
        value, head, tail = value.lower(), head.lower(), tail.lower()
    patterns = middles(value, head, tail)
    return Or(tuple(Comparison(_RUN_ID, "like" if operator == "LIKE" else "ilike", one) for one in patterns))


def middles(pattern: str, head: str, tail: str) -> list[str]:
    """The LIKE patterns of which a text satisfies one exactly if `head + text + tail` satisfies `pattern`."""
    while "%%" in pattern:
        pattern = pattern.replace("%%", "%")
    behind = _places(pattern, head)
    before = {len(pattern) - one for one in _places(pattern[::-1], tail[::-1])}
    found = {pattern[first:last] for first in behind for last in before if first <= last}
    if "%" in found:
        return ["%"]
    if len(found) > _WAYS_MAX_COUNT:
        raise MlflowError(f"The pattern {pattern[:100]!r} can be read in too many ways: name more of the address")
    return sorted(found)


def _places(pattern: str, text: str) -> set[int]:
    """Where in the pattern one may be after `text`."""
    places = _opened(pattern, {0})
    for character in text:
        stays = {one for one in places if pattern[one : one + 1] == "%"}
        goes = {one + 1 for one in places - stays if pattern[one : one + 1] in ("_", character)}
        places = _opened(pattern, stays | goes)
    return places


def _opened(pattern: str, places: set[int]) -> set[int]:
    """A % may stand for nothing."""
    return places | {one + 1 for one in places if pattern[one : one + 1] == "%"}
