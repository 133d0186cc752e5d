"""What every rule of the parser needs: the tokens, where it stands, and how it refuses."""

from __future__ import annotations

from lineal.model.errors import InvalidInput
from lineal.model.limits import FILTER_MAX_CHARS
from lineal.model.values import clean_text
from lineal.query.tokens import Token, tokenize, wrong

_INSTEAD = {
    "==": "equality is a single =",
    "<>": "unequal is written !=",
    "=~": "regular expressions: field matches '...'",
    "!~": "regular expressions: field not matches '...'",
    "!": "the opposite of a condition: not field = ...",
    "&&": "conditions are joined by and",
    "&": "conditions are joined by and",
    "||": "conditions are joined by or",
    "|": "conditions are joined by or",
    "contains": "part of a text: field like '%part%'",
    "startswith": "the start of a text: field ^= 'start'",
    "rlike": "regular expressions: field matches '...'",
    "regexp": "regular expressions: field matches '...'",
    "~": "regular expressions: field matches '...'",
    ";": "conditions are joined by and",
    ",": "conditions are joined by and",
}


class Reading:
    """A text being parsed. `purpose` is "filter", "order_by" ...: what messages call the text."""

    def __init__(self, text: str, purpose: str) -> None:
        # A replaced surrogate is one character, so that places stay true.
        self.text = clean_text(text)
        self.purpose = purpose
        self.comparison_count = 0
        self.depth = 0
        if len(text) > FILTER_MAX_CHARS:
            raise wrong(
                self.text,
                purpose,
                FILTER_MAX_CHARS,
                f"the end (a {purpose} has at most {FILTER_MAX_CHARS:,} characters)",
                f"{len(text) - FILTER_MAX_CHARS:,} more",
                over_limit=True,
            )
        self._tokens = tokenize(self.text, purpose)
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    @property
    def after_next(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def at_end(self) -> bool:
        return self.next.kind == "end"

    def take(self) -> Token:
        token = self.next
        self._at += 1
        return token

    def take_word(self, *words: str) -> bool:
        """True, and past it, if one of these words stands here."""
        found = self.next.is_word(*words)
        self._at += found
        return found

    def take_symbol(self, *symbols: str) -> bool:
        found = self.next.is_symbol(*symbols)
        self._at += found
        return found

    def raw(self, token: Token) -> str:
        return self.text[token.start : token.end]

    def wrong(self, expected: str, token: Token | None = None, hint: str = "") -> InvalidInput:
        token = token or self.next
        if not hint and token.kind in ("symbol", "word"):
            hint = _INSTEAD.get(token.value.lower(), "")
        return wrong(self.text, self.purpose, token.start, expected, token.shown(), hint)

    def over_limit(self, expected: str, token: Token | None = None) -> InvalidInput:
        token = token or self.next
        return wrong(self.text, self.purpose, token.start, expected, token.shown(), over_limit=True)
