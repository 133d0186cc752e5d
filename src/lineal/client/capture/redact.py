"""Secrets are masked before anything is written: by their shape wherever they stand, by the name beside them where there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lineal.client.capture.patterns import text_pattern
from lineal.client.capture.secret_names import is_secret_name
from lineal.client.capture.secret_pairs import mask_quoted
from lineal.client.capture.secret_shapes import MASK, mask_bytes
from lineal.client.capture.secret_values import is_plain, is_reference
from lineal.model.values import clean_text

_VARIABLE = r"\A([A-Za-z_][\w.-]*)=(.*)\Z"
# A header of a request: what follows the colon is the secret as a whole.
_HEADER = r"\A([A-Za-z][\w-]{1,60}):(?!:)\s*(?=\S)(.*)\Z"
# `db={user:me,password:x}`, `lr=1,password=x`
_WITHIN = r"(?P<before>[{,])(?P<name>[A-Za-z_][\w.\-]{1,80})(?P<between>[:=])(?P<value>[^\s,{}]{1,500})"
_MARKS = r"[\s'\"]"
_QUOTES_MAX_DEPTH = 4
_SHELL_COMMAND = r"\A-[a-z]{0,5}c\Z"
# The words of a command within one argument (`sh -c "..."`), and what is between them.
_WORD = r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+|\s+|."""


def mask_text(text: str) -> str:
    return mask_bytes(clean_text(text).encode()).decode()


def mask_value(name: str, value: str) -> str:
    if is_secret_name(name) and not (is_plain(value) or is_reference(value)):
        return MASK
    if value[:1] in ("[", "{"):
        return mask_quoted(mask_text(value).encode(), is_code=False).decode()
    return mask_text(value)


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line: `--password X`, `--token=X`, `db.password=X`, `PASSWORD=X`, `X-Api-Key: X`, all of them within one argument
    (`sh -c "..."`, JSON), and shapes anywhere."""
    masked: list[str] = []
    is_next_secret = False
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if is_next_secret and not argument.startswith("--"):
            masked.append(argument if is_plain(argument) else MASK)
            is_next_secret = False
            continue
        if text_pattern(_SHELL_COMMAND).match(before):
            masked.append(_masked_words(argument))
            continue
        said, is_next_secret = _masked_argument(argument)
        masked.append(said)
    return masked


def _masked_argument(argument: str, depth: int = 0) -> tuple[str, bool]:
    """And whether the next one is the value of a secret."""
    option, separator, value = argument.partition("=")
    if argument.startswith("-") and is_secret_name(option.lstrip("-")) and not text_pattern(r"\s").search(option):
        shown = separator and not is_plain(value)
        return (f"{clean_text(option)}={MASK}" if shown else clean_text(argument)), not separator
    bare = argument.lstrip("+~")
    pair = text_pattern(_VARIABLE).match(bare)
    if pair and is_secret_name(pair[1]) and not is_plain(pair[2]):
        return f"{clean_text(option)}={MASK}", False
    header = text_pattern(_HEADER).match(bare)
    if header and is_secret_name(header[1]) and not header[2].startswith("//"):
        return f"{clean_text(header[1])}: {MASK}", False
    if option.startswith("-") and separator and depth < _QUOTES_MAX_DEPTH and not text_pattern(_MARKS).search(argument):
        return f"{clean_text(option)}={_masked_argument(value, depth + 1)[0]}", False
    if (
        option.startswith("-")
        and separator
        and (found := text_pattern(_HEADER).match(value))
        and is_secret_name(found[1])
    ):
        return f"{clean_text(option)}={clean_text(found[1])}: {MASK}", False
    if text_pattern(_MARKS).search(argument):
        return _masked_words(argument, depth), False
    return text_pattern(_WITHIN).sub(_mask_within, mask_text(argument)), False


def _masked_words(argument: str, depth: int = 0) -> str:
    text = mask_quoted(mask_bytes(clean_text(argument).encode()), is_code=False).decode()
    words = text_pattern(_WORD).findall(text)
    if depth == _QUOTES_MAX_DEPTH or (words == [text] and _unquoted(text) == text):
        return text
    pieces: list[str] = []
    is_next_secret = False
    for piece in words:
        word = _unquoted(piece)
        if not word.strip():
            said = word
        elif is_next_secret and not word.startswith("--"):
            said, is_next_secret = word if is_plain(word) else MASK, False
        else:
            said, is_next_secret = _masked_argument(word, depth + 1)
        pieces.append(piece if said == word else piece.replace(word, said))
    return "".join(pieces)


def _unquoted(piece: str) -> str:
    return piece[1:-1] if len(piece) > 2 and piece[0] in "\"'" and piece[-1] == piece[0] else piece


def _mask_within(found: re.Match[str]) -> str:
    if is_plain(found["value"]) or not is_secret_name(found["name"]):
        return found[0]
    return found["before"] + found["name"] + found["between"] + MASK


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    return {clean_text(name): mask_value(name, value) for name, value in sorted(variables.items())}


def strip_address(address: str) -> str:
    """A git remote without user and password; `git@host:path` names nobody and stays."""
    text = clean_text(address)
    scheme, separator, rest = text.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        name, at, place = host.rpartition("@")
        keeps = at and scheme in ("ssh", "git+ssh") and name == "git"
        text = f"{scheme}://{host if keeps else place}{slash}{path}"
        text = text.partition("?")[0]  # a token may stand there
    elif "@" in text:
        name, _, place = text.partition("@")
        text = place if ":" in name else text
    return mask_text(text)
