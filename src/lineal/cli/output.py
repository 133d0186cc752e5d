"""The two printers: a console for people, JSON for programs."""

from __future__ import annotations

import io
import json
import math
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from lineal.model.values import float_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PIPED_WIDTH = 400  # a pipe has no edge; what is wider still is a value that somebody logged


def write_json(answer: object) -> None:
    """NaN and infinities become the strings "NaN", "Infinity" and "-Infinity": JSON has no such numbers."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(plain(answer), indent=2, ensure_ascii=not utf8, allow_nan=False))


def json_line(answer: object) -> str:
    """The same on one line, in ASCII."""
    return json.dumps(plain(answer), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Page:
    """Prints blocks of text. On a terminal they have colour and fit its width; in a pipe they are plain lines of
    any length. Strings are printed as they are: `[red]` is a possible name of a run."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty()
        self.width = shutil.get_terminal_size().columns if self.is_terminal else _PIPED_WIDTH
        self._buffer = io.StringIO()
        self.console = self._make_console()

    def fit(self) -> bool:
        """Takes the terminal's width of now. Whether it has changed."""
        width = shutil.get_terminal_size().columns if self.is_terminal else _PIPED_WIDTH
        if width == self.width:
            return False
        self.width = self.console.width = width
        return True

    def print(self, *blocks: RenderableType) -> None:
        """A plain string is one line however long it is, so that a command can be copied whole."""
        for block in blocks or ("",):
            self.console.print(block, soft_wrap=isinstance(block, str))
        if not self.is_terminal:
            self._flush_plain()

    @property
    def shows_blocks(self) -> bool:
        """Whether the terminal's encoding has the characters of a sparkline."""
        try:
            "▁█".encode(sys.stdout.encoding or "ascii")
        except (LookupError, UnicodeEncodeError):
            return False
        return True

    def _make_console(self) -> Console:
        from rich.console import Console

        if self.is_terminal:
            return Console(markup=False, emoji=False, highlight=False, width=self.width)
        return Console(
            file=self._buffer, markup=False, emoji=False, highlight=False, width=self.width, color_system=None
        )

    def _flush_plain(self) -> None:
        """rich fills cells up with blanks, which nobody wants at the ends of a file's lines."""
        for line in self._buffer.getvalue().splitlines():
            click.echo(line.rstrip())
        self._buffer.seek(0)
        self._buffer.truncate()


def joined(parts: Iterable[str], separator: str = "  ") -> str:
    """The parts that say anything, as one line."""
    return separator.join(part for part in parts if part)
