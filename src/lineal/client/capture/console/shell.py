"""An IPython shell, in a terminal or in a notebook's kernel: it takes `write` of the streams for itself as long as a cell runs, and gives
back the one that it found (IPython 9). What began to listen within a cell would hear nothing of the next one."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from lineal.client.capture.execution import ipython_shell


def follow(listen_again: Callable[[], None], add_error: Callable[[str], None]) -> None:
    """Calls the first before each cell and once behind this one; the other with the traceback of each cell that fails, where that goes to
    the page and not to a stream. Told again, it is as it was."""
    shell = ipython_shell()
    if shell is None:
        return
    shell.events.register("pre_run_cell", _Before(listen_again))
    if hasattr(shell, "kernel"):
        shell.events.register("post_run_cell", _Behind(add_error))
    asyncio: Any = sys.modules.get("asyncio")
    try:
        asyncio.get_running_loop().call_soon(listen_again)
    except (AttributeError, RuntimeError):  # a shell without a loop: it asks before the next cell
        pass


class _Callback:
    """Equal where they call the same: the shell keeps one."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Callback) and (type(self), self._call) == (type(other), other._call)

    def __hash__(self) -> int:
        return hash((type(self), self._call))


class _Before(_Callback):
    def __call__(self, info: object = None) -> None:
        self._call()


class _Behind(_Callback):
    def __call__(self, result: Any = None) -> None:
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if isinstance(error, BaseException):
            self._call("".join(traceback.format_exception(type(error), error, _own_part(error))))


def _own_part(error: BaseException) -> Any:
    """Without the shell's own frames, which each traceback begins with."""
    home = os.path.dirname(str(getattr(sys.modules.get("IPython"), "__file__", ""))) + os.sep
    part = error.__traceback__
    while part is not None and part.tb_frame.f_code.co_filename.startswith(home):
        part = part.tb_next
    return part
