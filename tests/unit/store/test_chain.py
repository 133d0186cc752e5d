"""The chain of audit rows: whatever is done to it is found, and its place named."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import pytest

from lineal.store.chain import START, Broken, Verdict, link, row_bytes, verify
from lineal.store.contracts import AuditRow, ChainHead
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql.audit import read_audit
from lineal.testing.suite_base import at, starting

GOLDEN = Path(__file__).resolve().parents[3] / "spec" / "golden"
ROWS = [
    AuditRow(1, 1_764_000_000_123, "0" * 15, 1, "attempt.start", "b4c1f0", hashlib.sha256(b"{}").hexdigest()),
    AuditRow(2, -1, "wé\0", 2**40, "tags.set", "", "ff" * 32, "alice"),
    AuditRow(3, 0, "", 0, "note.set", "r", "00" * 32, ""),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A chain of nine linked rows of the tenant "default", and two of another."""
    path = tmp_path / "lineal.db"
    with closing(open_store(sqlite_url(path))) as store:
        for n in range(9):
            with store.begin() as transaction:
                writer = transaction.tenant("default")
                writer.speak_for("alice" if n % 2 else None)
                starting(f"r{n}", time_ms=n + 1)(writer) if n % 3 else call("ensure_experiment", f"e{n}", at(n))(writer)
                transaction.link_audit()
                if n < 2:
                    starting(f"r{n}", time_ms=n + 1)(transaction.tenant("other"))
                    transaction.link_audit()
    return path


def verdict_of(path: Path, *heads: ChainHead, tenant: str = "default") -> Verdict:
    with closing(open_store(sqlite_url(path), read_only=True)) as store:
        return verify(store.tenant(tenant), tenant, heads)


def broken(path: Path, *heads: ChainHead) -> Broken:
    verdict = verdict_of(path, *heads)
    assert verdict.broken is not None
    assert verdict_of(path, tenant="other").broken is None
    return verdict.broken


