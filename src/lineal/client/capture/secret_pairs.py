"""Names and values on one line: `password = "x"`, `password: x`, `PASSWORD=x`, `--password x`, `<password>x</password>`."""

from __future__ import annotations

from collections.abc import Callable

from lineal.client.capture.patterns import pattern
from lineal.client.capture.secret_names import is_secret_name, is_word_of_texts
from lineal.client.capture.secret_shapes import MASK
from lineal.client.capture.secret_values import is_secret_value, looks_issued

_MASK = MASK.encode()
_NAME = rb"(?P<name>[\w.\-]{2,120}+)"
# What a value is wrapped in: `SecretStr("x")`, `Field(default="x")`, `os.getenv("NAME", "x")`.
_WRAPPED = (
    rb"""(?:[\w.]{0,30}\b(?:SecretStr|SecretBytes|Secret|Field|field|str|bytes|b64decode|b64encode|quote|quote_plus)"""
    rb"""\([ \t]{0,9}(?:default[ \t]{0,9}=[ \t]{0,9})?"""
    rb"""|(?:os\.)?(?:getenv|environ\.get)\([ \t]{0,9}['"][\w.\-]{1,80}['"][ \t]{0,9},[ \t]{0,9})?"""
)
# Blanks are bounded, and nothing is tried again from within a name: a line may be a megabyte of either. After a name: what closes its
# quotes and brackets, an annotation; after `("--password",`, a default.
_QUOTED = (
    rb"""(?<![\w.\-])"""
    + _NAME
    + rb"""(?:(?P<listed>\\?['"]\]?[ \t]{0,9},[ \t]{0,9}(?:default[ \t]{0,9}=[ \t]{0,9})?)"""
    rb"""|(?:\\?['"])?\]?[ \t]{0,40}(?::[ \t]{0,9}[A-Za-z][\w.\[\]| ]{0,40})?(?:=>|:=|<-|[!=]?={1,2}|:)[ \t]{0,40}"""
    + _WRAPPED
    + rb"""[(\[]?[ \t]{0,9})[bBfFrRuU]{0,2}(?P<quote>\\?(?:\'{3}|"{3}|['"`]))"""
)
_QUOTED_OPTION = rb"""(?<![\w\-])(?P<name>--?[A-Za-z][\w.\-]{1,80}+)(?P<listed>)[ \t]{1,9}(?P<quote>['"])"""
_NEXT_QUOTED = rb"""[ \t]*+(?P<mark>[,+]?)[ \t]*+[bBfFrRuU]{0,2}(?P<quote>['"])"""
# At the start of a line: the value is what follows. In a list of YAML, after `export` of a shell, `ENV` of a Dockerfile.
_SETTING = (
    rb"""\A(?P<before>[ \t]*+(?:[-*?][ \t]{1,9})?(?:(?i:export|set|env|arg|setx|declare -x|local|readonly)[ \t]{1,9})?['"]?)"""
    rb"""(?P<name>[\w.\-]{1,60}(?: [\w.\-]{1,60}){0,2})(?P<between>['"]?[ \t]{0,40}(?:=>|:=|\?=|[:=])[ \t]{0,40})"""
    rb"""(?P<value>[^\s'"].*)\Z"""
)
_WITHIN = (
    rb"""(?P<before>[{,][ \t]{0,9}['"]?)"""
    + _NAME
    + rb"""(?P<between>['"]?[ \t]{0,9}[:=][ \t]{0,9})(?P<value>[^\s'",{}\[\]]{1,500})"""
)
_WORD = (
    rb"""(?P<before>(?<![\w.\-]))"""
    + _NAME
    + rb"""(?P<between>=)(?P<value>[^\s'"`;&|)},=](?:[^\s'"`;&|)},\\]|\\(?!n['"])){0,500})"""
)
_OPTION = rb"""(?P<before>(?<![\w\-])--?)(?P<name>[A-Za-z][\w.\-]{1,80}+)(?P<between>[ \t]{1,9})(?P<value>[^\s'"\-][^\s'"`;|)]{0,500})"""
_PHRASE = rb"""(?P<before>['"])""" + _NAME + rb"""(?P<between>:[ \t]{1,9})(?P<value>[^'"\\]{1,500})(?=\\?['"])"""
_ELEMENT = rb"""(?P<before><)""" + _NAME + rb"""(?P<between>>)(?P<value>[^<>]{1,500})(?=</)"""
_SPOKEN = (
    rb"""(?i)\A(?P<before>[ \t]*+(?:env|arg|setenv|set -g?x|aws configure set|git config(?: --\w+)?)[ \t]{1,9})"""
    + _NAME
    + rb"""(?P<between>[ \t]{1,9})(?P<value>[^\s='"].*)\Z"""
)
_COMMENT = rb"""\A[ \t]*+(?:#+|//+|\*+|--|%+)[ \t]*"""
_LISTS = frozenset(["tokens", "passwords", "secrets", "credentials"])
# What follows an option's name where a text speaks of it.
_PROSE = frozenset(
    """
    a an and are argument as at be by can cannot flag for from has if in is may must not of on option options or parameter
    should than that the then to value was when which will with you your
    """.split()  # noqa: SIM905
)
TYPES = frozenset(["str", "string", "int", "integer", "bytes", "bool", "any", "object", "text", "secretstr"])
"""What stands there in a signature or a schema, where the value is none."""
_GOES_ON = tuple(bytes([byte]) for byte in b",)]}+%.;")
_MAGIC = rb"""[ \t]*+"?[!%]"""  # of a notebook: a command of the shell
_CLOSING = {
    b"'": rb"(?:[^'\\]|\\.)*+",
    b'"': rb'(?:[^"\\]|\\.)*+',
    b"`": rb"(?:[^`\\]|\\.)*+",
}
Kind = str
"""Of a file: `code`, `shell`, `prose`, `data` (where a value that is no word has quotes) or `settings`."""


