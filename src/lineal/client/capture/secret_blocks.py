"""Values that stand on other lines than their names: blocks and lists of YAML, `name:` above `value:`, what a bracket or a backslash
leaves to the next line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable

from lineal.client.capture.patterns import pattern
from lineal.client.capture.secret_lines import Lines, indent_of
from lineal.client.capture.secret_names import is_secret_name
from lineal.client.capture.secret_pairs import Kind, closing, holds_secrets, said_value
from lineal.client.capture.secret_shapes import MASK
from lineal.client.capture.secret_values import is_secret_value

_MASK = MASK.encode()
_BLOCK_LINES = 400
"""Of a value: a chain of certificates has 200."""
_ITEMS = 200
_NEAR_LINES = 8
_PAIR_LINES = 4
# The last name of a line that leaves its value to the next ones.
_OPEN = (
    rb"""(?<![\w.\-])(?P<name>[\w.\-]{2,120}+)['"]?\]?[ \t]{0,40}(?::[ \t]{0,9}[A-Za-z][\w.\[\]| ]{0,40})?"""
    rb"""(?P<mark>=>|:=|[:=,]|[ \t])[ \t]{0,40}"""
    rb"""(?P<tail>\(|\\|[|>][+\-\d]{0,2}|\[|\{|[bBfFrRuU]{0,2}(?:"{3}|'{3})\\?)?(?:[ \t]{1,9}#.*)?[ \t]*+\r?\Z"""
)
_VARIABLE = rb"""\A[ \t]*+(?:variable|set|env|environment)\b[ \t]{0,9}['"]?(?P<name>[\w.\-]{2,120}+)?['"]?[ \t]{0,9}\{[ \t]*+\r?\Z"""
_ITEM = rb"""(?P<before>[ \t]*+-[ \t]{1,9})(?P<value>[^\s].*?)(?P<end>[ \t]*+\r?)\Z"""
_ENTRY = rb"""(?P<before>[ \t]*+['"]?(?P<name>[\w.\-]{1,120}+)['"]?[ \t]{0,9}[:=][ \t]{0,9})(?P<value>.*?)(?P<end>,?[ \t]*+\r?)\Z"""
_LONE = rb"""\A[ \t]*+-[ \t]{1,9}['"]?--?(?P<name>[A-Za-z][\w.\-]{1,80}+)['"]?[ \t]*+\r?\Z"""
_SECTION = rb"""[ \t]*+\[{1,2}(?:[\w\-]{1,60}\.){0,9}(?P<name>[\w\-]{1,60})\]{1,2}[ \t]*+\r?\Z"""
_QUOTED = rb"""(?P<before>[ \t]*+\(?[bBfFrRuU]{0,2})(?P<quote>\\?(?:"{3}|'{3}|["'`]))"""
_DEFAULT = rb"""\A(?P<before>[ \t]*+['"]?(?:default|value)['"]?[ \t]{0,9}[:=][ \t]{0,9})(?P<value>.*?)(?P<end>,?[ \t]*+\r?)\Z"""
_NAMED = (
    rb"""(?<![\w.\-])['"]?(?:name|key|Name|Key|ParameterKey|variable|option)['"]?[ \t]{0,9}[:=][ \t]{0,9}['"]?"""
    rb"""(?P<name>[\w.\-]{2,120}+)['"]?[ \t]{0,9}(?=[,}\r#>/]|\Z|\w{1,20}=)"""
)
_VALUE = (
    rb"""(?<![\w.\-])(?P<before>['"]?(?:value|Value|ParameterValue)['"]?[ \t]{0,9}[:=][ \t]{0,9})"""
    rb"""(?P<value>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|[^\s'",{}\[\]][^'",{}\r]{0,500}|[|>][+\-]?)"""
)
_SECRET_KIND = rb"""\A[ \t]*+['"]?kind['"]?:[ \t]{1,9}['"]?Secret['"]?,?[ \t]*+\r?\Z"""
_DATA = rb"""\A[ \t]*+['"]?(?:data|stringData|string_data)['"]?:[ \t]*+\{?[ \t]*+\r?\Z"""
_KEPT_ENTRIES = frozenset(
    [
        "file",
        "external",
        "name",
        "source",
        "target",
        "environment",
        "from",
        "uid",
        "gid",
        "mode",
        "driver",
        "user",
        "username",
        "host",
        "port",
        "url",
        "email",
    ]
)


