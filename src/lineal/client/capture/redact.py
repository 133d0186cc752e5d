"""Secrets are masked before anything is written: by their shape wherever they stand, by the name beside them where there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lineal.client.capture.secret_names import is_plain, is_secret_name
from lineal.client.capture.secret_shapes import MASK, mask_bytes
from lineal.model.values import clean_text

_VARIABLE = re.compile(r"\A([A-Za-z_][\w.-]*)=(.*)\Z", re.DOTALL)
# A header of a request: what follows the colon is the secret as a whole.
_HEADER = re.compile(r"\A([A-Za-z][\w-]{1,60}):(?!:)\s*(?=\S)(.*)\Z", re.DOTALL)
# `db={user:me,password:x}`, `lr=1,password=x`
_WITHIN = re.compile(r"(?P<before>[{,])(?P<name>[A-Za-z_][\w.\-]{1,80})(?P<between>[:=])(?P<value>[^\s,{}]{1,500})")
_QUOTES_MAX_DEPTH = 4
_SHELL_COMMAND = re.compile(r"\A-[a-z]{0,5}c\Z")
# The words of a command within one argument (`sh -c "..."`), and what is between them.
_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+|\s+|.""", re.DOTALL)

_CODE_SUFFIXES = (
    ".py",
    ".pyi",
    ".pyx",
    ".ipynb",
    ".r",
    ".jl",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".cu",
    ".rs",
    ".go",
    ".java",
    ".js",
    ".ts",
)
# Blanks and not \s, and not without bound: where lines are empty by the thousand, \s* tries each run of them from each of its
# places, and the training stands still meanwhile. After a name: what closes its quotes and brackets, an annotation; after
# `("--password",`, a default.
_LITERAL = re.compile(
    rb"""(?<![\w.\-])(?P<name>[\w.\-]{2,80})"""
    rb"""(?P<between>\\?['"]\]?[ \t]{0,9},[ \t]{0,9}(?:default[ \t]{0,9}=[ \t]{0,9})?"""
    rb"""|(?:\\?['"])?\]?[ \t]{0,40}(?::[ \t]{0,9}[A-Za-z][\w.\[\]| ]{0,40})?[:=]\s{0,40}\(?[ \t]{0,9}[bBfFrRuU]{0,2})"""
    rb"""(?P<quote>\\?(?:\'{3}|"{3}|['"]))(?P<value>(?:(?!(?P=quote))(?:\\.|[^\n\\])){4,500})(?P=quote)"""
)
_SETTING = re.compile(
    rb"""(?m)(?P<before>^[ +\-]?[ \t]{0,80}(?:(?i:export|set|env|arg|-)[ \t]{1,9})?['"]?/{0,2}[^\s=:'"]{0,100}?|[{,][ \t]{0,9})"""
    rb"""(?P<name>[\w.\-]{2,80})(?P<between>['"]?[ \t]{0,40}[:=][ \t]{0,40})(?P<value>[^\s'"#,;{}][^\s'"#,;{}]{3,500})"""
)
_NO_VALUE = re.compile(rb"(?i)\A(?:\$|%|\{|<|\[|os\.|null\b|none\b|true\b|false\b|env:|vault:)")


def mask_file(name: str, content: bytes) -> bytes:
    """A source file, or the part of a patch about it: shapes, and values beside names like `password`. In code only quoted ones: what
    is not quoted there is an expression. References to a secret (`$TOKEN`, `{{ token }}`) are none."""
    is_code = name.lower().endswith(_CODE_SUFFIXES)
    content = _LITERAL.sub(_mask_literal, mask_bytes(content, is_code))
    if is_code:
        return content
    return _SETTING.sub(_mask_setting, content)


def _mask_literal(found: re.Match[bytes]) -> bytes:
    if not _is_secret_setting(found):
        return found[0]
    return found["name"] + found["between"] + found["quote"] + MASK.encode() + found["quote"]


def _mask_setting(found: re.Match[bytes]) -> bytes:
    if not _is_secret_setting(found):
        return found[0]
    return found["before"] + found["name"] + found["between"] + MASK.encode()


def _is_secret_setting(found: re.Match[bytes]) -> bool:
    return not _NO_VALUE.match(found["value"]) and is_secret_name(found["name"].decode("utf-8", "replace"))


def mask_text(text: str) -> str:
    return mask_bytes(clean_text(text).encode()).decode()


def mask_value(name: str, value: str) -> str:
    return MASK if not is_plain(value) and is_secret_name(name) else mask_text(value)


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
        if _SHELL_COMMAND.match(before):
            masked.append(_masked_words(argument))
            continue
        said, is_next_secret = _masked_argument(argument)
        masked.append(said)
    return masked


def _masked_argument(argument: str, depth: int = 0) -> tuple[str, bool]:
    """And whether the next one is the value of a secret."""
    option, separator, value = argument.partition("=")
    if argument.startswith("-") and is_secret_name(option.lstrip("-")) and not re.search(r"\s", option):
        shown = separator and not is_plain(value)
        return (f"{clean_text(option)}={MASK}" if shown else clean_text(argument)), not separator
    bare = argument.lstrip("+~")
    pair = _VARIABLE.match(bare)
    if pair and is_secret_name(pair[1]) and not is_plain(pair[2]):
        return f"{clean_text(option)}={MASK}", False
    header = _HEADER.match(bare)
    if header and is_secret_name(header[1]) and not header[2].startswith("//"):
        return f"{clean_text(header[1])}: {MASK}", False
    if option.startswith("-") and separator and depth < _QUOTES_MAX_DEPTH and not re.search(r"[\s'\"]", argument):
        return f"{clean_text(option)}={_masked_argument(value, depth + 1)[0]}", False
    if option.startswith("-") and separator and (found := _HEADER.match(value)) and is_secret_name(found[1]):
        return f"{clean_text(option)}={clean_text(found[1])}: {MASK}", False
    if re.search(r"[\s'\"]", argument):
        return _masked_words(argument, depth), False
    return _WITHIN.sub(_mask_within, mask_text(argument)), False


def _masked_words(argument: str, depth: int = 0) -> str:
    text = _LITERAL.sub(_mask_literal, mask_bytes(clean_text(argument).encode())).decode()
    words = _WORD.findall(text)
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