def mask_line(line: bytes, kind: Kind) -> bytes:
    """Without its end, and without the sign of a patch."""
    end = line[len(line.rstrip(b"\r")) :]
    line = mask_quoted(line[: len(line) - len(end)], is_code=kind == "code")
    if kind == "code":
        line = replaced(_PHRASE, line, _said_in_comment)
        if pattern(_MAGIC).match(line) is not None:
            line = mask_options(replaced(_WORD, line, _said_word), "shell")
        comment = pattern(_COMMENT).match(line)
        if comment is not None:
            line = comment[0] + replaced(_SETTING, line[comment.end() :], _said_in_comment)
        return line + end
    line = replaced(_SETTING, line, lambda name, value: said_value(name, value, kind))
    if kind in ("shell", "settings"):
        line = replaced(_SPOKEN, line, lambda name, value: said_value(name, value, "settings"))
    line = replaced(
        _WORD, line, lambda name, value: _said_word(name, value, "prose" if kind == "prose" else "settings")
    )
    if b"{" in line or b"," in line:
        line = replaced(_WITHIN, line, lambda name, value: _said_word(name, value, kind))
    if b"-" in line:
        line = mask_options(line, kind)
    line = replaced(_PHRASE, line, lambda name, value: _said_of_option(name, value, kind))
    if b"</" in line:
        line = replaced(_ELEMENT, line, _said_word)
    return line + end


def mask_options(line: bytes, kind: Kind) -> bytes:
    """`--password x`, `--password 'x'`."""
    line = mask_quoted(line, is_code=kind == "prose", source=_QUOTED_OPTION)
    return replaced(_OPTION, line, lambda name, value: _said_of_option(name, value, kind))


def mask_quoted(line: bytes, *, is_code: bool, source: bytes = _QUOTED) -> bytes:
    named = pattern(source)
    pieces: list[bytes] = []
    unclosed: set[bytes] = set()
    done = place = 0
    while (found := named.search(line, place)) is not None:
        place = found.end()
        name, quote, is_listed = _text(found["name"]), found["quote"], bool(found["listed"])
        if quote in unclosed or not is_secret_name(name):
            place = found.end("name")
            continue
        if (
            is_code
            and found[0].rstrip(quote).rstrip().endswith(b":")
            and line[place : place + 9].lstrip()[:1] in _GOES_ON
        ):
            continue  # it ends there: `input("Password: ")`
        begin, is_open = place, b"(" in found[0] or b"[" in found[0]
        while True:
            end = closing(line, begin, quote)
            value = line[begin : end if end >= 0 else len(line)]
            after = begin + len(value) + len(quote)
            is_key = is_listed and (_is_name(value, name) or line[after : after + 1] in (b":", b"="))
            if not is_key and is_secret_value(name, _text(value), is_code=is_code):
                pieces += [line[done:begin], _MASK]
                done = place = begin + len(value)
            if end < 0:
                unclosed.add(quote)
                break
            following = None if is_listed or quote not in (b"'", b'"') else pattern(_NEXT_QUOTED).match(line, after)
            if following is None or (following["mark"] == b"," and not is_open):
                break
            begin, quote = following.end(), following["quote"]
    return b"".join([*pieces, line[done:]]) if pieces else line


