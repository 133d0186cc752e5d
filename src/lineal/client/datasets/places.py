"""Data by its address: a local path, or a URI that is never asked."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from lineal.client.capture.redact import mask_text
from lineal.client.capture.secret_names import is_secret_name
from lineal.client.capture.secret_shapes import MASK
from lineal.client.datasets.cache import DigestCache
from lineal.client.datasets.described import Described
from lineal.client.datasets.files import digest_found, find
from lineal.client.datasets.hashing import digest_of_json
from lineal.client.datasets.peek import peek
from lineal.model.values import clean_text

URI_PREFIX = "uri:"
"""Of the digest of data that nobody read: it is of the address, and equal to no digest of content."""

_URI = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]+:){0,3}[a-zA-Z][a-zA-Z0-9+.-]+://")
_SECRET_PART = re.compile(
    r"secret|passw|passphrase|pwd|token\Z|signature|credential|(?:api|access|account|shared|private|ssl)[-_.]?key",
    re.IGNORECASE,
)
_SECRET_WORDS = frozenset(["sig", "key", "keys", "auth", "expires", "jwt", "sas", "psw", "pin"])
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# user:password@ where the password has a "/", "?" or "#" that was not escaped; user:port/... is none.
_USER = re.compile(r"\A[^/?#@\[\]:]*:(?!\d+(?:[/?#;]|,[^/?#@]*[/?#]|\Z)).*@", re.DOTALL)
_OPTIONS = re.compile(r"\A[^/?#@;:]*(?::\d+)?;")
_ORACLE = re.compile(r"(jdbc:oracle:[a-z0-9]+:)[^@\s]*@", re.IGNORECASE)
_PIECE = re.compile(r"([&;]|^)((?:\{[^{}]*\}|[^&;])*)")
_TEXT_PAIR = re.compile(
    r"""(?P<before>(?:\A|(?<=[\s;&?,#{]))["']?(?P<name>[\w. -]{1,100}?)(?:["']\s*:|["']?\s*=)\s*)"""
    r"""(?P<value>"[^"]*"|'[^']*'|\{[^{}]*\}|[^\s;&,}"']+)"""
)


def is_uri(place: str) -> bool:
    return _URI.match(place) is not None and not place.lower().startswith("file://")


def of_uri(uri: str, version: str | None) -> Described:
    source = public_uri(uri)
    return Described(
        URI_PREFIX + digest_of_json(["lineal-uri", 1, source, version]), source.partition(":")[0].lower(), source
    )


def public_uri(uri: str) -> str:
    """Without user, password and whatever signs an address for a while."""
    found = _URI.match(uri)
    if found is None:
        return mask_text(uri)
    rest = _USER.sub("", uri[found.end() :])
    before, fragment_mark, fragment = rest.partition("#")
    before, query_mark, query = before.partition("?")
    authority, slash, path = before.partition("/")
    host = authority if _OPTIONS.match(authority) else authority.rpartition("@")[2]
    place = f"{host}{slash}{path}"
    place, mark, options = place.partition(";")  # as Microsoft's drivers have them
    place += _without_secrets(mark + options)
    query, fragment = _without_secrets(query), _without_secrets(fragment)
    place += (query_mark and query and f"?{query}") + (fragment_mark and fragment and f"#{fragment}")
    return mask_text(found[0] + place)


def public_source(source: str) -> str:
    """What a user says of where data came from: an address, or any text."""
    if is_uri(source):
        return public_uri(source)
    text = mask_text(_ORACLE.sub(r"\1@", source))
    return _TEXT_PAIR.sub(_mask_pair, text)


def _mask_pair(pair: re.Match[str]) -> str:
    if not _is_secret(pair["name"].strip()):
        return pair[0]
    quote = pair["value"][0] if pair["value"][0] in "\"'" else ""
    return f"{pair['before']}{quote}{MASK}{quote}"


def _is_secret(name: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    return is_secret_name(name) or bool(words & _SECRET_WORDS) or _SECRET_PART.search(name) is not None


def _without_secrets(pairs: str) -> str:
    """Of `name=value` between "&" or ";": those that are no secret, as they were."""
    pieces = [(found[1], found[2]) for found in _PIECE.finditer(pairs)]
    kept = [(mark, piece) for mark, piece in pieces if not _has_secret(piece)]
    if len(kept) == len(pieces):
        return pairs
    text = "".join(mark + piece for mark, piece in kept)
    return text if pairs.startswith((";", "&")) else text.lstrip("&;")


def _has_secret(piece: str) -> bool:
    name, equals, value = piece.partition("=")
    if not equals:
        return False
    value = unquote_plus(value)
    if _is_secret(unquote_plus(name).rpartition("?")[2]) or (is_uri(value) and public_uri(value) != value):
        return True
    inner = re.split(r"[?&;#\s]", value)[1:]  # an address, or more pairs, within a value
    return any("=" in one and _is_secret(one.partition("=")[0]) for one in inner)


def of_path(place: str, root: str) -> Described:
    """A file, a folder, or a pattern. NotFound; InvalidInput; OSError as the disk says."""
    if place.lower().startswith("file://"):
        place = unquote(urlsplit(place).path)
    found = find(place)
    digested = digest_found(found, cache=DigestCache(root), shown=place)
    source = clean_text(os.path.abspath(os.path.expanduser(place)))
    profile: dict[str, Any] = {"size_bytes": digested.size_bytes}
    schema: dict[str, Any] | None = None
    if found.names is None:
        rows, schema = peek(found.root)
        if rows is not None:
            profile["row_count"] = rows
        if schema is not None and "columns" in schema:
            profile["column_count"] = len(schema["columns"])
    else:
        profile["file_count"] = digested.file_count
    if digested.changed_count:
        profile["changed_count"] = digested.changed_count
    text = None if schema is None else json.dumps(schema)
    return Described(digested.digest, "local", source, text, json.dumps(profile))
