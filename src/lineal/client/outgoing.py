"""What a server still lacks of one writer: which bytes of which segment come next, and what its answers mean.

The server's cursor is the truth: it says where to go on, also where that lies behind what it had acknowledged before (it was
restored from an older backup). What it asks for and is not here any more is given up, as a loss that the server counts."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from lineal.client.outbox import keep_head
from lineal.client.transport import OCTETS, Reply, Transport, path_of
from lineal.journal.journal import Journal
from lineal.journal.layout import Folder
from lineal.model.limits import (
    JOURNAL_BODY_MAX_BYTES,
    KIB,
    STOP_ASK_INTERVAL_S,
    UPLOAD_PIECE_BYTES,
    UPLOAD_PIECE_MIN_BYTES,
    WRITER_LEASE_RENEW_S,
    WRITER_LEASE_S,
)

TENANT_STREAM = "-"
_PACKED_MIN_BYTES = 1 * KIB  # what is shorter gains nothing

Outcome: TypeAlias = Literal["sent", "idle", "later", "refused"]
"""sent: go on; idle: nothing to send now; later: a fault that may pass; refused: only somebody's change can help."""


class Piece(NamedTuple):
    """`final`: the segment ends with these bytes. `dead`: so does all that its writer will ever say."""

    segment: int
    offset: int
    data: bytes
    final: bool
    dead: bool


