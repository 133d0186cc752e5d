"""The chain of a tenant's audit rows, byte by byte as spec/audit.md says it: each row is linked to the one before it by a hash, so
that a row which is changed, taken out, put in or moved breaks the chain at its place.

What was cut off at the end, or written anew from some place on, breaks nothing; it contradicts a *head* that was kept
elsewhere: which row was the last, and its hash."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from lineal.model.errors import Damaged
from lineal.store.contracts import AuditRow, ChainHead

START = bytes(32)
"""Stands for the hash of the row before the first."""
PAGE_ROWS = 1_000
_MAGIC = b"LNLA\x01\x00\x00\x00"
_FIXED = struct.Struct("<8sQqq32s")
_LENGTH = struct.Struct("<I")
_NONE = 2**32 - 1


class ChainReader(Protocol):
    """What of `contracts.TenantReader` a verification asks."""

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]: ...

    def find_chain_head(self) -> ChainHead | None: ...


class Broken(NamedTuple):
    """Where a chain is broken, and how. `number` is the row's; 0 where no row is to blame."""

    number: int
    what: str


class Verdict(NamedTuple):
    """`head`: the last linked row that was found to be right, None if there is none. `unlinked`: rows behind it that wait to be
    linked. `broken`: None for a chain that holds."""

    head: ChainHead | None
    unlinked: int
    broken: Broken | None


def row_bytes(tenant: str, row: AuditRow) -> bytes:
    """Everything that a row says, in one way only. Raises Damaged for a row that says what no row can."""
    try:
        fixed = _FIXED.pack(_MAGIC, row.number, row.time_ms, row.seq, bytes.fromhex(row.digest))
        if len(row.digest) != 64:
            raise ValueError("a digest of another length")
        return fixed + b"".join(map(_text, (tenant, row.writer, row.action, row.subject, row.actor)))
    except (struct.error, ValueError, TypeError, AttributeError) as error:
        raise Damaged(f"audit row {row.number} makes no sense: {error}") from None


def link(previous: bytes, tenant: str, row: AuditRow) -> bytes:
    """The row's hash."""
    return hashlib.sha256(previous + row_bytes(tenant, row)).digest()


def _text(text: str | None) -> bytes:
    if text is None:
        return _LENGTH.pack(_NONE)
    encoded = text.encode("utf-8")
    return _LENGTH.pack(len(encoded)) + encoded


def verify(reader: ChainReader, tenant: str, heads: Iterable[ChainHead] = ()) -> Verdict:
    """Reads the whole chain of a tenant, and holds it against heads that were kept elsewhere."""
    known = sorted((head for head in heads), key=lambda head: head.number)
    previous, number, unlinked = START, 0, 0
    head: ChainHead | None = None

    def verdict(at: int, what: str) -> Verdict:
        return Verdict(head, unlinked, Broken(at, what))

    try:
        links = reader.find_chain_head()  # before the rows: those that come meanwhile are not missed
    except Damaged:
        links = None  # its row says so
    try:
        for row in _rows(reader):
            if row.number != number + 1:
                gone = "is missing" if row.number == number + 2 else f"to {row.number - 1} are missing"
                return verdict(number + 1, gone)
            if row.hash is not None:
                if unlinked:
                    return verdict(number - unlinked + 1, "has no link, though later rows have")
                previous = link(previous, tenant, row)
            number = row.number
            if row.hash is None:
                unlinked += 1
                continue
            if previous.hex() != row.hash:
                return verdict(number, "is not what was linked: it, its link or the one before was changed")
            head = ChainHead(tenant, number, row.hash, row.time_ms)
            while known and known[0].number == number:
                if known.pop(0).hash != row.hash:
                    return verdict(number, "is another than a head that was kept: history was rewritten")
    except Damaged as error:
        return verdict(number + 1, f"cannot be read: {error.message}")
    if links is not None and links.number > number:
        return verdict(number + 1, "is missing: links are there to " + str(links.number))
    if known:
        last = known[-1]
        return verdict(number - unlinked + 1, f"is missing: a head that was kept names row {last.number}")
    return Verdict(head, unlinked, None)


def _rows(reader: ChainReader) -> Iterator[AuditRow]:
    after, size = 0, PAGE_ROWS
    while True:
        try:
            rows = reader.list_audit(after=after, limit=size)
        except Damaged:
            if size == 1:
                raise
            size = 1  # so that the row is named
            continue
        yield from rows
        if len(rows) < size:
            return
        after = rows[-1].number