@pytest.fixture
def change(path: Path) -> Iterator[Callable[..., None]]:
    """Changes the database behind Lineal's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:

        def executed(sql: str, *values: object) -> None:
            assert connection.execute(sql, values).rowcount

        yield executed


# -- bytes ------------------------------------------------------------------------------------------------


def test_a_row_has_the_bytes_of_the_specification() -> None:
    """Put together here by hand, from the page alone."""

    def text(value: str | None) -> bytes:
        return b"\xff" * 4 if value is None else struct.pack("<I", len(value.encode())) + value.encode()

    for row in ROWS:
        by_hand = b"LNLA\x01\0\0\0" + struct.pack("<Qqq", row.number, row.time_ms, row.seq) + bytes.fromhex(row.digest)
        by_hand += b"".join(map(text, ("tenant", row.writer, row.action, row.subject, row.actor)))
        assert row_bytes("tenant", row) == by_hand
        assert link(b"\1" * 32, "tenant", row) == hashlib.sha256(b"\1" * 32 + by_hand).digest()


def test_the_golden_files_hold() -> None:
    told = json.loads((GOLDEN / "audit-chain.json").read_text(encoding="utf-8"))
    rows = [AuditRow(**row) for row in told["rows"]]
    assert [row._replace(hash=None) for row in rows] == ROWS
    assert b"".join(row_bytes(told["tenant"], row) for row in rows) == (GOLDEN / "audit-chain.bin").read_bytes()
    previous = START
    for row in rows:
        previous = link(previous, told["tenant"], row)
        assert previous.hex() == row.hash


# -- damage -----------------------------------------------------------------------------------------------


def test_a_chain_that_nobody_touched_holds(path: Path) -> None:
    verdict = verdict_of(path)
    assert verdict.head is not None and (verdict.head.number, verdict.unlinked, verdict.broken) == (9, 0, None)
    assert verdict_of(path, verdict.head) == verdict
    assert verdict_of(path, tenant="nobody") == (None, 0, None)


COLUMNS = {"time_ms": 8, "seq": 8, "action": 0, "digest": 32, "actor": 0}


@pytest.mark.parametrize("column", COLUMNS)
def test_any_byte_of_any_row_that_is_flipped_is_found(path: Path, change: Callable[..., None], column: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        kept = dict(connection.execute(f"SELECT number, {column} FROM audit WHERE tenant = 1").fetchall())
    for number, value in kept.items():
        if value is None:
            change(f"UPDATE audit SET {column} = '' WHERE tenant = 1 AND number = ?", number)
            assert broken(path).number == number
        raw = value.to_bytes(8, "little") if isinstance(value, int) else value or b""
        raw = raw.encode() if isinstance(raw, str) else raw
        for place in range(len(raw)):
            bad = raw[:place] + bytes([raw[place] ^ 1 << place % 8]) + raw[place + 1 :]
            if isinstance(value, int):
                change(
                    f"UPDATE audit SET {column} = ? WHERE tenant = 1 AND number = ?",
                    struct.unpack("<q", bad)[0],
                    number,
                )
            else:
                kind = "TEXT" if isinstance(value, str) else "BLOB"
                change(f"UPDATE audit SET {column} = CAST(? AS {kind}) WHERE tenant = 1 AND number = ?", bad, number)
            assert broken(path).number == number, bad
        change(f"UPDATE audit SET {column} = ? WHERE tenant = 1 AND number = ?", value, number)
    assert verdict_of(path).broken is None


def test_a_link_that_is_flipped_and_whom_a_row_names_are_found(path: Path, change: Callable[..., None]) -> None:
    for place in range(32):
        good = bytes.fromhex(_hash(path, 5))
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        for value in (bad, good[:place], good.hex() if place else "\udcff".encode("utf-8", "surrogateescape")):
            change("UPDATE audit_link SET hash = ? WHERE tenant = 1 AND number = 5", value)
            assert broken(path).number == 5
        change("UPDATE audit_link SET hash = ? WHERE tenant = 1 AND number = 5", good)
    change("UPDATE audit_link SET hash = CAST(x'ff' AS TEXT) WHERE tenant = 1 AND number = 9")
    assert broken(path).number == 9
    change("UPDATE audit_link SET hash = ? WHERE tenant = 1 AND number = 9", bytes.fromhex(_hash(path, 9)))
    assert verdict_of(path).broken is None
    for sql in (
        "UPDATE run SET run_id = 'r11' WHERE run_id = 'r1' AND tenant = 1",
        "UPDATE experiment SET experiment_id = 'x' WHERE name = 'e3'",
        "UPDATE writer SET name = 'x' || name WHERE tenant = 1",
        "UPDATE tenant SET name = 'default2' WHERE pk = 1",
    ):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("SAVEPOINT before")
            connection.execute(sql)
            connection.execute("RELEASE before")
        verdict = verdict_of(path, tenant="default2" if "default2" in sql else "default")
        assert verdict.broken is not None, sql


def _hash(path: Path, number: int) -> str:
    previous = START
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMP TABLE audit_link AS SELECT * FROM main.audit_link WHERE false")
        for row in read_audit(connection, 1, 0, number):
            previous = link(previous, "default", row)
    return previous.hex()


@pytest.mark.parametrize("junk", ["'text'", "1.5", "NULL", "x'00'", "CAST(x'ff' AS TEXT)"])
@pytest.mark.parametrize("column", ["time_ms", "seq", "action", "digest", "actor", "writer"])
def test_a_value_of_another_kind_is_found_and_no_traceback(
    path: Path, change: Callable[..., None], column: str, junk: str
) -> None:
    if junk == "NULL":
        if column == "actor":
            pytest.skip("row 4 is alice's: tested above")
        with pytest.raises(sqlite3.IntegrityError):
            change(f"UPDATE audit SET {column} = NULL WHERE tenant = 1 AND number = 4")
        return
    change(f"UPDATE audit SET {column} = {junk} WHERE tenant = 1 AND number = 4")
    assert broken(path).number == 4
    change("DELETE FROM audit_link WHERE tenant = 1 AND number >= 4")
    with closing(open_store(sqlite_url(path))) as store, store.begin() as transaction:
        transaction.link_audit()  # what makes no sense has no place in a chain, and stops nobody
        starting("later", time_ms=99)(transaction.tenant("default"))


def test_rows_taken_out_put_in_or_moved_are_found(path: Path, change: Callable[..., None]) -> None:
    head = verdict_of(path).head
    assert head is not None
    change("UPDATE audit SET number = 100 WHERE tenant = 1 AND number = 3")
    assert broken(path) == (3, "is missing")
    change("UPDATE audit SET number = 3 WHERE tenant = 1 AND number = 100")
    # two change places
    for one, two in ((4, 100), (5, 4), (100, 5)):
        change("UPDATE audit SET number = ? WHERE tenant = 1 AND number = ?", two, one)
    assert broken(path).number == 4
    for one, two in ((5, 100), (4, 5), (100, 4)):
        change("UPDATE audit SET number = ? WHERE tenant = 1 AND number = ?", two, one)
    assert verdict_of(path, head).broken is None
    # another is put in: the later ones move on, links and all
    for table in ("audit", "audit_link"):
        for number in range(9, 5, -1):
            change(f"UPDATE {table} SET number = number + 1 WHERE tenant = 1 AND number = ?", number)
    assert broken(path).number == 6
    change(
        "INSERT INTO audit (tenant, number, time_ms, writer, seq, action, run, experiment, digest)"
        " SELECT tenant, 6, time_ms, writer, seq, action, run, experiment, digest FROM audit WHERE tenant = 1 AND number = 5"
    )
    change("INSERT INTO audit_link SELECT tenant, 6, hash FROM audit_link WHERE tenant = 1 AND number = 5")
    assert broken(path).number == 6


def test_a_tail_that_was_cut_off_contradicts_a_head_that_was_kept(path: Path, change: Callable[..., None]) -> None:
    head = verdict_of(path).head
    assert head is not None
    change("DELETE FROM audit WHERE tenant = 1 AND number = 9")
    assert broken(path) == (9, "is missing: links are there to 9")
    change("DELETE FROM audit_link WHERE tenant = 1 AND number = 9")
    assert verdict_of(path).broken is None  # of itself it looks whole
    assert broken(path, head) == (9, "is missing: a head that was kept names row 9")


def test_history_written_anew_contradicts_a_head_that_was_kept(path: Path, change: Callable[..., None]) -> None:
    head = verdict_of(path).head
    assert head is not None
    change("UPDATE audit SET action = 'note.set' WHERE tenant = 1 AND number = 5")
    change("DELETE FROM audit_link WHERE tenant = 1 AND number >= 5")
    with closing(open_store(sqlite_url(path))) as store, store.begin() as transaction:
        transaction.link_audit()
        starting("later", time_ms=99)(transaction.tenant("default"))
    assert verdict_of(path).broken is None
    assert broken(path, head) == (9, "is another than a head that was kept: history was rewritten")


def test_rows_that_wait_are_counted_and_a_link_left_out_is_found(path: Path, change: Callable[..., None]) -> None:
    change("DELETE FROM audit_link WHERE tenant = 1 AND number >= 8")
    verdict = verdict_of(path)
    assert (verdict.unlinked, verdict.broken, verdict.head and verdict.head.number) == (2, None, 7)
    change("DELETE FROM audit_link WHERE tenant = 1 AND number = 4")
    assert broken(path) == (4, "has no link, though later rows have")
