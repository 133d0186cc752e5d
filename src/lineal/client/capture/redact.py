"""Secrets are masked before anything is written: by their shape wherever they stand, by the name beside them where there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lineal.client.capture.patterns import text_pattern
from lineal.client.capture.secret_commands import Words
from lineal.client.capture.secret_names import is_secret_name, is_word_of_texts
from lineal.client.capture.secret_pairs import mask_quoted
from lineal.client.capture.secret_shapes import MASK, mask_bytes
from lineal.client.capture.secret_values import is_plain, is_reference, looks_issued
from lineal.model.values import clean_text

_VARIABLE = r"\A([A-Za-z_][\w.-]*)=(.*)\Z"
# A header of a request: what follows the colon is the secret as a whole.
_HEADER = r"\A([A-Za-z][\w-]{1,60}):(?!:)\s*(?=\S)(.*)\Z"
# `db={user:me,password:x}`, `lr=1,password=x`
_WITHIN = r"(?P<before>[{,])(?P<name>[A-Za-z_][\w.\-]{1,80})(?P<between>[:=])(?P<value>[^\s,{}]{1,500})"
_MARKS = r"[\s'\"]"
_QUOTES_MAX_DEPTH = 4
_SWITCH = r"(?:use|no|with|has|is|enable|disable|require|skip|show|print|save|allow|need|needs)[-_]"
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
    """A command line: `--password X`, `--token=X`, `db.password=X`, `PASSWORD=X`, `X-Api-Key: X`, `curl -u me:X`, all of them within one
    argument (`sh -c "..."`, JSON), and shapes anywhere."""
    masked: list[str] = []
    line = _Line()
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if not line.is_awaited and text_pattern(_SHELL_COMMAND).match(before):
            masked.append(_masked_words(argument))
        else:
            masked.append(line.masked(argument, 0))
    return masked


class _Line:
    """The words of a command one after the other."""

    def __init__(self) -> None:
        self._commands = Words(MASK)
        self._awaited = ""
        self._is_further = False

    @property
    def is_awaited(self) -> bool:
        """Whether the next word is the value of a secret."""
        return bool(self._awaited)

    def masked(self, word: str, depth: int) -> str:
        name, self._awaited = self._awaited, ""
        if name and not word.startswith("-" if self._is_further else "--"):
            if name.lower().endswith(("passwords", "tokens", "keys", "secrets")):  # --passwords X Y
                self._awaited, self._is_further = name, True
            return MASK if _is_given(name, word) else mask_text(word)
        self._is_further = False
        said = self._commands.masked(word)
        if said is not None and said != word:
            return clean_text(said)
        said, self._awaited = _masked_argument(word, depth)
        return said


def _is_given(name: str, value: str) -> bool:
    """Whether what follows an option is a secret: `--use-auth-token` is a switch, too, `--unknown-token <unk>` no secret."""
    if is_plain(value) or is_reference(value):
        return False
    if is_word_of_texts(name) and value.isdigit() and len(value) < 5:
        return False
    return not text_pattern(_SWITCH).match(name) or looks_issued(value)


def _masked_argument(argument: str, depth: int = 0) -> tuple[str, str]:
    """And the option whose value is the next one, if that is a secret."""
    option, separator, value = argument.partition("=")
    if argument.startswith("-") and is_secret_name(option.lstrip("-")) and not text_pattern(r"\s").search(option):
        name = option.lstrip("-")
        if not separator:
            return clean_text(argument), name
        is_hidden = not is_plain(value) and not is_reference(value)
        return (f"{clean_text(option)}={MASK}" if is_hidden else f"{clean_text(option)}={mask_text(value)}"), ""
    bare = argument.lstrip("+~")
    pair = text_pattern(_VARIABLE).match(bare)
    if pair and is_secret_name(pair[1]) and not (is_plain(pair[2]) or is_reference(pair[2])):
        return f"{clean_text(option)}={MASK}", ""
    header = text_pattern(_HEADER).match(bare)
    if header and is_secret_name(header[1]) and not header[2].startswith("//"):
        return f"{clean_text(header[1])}: {MASK}", ""
    if option.startswith("-") and separator and depth < _QUOTES_MAX_DEPTH and not text_pattern(_MARKS).search(argument):
        return f"{clean_text(option)}={_masked_argument(value, depth + 1)[0]}", ""
    if (
        option.startswith("-")
        and separator
        and (found := text_pattern(_HEADER).match(value))
        and is_secret_name(found[1])
    ):
        return f"{clean_text(option)}={clean_text(found[1])}: {MASK}", ""
    if text_pattern(_MARKS).search(argument):
        return _masked_words(argument, depth), ""
    return text_pattern(_WITHIN).sub(_mask_within, mask_text(argument)), ""


def _masked_words(argument: str, depth: int = 0) -> str:
    text = mask_quoted(mask_bytes(clean_text(argument).encode()), is_code=False).decode()
    words = text_pattern(_WORD).findall(text)
    if depth == _QUOTES_MAX_DEPTH or (depth and words == [text] and _unquoted(text) == text):
        return text
    pieces: list[str] = []
    line = _Line()
    for piece in words:
        word = _unquoted(piece)
        if word == piece:
            word = word.lstrip("(").rstrip(";|&)")
        if word.strip("\\ \t\r\n"):
            said = line.masked(word, depth + 1)
            piece = piece if said == word else piece.replace(word, said, 1)
        pieces.append(piece)
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
