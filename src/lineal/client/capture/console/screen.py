"""What a terminal would show of a stream of bytes, line by line: progress bars folded into their last state, colours left out.

Rows stay open for a while where something moves, since a progress bar may go up again and write over them; once they are handed out they
are as they are.
Control sequences are those of ECMA-48 as xterm understands them. Lines are not wrapped, and a character is a column."""

from __future__ import annotations

import codecs
import re

from lineal.model.limits import CONSOLE_LINE_MAX_CHARS

OPEN_MAX_ROWS = 200
"""More than any terminal is high: what has left the screen cannot be written over."""
OPEN_MS = 1_000
"""Nothing that moves on a terminal is drawn more seldom."""

_SEQUENCE = (
    r"\x1b(?:\[(?P<numbers>[0-?]*)[ -/]*(?P<verb>[@-~])"  # control sequences: colours, movements, erasures
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # operating system commands: titles, links
    r"|[PX^_][^\x1b]*\x1b\\"  # other strings
    r"|[ -/]*[0-Z\\^-~])"
)
_TOKEN = re.compile(rf"(?P<text>[^\x00-\x08\n-\x1f\x7f]+)|{_SEQUENCE}|(?P<control>[\x00-\x1f\x7f])")
_SPECIAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)")
_UNFINISHED_MAX_CHARS = 4_096


