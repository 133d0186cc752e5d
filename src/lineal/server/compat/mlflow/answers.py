"""What goes out: JSON as protobuf's mapping has it, numbers of 64 bits as numbers, and nothing for what is empty."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.ingest.desk import Said
from lineal.server.answers import Content

_encode = msgspec.json.Encoder().encode
EMPTY = b"{}"


def filled(**values: Any) -> dict[str, Any]:
    """Without what is None, or an empty list."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def answer(**values: Any) -> Content:
    return Content(_encode(filled(**values)), "application/json")


def said(**values: Any) -> Said:
    """As a work answers."""
    return Said(200, _encode(filled(**values)) if values else EMPTY)


def pairs_of(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
