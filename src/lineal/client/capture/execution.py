"""Who runs what, where, and started by what: all that is known in microseconds."""

from __future__ import annotations

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
    command, is_cut = _within(mask_arguments(command_line()))
    content: dict[str, Any] = {
        "command": command,
        "entry_point": entry_point(),
        "folder": mask_text(folder),
        "user": host.user_id(),
        "host": host.host_name(),
        "pid": os.getpid(),
        "variables": of_execution(environ),
    }
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


def _within(command: list[str]) -> tuple[list[str], bool]:
    """As much of it as may be kept."""
    size = 0
    for number, argument in enumerate(command):
        left = COMMAND_MAX_BYTES - size
        size += len(argument.encode()) + 1
        if size > COMMAND_MAX_BYTES:
            return [*command[:number], argument.encode()[: max(0, left)].decode("utf-8", "ignore")], True
    return command, False
