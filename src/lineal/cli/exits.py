"""The exit statuses, and how an error becomes one. See "Exit status" in docs/reference/cli.md."""

from __future__ import annotations

from typing import NoReturn

import click

from lineal.model.errors import (
    Busy,
    Conflict,
    Damaged,
    InvalidInput,
    LinealError,
    NewerFormat,
    NotAllowed,
    NotFound,
    NotWritable,
    Unreachable,
)

DONE, NO, USAGE, NOT_FOUND, CONFLICT, UNREACHABLE = range(6)
INTERRUPTED_STATUS = 130  # as a shell reports Ctrl-C

_JSON_WANTED = "lineal.json"
_STATUS: list[tuple[type[LinealError], int]] = [
    (InvalidInput, USAGE),
    (NotFound, NOT_FOUND),
    (Conflict, CONFLICT),
    (NotWritable, UNREACHABLE),
    (NewerFormat, UNREACHABLE),
    (Busy, UNREACHABLE),
    (Unreachable, UNREACHABLE),
    (NotAllowed, UNREACHABLE),
    (Damaged, UNREACHABLE),
]


class Refusal(Exception):
    """What a command itself refuses. It ends as a LinealError does: a line on standard error and an exit status."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.field: str | None = None


def end_with(context: click.Context, error: LinealError | Refusal) -> NoReturn:
    """Says the error, under `--json` as the answer too, and ends with its status."""
    from lineal.cli.wording import printable

    hint = "; `lineal doctor` says what is whole" if isinstance(error, Damaged) else ""
    click.echo(f"lineal: {printable(error.message, keep_lines=True)}{hint}", err=True)
    if context.find_root().meta.get(_JSON_WANTED):
        from lineal.cli.output import write_json

        said: dict[str, object] = {"code": error.code, "message": error.message, "field": error.field}
        if isinstance(error, InvalidInput) and error.position is not None:
            said |= {"position": error.position, "expected": error.expected}
        if isinstance(error, NotFound) and error.renamed_to is not None:
            said["renamed_to"] = error.renamed_to
        write_json({"error": said})
    context.exit(_status_of(error))


def _status_of(error: LinealError | Refusal) -> int:
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), NO)


def remember_json(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    """Callback of `--json`: errors must know of it too."""
    if value:
        context.find_root().meta[_JSON_WANTED] = True
    return value
