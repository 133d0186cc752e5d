"""A plan carried out: environment, command, verdict; and what is kept of that with the new run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lineal.api import say_outside
from lineal.local import LocalStore, LoggedRun
from lineal.model.captures import is_own_path
from lineal.model.errors import NotFound
from lineal.model.ids import new_run_id
from lineal.model.limits import REPRODUCTION_METRICS_MAX_COUNT
from lineal.model.vocabulary import REPRODUCES_TAG, REPRODUCTION_DOCUMENT
from lineal.record.records import DocumentSet
from lineal.reproduce.environment import install
from lineal.reproduce.launch import child_variables, launch
from lineal.reproduce.packages import changed
from lineal.reproduce.plan import Plan
from lineal.reproduce.problems import Problem
from lineal.reproduce.tolerance import Tolerance, seed_spreads
from lineal.reproduce.verdict import MetricVerdict, Outcome, judge


@dataclass(frozen=True, slots=True)
class Reproduction:
    """`run_id`: the new run; None if the command recorded none. `differences`: beside the metrics."""

    of: str
    run_id: str | None
    outcome: Outcome
    differences: tuple[Problem, ...]
    exit_status: int


def carry_out(
    plan: Plan,
    store: LocalStore,
    original: LoggedRun,
    *,
    url: str | None,
    tenant: str | None,
    tolerances: Sequence[Tolerance],
    ignored: Sequence[str],
    quiet: bool,
) -> Reproduction:
    """Raises CannotInstall if the environment cannot be made. What the command does wrong is a verdict: failed."""
    install(plan.environment)
    run_id = new_run_id()
    known = set(_reproductions(store, original.run_id))
    variables = child_variables(plan.command, original, run_id, url, tenant, plan.environment.folder)
    status = launch(plan.command, variables, quiet=quiet)
    made = _made(store, original, run_id, known)
    if made is None:
        outcome = Outcome("failed", f"the command recorded no run; it ended with status {status}", ())
        return Reproduction(original.run_id, None, outcome, (), status)
    spreads = seed_spreads(store, original)
    outcome = judge(original, made, tolerances=tolerances, spreads=spreads, ignored=ignored)
    differences = [problem for problem in plan.problems if problem.topic != "variables"]
    known_texts = {problem.text for problem in differences}
    differences += [problem for problem in _differences(original, made) if problem.text not in known_texts]
    reproduction = Reproduction(original.run_id, made.run_id, outcome, tuple(differences), status)
    document = DocumentSet(REPRODUCTION_DOCUMENT, describe(reproduction, plan))
    say_outside(made.run_id, document, url, tenant)
    return reproduction


def _reproductions(store: LocalStore, run_id: str) -> list[str]:
    literal = run_id.replace("'", "''")
    return [run.run_id for run in store.runs(f"tags.`{REPRODUCES_TAG}` = '{literal}'", limit=1_000)]


def _made(store: LocalStore, original: LoggedRun, run_id: str, known: set[str]) -> LoggedRun | None:
    """Of several runs that one program made, the one with the original's params; else with its name; else the first."""
    found = [store.get_run(other) for other in _reproductions(store, original.run_id) if other not in known]
    if not found:
        try:
            return store.get_run(run_id)
        except NotFound:
            return None
    fitting = [run for run in found if run.params == original.params]
    named = [run for run in fitting or found if run.name == original.name] or fitting
    first = [run for run in found if run.run_id == run_id]
    if len(named) == 1:
        return named[0]
    return next((run for run in first if not named or run in named), (named or found)[-1])


def _differences(original: LoggedRun, made: LoggedRun) -> list[Problem]:
    """In what the two runs differ beside their metrics, as far as both recorded it."""
    found: list[Problem] = []
    for name in sorted({*original.params, *made.params}):
        then, now = original.params.get(name), made.params.get(name)
        if then != now or type(then) is not type(now):
            found.append(Problem("command", name, f"param {name} was {then!r:.80}, and is {now!r:.80}", blocks=False))
    used = {use.dataset.name: use.dataset.digest for use in made.details.datasets}
    for use in original.details.datasets:
        digest = used.get(use.dataset.name)
        if digest is not None and digest != use.dataset.digest:
            text = f"dataset {use.dataset.name!r} had the digest {use.dataset.digest[:12]}, and has {digest[:12]}"
            found.append(Problem("data", use.dataset.name, text, blocks=False))
    then_packages, now_packages = _packages(original), _packages(made)
    if then_packages and now_packages:
        if (made.capture("environment") or {}).get("packages_left_out"):  # what comes after the last name is not gone
            end = max(now_packages)
            then_packages = {name: version for name, version in then_packages.items() if name <= end}
        found += changed(then_packages, now_packages)
    then_files, now_files = _digests(original), _digests(made)
    for path in sorted(then_files):
        if path not in now_files:
            found.append(Problem("data", path, f"artifact {path} was not made", blocks=False))
        elif then_files[path] != now_files[path]:
            found.append(Problem("data", path, f"artifact {path} has other bytes", blocks=False))
    return found


def _packages(run: LoggedRun) -> dict[str, str]:
    packages = (run.capture("environment") or {}).get("packages")
    return dict(packages) if isinstance(packages, dict) else {}


def _digests(run: LoggedRun) -> dict[str, str | None]:
    """Of the user's own artifacts, the latest version of each."""
    latest = {item.path: item.digest for item in sorted(run.artifacts, key=lambda item: item.version)}
    return {path: digest for path, digest in latest.items() if not is_own_path(path)}


def describe(reproduction: Reproduction, plan: Plan) -> dict[str, Any]:
    """As it is kept with the new run, and answered under `--json`. Of very many metrics those that part are named first."""
    metrics = sorted(reproduction.outcome.metrics, key=lambda item: item.verdict == "identical")
    counts: dict[str, int] = {}
    for metric in metrics:
        counts[metric.verdict] = counts.get(metric.verdict, 0) + 1
    return {
        "of": reproduction.of,
        "verdict": reproduction.outcome.verdict,
        "reason": reproduction.outcome.reason,
        "environment": plan.environment.choice,
        "origin": plan.origin,
        "counts": counts,
        "metrics": {item.shown_name: _metric(item) for item in metrics[:REPRODUCTION_METRICS_MAX_COUNT]},
        "differences": [
            {"topic": item.topic, "name": item.name, "text": item.text} for item in reproduction.differences
        ],
        "exit_status": reproduction.exit_status,
    }


def _metric(item: MetricVerdict) -> dict[str, Any]:
    said: dict[str, Any] = {"verdict": item.verdict}
    if item.verdict != "identical":
        said |= {
            "first_step": item.first_step,
            "original": item.original,
            "reproduced": item.reproduced,
            "largest_deviation": item.largest,
            "why": item.why,
        }
    return said
