"""The captures of runs: what is known of them, and what a transaction adds."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lineal.model.captures import content_digest, is_running_total
from lineal.model.entities import Stamp
from lineal.model.errors import Damaged
from lineal.query.syntax import GIT_PROPERTIES
from lineal.store.audit import Action
from lineal.store.captures import CODE, CaptureKey, has_room, searched_code
from lineal.store.rules import Rank
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.database import Connection
from lineal.store.sql.names import Names

if TYPE_CHECKING:
    from lineal.store.sql.draft import RunDraft

_LEVEL = 6
_CONTENTS_OF_STATEMENT = 1_000


class Standing(Enum):
    """What a statement is beside what was known."""

    NEWS = 1
    AGAIN = 2
    OUT_OF_DATE = 3
    ONE_TOO_MANY = 4


class Content(NamedTuple):
    """`is_own`: of one capture only, which overwrites it."""

    json_text: str
    is_own: bool


class CapturesDraft:
    """Of one run. `numbers`: attempt id -> its number within the run, as the run's draft has them."""

    def __init__(self, connection: Connection, run: int, numbers: Mapping[str, int], *, is_new: bool) -> None:
        self._connection = connection
        self._run = run
        self._numbers = numbers
        self._known: dict[CaptureKey, tuple[Stamp, bytes]] | None = {} if is_new else None
        self._counts: Counter[str] = Counter()
        self._changed: set[CaptureKey] = set()
        self._texts: dict[bytes, Content] = {}

    @property
    def is_changed(self) -> bool:
        return bool(self._changed)

    def set(self, attempt_id: str, part: str, json_text: str, stamp: Stamp) -> Standing:
        known = self._load()
        standing = known.get((attempt_id, part))
        if standing is not None and standing[0] >= stamp:
            return Standing.OUT_OF_DATE
        if standing is None:
            if not has_room(self._counts[attempt_id]):
                return Standing.ONE_TOO_MANY
            self._counts[attempt_id] += 1
        is_own = is_running_total(part)
        key = self._own_key(attempt_id, part) if is_own else content_digest(json_text)
        known[attempt_id, part] = (stamp, key)
        self._changed.add((attempt_id, part))
        self._texts[key] = Content(json_text, is_own)
        return Standing.AGAIN if is_own and standing is not None else Standing.NEWS

    def _own_key(self, attempt_id: str, part: str) -> bytes:
        """In place of a content's digest: no other capture has this one."""
        return hashlib.sha256(f"{self._run}/{self._numbers[attempt_id]}/{part}".encode()).digest()

    def index(self, rank_of: Callable[[str], Rank], index: AttributeIndex, *, is_reordered: bool) -> None:
        """What the search index shall know of the code. `is_reordered`: another attempt may be the latest."""
        if not is_reordered and all(part != CODE for _, part in self._changed):
            return
        said = {attempt_id: digest for (attempt_id, part), (_, digest) in self._load().items() if part == CODE}
        if not said:
            return
        digest = said[max(said, key=rank_of)]
        said_now = self._texts.get(digest)
        code = searched_code(self._read_text(digest) if said_now is None else said_now.json_text)
        for name in GIT_PROPERTIES:
            value = code.get(name)
            if isinstance(value, str):
                index.set_text(self._run, "git", name, value)
            else:
                index.set(self._run, "git", name, value)

    def take_changed(self) -> tuple[list[tuple[CaptureKey, Stamp, bytes]], dict[bytes, Content]]:
        """What is to be written, and the contents by digest."""
        known = self._load() if self._changed else {}
        changed = [(key, *known[key]) for key in sorted(self._changed)]
        texts, self._texts = self._texts, {}
        self._changed.clear()
        return changed, texts

    def _load(self) -> dict[CaptureKey, tuple[Stamp, bytes]]:
        if self._known is None:
            attempts = {number: attempt_id for attempt_id, number in self._numbers.items()}
            self._known = {
                (attempts[number], part): (Stamp(*said), bytes(digest))
                for number, part, digest, *said in self._connection.execute(
                    "SELECT c.attempt, c.part, content.digest, c.time_ms, writer.name, c.seq FROM capture c"
                    " JOIN capture_content content ON content.pk = c.content JOIN writer ON writer.pk = c.writer"
                    " WHERE c.run = ?",
                    (self._run,),
                )
            }
            self._counts = Counter(attempt_id for attempt_id, _ in self._known)
        return self._known

    def _read_text(self, digest: bytes) -> str:
        [body] = self._connection.execute(
            "SELECT content.body FROM capture c JOIN capture_content content ON content.pk = c.content"
            " WHERE c.run = ? AND content.digest = ?",
            (self._run, digest),
        ).fetchone()
        return unpacked(body)


