"""What it takes to make a run again, and what of it cannot be had. Nothing of the run is executed to find that out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lineal.local import LoggedRun
from lineal.model.errors import NotFound
from lineal.reproduce.archive import BadArchive
from lineal.reproduce.beside import named_elsewhere, place_configs
from lineal.reproduce.captured import Captured, Code, Kept, read_captured
from lineal.reproduce.command import Command, make_command
from lineal.reproduce.data import CheckedData, check_data
from lineal.reproduce.environment import EnvironmentChoice, EnvironmentPlan, current_environment, plan_rebuild
from lineal.reproduce.hardware import check_hardware
from lineal.reproduce.problems import Problem
from lineal.reproduce.workspace import Tree, build_tree, changed_files, link_into

CodeChoice: TypeAlias = Literal["recorded", "current"]

TREE_NAME, ENVIRONMENT_NAME, RECORDED_NAME = "tree", "environment", "recorded"


@dataclass(frozen=True, slots=True)
class Plan:
    """`tree`: where the command runs; `origin`: where its code came from."""

    run_id: str
    tree: Path
    origin: str
    command: Command
    environment: EnvironmentPlan
    data: tuple[CheckedData, ...]
    problems: tuple[Problem, ...]
    captured: Captured

    @property
    def can_start(self) -> bool:
        return not any(problem.blocks for problem in self.problems)

    @property
    def can_start_anyway(self) -> bool:
        return not any(problem.is_final for problem in self.problems)


def make_plan(
    run: LoggedRun,
    parts: Mapping[str, Any],
    folder: Path,
    *,
    code: CodeChoice = "recorded",
    environment: EnvironmentChoice = "rebuild",
    links: Sequence[str] = (),
    is_dry: bool = False,
) -> Plan:
    """`parts`: the run's captures. `folder`: an empty one, in which tree and environment are made.
    `links`: names in the old tree that the new one is to have as well, as they are now. `is_dry`: nothing will start, and large
    data is not read for it."""
    captured = read_captured(parts)
    find = _finder(run)
    tree = _tree(captured.code, find, folder, code)
    problems = list(tree.problems) + _run_problems(run)
    old_root = captured.code.root if captured.code is not None else None
    problems += _link(links, old_root, tree.root)
    if captured.code is not None:
        problems += named_elsewhere(captured.code.elsewhere)
    if code == "recorded" and tree.root.is_dir():
        problems += place_configs(captured.configs, find, old_root, tree.root)
    ran_in = captured.execution.folder if captured.execution is not None else None
    data, data_problems = check_data(run.details.datasets, ran_in, old_root, tree.root, is_bounded=is_dry)
    place = folder / ENVIRONMENT_NAME
    if environment == "current":
        planned = current_environment(captured.environment)
    else:
        planned = plan_rebuild(captured.environment, find, place, old_root, tree.root)
    command = make_command(captured, planned.python, tree.root, is_rebuilt=environment == "rebuild", name=run.name)
    problems += [*data_problems, *planned.problems, *check_hardware(captured.hardware), *command.problems]
    return Plan(run.run_id, tree.root, tree.origin, command, planned, tuple(data), tuple(problems), captured)


def _finder(run: LoggedRun) -> Any:
    def find(kept: Kept) -> Path:
        try:
            path = run.artifact_path(kept.path)
        except NotFound as error:
            raise LookupError(error.message) from error
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != kept.digest:
            raise LookupError(
                f"{kept.path} has another digest than was captured: {digest[:12]}, not {kept.digest[:12]}"
            )
        return path

    return find


def _tree(code: Code | None, find: Any, folder: Path, choice: CodeChoice) -> Tree:
    if code is None:
        missing = Problem("code", "code", "no code was captured of the run", is_final=True)
        return Tree(folder / TREE_NAME, "nothing", (), (missing,))
    if choice == "recorded":
        return build_tree(code, find, folder / TREE_NAME)
    recorded = build_tree(code, find, folder / RECORDED_NAME)
    root = Path(code.root) if code.root is not None else None
    if root is None or not root.is_dir():
        gone = Problem("code", "code", f"the tree that it ran in is gone: {code.root}", is_final=True)
        return Tree(folder / TREE_NAME, "nothing", (), (gone,))
    unknown = [Problem(item.topic, item.name, item.text, blocks=False) for item in recorded.problems]
    return Tree(root, f"{root}, as it is now", recorded.files, tuple(unknown + changed_files(recorded, root)))


def _run_problems(run: LoggedRun) -> list[Problem]:
    problems: list[Problem] = []
    if run.status == "running":
        problems.append(Problem("command", "run", "the run has not ended: there is nothing to compare with yet"))
    if len(run.attempts) > 1:
        said = f"the run has {len(run.attempts)} attempts: the command of the latest is given again"
        problems.append(Problem("command", "attempts", said, blocks=False))
    return problems


def _link(links: Sequence[str], old_root: str | None, tree: Path) -> list[Problem]:
    problems: list[Problem] = []
    for name in links:
        source = Path(old_root or "", name)
        try:
            if old_root is None or not source.exists():
                raise BadArchive(f"it is not in {old_root}")
            link_into(tree, name.rstrip("/"), source)
        except (BadArchive, OSError) as error:
            problems.append(Problem("code", name, f"{name} cannot be linked: {error}"))
    return problems


def describe_plan(plan: Plan) -> dict[str, Any]:
    """As `--json` answers."""
    environment = plan.environment
    return {
        "run_id": plan.run_id,
        "can_start": plan.can_start,
        "origin": plan.origin,
        "command": list(plan.command.words),
        "folder": str(plan.command.folder),
        "variables": plan.command.variables,
        "marked": list(plan.command.marked),
        "unset": list(plan.command.unset),
        "environment": {
            "choice": environment.choice,
            "python": environment.version,
            "tool": environment.tool,
            "packages": [item.line for item in environment.requirements],
            "projects": list(environment.projects),
        },
        "data": [
            {"name": item.name, "digest": item.digest, "place": item.place, "is_linked": item.is_linked}
            for item in plan.data
        ],
        "problems": [
            {"topic": item.topic, "name": item.name, "text": item.text, "blocks": item.blocks} for item in plan.problems
        ],
    }