class Screen:
    """Of one stream. `row` and `column` are where the next character goes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = ""
        self._texts = [""]
        self._times_ms = [0]
        self._row = 0
        self._column = 0
        self._moves = False  # whether anything has gone back so far: until then a row that has ended stays as it is

    def feed(self, data: bytes, time_ms: int) -> None:
        self.write(self._decoder.decode(data), time_ms)

    def write(self, text: str, time_ms: int) -> None:
        if not text:
            return
        if self._unfinished:
            text, self._unfinished = self._unfinished + text, ""
        if "\r\n" in text:
            text = text.replace("\r\n", "\n")
        last = len(self._texts) - 1
        if self._row == last and self._column == len(self._texts[last]) and not _SPECIAL.search(text):
            self._append(text, time_ms)
            return
        if text.endswith("\r"):  # a line feed may follow
            text, self._unfinished = text[:-1], "\r"
        for token in _TOKEN.finditer(text):
            kind = token.lastgroup
            if kind == "control" and token["control"] == "\x1b" and _is_unfinished(text, token.start()):
                self._unfinished = text[token.start() :] + self._unfinished
                return
            if kind == "text":
                self._put(token["text"], time_ms)
            elif kind == "control":
                self._control(token["control"], time_ms)
            elif token["verb"]:
                self._obey(token["verb"], token["numbers"], time_ms)

    def take(self, now_ms: int | None = None) -> list[tuple[int, str]]:
        """Rows that nothing will change any more, with the times of their last change; without `now_ms` all that there is."""
        if now_ms is None:
            self.write(self._decoder.decode(b"", final=True), self._times_ms[-1])
            count = len(self._texts) - (self._texts[-1] == "")
        else:
            count = max(0, len(self._texts) - OPEN_MAX_ROWS) if self._moves else self._row
            due_ms = now_ms - OPEN_MS
            while count < self._row and self._times_ms[count] <= due_ms:
                count += 1
        if count == 0:
            return []
        taken = list(zip(self._times_ms[:count], self._texts[:count], strict=True))
        del self._texts[:count], self._times_ms[:count]
        if not self._texts:
            self._texts, self._times_ms, self._column = [""], [taken[-1][0]], 0
        self._row = max(0, self._row - count)
        return taken

    @property
    def is_open(self) -> bool:
        """Whether rows wait for their time."""
        return len(self._texts) > 1

    # -- within ---------------------------------------------------------------------------------

    def _append(self, text: str, time_ms: int) -> None:
        """The everyday case: plain text at the end."""
        lines = text.split("\n")
        lines[0] = self._texts[-1] + lines[0]
        if len(text) + len(lines[0]) > CONSOLE_LINE_MAX_CHARS:
            lines = [piece for line in lines for piece in _pieces(line)]
        self._texts[-1:] = lines
        self._times_ms[-1:] = [time_ms] * len(lines)
        self._row = len(self._texts) - 1
        self._column = len(self._texts[-1])

    def _put(self, text: str, time_ms: int) -> None:
        row, column = self._texts[self._row], self._column
        if column > len(row):
            row = row.ljust(column)
        room = CONSOLE_LINE_MAX_CHARS - column
        text, rest = text[: max(1, room)], text[max(1, room) :]
        self._texts[self._row] = row[:column] + text + row[column + len(text) :]
        self._times_ms[self._row] = time_ms
        self._column = column + len(text)
        if rest:
            self._control("\n", time_ms)
            self._put(rest, time_ms)

    def _control(self, character: str, time_ms: int) -> None:
        if character == "\r":
            self._moves = True
            self._column = 0
        elif character == "\b":
            self._moves = True
            self._column = max(0, self._column - 1)
        elif character in "\n\x0b\x0c":
            self._column = 0
            self._times_ms[self._row] = max(self._times_ms[self._row], time_ms)
            self._row += 1
            if self._row == len(self._texts):
                self._texts.append("")
                self._times_ms.append(time_ms)

    def _obey(self, verb: str, numbers: str, time_ms: int) -> None:
        given = [int(one) if one.isdigit() and len(one) < 5 else 0 for one in numbers.split(";")]
        count = max(1, given[0])
        if verb not in "mK":  # colours, and erasures in the row itself
            self._moves = True
        if verb in "AF":
            self._row = max(0, self._row - count)
        elif verb in "BE":
            self._row = min(len(self._texts) - 1, self._row + count)
        elif verb == "C":
            self._column = min(self._column + count, CONSOLE_LINE_MAX_CHARS)
        elif verb == "D":
            self._column = max(0, self._column - count)
        elif verb == "G":
            self._column = min(count - 1, CONSOLE_LINE_MAX_CHARS)
        elif verb == "K":
            self._erase(given[0], time_ms)
        elif verb == "J":
            self._clear(given[0], time_ms)
        elif verb in "Hf":  # where that is, only the terminal knows: what follows is a new screen
            self._new_screen(time_ms)
        elif verb == "P":
            row = self._texts[self._row]
            self._texts[self._row] = row[: self._column] + row[self._column + count :]
        elif verb == "M":
            del self._texts[self._row : self._row + count], self._times_ms[self._row : self._row + count]
            if self._row == len(self._texts):
                self._texts.append("")
                self._times_ms.append(time_ms)
        if verb in "EF":
            self._column = 0

    def _erase(self, what: int, time_ms: int) -> None:
        row, column = self._texts[self._row], self._column
        if what == 0:
            row = row[:column]
        elif what == 1:
            row = " " * min(column + 1, len(row)) + row[column + 1 :]
        elif what == 2:
            row = ""
        self._texts[self._row] = row
        self._times_ms[self._row] = time_ms

    def _clear(self, what: int, time_ms: int) -> None:
        if what == 0:
            self._erase(0, time_ms)
            del self._texts[self._row + 1 :], self._times_ms[self._row + 1 :]
        elif what in (2, 3):
            self._new_screen(time_ms)

    def _new_screen(self, time_ms: int) -> None:
        """What was on the screen was printed, and stays."""
        self._row = len(self._texts) - 1
        self._column = 0
        if self._texts[self._row]:
            self._control("\n", time_ms)


def _pieces(line: str) -> list[str]:
    at_once = CONSOLE_LINE_MAX_CHARS
    return [line[start : start + at_once] for start in range(0, len(line), at_once)] or [line]


def _is_unfinished(text: str, start: int) -> bool:
    """A sequence whose end has not come. One that gets too long is none."""
    return len(text) - start < _UNFINISHED_MAX_CHARS and _UNFINISHED.fullmatch(text, start) is not None
