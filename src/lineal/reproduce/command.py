"""The command of a run, as it is given again: with another interpreter, in the new tree, with the variables that were captured."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from lineal.client.capture.secret_shapes import MASK
from lineal.client.capture.variables import of_environment
from lineal.reproduce.archive import BadArchive, is_inside, make_folder
from lineal.reproduce.captured import Captured, Execution
from lineal.reproduce.problems import Problem
from lineal.reproduce.workspace import CELLS_NAME

_PYTHON = re.compile(r"(?:python|pythonw)[\d.]*(?:\.exe)?")
# Where and as what a process runs is decided here and now: a rank that waits for others would wait for ever.
_NOT_SET = re.compile(
    r"(?:LINEAL_|SLURM_|KUBERNETES_|TORCHELASTIC_|OMPI_|PMI_|PMIX_|CONDA_|RAY_).*"
    r"|PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|HOSTNAME|TMPDIR|VIRTUAL_ENV|RANK|LOCAL_RANK|GROUP_RANK|NODE_RANK|WORLD_SIZE"
    r"|LOCAL_WORLD_SIZE|MASTER_ADDR|MASTER_PORT"
)
# Each names a file that is loaded or run before the command itself: what it does would be nowhere in the plan's words.
_NEVER_SET = frozenset(
    [
        "LD_PRELOAD",
        "LD_AUDIT",
        "DYLD_INSERT_LIBRARIES",
        "BASH_ENV",
        "ENV",
        "PYTHONSTARTUP",
        "PYTHONHOME",
        "PYTHONINSPECT",
    ]
)
_LOADS_CODE = re.compile(
    r"(?:LD|DYLD|BASH_FUNC|GIT|SSH)_.*|PYTHON(?:USERBASE|BREAKPOINT|WARNINGS|PLATLIBDIR|EXECUTABLE)|.*_(?:OPTIONS|PRELOAD|PLUGIN)"
    r"|(?:PERL5|RUBY)(?:OPT|LIB)|PERL5DB|PAGER|EDITOR|VISUAL|NCCL_NET|.*_PATH"
)


@dataclass(frozen=True, slots=True)
class Command:
    """`variables` are set besides those of now, and `unset` are not: they were not set then. `taken`: masked ones whose value of now
    is used. `marked`: those of the variables that may make a program load code from elsewhere."""

    words: tuple[str, ...]
    folder: Path
    variables: dict[str, str]
    taken: tuple[str, ...]
    problems: tuple[Problem, ...]
    unset: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return shlex.join(self.words)


def make_command(
    captured: Captured, python: str, tree: Path, *, is_rebuilt: bool = False, name: str | None = None
) -> Command:
    """`tree`: where the working tree is now. `is_rebuilt`: the interpreter is one of a new environment. `name`: of the run."""
    unset = _unset(captured, is_rebuilt)
    execution = captured.execution
    problems: list[Problem] = []
    old_root = captured.code.root if captured.code is not None else None
    cells = captured.code.cells if captured.code is not None else None
    if cells is not None:
        has_shell = captured.environment is not None and "ipython" in captured.environment.packages
        words = [python, "-m", "IPython", CELLS_NAME] if has_shell else [python, CELLS_NAME]
        folder = _folder_of_cells(captured.code.folder if captured.code is not None else os.curdir, tree)
        return _finished(words, folder, captured, tree, problems, unset)
    if execution is None or not execution.command:
        problems.append(Problem("command", "command", "the command of the run was not captured", is_final=True))
        return Command((), tree, {}, (), tuple(problems))
    if execution.entry_kind == "interactive":
        said = "the run was typed into an interpreter: there is no command to give again"
        problems.append(Problem("command", "command", said, is_final=True))
    if execution.world_size is not None and execution.world_size > 1:
        said = f"it ran as {execution.world_size} processes ({execution.launcher or 'launcher unknown'}): only one is started here"
        problems.append(Problem("command", "launcher", said))
    folder = _folder(captured, old_root, tree, problems)
    words = [
        _rebased(_led_back(word, execution.started_in, old_root), old_root, tree)
        for word in _beside(_with_python(execution, python), captured, python)
    ]
    for word in words:
        if MASK in word:
            said = f"the argument {word.partition(MASK)[0] or 'of the command'!s} was masked, and cannot be had"
            problems.append(Problem("command", "argument", said, is_final=True))
    if execution.is_tracked:  # the command itself knows of no run
        named = [] if name is None else ["--name", name]
        words = [sys.executable, "-m", "lineal.cli.main", "track", *named, "--", *words]
    return _finished(words, folder, captured, tree, problems, unset)


def _finished(
    words: list[str], folder: Path, captured: Captured, tree: Path, problems: list[Problem], unset: tuple[str, ...]
) -> Command:
    old_root = captured.code.root if captured.code is not None else None
    variables, taken = _variables(captured, old_root, tree, problems)
    marked = tuple(name for name, value in variables.items() if _may_load_code(name, value, tree))
    return Command(tuple(words), folder, variables, taken, tuple(problems), unset, marked)


def _may_load_code(name: str, value: str, tree: Path) -> bool:
    if name == "PYTHONPATH":
        return any(_inside(os.path.join(tree, part), str(tree)) is None for part in value.split(os.pathsep))
    return _LOADS_CODE.fullmatch(name) is not None


def _with_python(execution: Execution, python: str) -> list[str]:
    """The captured words under the interpreter of now; a program beside the old interpreter is the one beside the new."""
    first, *others = execution.command
    if _PYTHON.fullmatch(os.path.basename(first)):
        return [python, *others]
    if execution.entry_kind == "script" and first.endswith(".py"):
        return [python, first, *others]
    beside = os.path.join(os.path.dirname(python), os.path.basename(first))
    if execution.entry_kind == "program" or not os.path.exists(first):
        return [beside if os.path.exists(beside) else first, *others]
    return [first, *others]


def _beside(words: list[str], captured: Captured, python: str) -> list[str]:
    """What lay beside the old interpreter, the script of an installed command for example, lies beside the new one."""
    old = captured.environment.executable if captured.environment is not None else None
    if old is None:
        return words
    here, there = os.path.dirname(python), os.path.dirname(old)
    return [
        os.path.join(here, os.path.basename(word)) if os.path.dirname(word) == there and number else word
        for number, word in enumerate(words)
    ]


def _folder(captured: Captured, old_root: str | None, tree: Path, problems: list[Problem]) -> Path:
    """The folder in the new tree that stands for the one in which the run ran; outside of the tree, that one itself."""
    ran_in = captured.execution.started_in if captured.execution is not None else None
    if ran_in is None:
        return tree
    inside = _inside(ran_in, old_root)
    if inside is not None:
        return _folder_in(inside, ran_in, old_root, tree, problems)
    if old_root is None:
        return tree
    if not os.path.isdir(ran_in):
        problems.append(Problem("command", "folder", f"it ran in {ran_in}, which is gone", is_final=True))
    else:
        said = (
            f"it ran in {ran_in}, outside of its code: it runs there again, and what it writes there is written again"
        )
        problems.append(Problem("command", "folder", said, blocks=False))
    return Path(ran_in)


def _folder_in(inside: str, ran_in: str, old_root: str | None, tree: Path, problems: list[Problem]) -> Path:
    """That folder of the new tree, made if it had nothing to keep. Never through a link of the tree, which may lead anywhere."""
    if inside == os.curdir:
        return tree
    if old_root is not None and os.path.realpath(old_root) == os.path.realpath(
        tree
    ):  # the user's own: nothing is made there
        if not (tree / inside).is_dir():
            problems.append(Problem("command", "folder", f"it ran in {ran_in}, which is gone", is_final=True))
        return tree / inside
    try:
        if not is_inside(inside):
            raise BadArchive(f"the name {inside!r:.120} is none of a folder in a tree")
        return make_folder(tree, inside)
    except (BadArchive, OSError) as error:
        said = f"it ran in {ran_in}, which cannot be made in the new tree: {error}"
        problems.append(Problem("command", "folder", said, is_final=True))
        return tree


def _folder_of_cells(name: str, tree: Path) -> Path:
    """Where the cells lie; the tree itself for a name that leads out of it, by itself or by a link."""
    folder = tree / name
    is_there = is_inside(name) and folder.is_dir() and folder.resolve() == tree.resolve() / name
    return folder if is_there else tree


def _inside(path: str, root: str | None) -> str | None:
    """The path relative to the root, if it lies in it."""
    if root is None or not os.path.isabs(path):
        return None
    relative = os.path.relpath(path, root)
    return None if relative.split(os.sep)[0] == os.pardir else relative


def _led_back(word: str, started_in: str | None, old_root: str | None) -> str:
    """A path that leads out of the old tree and back into it by that one's name (`../project/train.py`), absolute."""
    inside = _inside(started_in, old_root) if started_in is not None else None
    parts = word.split(os.sep)
    climbs = next((place for place, part in enumerate(parts) if part != os.pardir), len(parts))
    depth = 0 if inside in (None, os.curdir) else len(str(inside).split(os.sep))
    if inside is None or started_in is None or climbs <= depth:
        return word
    path = os.path.normpath(os.path.join(started_in, word))
    return path if _inside(path, old_root) is not None else word


