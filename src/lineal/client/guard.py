"""The seam where our own faults end: the host program sees one warning a kind, never an exception."""

from __future__ import annotations

import threading

from lineal.journal.interrupts import raised_by_handler


class Guard:
    """Warns once a reason, through `logging` (logger "lineal"), imported only when there is something to say."""

    __slots__ = ("_lock", "_seen")

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def warn_once(self, reason: str, message: str) -> None:
        if reason in self._seen:
            return
        self._seen.add(reason)
        try:
            import logging

            logging.getLogger("lineal").warning("%s", message)
        except Exception as error:  # a handler of the host's logging that raises
            if raised_by_handler(error):
                raise
