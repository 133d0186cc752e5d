"""What callers hand over, as it is recorded: tags, notes, nested metrics, artifact paths. Refusals name the field."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from lineal.model.captures import OWN_FOLDER, is_own_path
from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import (
    NAME_MAX_BYTES,
    NOTE_MAX_BYTES,
    TAG_VALUE_MAX_BYTES,
    TAGS_PER_RUN_MAX_COUNT,
    TRACEBACK_MAX_BYTES,
)
from lineal.model.values import check_name, clean_text, float_text
from lineal.record.records import ArtifactLogged

V = TypeVar("V")


def check_tags(tags: Any, known: set[str] | None = None) -> dict[str, str | None]:
    """Names and texts as they are recorded. Raises InvalidInput that names what cannot be, OverLimit where a run that has the
    `known` tags would have too many; those become the ones that it has then."""
    if not isinstance(tags, Mapping):
        raise InvalidInput(f"tags of type {type(tags).__name__} are not understood; give a dict", field="tags")
    checked: dict[str, str | None] = {}
    for key, value in tags.items():
        name = check_name(key, field="tag name", max_bytes=NAME_MAX_BYTES)
        text = None if value is None else clean_text(str(value))
        if text is not None and len(text.encode()) > TAG_VALUE_MAX_BYTES:
            raise OverLimit(
                f"tag {name!r:.60} has more than {TAG_VALUE_MAX_BYTES:,} bytes; use set_note or an artifact",
                field=name,
            )
        checked[name] = text
    removed = {name for name, text in checked.items() if text is None}
    had = set() if known is None else known
    if len((had | checked.keys()) - removed) > TAGS_PER_RUN_MAX_COUNT:
        raise OverLimit(f"a run has at most {TAGS_PER_RUN_MAX_COUNT:,} tags; set_json keeps more", field="tags")
    had.update(checked)
    had.difference_update(removed)
    return checked


def check_note(text: object) -> str:
    """The text as it is recorded. Raises OverLimit."""
    note = clean_text(str(text))
    if len(note.encode()) > NOTE_MAX_BYTES:
        raise OverLimit(f"the note has more than {NOTE_MAX_BYTES:,} bytes; log it as an artifact", field="text")
    return note


def flattened(prefix: str, metrics: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for name, value in metrics.items():
        if isinstance(value, Mapping) and len(prefix) <= NAME_MAX_BYTES:
            yield from flattened(f"{prefix}{name}/", value)
        else:
            yield (f"{prefix}{name}" if prefix else name), value


def split(params: dict[str, V], part_bytes: int = 1024 * 1024) -> Iterator[dict[str, V]]:
    """Parts that fit a frame."""
    part: dict[str, V] = {}
    size = 0
    for name, value in params.items():
        size += 6 * (len(name) + (len(value) if isinstance(value, str) else 8)) + 8  # 6: a character as \\uXXXX
        if part and size > part_bytes:
            yield part
            part, size = {}, 0
        part[name] = value
    yield part


def artifact_path(path: str | None, *, is_own: bool = False) -> str:
    """A clean relative path with "/"; it is only ever a name, but exports and browsers will meet it. Only what is Lineal's own may lie
    in Lineal's own folder."""
    if path is None:
        return ""
    parts = [part for part in clean_text(os.fspath(path)).replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts or any("\0" in part for part in parts) or len("/".join(parts).encode()) > NAME_MAX_BYTES:
        raise InvalidInput(
            f"artifact path {path!r:.80} must stay within the run and under {NAME_MAX_BYTES} bytes", field="path"
        )
    clean = "/".join(parts)
    if is_own_path(clean) and not is_own:
        raise InvalidInput(f"artifact path {path!r:.80}: the folder {OWN_FOLDER!r} is Lineal's own", field="path")
    return clean


def reference(uri: str, folder: str, digest: str | None) -> ArtifactLogged:
    name = artifact_path(uri.rstrip("/").rpartition("/")[2]) or "reference"
    size = os.path.getsize(uri) if os.path.isfile(uri) else None
    full = os.path.abspath(uri) if os.path.exists(uri) else uri
    path = f"{folder}/{name}" if folder else name
    digest = None if digest is None else clean_text(str(digest))
    return ArtifactLogged(path, size, digest, clean_text(full), media_type(path))


def finite(value: Any) -> Any:
    """NaN and infinities as the strings that stand for them: JSON has none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def media_type(path: str) -> str | None:
    import mimetypes  # late: it reads the system's tables

    return mimetypes.guess_type(path)[0]


def tail_of(error: str | None) -> str | None:
    """The end of a traceback says what failed."""
    if error is None:
        return None
    kept = clean_text(error).encode()[-TRACEBACK_MAX_BYTES:]
    return kept.decode("utf-8", "ignore")
