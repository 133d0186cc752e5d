"""What a route hands back besides a shape, which becomes JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineal.ingest.desk import Said
    from lineal.server.context import Context


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes as they are."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A file of the store, by ranges if asked. Opened by the path that the source gave, never by one of a client."""

    path: str
    size_bytes: int
    etag: str
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Events:
    """Server-sent events, as long as somebody listens."""

    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was handed to the writer. Its own answer goes out once it is on disk, or what `then` reads after it."""

    done: Future[Said]
    then: Callable[[Context], Any] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A shape with headers, or another status than 200."""

    answer: object
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
