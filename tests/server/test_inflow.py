"""Bytes to the disk by two threads: all of them, in order, in bounded memory, and no thread has the file after the end."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from lineal.journal.blobs import drafting, find_blob
from lineal.journal.layout import Folder
from lineal.model.errors import NotWritable
from lineal.model.limits import BODY_BATCH_BYTES
from lineal.server.inflow import Inflow


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(call, *arguments)


class Gated:
    """A sink whose writing waits until it is let; `after` writes it is a full disk."""

    def __init__(self, after: int | None = None) -> None:
        self.let = threading.Event()
        self.hashed, self.written = b"", b""
        self.writes = 0
        self.inside = 0
        self._after = after

    def hash(self, pieces: Sequence[bytes]) -> None:
        self.hashed += b"".join(pieces)

    def write(self, pieces: Sequence[bytes]) -> None:
        self.inside += 1
        assert self.let.wait(60)
        self.writes += 1
        self.inside -= 1
        if self._after is not None and self.writes > self._after:
            raise OSError(28, "No space left on device")
        self.written += b"".join(pieces)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


@pytest.mark.parametrize("seed", range(4))
def test_a_draft_gets_all_of_it_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = chance.randbytes(5 * BODY_BATCH_BYTES + 7)
    sizes = (1, 100, 4_000, 300_000, BODY_BATCH_BYTES + 1) if seed else (999,)  # a thousand pieces a batch, too
    folder = Folder(tmp_path)

    async def work() -> None:
        with drafting(folder, "default") as draft:
            inflow = Inflow(draft, in_thread)
            at = 0
            while at < len(content):
                size = chance.choice(sizes)
                await inflow.take(content[at : at + size])
                at += size
            await inflow.settle()
            await inflow.close()
            blob = draft.place()
            assert blob == (hashlib.sha256(content).hexdigest(), len(content))
            path = find_blob(folder, "default", blob.digest)
            assert path is not None and Path(path).read_bytes() == content

    run(work())


def test_a_slow_disk_holds_the_sender_up_at_two_batches() -> None:
    async def work() -> None:
        sink = Gated()
        inflow = Inflow(sink, in_thread)
        taken = 0

        async def send() -> None:
            nonlocal taken
            for _ in range(8):
                await inflow.take(bytes(BODY_BATCH_BYTES // 2))
                taken += BODY_BATCH_BYTES // 2
            await inflow.settle()

        sending = asyncio.create_task(send())
        while sink.inside == 0:
            await asyncio.sleep(0)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert taken < 2 * BODY_BATCH_BYTES and not sending.done()
        sink.let.set()
        await sending
        assert len(sink.written) == len(sink.hashed) == 4 * BODY_BATCH_BYTES
        await inflow.close()

    run(work())


def test_a_full_disk_is_said_and_nothing_is_written_behind_the_hole() -> None:
    async def work() -> None:
        sink = Gated(after=1)
        sink.let.set()
        inflow = Inflow(sink, in_thread)
        with pytest.raises(NotWritable, match="No space"):
            for _ in range(5):
                await inflow.take(bytes(BODY_BATCH_BYTES))
        await inflow.close()
        assert sink.writes == 2 and len(sink.written) == BODY_BATCH_BYTES

    run(work())


def test_a_cancelled_request_leaves_no_thread_at_the_file() -> None:
    async def work() -> None:
        sink = Gated()
        inflow = Inflow(sink, in_thread)

        async def send() -> None:
            try:
                while True:
                    await inflow.take(os.urandom(BODY_BATCH_BYTES))
            finally:
                await inflow.close()
                assert sink.inside == 0

        sending = asyncio.create_task(send())
        while sink.inside == 0:
            await asyncio.sleep(0)
        sending.cancel()
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sending.done()
        sink.let.set()
        with pytest.raises(asyncio.CancelledError):
            await sending

    run(work())
