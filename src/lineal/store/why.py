"""Why this version of a model: the run that made it, the runs that it was chosen over and by what, the version before it side by
side, and how it came to its stage and aliases. Put together from a reader's answers, so that a folder, a store and a server
say the same."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lineal.model.captures import Capture
from lineal.model.direction import goal_of
from lineal.model.entities import MetricDefinition, Run, RunDetails, SeriesInfo
from lineal.model.errors import NotFound
from lineal.model.limits import WHY_RIVALS_MAX_COUNT, WHY_RUNS_LOOKED_AT_COUNT, WHY_TRANSITIONS_MAX_COUNT
from lineal.model.registry import ModelVersion, RegisteredModel, Transition, VersionContent
from lineal.model.values import ParamValue
from lineal.model.vocabulary import Goal, is_system
from lineal.query.syntax import And, Comparison, Field, Order
from lineal.store.captures import CODE
from lineal.store.compare import definitions_of, latest_values
from lineal.store.contracts import RunQuery, TenantReader
from lineal.store.difference import Difference, difference
from lineal.store.registry import By, RegistryReader, Term, TransitionsQuery, VersionsQuery
from lineal.store.rules import typed_text

MetricRule: TypeAlias = Literal["asked", "declared", "logged"]
"""Where the metric is from: it was asked for; it is the one with a declared goal that most runs have; or the one that most runs
have of all."""

_ASKED: MetricRule = "asked"
_HELD_OUT = frozenset(("val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "holdout"))
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Side:
    """A version, and the run that made it if that is here, with its last values and the code that it recorded."""

    version: ModelVersion
    content: VersionContent
    run: RunDetails | None
    metrics: Mapping[str, float | int]
    series: Sequence[SeriesInfo] = ()
    code: Capture | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    """Another run of the experiment, and the params in which it differs: name -> (its value, the chosen run's)."""

    run: Run
    value: float | int
    params: Mapping[str, tuple[ParamValue | None, ParamValue | None]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen run among the runs of its experiment that had begun at `as_of_ms` and have the metric: `run_count`, itself
    included if it has it. `rank` counts from 1; it is None, as `value` is, where it has not. `equal_count`: others with the same
    value. `rivals` are the best of the others, best first."""

    experiment: str
    metric: str
    rule: MetricRule
    goal: Goal
    goal_is_declared: bool
    as_of_ms: int
    value: float | int | None
    rank: int | None
    equal_count: int
    run_count: int
    later_count: int
    rivals: Sequence[Rival]


@dataclass(frozen=True, slots=True)
class Why:
    """`stages`: of the model, the highest number in each. `alias`: by which the version was asked for. `no_choice`: why there is
    nothing to compare with. `before_rule` says which version `before` is: the one that the alias meant before, or the one with the
    number before. `transitions` are those of this version, oldest first."""

    model: RegisteredModel
    stages: Mapping[str, int]
    chosen: Side
    alias: str | None
    choice: Choice | None
    no_choice: str
    before: Side | None
    before_rule: Literal["alias", "number"] | None
    difference: Difference | None
    transitions: Sequence[Transition]


def why(reader: TenantReader, version: ModelVersion, *, alias: str | None = None, metric: str | None = None) -> Why:
    """`metric`: by which it is to be compared. NotFound if no run of the experiment has one of that name."""
    registry = reader.registry()
    chosen = _side(reader, registry, version)
    transitions = _transitions(registry, version)
    came_ms = [
        one.time_ms for one in transitions if one.version == version.version and (alias is None or one.alias == alias)
    ]
    choice, no_choice = _choice(reader, chosen, metric, max(came_ms, default=version.created_ms))
    found, rule = _before(registry, version, alias, transitions)
    before = None if found is None else _side(reader, registry, found)
    apart = None
    if (
        before is not None
        and before.run is not None
        and chosen.run is not None
        and before.run.run.run_id != chosen.run.run.run_id
    ):
        apart = difference([before.run, chosen.run], [before.series, chosen.series])
    model = registry.get_model(version.name)
    stages: dict[str, int] = {one.stage: one.version for one in registry.list_latest([model.name]).get(model.name, ())}
    return Why(model, stages, chosen, alias, choice, no_choice, before, rule, apart, transitions)


def _side(reader: TenantReader, registry: RegistryReader, version: ModelVersion) -> Side:
    content = registry.get_content(version.version_id)
    if version.run_id is None:
        return Side(version, content, None, {})
    try:
        run = reader.get_details(version.run_id)
    except NotFound:
        return Side(version, content, None, {})
    series = reader.list_series(version.run_id)
    return Side(version, content, run, latest_values(series), series, reader.find_capture(version.run_id, CODE))


def _transitions(registry: RegistryReader, version: ModelVersion) -> list[Transition]:
    """Of the version's stages, and of aliases that came to it or left it."""
    number = str(version.version)
    asked = TransitionsQuery(version.name, limit=WHY_TRANSITIONS_MAX_COUNT)
    found = registry.list_transitions(asked)
    return [
        one
        for one in reversed(found)
        if one.version == version.version or (one.kind == "alias" and one.before == number)
    ]


def _before(
    registry: RegistryReader, version: ModelVersion, alias: str | None, transitions: Sequence[Transition]
) -> tuple[ModelVersion | None, Literal["alias", "number"] | None]:
    meant = [
        one.before
        for one in transitions
        if one.kind == "alias" and one.alias == alias and one.version == version.version and one.before is not None
    ]
    if meant:
        try:
            return registry.get_version(version.name, int(meant[-1])), "alias"
        except NotFound:
            pass
    terms = (Term("name", "=", version.name), Term("version", "<", version.version))
    page = registry.list_versions(VersionsQuery(terms, (By("version", True),), limit=1))
    return (page.versions[0], "number") if page.versions else (None, None)


# -- the choice -----------------------------------------------------------------------------------


def _choice(reader: TenantReader, chosen: Side, asked: str | None, as_of_ms: int) -> tuple[Choice | None, str]:
    if chosen.run is None:
        return None, "no run is known to have made it" if chosen.version.run_id is None else "its run is not here"
    run = chosen.run.run
    looked_at = reader.list_runs(RunQuery(limit=WHY_RUNS_LOOKED_AT_COUNT, experiments=(run.experiment_name,))).runs
    ids = [one.run_id for one in looked_at]
    definitions = definitions_of([*reader.get_details_of(ids), chosen.run])
    metric, rule = asked, _ASKED
    if metric is None:
        have = Counter(
            name
            for series in reader.list_summaries(ids)
            for name in {info.key.name for info in series if not info.key.labels}
        )
        metric, rule = _metric(chosen.metrics, definitions, have)
        if metric is None:
            return None, "its run logged no metric to compare by"
    field = Field("metric", metric)
    has_it = Comparison(field, "is not null", None)
    by_then = Comparison(Field("attribute", "start_time"), "<=", as_of_ms)
    experiments = (run.experiment_name,)
    goal = goal_of(metric, definitions)
    order = (Order(field, descending=goal == "max"),)
    limit = WHY_RIVALS_MAX_COUNT + 1
    page = reader.list_runs(RunQuery(And((has_it, by_then)), order, limit=limit, experiments=experiments))
    value = chosen.metrics.get(metric)
    if value is not None and math.isnan(value):
        value = None
    if not page.total and value is None:
        raise NotFound(f"no run of experiment {run.experiment_name!r} has a metric {metric!r}", field="metric")

    def count(*conditions: Comparison) -> int:
        return reader.list_runs(RunQuery(And(conditions), limit=1, experiments=experiments)).total

    rank, equal_count = None, 0
    if value is not None:
        rank = 1 + count(Comparison(field, ">" if goal == "max" else "<", value), by_then)
        equal_count = max(0, count(Comparison(field, "=", value), by_then) - 1)
    return (
        Choice(
            run.experiment_name,
            metric,
            rule,
            goal,
            metric in definitions and definitions[metric].goal is not None,
            as_of_ms,
            value,
            rank,
            equal_count,
            page.total,
            count(has_it, Comparison(by_then.field, ">", as_of_ms)),
            _rivals(reader, chosen.run, page.runs, metric),
        ),
        "",
    )


def _metric(
    values: Mapping[str, float | int], definitions: Mapping[str, MetricDefinition], have: Mapping[str, int]
) -> tuple[str | None, MetricRule]:
    """Of what the chosen run has: what most runs have, what was measured on held-out data, then the first by name."""
    usable = [name for name, value in values.items() if not math.isnan(value) and not is_system(name)]
    declared = [name for name in usable if name in definitions and definitions[name].goal is not None]
    candidates = declared or usable
    if not candidates:
        return None, "logged"
    best = min(candidates, key=lambda name: (-have.get(name, 0), not is_held_out(name), name))
    return best, "declared" if declared else "logged"


def is_held_out(name: str) -> bool:
    """Whether the name has a word such as val or test among its parts."""
    return not _HELD_OUT.isdisjoint(word.lower() for word in _WORDS.findall(name))


def _rivals(reader: TenantReader, chosen: RunDetails, runs: Iterable[Run], metric: str) -> list[Rival]:
    others = [run for run in runs if run.run_id != chosen.run.run_id][:WHY_RIVALS_MAX_COUNT]
    ids = [run.run_id for run in others]
    found = zip(others, reader.get_details_of(ids), reader.list_summaries(ids), strict=True)
    return [
        Rival(run, latest_values(series).get(metric, math.nan), _differing(details.params, chosen.params))
        for run, details, series in found
    ]


def _differing(
    of_it: Mapping[str, ParamValue], of_chosen: Mapping[str, ParamValue]
) -> dict[str, tuple[ParamValue | None, ParamValue | None]]:
    return {
        name: (of_it.get(name), of_chosen.get(name))
        for name in sorted({*of_it, *of_chosen})
        if (name in of_it) != (name in of_chosen) or typed_text(of_it[name]) != typed_text(of_chosen[name])
    }