class Outgoing:
    """One writer's journal on its way. With `journal`, this process writes it; without, `is_live` says whether another does."""

    def __init__(
        self,
        folder: Folder,
        writer: str,
        run_id: str | None,
        *,
        journal: Journal | None = None,
        is_live: bool = False,
    ) -> None:
        self.writer = writer
        self.run_id = run_id
        self.why = ""
        self.retry_after_s: float | None = None
        self.stop_asked = False
        self.records = 0
        self._folder = folder
        self._journal = journal
        self._is_live = is_live
        self._segment, self._offset = 1, 0
        self._size = UPLOAD_PIECE_BYTES
        self._gives_up = False
        self._packs = True
        self._said_dead = False
        self._has_asked = False
        self._lease_due_s = 0.0
        self._stop_due_s = time.monotonic() + STOP_ASK_INTERVAL_S
        self._head: dict[str, object] = {}
        self._listed: Sequence[int] | None = None

    @property
    def path(self) -> str:
        return path_of(("journals", self.run_id or TENANT_STREAM, self.writer))

    @property
    def place(self) -> tuple[int, int]:
        """Segment and offset that are acknowledged."""
        return self._segment, self._offset

    # -- what there is --------------------------------------------------------------------------

    def unsent_bytes(self) -> int:
        """What is written and not acknowledged, as far as the files tell."""
        size = 0
        for number in self._numbers():
            if number >= self._segment:
                end, _ = self._extent(number)
                size += max(0, end - (self._offset if number == self._segment else 0))
        return size

    def next_piece(self) -> Piece | None:
        """The next bytes; None if nothing is to be sent for now. Raises OSError."""
        while True:
            end, is_over = self._extent(self._segment)
            data = self._read(min(self._size, end - self._offset))
            if data:
                final = is_over and self._offset + len(data) >= end
                following = self._following() if final else None
                dead = final and self._journal is None and following is None
                return Piece(self._segment, self._offset, data, final, dead)
            if end >= 0 and not is_over:
                return None
            if 0 <= end <= self._offset:
                self._put_aside(self._segment)
            # Else its file is gone: the server is told by the gap in the sequence.
            following = self._following()
            if following is not None:
                self._move(following)
            elif self._journal is None and end >= 0 and not self._said_dead:
                return Piece(self._segment, self._offset, b"", True, True)
            else:
                return None

    def _move(self, segment: int, offset: int = 0) -> None:
        self._segment, self._offset = segment, offset

    def _following(self) -> int | None:
        return min((number for number in self._numbers() if number > self._segment), default=None)

    def _is_mine(self) -> bool:
        return self._journal is not None and self._journal.writer == self.writer

    def _numbers(self) -> Sequence[int]:
        """Of the segments that there are, or were."""
        if self._journal is not None and self._is_mine():
            return range(1, self._journal.number + 1)
        if self._is_live or self._listed is None:
            self._listed = self._folder.list_numbers(self.writer)
        return self._listed

    def _extent(self, number: int) -> tuple[int, bool]:
        """How far a segment is written (-1: it is not here), and whether that is its end."""
        if self._journal is not None and self._is_mine():
            known = self._journal.extent(number)
            if known is not None:
                return known
        path = self._folder.find_segment(self.writer, number)
        try:
            size = -1 if path is None else os.stat(path).st_size
        except FileNotFoundError:
            size = -1
        if self._is_live and not any(other > number for other in self._numbers()):
            return size, False
        return size, True

    def _read(self, size: int) -> bytes:
        path = self._folder.find_segment(self.writer, self._segment) if size > 0 else None
        if path is None:
            return b""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            data = os.pread(fd, size, self._offset)
        finally:
            os.close(fd)
        if self._is_live:  # what another process has not written yet is zeros
            data = data.rstrip(b"\0")
            data += bytes(-len(data) % 8)
        return data

    def _asks_stop(self) -> bool:
        """Whether this request asks if the run should stop. Not the first ones of a run: they say that it begins anew."""
        now_s = time.monotonic()
        if self._journal is None or now_s < self._stop_due_s:
            return False
        self._stop_due_s = now_s + STOP_ASK_INTERVAL_S
        self._has_asked = True
        return True

    # -- what comes of it -----------------------------------------------------------------------

    def send(self, transport: Transport) -> Outcome:
        """The next piece, and what became of it. Raises Unreachable, OSError."""
        piece = self.next_piece()
        if piece is None:
            return "idle"
        data, headers = piece.data, {"Content-Type": OCTETS}
        if self._packs and not transport.address.is_loopback and len(data) >= _PACKED_MIN_BYTES:
            packer = zlib.compressobj(1, wbits=31)
            data = packer.compress(data) + packer.flush()
            headers["Content-Encoding"] = "gzip"
        query: dict[str, object] = {"segment": piece.segment, "offset": piece.offset}
        flags = (("final", piece.final), ("dead", piece.dead), ("lost", self._gives_up), ("asks", self._asks_stop()))
        for name, said in flags:
            if said:
                query[name] = "true"
        if self._journal is not None:
            # While this process lives, the run is not lost; with its last piece nobody has to hear of it any more.
            query["lease_s"] = 0 if piece.final and self._journal.is_closed else WRITER_LEASE_S
            self._lease_due_s = time.monotonic() + WRITER_LEASE_RENEW_S
        return self._judge(piece, transport.send("POST", self.path, query=query, body=data, headers=headers))

    def ask(self, transport: Transport) -> Outcome:
        """Where the server stands, told by a piece of nothing."""
        query: dict[str, object] = {"segment": self._segment, "offset": 0}
        if self._asks_stop():
            query["asks"] = "true"
        if self._journal is not None and time.monotonic() >= self._lease_due_s:
            query["lease_s"] = WRITER_LEASE_S
            self._lease_due_s = time.monotonic() + WRITER_LEASE_RENEW_S
        reply = transport.send("POST", self.path, query=query, body=b"", headers={"Content-Type": OCTETS})
        if reply.status == 200:
            self._take(reply.json())
            return "sent"
        return self._refused(reply)

    def _judge(self, piece: Piece, reply: Reply) -> Outcome:
        if reply.status == 200:
            before = self.place
            self._take(reply.json())
            self._said_dead = self._said_dead or (
                piece.dead and self.place == (piece.segment, piece.offset + len(piece.data))
            )
            if self.place == before and piece.data:
                return self._no_step(piece)
            self._gives_up = False
            self._size = UPLOAD_PIECE_BYTES
            end, is_over = self._extent(self._segment)
            if is_over and 0 <= end <= self._offset:
                self._put_aside(self._segment)
            return "sent"
        if reply.status == 409 and reply.problem.get("code") == "offset":
            return self._go_back(piece, int(reply.problem["segment"]), int(reply.problem["offset"]))
        if (
            reply.status == 413 and self._size > UPLOAD_PIECE_MIN_BYTES
        ):  # something between us takes less than the server would
            self._size //= 2
            return "sent"
        if reply.status == 415 and self._packs:
            self._packs = False
            return "sent"
        return self._refused(reply)

    def _no_step(self, piece: Piece) -> Outcome:
        """The server has it all and moved no further: the piece ends within a frame."""
        has_more = self._extent(piece.segment)[0] > piece.offset + len(piece.data)
        if has_more and self._size < JOURNAL_BODY_MAX_BYTES:
            self._size = min(JOURNAL_BODY_MAX_BYTES, self._size * 2)
            return "sent"
        return "later"

    def _refused(self, reply: Reply) -> Outcome:
        self.retry_after_s = reply.retry_after_s
        problem = reply.problem
        self.why = str(problem.get("detail") or f"status {reply.status}")
        # Whoever answers without a problem of ours is not the server: something before it, which may be mended.
        return "refused" if 400 <= reply.status < 500 and reply.status != 429 and problem else "later"

    def _take(self, said: dict[str, object]) -> None:
        """The place that the server names, if it is one that may be."""
        segment, offset = int(str(said["segment"])), int(str(said["offset"]))
        if self._has_asked:
            self._has_asked, self.stop_asked = False, bool(said.get("stop"))
        self.records = int(str(said.get("records", self.records)))
        head = said.get("head")
        if isinstance(head, dict) and head != self._head:
            self._head = head
            keep_head(self._folder, head)
        if segment > 0:
            self._move(segment, offset)

    def _go_back(self, piece: Piece, segment: int, offset: int) -> Outcome:
        """The server knows less than was thought. What is not here any more, it must do without."""
        wanted = max(segment, 1)
        here = [number for number in self._numbers() if number >= wanted and self._extent(number)[0] >= 0]
        target = (wanted, offset) if wanted in here else (min(here, default=piece.segment), 0)
        if target >= (piece.segment, piece.offset):
            self._gives_up = True
            target = (piece.segment, piece.offset)
        self._move(*target)
        return "sent"

    def _put_aside(self, number: int) -> None:
        """A segment that is acknowledged whole waits with the sent ones, in case the server asks for it again."""
        with contextlib.suppress(OSError):
            self._folder.put_aside(self.writer, number)
