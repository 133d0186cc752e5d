"""What requests hand over, checked and as records want it. Refusals name the field."""

from __future__ import annotations

from collections.abc import Mapping

from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import NAME_MAX_BYTES, PARAM_VALUE_MAX_BYTES, TAG_VALUE_MAX_BYTES
from lineal.model.values import ParamValue, check_name, clean_text, value_text


def given_tags(tags: Mapping[str, ParamValue], *, max_bytes: int = TAG_VALUE_MAX_BYTES) -> dict[str, str | None]:
    """Values as text; None stays."""
    checked: dict[str, str | None] = {}
    for key, value in tags.items():
        name = check_name(key, field="tags", max_bytes=NAME_MAX_BYTES)
        text = None if value is None else clean_text(value_text(value))
        if text is not None and len(text.encode()) > max_bytes:
            raise OverLimit(f"tag {name!r:.60} has more than {max_bytes:,} bytes", field="tags")
        checked[name] = text
    return checked


def first_tags(tags: Mapping[str, ParamValue], *, max_bytes: int = TAG_VALUE_MAX_BYTES) -> dict[str, str | None]:
    """Those of something new, which has none to remove."""
    return {name: value for name, value in given_tags(tags, max_bytes=max_bytes).items() if value is not None}


def given_params(params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    checked: dict[str, ParamValue] = {}
    for key, value in params.items():
        name = check_name(key, field="params", max_bytes=NAME_MAX_BYTES)
        if isinstance(value, str):
            value = clean_text(value)
            if len(value.encode()) > PARAM_VALUE_MAX_BYTES:
                raise OverLimit(f"param {name!r:.60} has more than {PARAM_VALUE_MAX_BYTES:,} bytes", field="params")
        checked[name] = value
    return checked


def given_name(name: str, *, field: str = "name") -> str:
    return check_name(name, field=field, max_bytes=NAME_MAX_BYTES)


def artifact_path(folder: str, file_name: str) -> str:
    """A clean relative path; it is only ever a name, but exports and browsers will meet it."""
    given = f"{folder}/{file_name}" if folder else file_name
    parts = [part for part in clean_text(given).replace("\\", "/").split("/") if part not in ("", ".")]
    path = "/".join(parts)
    if not parts or ".." in parts or "\0" in path or len(path.encode()) > NAME_MAX_BYTES:
        raise InvalidInput(
            f"artifact path {given!r:.80} must stay within the run and under {NAME_MAX_BYTES} bytes",
            field="artifact_path",
        )
    return path
