"""Audit rows, and the chain that they are linked in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from lineal.model.limits import LIST_PAGE_MAX_COUNT

Time = Annotated[int, Meta(ge=-(2**53), le=2**53, description="Milliseconds since the epoch, included.")]
Number = Annotated[int, Meta(ge=0, le=2**53)]


class AskAudit(Struct, frozen=True):
    """`subject`: the id of a run or an experiment, a user's name. `actor`: a row's actor or writer. `action`: one, or with "." at
    its end all that begin so ("tags."). Rows come newest first, from `before` on; with `after`, oldest first. `server`: rows
    about users, tokens and sessions, which belong to no tenant (server admins)."""

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    from_time: Time | None = None
    to_time: Time | None = None
    before: Number | None = None
    after: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)] = 100
    server: bool = False


class AskChain(Struct, frozen=True):
    """`server`: the chain of rows that belong to no tenant (server admins)."""

    server: bool = False


class AuditRow(Struct, frozen=True):
    """One change. `subject_name` is what its run or experiment is called now. `digest` is of the values that were set, `hash` links
    the row to the one before (spec/audit.md), and is null for a second at most."""

    number: int
    time: str | None
    time_ms: int
    writer: str
    seq: int
    action: str
    subject: str
    subject_name: str | None
    actor: str | None
    digest: str
    hash: str | None


class Head(Struct, frozen=True):
    """The last linked row of a tenant, signed by the server (Ed25519). Keep it: history written anew contradicts it."""

    tenant: str
    number: int
    hash: str
    time_ms: int
    key: str | None = None
    signature: str | None = None


class AuditPage(Struct, frozen=True):
    """`next` is the `before` (or `after`) of the next page; null where no row follows."""

    rows: list[AuditRow]
    next: int | None
    head: Head | None


class HeadAnswer(Struct, frozen=True):
    """`head` is null while nothing is linked."""

    head: Head | None


class BrokenAt(Struct, frozen=True):
    """`number`: of the row where it is broken; 0 where none is to blame."""

    number: int
    what: str


class ChainVerdict(Struct, frozen=True):
    """`row_count` rows hold together; `unlinked_count` behind them wait to be linked."""

    ok: bool
    tenant: str
    row_count: int
    unlinked_count: int
    broken: BrokenAt | None
    head: Head | None
