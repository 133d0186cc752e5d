"""Whether it is fair to compare runs: nothing but what is compared should differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lineal.model.entities import MetricDefinition, RunDetails, SeriesInfo
from lineal.model.lineage import DatasetUse
from lineal.model.vocabulary import is_system
from lineal.store.captures import CODE
from lineal.store.code_identity import identity_of, others_of, unknown_of
from lineal.store.contracts import TenantReader

ReasonKind: TypeAlias = Literal["data", "code", "metric"]
_SHORT = 12
_REASONS_MAX_COUNT = 100  # nobody reads more
_UNKNOWN_MAX_COUNT = 10


@dataclass(frozen=True, slots=True)
class Reason:
    """`name`: of the dataset or the metric; of code none. `values`: by run, what is not the same."""

    kind: ReasonKind
    text: str
    name: str | None = None
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparable:
    """`unknown`: what could not be told, since it was not recorded."""

    reasons: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_fair(self) -> bool:
        return not self.reasons


def read_comparable(reader: TenantReader, run_ids: Sequence[str]) -> Comparable:
    """Of any number of runs, at a constant number of statements."""
    codes = [found[CODE].content if CODE in found else None for found in reader.get_captures_of(run_ids, [CODE])]
    return comparable(reader.get_details_of(run_ids), reader.list_summaries(run_ids), codes)


def comparable(
    details: Sequence[RunDetails],
    series: Sequence[Sequence[SeriesInfo]],
    codes: Sequence[Mapping[str, Any] | None],
) -> Comparable:
    names = {one.run.run_id: one.run.name for one in details}
    reasons: list[Reason] = []
    unknown: list[str] = []
    _compare_data(details, reasons, unknown)
    _compare_code([one.run.run_id for one in details], codes, reasons, unknown, names)
    _compare_metrics(details, series, reasons)
    return Comparable(tuple(reasons), tuple(unknown))


def _compare_data(details: Sequence[RunDetails], reasons: list[Reason], unknown: list[str]) -> None:
    """Other digests under one name and context are other data. That a run used no data of that name and context is no reason, but said,
    unless it used the same data under other ones."""
    told = [one for one in details if one.datasets]
    if len(told) < len(details):
        unknown.append(
            "no run recorded its data"
            if not told
            else f"{_named(details, told)} recorded no data: whether it is the same is not known"
        )
    uses: dict[tuple[str, str], dict[str, list[DatasetUse]]] = {}
    for one in told:
        for use in one.datasets:
            uses.setdefault((use.context, use.dataset.name), {}).setdefault(one.run.run_id, []).append(use)
    used = {one.run.run_id: {use.dataset.digest for use in one.datasets} for one in told}
    missing: list[str] = []
    for (context, name), by_run in sorted(uses.items()):
        said = f"{name} ({context})" if context else name
        digests = {run_id: tuple(sorted(use.dataset.digest for use in of_run)) for run_id, of_run in by_run.items()}
        if len(set(digests.values())) > 1:
            values = tuple((run_id, ", ".join(one[:_SHORT] for one in found)) for run_id, found in digests.items())
            reasons.append(Reason("data", f"other data: {said} is not the same in all runs", name, values))
            continue
        wanted = set(next(iter(digests.values())))
        without = [one.run.name for one in told if one.run.run_id not in by_run and not wanted <= used[one.run.run_id]]
        if without:
            missing.append(f"{', '.join(without)} did not use {said}: whether the data is the same is not known")
    unknown += missing[:_REASONS_MAX_COUNT]


def _named(details: Sequence[RunDetails], told: Sequence[RunDetails]) -> str:
    return ", ".join(one.run.name for one in details if one not in told)


def _compare_code(
    run_ids: Sequence[str],
    codes: Sequence[Mapping[str, Any] | None],
    reasons: list[Reason],
    unknown: list[str],
    names: Mapping[str, str],
) -> None:
    found = {
        run_id: code for run_id, code in zip(run_ids, codes, strict=True) if code and identity_of(code) is not None
    }
    if len(found) < len(run_ids):
        without = ", ".join(names[run_id] for run_id in run_ids if run_id not in found)
        unknown.append("no run recorded its code" if not found else f"{without} recorded no code")
    if len(found) < 2:
        return
    if len(set(_keys_of(list(found.values())))) < 2:
        unknown += _not_known(found, names)
        return
    commits = {code.get("commit") if isinstance(code.get("commit"), str) else None for code in found.values()}
    is_one = len(commits) == 1 and None not in commits
    text = "other code: the same commit, and other changes that are not committed" if is_one else "other code"
    reasons.append(Reason("code", text, None, tuple((run_id, _code_text(code)) for run_id, code in found.items())))


def _keys_of(codes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Equal where the code is: the same identity, or the same digest."""
    known: dict[str, str] = {}
    for code in codes:
        identity, digest = str(identity_of(code)), f"digest {code.get('digest') or identity_of(code)}"
        key = known.get(identity) or known.get(digest) or identity
        known[identity] = known[digest] = key
        yield key


def _not_known(codes: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    """What may differ though all that was recorded of the code is the same."""
    said: dict[str, list[str]] = {}
    for run_id, code in codes.items():
        for one in unknown_of(code)[:_UNKNOWN_MAX_COUNT]:
            said.setdefault(one, []).append(names[run_id])
    for one, runs in list(said.items())[:_UNKNOWN_MAX_COUNT]:
        yield f"whether the code is the same is not known: {', '.join(runs)} did not record the content of {one}"
    others = [others_of(code) for code in codes.values()]
    of_name = {name: {one.get(name) for one in others} for found in others for name in found}
    unsure = sorted(name for name, digests in of_name.items() if "" in digests)
    differing = sorted(name for name, digests in of_name.items() if len(digests) > 1 and name not in unsure)
    if differing:
        yield f"whether it matters that untracked files, which are no code, differ: {_first(differing)}"
    if unsure:
        yield f"whether untracked files, which are no code, are the same: {_first(unsure)}"


def _first(names: Sequence[str]) -> str:
    return ", ".join(f"{name:.80}" for name in names[:3]) + (" ..." if len(names) > 3 else "")


def _code_text(code: Mapping[str, Any]) -> str:
    commit = code.get("commit")
    shown = commit[:_SHORT] if isinstance(commit, str) else str(code.get("kind") or "")
    return f"{shown} with changes" if code.get("is_dirty") else shown


def _compare_metrics(
    details: Sequence[RunDetails], series: Sequence[Sequence[SeriesInfo]], reasons: list[Reason]
) -> None:
    """A metric that several runs logged means the same in all: its goal, unit and step metric, where it was said at all."""
    logged = [{info.key.name for info in infos if not is_system(info.key.name)} for infos in series]
    for name in sorted(set().union(*logged) if logged else ()):
        said = {
            one.run.run_id: one.metric_definitions.get(name, MetricDefinition(name))
            for one, names in zip(details, logged, strict=True)
            if name in names
        }
        for member in ("goal", "unit", "step_metric"):
            values = {run_id: getattr(definition, member) for run_id, definition in said.items()}
            if len({value for value in values.values() if value is not None}) > 1:
                shown = tuple((run_id, str(value)) for run_id, value in values.items() if value is not None)
                what = {"goal": "direction", "unit": "unit", "step_metric": "step"}[member]
                reasons.append(Reason("metric", f"{name} does not mean the same: its {what} differs", name, shown))
        if len(reasons) > _REASONS_MAX_COUNT:
            return