def mask_below(lines: Lines, start: int, body: bytes, kind: Kind) -> int:
    """`body`: as it was read. Where to go on: what lies before is done."""
    if kind != "code" and b"kind" in body and pattern(_SECRET_KIND).match(body):
        _mask_data(lines, start, indent_of(body))
    named = pattern(_NAMED).search(body) if b":" in body or b"=" in body else None
    if named is not None and is_secret_name(_text(named["name"])):
        _mask_pair(lines, start, body, _text(named["name"]), named.start(), kind)
    declared = pattern(_VARIABLE).match(body) if body.rstrip().endswith(b"{") else None
    if declared is not None and declared["name"] and is_secret_name(_text(declared["name"])):
        _mask_default(lines, start, _text(declared["name"]), b"}")
    section = pattern(_SECTION).match(body) if kind != "code" else None
    if section is not None and holds_secrets(_text(section["name"])):
        _mask_section(lines, start, kind)
    lone = pattern(_LONE).match(body) if kind != "code" else None
    if lone is not None and is_secret_name(_text(lone["name"])):
        for place, other in lines.after(start, 1):
            item = pattern(_ITEM).match(other)
            if item is not None and not item["value"].startswith(b"-"):
                _change_value(lines, place, item, _text(lone["name"]), "settings" if kind == "shell" else kind)
    found = pattern(_OPEN).search(body[-512:])
    if found is None:
        return 0
    name, tail = _text(found["name"]), found["tail"] or b""
    if not is_secret_name(name) and not (kind != "code" and holds_secrets(name)):
        return 0
    if found["mark"] == b"," and not tail:
        _mask_default(lines, start, name, b")")
        if name.startswith("-"):
            _mask_quoted_below(lines, start, name, kind, 1)
        return 0
    if found["mark"].isspace() and tail != b"\\":
        return 0
    if kind == "code" and found["mark"] == b":" and found[0][len(found["name"]) :][:1] not in (b"'", b'"'):
        return 0  # `class Credentials:`, and below its docstring
    if tail[:1] in (b"|", b">") and kind != "code":
        return _mask_block(lines, start, _column(body))
    if tail.endswith((b'"""', b"'''", b'"""\\', b"'''\\")):
        return _mask_until(lines, start, tail.rstrip(b"\\")[-3:])
    if _mask_quoted_below(lines, start, name, kind) or kind == "code":
        return 0
    if tail == b"\\" or found["mark"] == b"=":
        _mask_word_below(lines, start, name, kind)
    elif tail in (b"", b"[", b"{"):
        _mask_children(lines, start, _column(body), name, kind)
    return 0


def _column(body: bytes) -> int:
    """Where the key stands that a block belongs to: after the dash of a list."""
    rest = body.lstrip(b" \t")
    if rest.startswith((b"- ", b"-\t")):
        rest = rest[1:].lstrip(b" \t")
    return len(body) - len(rest)


def _mask_block(lines: Lines, start: int, column: int) -> int:
    """All that lies deeper."""
    done = 0
    for place, body in lines.after(start, _BLOCK_LINES, sys.maxsize):
        if not body.strip():
            continue
        indent = indent_of(body)
        if indent < max(column, 1) or (indent == column and column):
            break
        lines.change(place, body[:indent] + _MASK + _end(body))
        done = lines.end_of(place)
    return done


def _mask_until(lines: Lines, start: int, quotes: bytes) -> int:
    """A text of several lines in a language of programs, to its closing quotes."""
    for place, body in lines.after(start, _BLOCK_LINES, sys.maxsize):
        text, found, rest = body.partition(quotes)
        if text.strip():
            lines.change(place, text[: indent_of(text)] + _MASK + found + rest)
        if found:
            return lines.end_of(place)
    return 0


def _mask_quoted_below(lines: Lines, start: int, name: str, kind: Kind, count: int = _ITEMS) -> bool:
    """What the next lines begin with, if that is in quotes."""
    is_found = False
    for place, body in lines.after(start, count):
        if not body.strip():
            continue
        found = pattern(_QUOTED).match(body)
        if found is None:
            break
        end = closing(body, found.end(), found["quote"])
        if body[end + len(found["quote"]) :].lstrip()[:1] in (b":", b"=") and end >= 0:
            break  # a key
        end = len(body) if end < 0 else end
        is_found = True
        value = _text(body[found.end() : end])
        if is_secret_value(name, value, is_code=kind == "code") and not value.startswith("-"):
            lines.change(place, body[: found.end()] + _MASK + body[end:])
    return is_found


def _mask_word_below(lines: Lines, start: int, name: str, kind: Kind) -> None:
    for place, body in lines.after(start, 1):
        value = body.strip()
        word = value.split(None, 1)[0] if value else b""
        if not word or word.startswith((b"-", b"#", b"[")) or b"=" in word or not indent_of(body):
            return
        if is_secret_value(name, _text(word)):
            lines.change(place, body.replace(word, _MASK, 1))


