"""Bytes on their way from a request to the disk: hashed by one thread and written by another while more of them arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

from lineal.model.errors import NotWritable
from lineal.model.limits import BODY_BATCH_BYTES

InThread: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


class Sink(Protocol):
    """What takes the bytes: each of the two gets all of them, in order, from one thread at a time."""

    def hash(self, pieces: Sequence[bytes]) -> None: ...

    def write(self, pieces: Sequence[bytes]) -> None:
        """Raises OSError as the disk says."""
        ...


class Inflow:
    """One batch is gathered while the one before it is hashed and written: a sender that is faster than the disk waits, and no
    more than two batches are in memory."""

    def __init__(self, sink: Sink, in_thread: InThread) -> None:
        self._sink = sink
        self._in_thread = in_thread
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._going: list[asyncio.Task[None]] = []

    async def take(self, piece: bytes) -> None:
        """Raises NotWritable for what went wrong with a batch before."""
        self._gathered.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes >= BODY_BATCH_BYTES:
            await self._next()

    async def settle(self) -> None:
        """What was taken is written, and known to the sink, when it returns. Raises NotWritable."""
        if self._gathered:
            await self._next()
        await self._written()

    async def close(self) -> None:
        """No thread has the sink when it returns; what is still gathered is dropped. Never raises for the disk."""
        self._gathered.clear()
        if self._going:
            await asyncio.wait(self._going)
            for task in self._going:
                task.exception()
            self._going = []

    async def _next(self) -> None:
        await self._written()
        batch, self._gathered, self._gathered_bytes = self._gathered, [], 0
        self._going = [asyncio.create_task(self._in_thread(call, batch)) for call in (self._sink.hash, self._write)]

    async def _written(self) -> None:
        if not self._going:
            return
        await asyncio.wait(self._going)  # which leaves the threads alone when the request is cancelled meanwhile
        going, self._going = self._going, []
        for error in [task.exception() for task in going]:
            if error is not None:
                raise error

    def _write(self, pieces: Sequence[bytes]) -> None:
        try:
            self._sink.write(pieces)
        except OSError as error:
            raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error
