"""Who runs what, where, and started by what: all that is known in microseconds."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lineal.client import host
from lineal.client.capture.launchers import find_launchers
from lineal.client.capture.main_file import main_file
from lineal.client.capture.pipelines import Pipeline
from lineal.client.capture.redact import mask_arguments, mask_text
from lineal.client.capture.subject import entry_of, script_of, tracked_command
from lineal.client.capture.variables import of_execution
from lineal.model.limits import COMMAND_MAX_BYTES


def execution_content(environ: Mapping[str, str], pipeline: Pipeline | None, folder: str) -> dict[str, Any]:
    command, is_cut = _kept_command(tuple(command_line()))
    content: dict[str, Any] = {
        "command": list(command),
        "entry_point": entry_point(),
        "folder": mask_text(folder),
        "user": host.user_id(),
        "host": host.host_name(),
        "pid": os.getpid(),
        "variables": of_execution(environ),
    }
    began_in = started_in(folder)
    if began_in is not None and began_in != folder:
        content["started_in"] = mask_text(began_in)
    if tracked_command() is not None:
        content["is_tracked"] = True  # by `lineal track`: the command itself knows of no run
    if is_cut:
        content["command_is_cut"] = True
    if launchers := find_launchers(environ):
        content["launcher"] = launchers[0]
        if len(launchers) > 1:
            content["launchers"] = launchers
    if pipeline is not None:
        content["pipeline"] = pipeline.content()
    return content


def command_line() -> list[str]:
    """As it was given to the system, the interpreter's own options included."""
    tracked = tracked_command()
    if tracked is not None:
        return tracked
    given: Sequence[str] = getattr(sys, "orig_argv", None) or getattr(sys, "argv", None) or [sys.executable or "python"]
    return [str(one) for one in given]


def entry_point() -> dict[str, str]:
    """What began this process: script, module, notebook, interactive, or another program."""
    tracked = tracked_command()
    if tracked is not None:
        entry = entry_of(tracked)
        return {**entry, "name": mask_text(entry["name"])}
    shell = ipython_shell()
    if shell is not None:
        is_terminal = type(shell).__name__ == "TerminalInteractiveShell"
        kind = "interactive" if is_terminal else "notebook"
        return {"kind": kind, "name": "ipython" if is_terminal else _notebook_name()}
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and getattr(spec, "name", None):
        return {"kind": "module", "name": mask_text(str(spec.name).removesuffix(".__main__"))}
    file = main_file()
    if file and not os.path.basename(file).startswith("<"):  # <stdin>
        name = mask_text(os.path.basename(file))
        return {"kind": "script" if name.endswith((".py", ".pyw", ".ipy")) else "program", "name": name}
    if "-c" in command_line()[1:]:
        return {"kind": "program", "name": "-c"}
    return {"kind": "interactive", "name": "python"}


def started_in(folder: str) -> str | None:
    """The folder that the command line was given in, where that can be told: a program may be in another, `folder`, by now, as those
    are that make one for what they write."""
    if tracked_command() is not None:
        return None
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(file, str) or not os.path.isabs(file):
        return None
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and getattr(spec, "name", None):
        return None if folder in sys.path else _holds_module(file, str(spec.name))
    for word in command_line()[1:]:
        below = os.sep + word.removeprefix("." + os.sep)
        if file.endswith(below) and not os.path.isabs(word):
            return file.removesuffix(below) or os.sep
    return None


def _holds_module(file: str, name: str) -> str | None:
    """Of `python -m`, which looks for the module where it was given; not of one that was installed, or is found by a path."""
    place = file.removesuffix(".py").removesuffix(os.sep + name.replace(".", os.sep))
    is_found_here = place != file.removesuffix(".py") and sys.path[:1] == [place]
    return place if is_found_here else None


def script_path() -> str | None:
    """Of the file that this process began with, absolute; None for notebooks and shells."""
    tracked = tracked_command()
    if tracked is not None:
        return script_of(tracked)
    file = main_file()
    return file if file is not None and ipython_shell() is None and os.path.isfile(file) else None


def ipython_shell() -> Any:
    ipython = sys.modules.get("IPython")
    try:
        return ipython.get_ipython() if ipython is not None else None
    except Exception:
        return None


def _notebook_name() -> str:
    """Jupyter and VS Code say it in the kernel's session or globals, where they do."""
    path = os.environ.get("JPY_SESSION_NAME") or getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None)
    return mask_text(os.path.basename(str(path))) if path else "notebook"


@functools.lru_cache(maxsize=1)
def _kept_command(command: tuple[str, ...]) -> tuple[list[str], bool]:
    """Without secrets; a program that was given by `-c` takes a millisecond, and is the same for each run of a process."""
    return _within(mask_arguments(command))


def _within(command: list[str]) -> tuple[list[str], bool]:
    """As much of it as may be kept, and whether that is less than all."""
    size = 0
    for number, argument in enumerate(command):
        left = COMMAND_MAX_BYTES - size
        size += len(argument.encode()) + 1
        if size > COMMAND_MAX_BYTES:
            return [*command[:number], argument.encode()[: max(0, left)].decode("utf-8", "ignore")], True
    return command, False
