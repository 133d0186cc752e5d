"""A filter's text cut into words, quoted texts and symbols, each with its place; and the error that shows a place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lineal.model.errors import InvalidInput, OverLimit

TokenKind: TypeAlias = Literal["word", "text", "name", "symbol", "end"]

# The quantifiers are possessive: a quote that is not closed is found in one pass.
_TOKEN = re.compile(
    r"""\s*+(?:
        (?P<text>'(?:[^']|'')*+')          # 'a text', a quote inside doubled
      | (?P<name>`[^`]*+`)                 # `an odd name`
      | (?P<double>"(?:[^"]|"")*+")        # "either", by where it stands
      | (?P<symbol><=|>=|!=|==|<>|=~|!~|\^=|[=<>!^(),])
      | (?P<word>[^\s'"`=<>!^(),]++)
    )""",
    re.VERBOSE,
)
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Token:
    """`start` and `end` are places in the text, from 0. `value` is what a quoted token holds, else the token itself."""

    kind: TokenKind
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value.lower() in words

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind == "symbol" and self.value in symbols

    def shown(self) -> str:
        """For messages."""
        if self.kind == "end":
            return "the end"
        shown = repr(self.value) if len(self.value) <= 40 else repr(self.value[:37] + "...")
        return f"the text {shown}" if self.kind in ("text", "name") else shown


def tokenize(text: str, field: str) -> list[Token]:
    """All tokens, and one for the end. InvalidInput for a quote that is not closed."""
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at = len(text) - len(text[at:].lstrip())
            hint = f"a {text[at]} within a text is doubled: {text[at] * 2}" if text[at] != "`" else ""
            raise wrong(text, field, at, f"a closing {text[at]} for the one opened here", "none", hint)
        kind = str(match.lastgroup)
        raw = match[kind]
        start = match.start(kind)
        at = match.end()
        if kind in ("text", "double"):
            # Double quotes hold a name where a name is expected; the parser decides.
            value = raw[1:-1].replace(raw[0] * 2, raw[0])
            tokens.append(Token("text" if kind == "text" else "name", value, start, at))
        elif kind == "name":
            tokens.append(Token("name", raw[1:-1], start, at))
        else:
            tokens.append(Token("word" if kind == "word" else "symbol", raw, start, at))
    tokens.append(Token("end", "", end, end))
    return tokens


def wrong(
    text: str, field: str, at: int, expected: str, found: str, hint: str = "", *, over_limit: bool = False
) -> InvalidInput:
    """Shows the place (counted from 1), the text around it with a caret below, what was expected there, and a hint."""
    first = max(0, at - _SHOWN_CHARS)
    before, after = text[first:at], text[at : at + _SHOWN_CHARS]
    shown = _one_line(("..." if first else "") + before)
    rest = _one_line(after) + ("..." if at + _SHOWN_CHARS < len(text) else "")
    lines = [f"{field}, position {at + 1}: expected {expected}, found {found}"]
    lines += [f"  {shown}{rest}", f"  {' ' * _cells(shown)}^"]
    if hint:
        lines.append(_one_line(f"  {hint}"))
    kind = OverLimit if over_limit else InvalidInput
    return kind("\n".join(lines), field=field, position=at, expected=expected)


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _cells(text: str) -> int:
    """Columns of a terminal: wide characters take two, accents that combine none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
