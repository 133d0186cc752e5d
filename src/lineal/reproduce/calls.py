"""`lineal reproduce` for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineal.api import shared_store
from lineal.model.errors import InvalidInput, Unreachable
from lineal.model.values import texts_of
from lineal.reproduce.environment import CannotInstall, EnvironmentChoice
from lineal.reproduce.parts import parts_of
from lineal.reproduce.place import fresh_place
from lineal.reproduce.plan import CodeChoice, Plan, describe_plan, make_plan
from lineal.reproduce.reproduction import Reproduction, carry_out, describe
from lineal.reproduce.tolerance import parse_tolerances
from lineal.reproduce.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ReproducedRun:
    """What became of it. `reproduction` is None where nothing was started: `plan.problems` says what could not be had. `folder`: where
    tree and environment are kept, if they are."""

    plan: Plan
    reproduction: Reproduction | None = None
    folder: Path | None = None

    @property
    def of(self) -> str:
        """The run that was asked for."""
        return self.plan.run_id

    @property
    def verdict(self) -> Verdict | None:
        """ "identical", "within tolerance", "different", "failed"; None where nothing was started."""
        return None if self.reproduction is None else self.reproduction.outcome.verdict

    @property
    def run_id(self) -> str | None:
        """Of the new run; None where the command recorded none, or was not started."""
        return None if self.reproduction is None else self.reproduction.run_id

    def to_dict(self) -> dict[str, Any]:
        """As `lineal reproduce --json` answers."""
        if self.reproduction is None:
            return describe_plan(self.plan) | {"verdict": None}
        folder = None if self.folder is None else str(self.folder)
        return describe(self.reproduction, self.plan) | {"run_id": self.run_id, "folder": folder}


def reproduce_run(
    run_id: str,
    *,
    dry_run: bool = False,
    into: str | os.PathLike[str] | None = None,
    code: CodeChoice = "recorded",
    environment: EnvironmentChoice = "rebuild",
    tolerance: float | Mapping[str, float] | None = None,
    ignore: str | Sequence[str] = (),
    links: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    anyway: bool = False,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> ReproducedRun:
    """Makes a run again, as `lineal reproduce` does, and compares the two. Nothing is started where `dry_run` says so, or where something
    cannot be had: then the plan says what (`anyway` starts all the same). Runs the code that was recorded, as you.

    into         a new or empty folder for tree and environment, which is kept; else a temporary one, kept if the runs differ
    code         "recorded": the tree that was captured, made again; "current": the old one where it lies, as it is now
    environment  "rebuild": from the lock file; "current": the interpreter that this program runs in
    tolerance    metrics may differ by so much of the larger value: one number for all, or by name ("*" and "?" stand for anything)
    ignore       metrics that are not compared, by name: one or a list
    links        files or folders of the old tree that the new one is to have, too: one or a list

    Raises NotFound; InvalidInput for options that cannot be used; Unreachable where the environment cannot be made."""
    if code not in ("recorded", "current") or environment not in ("rebuild", "current"):
        raise InvalidInput("code is 'recorded' or 'current', environment is 'rebuild' or 'current'", field="code")
    if links and code == "current":
        raise InvalidInput("links go with code='recorded': the old tree has its own files", field="links")
    ignored = texts_of(ignore, "ignore")
    given = [links] if isinstance(links, str | os.PathLike) else links
    linked = texts_of([os.fspath(one) for one in given], "links")
    by_name = tolerance if isinstance(tolerance, Mapping) else {} if tolerance is None else {"*": tolerance}
    allowed = parse_tolerances([f"{name}={number}" for name, number in by_name.items()])
    store = shared_store(url, tenant)
    store.refresh()
    original = store.get_run(run_id)
    with fresh_place(None if into is None else Path(into), is_dry=dry_run) as place:
        plan = make_plan(
            original,
            parts_of(store, original.run_id),
            place.folder,
            code=code,
            environment=environment,
            links=linked,
            is_dry=dry_run,
        )
        if dry_run or not (plan.can_start or (anyway and plan.can_start_anyway)):
            return ReproducedRun(plan)
        try:
            done = carry_out(
                plan,
                store,
                original,
                url=None if url is None else os.fspath(url),
                tenant=tenant,
                tolerances=allowed,
                ignored=ignored,
                quiet=False,
            )
        except CannotInstall as error:
            raise Unreachable(f"the environment cannot be made: {error}", field="environment") from error
        place.keeps = place.keeps or done.outcome.verdict in ("different", "failed")
        return ReproducedRun(plan, done, place.folder if place.keeps else None)