def _rebased(word: str, old_root: str | None, tree: Path) -> str:
    """A path into the old tree, alone or behind "--name=", as the same in the new one, if it is there."""
    before, equals, path = word.partition("=") if word.startswith("-") else ("", "", word)
    inside = _inside(path, old_root)
    if inside is None or not (tree / inside).exists():
        return word
    return f"{before}{equals}{tree / inside}"


def _unset(captured: Captured, is_rebuilt: bool) -> tuple[str, ...]:
    """What may change results, is set now, and was not then."""
    if captured.environment is None or not captured.environment.has_variables:
        return ()
    then = captured.environment.variables
    names = [name for name in of_environment(os.environ) if name not in then]
    return tuple(name for name in names if is_rebuilt or name != "PYTHONPATH")


def _variables(
    captured: Captured, old_root: str | None, tree: Path, problems: list[Problem]
) -> tuple[dict[str, str], tuple[str, ...]]:
    said: dict[str, str] = {}
    if captured.environment is not None:
        said |= captured.environment.variables
    if captured.execution is not None:
        said |= captured.execution.variables
    wanted: dict[str, str] = {}
    taken: list[str] = []
    for name, value in sorted(said.items()):
        if _NOT_SET.fullmatch(name) or "=" in name or "\0" in name + value:
            continue
        if name in _NEVER_SET:
            text = f"{name} was {value!r:.200} then; it is never set from a record, since it names code to load"
            problems.append(Problem("variables", name, text, blocks=False))
        elif MASK not in value:
            parts = value.split(os.pathsep) if name == "PYTHONPATH" else [value]
            wanted[name] = os.pathsep.join(_rebased(part, old_root, tree) for part in parts)
        elif name in os.environ:
            taken.append(name)
        else:
            text = f"the value of {name} was masked, and it is not set here"
            problems.append(Problem("variables", name, text, blocks=False))
    return wanted, tuple(taken)
