"""The server's log on standard error: a line an event, for people or as JSON.

What writes it is a thread of its own: a terminal or a pipe that nobody reads must not hold up requests. Lines that do not
fit into its queue are left out, and the next one that does says how many."""

from __future__ import annotations

import json
import logging
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Literal, TextIO, TypeAlias

from lineal.model.limits import LOG_WAITING_MAX_COUNT
from lineal.server.seen import request_id

Format: TypeAlias = Literal["text", "json", "quiet"]
FORMATS: tuple[Format, ...] = ("text", "json", "quiet")

_LOGGERS = ("lineal", "uvicorn")
_OF_REQUEST = ("method", "route", "status", "duration_ms", "sent_bytes", "tenant")


@contextmanager
def logging_to(stream: TextIO | None = None, form: Format = "text") -> Iterator[None]:
    """Within the block, the loggers of the server write there; everything is written when it ends. `quiet`: only what needs
    somebody's attention."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines() if form == "json" else Readable())
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    entry = Entry(waiting)
    listener = QueueListener(waiting, handler)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(entry)
        logger.propagate = False
        # uvicorn's own news (started, waiting for connections ...) are told in other words by the command.
        logger.setLevel(logging.WARNING if form == "quiet" or logger.name == "uvicorn" else logging.INFO)
    listener.start()
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(entry)
            logger.setLevel(level)
            logger.propagate = propagate
        listener.stop()


class Entry(QueueHandler):
    """Where records enter the queue; nobody waits here."""

    def __init__(self, waiting: queue.SimpleQueue[Any], most: int = LOG_WAITING_MAX_COUNT) -> None:
        super().__init__(waiting)
        self._waiting, self._most = waiting, most
        self._left_out = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        record.request_id = request_id.get()
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._left_out:
            record.left_out = self._left_out
        if self._waiting.qsize() >= self._most:
            self._left_out += 1
        else:
            self._waiting.put(record)
            self._left_out = 0


class JsonLines(logging.Formatter):
    """One object a line. Names are as in the metrics and answers."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("request_id", *_OF_REQUEST, "left_out"):
            value = getattr(record, name, None)
            if value not in (None, ""):
                said[name] = value
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=True)


class Readable(logging.Formatter):
    """For a terminal: time, level, what, and of a request how long it took and how much it was."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [_time(record), record.levelname.lower(), _one_line(record.getMessage())]
        said = record.__dict__
        if "duration_ms" in said:
            parts.append(f"{said['duration_ms']:.1f} ms {said['sent_bytes']} bytes")
        parts += [f"{name}={said[key]}" for key, name in (("tenant", "tenant"), ("request_id", "id")) if said.get(key)]
        if "left_out" in said:
            parts.append(f"({said['left_out']} lines before it were left out)")
        if record.exc_info:
            parts.append("\n" + self.formatException(record.exc_info))
        return " ".join(parts)


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
