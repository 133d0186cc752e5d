"""How an error becomes an answer: one table."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from lineal.model.errors import (
    Busy,
    Conflict,
    Damaged,
    InvalidInput,
    LinealError,
    NewerFormat,
    NotFound,
    NotWritable,
    OverLimit,
)
from lineal.server.shapes.problems import Problem


class Refused(Exception):
    """What the web alone knows of: a wrong host, a body too large, a range that is none."""

    def __init__(self, status: int, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.headers: dict[str, str] = {}


class _Row(NamedTuple):
    """`detail` replaces the error's own words where they may name a place on the disk."""

    kind: type[LinealError]
    status: int
    detail: str | None = None
    retry_after_s: int | None = None


# The first that fits counts.
TABLE = (
    _Row(OverLimit, 400),
    _Row(InvalidInput, 400),
    _Row(NotFound, 404),
    _Row(Conflict, 409),
    _Row(NotWritable, 503, "The data folder refuses writes; nothing was changed. `lineal doctor` says why.", 5),
    _Row(Busy, 503, "The data cannot be reached or written for the moment; try again.", 1),
    _Row(NewerFormat, 503, "The data was written by a newer Lineal: upgrade this one. Nothing was changed."),
    _Row(Damaged, 500, "Stored bytes fail their checksum. `lineal doctor` says which."),
)


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The answer to an error, and its headers. What nobody meant to raise tells nothing about itself."""
    if isinstance(error, Refused):
        return _problem(error.status, error.code, error.detail, field=error.field), error.headers
    if isinstance(error, LinealError):
        row = next((row for row in TABLE if isinstance(error, row.kind)), None)
        if row is not None:
            headers = {} if row.retry_after_s is None else {"retry-after": str(row.retry_after_s)}
            return (
                _problem(
                    row.status,
                    error.code,
                    row.detail or error.message,
                    field=error.field,
                    position=getattr(error, "position", None),
                    expected=getattr(error, "expected", None),
                    renamed_to=getattr(error, "renamed_to", None),
                ),
                headers,
            )
    return _problem(500, "internal", "Something went wrong in the server; its log says what."), {}


def _problem(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    position: int | None = None,
    expected: str | None = None,
    renamed_to: str | None = None,
) -> Problem:
    title = HTTPStatus(status).phrase
    return Problem(
        f"urn:lineal:problem:{code}", title, status, detail, code, field, position, expected, renamed_to=renamed_to
    )