def _mask_children(lines: Lines, start: int, column: int, name: str, kind: Kind) -> None:
    """The items of a list; the values of a mapping whose name says that all of them are secrets; a text of several lines."""
    is_mapping_of_secrets = holds_secrets(name) or name.lower().endswith(("passwords", "secrets", "keys"))
    whose = name if is_secret_name(name) else "password"
    level = -1
    for place, body in lines.after(start, _ITEMS):
        if not body.strip() or body.lstrip().startswith(b"#"):
            continue
        indent = indent_of(body)
        item = pattern(_ITEM).match(body)
        if indent < column or (indent == column and item is None):
            return
        level = indent if level < 0 else level
        if indent != level:
            continue
        entry = pattern(_ENTRY).match(item["value"] if item is not None else body)
        said = entry["value"] if entry is not None else item["value"] if item is not None else b""
        if said[:1] in (b"|", b">") and (item is not None or is_mapping_of_secrets):
            _mask_block(lines, place, indent + 1)
            continue
        if entry is not None and entry["value"][:2] != b"//":
            key = _text(entry["name"])
            if item is None and is_mapping_of_secrets and key.lower() not in _KEPT_ENTRIES:
                _change_value(lines, place, entry, whose, kind)
        elif item is not None:
            _change_value(lines, place, item, whose, kind)
        elif body.strip()[:1] not in b"]})":
            value = body.strip()
            if is_secret_value(whose, _text(value.rstrip(b","))) and not value.isdigit():
                lines.change(place, body.replace(value.rstrip(b","), _MASK, 1))


def _change_value(lines: Lines, place: int, found: re.Match[bytes], name: str, kind: Kind) -> None:
    """Of a match that ends with its line."""
    said = _said_any(name, found["value"], kind)
    if said is not None:
        _, body = lines.text(place)
        lines.change(place, body[: len(body) - len(found["value"]) - len(found["end"])] + said + found["end"])


def _said_any(name: str, value: bytes, kind: Kind) -> bytes | None:
    """In quotes or without."""
    quote = value[:1]
    if quote in (b'"', b"'"):
        end = closing(value, 1, quote)
        end = len(value) if end < 0 else end
        return quote + _MASK + value[end:] if is_secret_value(name, _text(value[1:end])) else None
    if not value or value.isdigit() or value[:1] in b"{[(":
        return None
    return said_value(name, value, kind)


def _mask_section(lines: Lines, start: int, kind: Kind) -> None:
    """`[tokens]` of TOML and its kin: what is set below."""
    for place, body in lines.after(start, _ITEMS):
        if body.lstrip().startswith(b"["):
            return
        entry = pattern(_ENTRY).match(body)
        if entry is not None and _text(entry["name"]).lower() not in _KEPT_ENTRIES:
            _change_value(lines, place, entry, "password", kind)


def _mask_default(lines: Lines, start: int, name: str, stop: bytes) -> None:
    """`"--password",` with its `default=` some lines below; the same of a variable of Terraform's."""
    for place, body in lines.after(start, _NEAR_LINES):
        if body.strip().startswith(stop):
            return
        found = pattern(_DEFAULT).match(body)
        if found is not None and found["value"][:1] in (b'"', b"'"):
            _change_value(lines, place, found, name, "settings")


def _mask_pair(lines: Lines, start: int, body: bytes, name: str, column: int, kind: Kind) -> None:
    """`name: DB_PASSWORD` with its `value:` on the same line or near it."""
    _, now = lines.text(start)
    if _mask_value(lines, start, now, name, kind):
        return
    if body[:column].strip(b" \t-"):  # within braces
        return

    def looked(near: Iterable[tuple[int, bytes]], is_end: Callable[[bytes], bool]) -> None:
        for place, other in near:
            is_first = other.lstrip().startswith(b"-")
            if is_first and is_end(b"below"):
                return
            if _column(other) == column and _mask_value(lines, place, other, name, kind) and not lines.is_patch:
                return
            if is_first or not other.strip() or _column(other) < column:
                return

    if not body.lstrip().startswith(b"-"):
        looked(lines.before(start, _PAIR_LINES), lambda _: False)
    looked(lines.after(start, _PAIR_LINES), lambda _: True)


def _mask_value(lines: Lines, place: int, body: bytes, name: str, kind: Kind) -> bool:
    found = pattern(_VALUE).search(body)
    if found is None:
        return False
    value = found["value"]
    if value[:1] in (b"|", b">"):
        _mask_block(lines, place, _column(body))
        return True
    said = _said_any(name, value.rstrip(), kind if kind == "data" else "settings")
    if said is not None:
        lines.change(place, body[: found.start("value")] + said + body[found.start("value") + len(value.rstrip()) :])
    return True


def _mask_data(lines: Lines, start: int, indent: int) -> None:
    """The values of a Secret of Kubernetes: whatever they are called."""
    for near in (lines.before(start, _ITEMS), lines.after(start, _ITEMS)):
        for place, body in near:
            if body.startswith(b"---") or pattern(_SECRET_KIND).match(body):
                break  # another one
            if indent_of(body) == indent and pattern(_DATA).match(body):
                _mask_entries(lines, place, indent)


def _mask_entries(lines: Lines, start: int, indent: int) -> None:
    for place, body in lines.after(start, _ITEMS):
        if body.strip() and indent_of(body) <= indent:
            return
        entry = pattern(_ENTRY).match(body)
        if entry is None:
            continue
        if entry["value"][:1] in (b"|", b">"):
            _mask_block(lines, place, _column(body))
        else:
            _change_value(lines, place, entry, "password", "data")


def _end(body: bytes) -> bytes:
    return b"\r" if body.endswith(b"\r") else b""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
