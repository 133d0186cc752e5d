"""What a program prints: secrets by their shape, and what stands beside names that mean nothing else. `token: hello`, `tokens=512` and
`'token': 'the'` are what people print who train language models."""

from __future__ import annotations

from lineal.client.capture.patterns import pattern
from lineal.client.capture.secret_names import is_secret_name, is_word_of_texts
from lineal.client.capture.secret_pairs import mask_options, mask_quoted, replaced
from lineal.client.capture.secret_shapes import MASK, mask_bytes
from lineal.client.capture.secret_values import is_secret_value, looks_issued
from lineal.model.values import clean_text

_MASK = MASK.encode()
# One of these is in every name that is asked for; to look for all takes a tenth of what one pattern does.
_HINTS = (
    b"passw",
    b"passphrase",
    b"passcode",
    b"_pass",
    b"pwd",
    b"secret",
    b"api_key",
    b"apikey",
    b"api-key",
    b"access_key",
    b"account_key",
    b"private_key",
    b"credential",
    b"authorization",
    b"_token",
    b"-token",
    b"token=",
    b"token:",
    b"token':",
    b'token":',
)
_HINT = rb"(?i)passw|passphrase|passcode|_pass|pwd|secret|(?:api|access|account|private)[_-]?key|credential|authorization|token"
_NAME = rb"""(?<![\w.\-])(?P<name>[\w.\-]{2,120}+)"""
_SET = _NAME + rb"""(?P<between>=)(?P<value>[^\s'"`;&|)},=][^\s'"`;&|)},]{0,1000})"""
# With blanks it is a pair only where nothing but the next one follows: `Wrong password: try again` is none.
_SAID = (
    _NAME
    + rb"""(?P<between>['"]?\]?[ \t]{0,9}(?:=>|:=|[:=])[ \t]{0,9})(?P<value>[^\s'"=,;(){}\[\]][^\s'",;)}\]]{0,1000})"""
    + rb"""(?=[ \t]*(?:[,;)}\]'"|&]|\Z|[\w.\-]{1,40}[:=]))"""
)
_TYPES = frozenset(["str", "string", "int", "integer", "bytes", "bool", "any", "object", "text", "secretstr"])


def mask_printed(text: str) -> str:
    content = mask_bytes(clean_text(text).encode())
    lower = content.lower()
    if not any(hint in lower for hint in _HINTS):
        return content.decode()
    hint = pattern(_HINT)
    return b"\n".join(
        [_masked_line(line) if hint.search(line) is not None else line for line in content.split(b"\n")]
    ).decode("utf-8", "replace")


def _masked_line(line: bytes) -> bytes:
    line = mask_quoted(line, is_code=True)
    line = replaced(_SET, line, _said)
    line = replaced(_SAID, line, _said)
    return mask_options(line, "settings") if b"-" in line else line


def _said(name: str, value: bytes) -> bytes | None:
    text = value.decode("utf-8", "replace")
    if not is_secret_name(name) or text.lower() in _TYPES or text.endswith("("):
        return None
    if is_word_of_texts(name) and not (len(text) >= 12 and looks_issued(text)):
        return None
    return _MASK if is_secret_value(name, text, is_code=True) else None
