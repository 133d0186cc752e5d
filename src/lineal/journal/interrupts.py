"""Signal handlers run between any two steps of ours, and may raise. Their exceptions belong to the host, whatever their type."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # not `signal`, whose getsignal swallows a ValueError that a handler raises meanwhile
import functools
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineal.journal.journal import Journal


def raised_by_handler(error: BaseException) -> bool:
    """Whether a signal handler (one of those set now) raised it: then it is no fault of ours to swallow, nor of the disk's.

    Costs microseconds; for the paths on which something went wrong already."""
    codes = _handler_codes()
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        traceback = traceback.tb_next
    return False


def _handler_codes() -> set[CodeType]:
    codes = set()
    for number in range(1, _signal.NSIG):
        handler: Any = _signal.getsignal(number)
        if callable(handler):
            codes.add(_code_of(handler))
    codes.discard(None)
    return codes  # type: ignore[return-value]


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    if not hasattr(function, "__code__"):
        function = type(handler).__call__
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def is_within_call(journal: Journal) -> bool:
    """Whether this thread is in the midst of a call of that journal: a signal handler is running, and no other thread gets the
    journal's turn before it returns."""
    # Not by trying the lock: a signal handler that comes in before it is let go would find it free.
    return bool(journal._lock._is_owned())  # type: ignore[attr-defined]