class _Writer(Protocol):
    """What a `SqlWriter` has for this."""

    def draft_run(self, run_id: str) -> RunDraft: ...

    def audit_run(self, action: Action, run: RunDraft, stamp: Stamp, values: dict[str, Any]) -> None: ...

    def gather(self, size_bytes: int) -> None: ...


class SqlCaptureWriter:
    """See `captures.CaptureWriter`. Part of a `SqlWriter`."""

    def set_capture(self: _Writer, run_id: str, attempt_id: str, part: str, json_text: str, stamp: Stamp) -> bool:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        standing = run.captures.set(attempt_id, part, json_text, stamp)
        if standing is Standing.NEWS:
            digest = content_digest(json_text).hex()
            self.audit_run("capture.set", run, stamp, {"attempt": attempt_id, "part": part, "digest": digest})
        if standing in (Standing.NEWS, Standing.AGAIN):
            self.gather(len(json_text))
        return standing is not Standing.ONE_TOO_MANY


def flush_captures(connection: Connection, names: Names, tenant: int, runs: Iterable[RunDraft]) -> None:
    """Of all runs that a transaction changed, at a constant number of statements."""
    rows: list[tuple[int, int, str, Stamp, bytes]] = []
    texts: dict[bytes, Content] = {}
    for run in runs:
        if run.captures.is_changed:
            changed, said = run.captures.take_changed()
            texts |= said
            rows += [(run.pk, run.numbers[attempt], part, stamp, digest) for (attempt, part), stamp, digest in changed]
    if not rows:
        return
    contents = _write_contents(connection, tenant, texts)
    connection.executemany(
        "INSERT INTO capture (run, attempt, part, content, time_ms, writer, seq) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run, attempt, part) DO UPDATE SET content = excluded.content, time_ms = excluded.time_ms,"
        " writer = excluded.writer, seq = excluded.seq",
        [
            (run, number, part, contents[digest], stamp.time_ms, names.writer(tenant, stamp.writer), stamp.seq)
            for run, number, part, stamp, digest in rows
        ],
    )


def _write_contents(connection: Connection, tenant: int, contents: Mapping[bytes, Content]) -> dict[bytes, int]:
    """The number of each content."""
    shared = sorted(key for key, content in contents.items() if not content.is_own)
    found = _find_contents(connection, tenant, shared)
    missing = [key for key in shared if key not in found]
    own = sorted(contents.keys() - set(shared))
    for keys, otherwise in ((missing, "NOTHING"), (own, "UPDATE SET body = excluded.body")):
        connection.executemany(
            "INSERT INTO capture_content (tenant, digest, body) VALUES (?, ?, ?)"
            f" ON CONFLICT (tenant, digest) DO {otherwise}",
            [(tenant, key, zlib.compress(contents[key].json_text.encode(), _LEVEL)) for key in keys],
        )
    return found | _find_contents(connection, tenant, [*missing, *own])


def _find_contents(connection: Connection, tenant: int, digests: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for first in range(0, len(digests), _CONTENTS_OF_STATEMENT):
        some = digests[first : first + _CONTENTS_OF_STATEMENT]
        rows = connection.execute(
            f"SELECT digest, pk FROM capture_content WHERE tenant = ? AND digest IN ({', '.join('?' * len(some))})",
            (tenant, *some),
        )
        found.update((bytes(digest), pk) for digest, pk in rows)
    return found


def unpacked(body: bytes) -> str:
    try:
        return zlib.decompress(body).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise Damaged(f"a capture cannot be read: {error}") from None
