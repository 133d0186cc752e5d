"""What a program prints: secrets by their shape, and what stands beside names that mean nothing else. `token: hello`, `tokens=512` and
`'token': 'the'` are what people print who train language models."""

from __future__ import annotations

from lineal.client.capture.patterns import pattern
from lineal.client.capture.secret_commands import mask_commands
from lineal.client.capture.secret_keys import mask_keys
from lineal.client.capture.secret_names import is_secret_name, is_word_of_texts
from lineal.client.capture.secret_pairs import TYPES, mask_options, mask_quoted, replaced
from lineal.client.capture.secret_shapes import MASK, clues_of, mask_piece, pieces_of
from lineal.client.capture.secret_values import is_secret_value, looks_issued
from lineal.model.values import clean_text

_MASK = MASK.encode()
# What a name is made of that is asked for, and what is on the same line: a name has it, and its value is set.
_OF_NAMES = (b"pass", b"pwd", b"secret", b"credential", b"auth")
_OF_KEYS = (b"_key", b"apikey", b"-key", b"token=", b"token:", b"token'", b'token"', b"_token", b"-token")
_SETS = (
    rb"""(?:pass|pwd|secret|credential|auth|api[_-]?key|(?:access|account|private)[_-]?key|[a-z0-9][_-]token(?!s))[\w.\-]{0,60}+"""
    rb"""['"]?\]?[ \t]{0,9}[:=]|token['"]?\]?[ \t]{0,9}[:=][ \t]{0,9}['"]?[^\s'",;)}\]]{12}"""
)
_COMMANDS = (b"curl", b"mysql", b"mariadb", b"pass", b"login")
_NAME = rb"""(?<![\w.\-])(?P<name>[\w.\-]{2,120}+)"""
_SET = _NAME + rb"""(?P<between>=)(?P<value>[^\s'"`;&|)},=][^\s'"`;&|)},]{0,1000})"""
# With blanks it is a pair only where nothing but the next one follows: `Wrong password: try again` is none.
_SAID = (
    _NAME
    + rb"""(?P<between>['"]?\]?[ \t]{0,9}(?:=>|:=|[:=])[ \t]{0,9})(?P<value>[^\s'"=,;(){}\[\]][^\s'",;)}\]]{0,1000})"""
    + rb"""(?=[ \t]*(?:[,;)}\]'"|&]|\Z|[\w.\-]{1,40}[:=]))"""
)


def mask_printed(text: str) -> str:
    content = clean_text(text).encode()
    if b"PRIVATE KEY" in content:
        content = mask_keys(content, _MASK)
    return b"".join([_masked_piece(piece) for piece in pieces_of(content)]).decode("utf-8", "replace")


def _masked_piece(content: bytes) -> bytes:
    lower = content.lower()
    clues = clues_of(lower)
    content = mask_piece(content, lower, clues, False)
    if not clues:
        return content
    words = [word for word in _OF_NAMES if word in clues]
    if b"key" in clues or b"token" in clues:
        words += [word for word in _OF_KEYS if word in lower]
    if words:
        content = _masked_lines(content, words)
    return mask_commands(content, MASK) if any(word in clues for word in _COMMANDS) else content


def _masked_lines(content: bytes, words: list[bytes]) -> bytes:
    """Those in which one of the words is."""
    lines = content.split(b"\n")
    sets = pattern(_SETS)
    for place, line in enumerate(lines):
        lower = line.lower()
        if any(word in lower for word in words) and (b"--" in lower or sets.search(lower) is not None):
            lines[place] = _masked_line(line)
    return b"\n".join(lines)


def _masked_line(line: bytes) -> bytes:
    if b"'" in line or b'"' in line:
        line = mask_quoted(line, is_code=True)
    if b"=" in line:
        line = replaced(_SET, line, _said)
    if b":" in line or b"= " in line or b"=>" in line or b"=\t" in line:
        line = replaced(_SAID, line, _said)
    return mask_options(line, "settings") if b"--" in line else line


def _said(name: str, value: bytes) -> bytes | None:
    text = value.decode("utf-8", "replace")
    if not is_secret_name(name) or text.lower() in TYPES or text.endswith("("):
        return None
    if is_word_of_texts(name) and not (len(text) >= 12 and looks_issued(text)):
        return None
    return _MASK if is_secret_value(name, text, is_code=True) else None
