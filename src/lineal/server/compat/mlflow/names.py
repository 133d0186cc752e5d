"""Keys, values and paths as MLflow bounds them, refused in its words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from lineal.server.compat.mlflow.errors import MlflowError, invalid_value, missing_value

KEY_MAX_CHARS = 250
PARAM_MAX_CHARS = 6_000
TAG_MAX_CHARS = 8_000
EXPERIMENT_NAME_MAX_CHARS = 500
EXPERIMENT_TAG_MAX_CHARS = 20_000
LOCATION_MAX_CHARS = 2_048
BATCH_METRICS_MAX_COUNT = 1_000
BATCH_PARAMS_MAX_COUNT = 100
BATCH_MAX_COUNT = 1_000

_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_KEY = re.compile(r"[/\w.\- :]*")
_KEYS_KNOWN_MAX_COUNT = 100_000
_ALLOWED = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
_known_keys: set[str] = set()


def too_long(name: str, bound: int) -> MlflowError:
    return MlflowError(f"'{name}' exceeds the maximum length of {bound} characters")


def check_key(key: str | None, place: str, what: str, bound: int = KEY_MAX_CHARS) -> str:
    """`what` names it where it is too long. A key that was right once is right: they come again and again."""
    if key in _known_keys and bound == KEY_MAX_CHARS:
        return key
    if key is None:
        raise missing_value(place)
    if not _KEY.fullmatch(key):
        raise invalid_value(place, key, _ALLOWED)
    check_plain(key, place)
    if len(key) > bound:
        raise too_long(what, bound)
    if len(_known_keys) >= _KEYS_KNOWN_MAX_COUNT:
        _known_keys.clear()
    _known_keys.add(key)
    return key


def are_known_keys(keys: Sequence[object]) -> bool:
    """Whether they were right before."""
    try:
        return _known_keys.issuperset(keys)
    except TypeError:  # what is no text may have no hash
        return False


def check_plain(name: str, place: str) -> None:
    """A name that as a path would be another one is refused."""
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        raise invalid_value(
            place,
            name,
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such."
            f" This name would resolve to {plain!r}",
        )


def cut(value: str, bound: int) -> str:
    """Longer params and run tags lose their end, as a stock server has it."""
    return value[:bound]


def check_run_id(run_id: str) -> str:
    if not _RUN_ID.fullmatch(run_id):
        raise invalid_value("run_id", run_id)
    return run_id


def check_location(location: str) -> str:
    """Where runs' files shall be: a name for clients, which no server of ours ever opens."""
    try:
        parts = urlsplit(location)
    except ValueError:
        raise MlflowError(f"Invalid artifact location: '{location}'") from None
    if parts.fragment or ";" in parts.path.rpartition("/")[2]:
        raise MlflowError("'artifact_location' URL can't include fragments or params.")
    if ".." in decoded(parts.query):
        raise MlflowError("Invalid query string: " + parts.query)
    if ".." in re.split(r"[/\\]", decoded(location)):
        raise MlflowError(f"Invalid artifact location: '{location}'")
    if location.startswith("runs:"):
        raise MlflowError(f"Artifact location cannot be a runs:/ URI. Given: '{location}'")
    if len(location) > LOCATION_MAX_CHARS:
        raise MlflowError(
            "Invalid artifact path length. The length of the artifact path cannot be greater than"
            f" {LOCATION_MAX_CHARS} characters."
        )
    return location


def safe_path(path: str) -> str:
    """A relative path that stays where it begins, however often it was quoted. Raises MlflowError."""
    plain = decoded(path)
    parts = plain.split("/")
    is_absolute = plain.startswith(("/", "file:")) or re.match(r"[a-zA-Z]:", plain) is not None
    if ".." in parts or "\\" in plain or "#" in plain or "\0" in plain or is_absolute:
        raise MlflowError("Invalid path")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def decoded(text: str) -> str:
    """Without quoting of any depth."""
    for _ in range(10):
        plain = unquote(text)
        if plain == text:
            return text
        text = plain
    raise MlflowError("Invalid path")