def closing(line: bytes, place: int, quote: bytes) -> int:
    """Where the quotes end that begin before `place`; -1 if they do not."""
    single = _CLOSING.get(quote)
    if single is None:
        return line.find(quote, place)
    found = pattern(single).match(line, place)
    assert found is not None
    return found.end() if found.end() < len(line) else -1


def _is_name(value: bytes, name: str) -> bool:
    """`["password", "username"]` are two names; after `"--password",` or `"API_KEY",` comes a value."""
    if name.startswith("-"):
        return False
    return value.isupper() if name.isupper() else value.isalpha() or not looks_issued(_text(value))


def replaced(source: bytes, line: bytes, said: Callable[[str, bytes], bytes | None]) -> bytes:
    """With other values, where `said` has one. Whatever has none may have a pair within."""
    compiled = pattern(source)
    pieces: list[bytes] = []
    done = place = 0
    while (found := compiled.search(line, place)) is not None:
        name = _text(found["name"])
        value = said(name, found["value"])
        if value is None:
            place = found.end("between")
            continue
        pieces += [line[done : found.end("between")], value]
        done = place = found.end("value")
    return b"".join([*pieces, line[done:]]) if pieces else line


def said_value(name: str, value: bytes, kind: Kind) -> bytes | None:
    """Of what follows a name up to the end of the line."""
    value, comment = _without_comment(value)
    if value.startswith(b"[") and not value.startswith(_MASK) and kind != "prose":
        return _said_list(name, value, kind) + comment if is_secret_name(name) or holds_secrets(name) else None
    anchor, blank, rest = value.partition(b" ")
    if blank and anchor.startswith(b"&"):
        said = said_value(name, rest, kind)
        return None if said is None else anchor + b" " + said + comment
    if not is_secret_name(name) or value[:1] in (b"|", b">", b"{", b"(", b"\\", b"&"):
        return None
    words = value.split()
    if len(words) > 1 and not _is_sentence(name, words, kind):
        first = words[0].rstrip(b";,")
        if kind != "shell" and not looks_issued(_text(first)):
            return None
        said = _said_word(name, first, kind)
        return None if said is None else said + value[len(first) :] + comment
    bare = value.rstrip(b" \t,;\\")
    said = _said_word(name, bare, kind)
    return None if said is None else said + value[len(bare) :] + comment


def _is_sentence(name: str, words: list[bytes], kind: Kind) -> bool:
    """Whether all the words are the secret: no setting's description, and no command that follows `PASSWORD=x`."""
    return kind in ("settings", "data") and len(words) <= 5 and is_secret_value(name, _text(b" ".join(words)))


def _without_comment(value: bytes) -> tuple[bytes, bytes]:
    place = value.find(b" #")
    end = len(value) if place < 0 else place
    bare = value[:end].rstrip()
    return bare, value[len(bare) :]


def _said_list(name: str, value: bytes, kind: Kind) -> bytes:
    inner, bracket, rest = value[1:].partition(b"]")
    whose = name if is_secret_name(name) else "password"
    items = [item.strip() for item in inner.split(b",")]
    said = [item if item[:1] in b"'\"" or item.isdigit() else _said_word(whose, item, kind) or item for item in items]
    return value if said == items else b"[" + b", ".join(said) + bracket + rest


def _said_word(name: str, value: bytes, kind: Kind = "settings") -> bytes | None:
    if not is_secret_name(name) or not is_secret_value(name, _text(value), is_code=kind in ("code", "prose")):
        return None
    if kind == "prose" and _text(value).lower().rstrip(")") in TYPES:
        return None
    if kind == "data":  # a small number is one of a vocabulary
        return None if value.isdigit() and len(value) < 4 else b'"' + _MASK + b'"'
    return _MASK


def _said_of_option(name: str, value: bytes, kind: Kind) -> bytes | None:
    """In a text that is no command, `--password is` is prose."""
    text = _text(value)
    is_meant = kind == "shell" or looks_issued(text) or not (is_word_of_texts(name) or text.lower() in _PROSE)
    return _said_word(name, value) if is_meant else None


def holds_secrets(name: str) -> bool:
    """Of a list or a mapping in a file of settings: what a tokenizer is told of is called otherwise there."""
    return name.lower() in _LISTS


def _said_in_comment(name: str, value: bytes) -> bytes | None:
    return _said_word(name, value, "code") if looks_issued(_text(value.strip())) else None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
