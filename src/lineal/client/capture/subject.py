"""Which program the captures of a run are about: this process, unless it began the run for a command that it is to start."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

_PYTHON = re.compile(r"\A(?:python|pypy|pythonw)[\d.]*t?(?:\.exe)?\Z")
_TAKES_VALUE = ("-W", "-X", "--check-hash-based-pycs")

_command: list[str] | None = None


def set_command(command: Sequence[str]) -> None:
    """From now on, of this process."""
    global _command
    _command = list(command)


def tracked_command() -> list[str] | None:
    """None where this process is what the run is about."""
    return None if _command is None else list(_command)


def entry_of(command: Sequence[str]) -> dict[str, str]:
    """What a command line begins with; of a launcher, the first Python file that it is given."""
    name = os.path.basename(command[0])
    if _PYTHON.match(name):
        return _of_python(command)
    script = script_of(command)
    if script is not None:
        return {"kind": "script", "name": os.path.basename(script)}
    return {"kind": "program", "name": name}


def script_of(command: Sequence[str]) -> str | None:
    """The Python file that it runs, absolute; None if it names none that is there."""
    for argument in command:
        if argument.endswith((".py", ".pyw")) and os.path.isfile(argument):
            return os.path.abspath(argument)
    return None


def _of_python(command: Sequence[str]) -> dict[str, str]:
    rest = iter(command[1:])
    for argument in rest:
        if argument == "-m":
            return {"kind": "module", "name": next(rest, "")}
        if argument == "-c":
            return {"kind": "program", "name": "-c"}
        if argument in _TAKES_VALUE:
            next(rest, None)
        elif argument.startswith("-m"):
            return {"kind": "module", "name": argument[2:]}
        elif not argument.startswith("-"):
            return {"kind": "script", "name": os.path.basename(argument)}
    return {"kind": "interactive", "name": "python"}
