"""How long, and how much, one connection may be. Tests take smaller ones."""

from __future__ import annotations

from dataclasses import dataclass

from lineal.model.limits import (
    BODY_GRACE_S,
    BODY_SECOND_BYTES,
    BODY_UNREAD_MAX_BYTES,
    CONNECTIONS_MAX_COUNT,
    HEAD_MAX_BYTES,
    HEAD_TIMEOUT_S,
    READER_TIMEOUT_S,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """See `model/limits.py`."""

    connections: int = CONNECTIONS_MAX_COUNT
    head_bytes: int = HEAD_MAX_BYTES
    head_s: float = HEAD_TIMEOUT_S
    unread_bytes: int = BODY_UNREAD_MAX_BYTES
    reader_s: float = READER_TIMEOUT_S
    body_grace_s: float = BODY_GRACE_S
    body_second_bytes: int = BODY_SECOND_BYTES
