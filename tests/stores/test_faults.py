"""A SQLite store that is killed, refused, starved, or opened by those who should not."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from operator import methodcaller as call
from pathlib import Path

import pytest

from lineal.model.errors import Busy, Damaged, InvalidInput, NewerFormat, NotFound, NotWritable
from lineal.store.contracts import RunQuery, Store
from lineal.store.open import copy_store, open_store, sqlite_path, sqlite_url
from lineal.store.sql import connection as connection_module
from lineal.store.sql import migrate
from lineal.store.sql.sqlite import SqliteDatabase
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import WRITER, at, block_with
from tests.stores.telling import Assassin, assert_whole, in_child, tell, work

TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
ROOT = os.geteuid() == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lineal.db"


def writer_of(store: Store) -> sqlite3.Connection:
    assert isinstance(store, SqlStore) and isinstance(store._writer, sqlite3.Connection)
    return store._writer


def integrity(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# -- killed --------------------------------------------------------------------------------------------------


def test_a_transaction_killed_at_any_statement_leaves_the_last_committed_state(path: Path) -> None:
    store = open_store(sqlite_url(path))
    tell(store, *work(0))
    store.close()

    def killed_at(statement: int) -> None:
        store = open_store(sqlite_url(path))
        writer_of(store).set_trace_callback(Assassin(statement))
        tell(store, *work(1))

    for statement in range(200):
        status = in_child(partial(killed_at, statement))
        with closing(open_store(sqlite_url(path))) as store:
            count = assert_whole(store, 1)
        if status == 0:
            assert count == 2
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        if count == 2:
            break  # killed behind the commit
    else:
        pytest.fail("a transaction of 200 statements")
    assert statement > 20
    integrity(path)


@pytest.mark.parametrize("seed", range(100 if TORTURE else 6))
def test_kills_at_any_instant_lose_nothing_that_was_committed(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    reading, writing = os.pipe()

    def write_on() -> None:
        store = open_store(sqlite_url(path))
        first = store.tenant("default").list_runs(RunQuery()).total
        for number in range(first, 10_000):
            tell(store, *work(number))
            os.write(writing, b".")

    committed = 0
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                write_on()
            finally:
                os._exit(1)
        committed += len(os.read(reading, 1))
        time.sleep(chance.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.set_blocking(reading, False)
        try:
            committed += len(os.read(reading, 65_536))
        except BlockingIOError:
            pass
        os.set_blocking(reading, True)
        with closing(open_store(sqlite_url(path))) as store:
            committed = assert_whole(store, committed)
    os.close(reading)
    os.close(writing)
    integrity(path)


NEXT = "ALTER TABLE run ADD COLUMN colour TEXT;\nCREATE TABLE colour (name TEXT);\nINSERT INTO colour VALUES ('red');\n"


@pytest.mark.parametrize("versions", range(migrate.current_version() + 1))
def test_a_migration_killed_at_any_statement_leaves_old_or_new(
    path: Path, versions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to the first schema, from each to the next, and from this release's to one to come."""
    known = {**migrate.migrations(), migrate.current_version() + 1: NEXT}
    upto = dict(list(known.items())[:versions])
    if versions:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection, monkeypatch.context() as patch:
            patch.setattr(migrate, "migrations", lambda: upto)
            migrate.migrate(connection)
    upto = {number: text for number, text in known.items() if number <= versions + 1}
    monkeypatch.setattr(migrate, "migrations", lambda: upto)

    def killed_at(statement: int) -> None:
        def traced(opened: sqlite3.Connection) -> None:
            opened.set_trace_callback(Assassin(statement))

        monkeypatch.setattr(migrate, "check", traced)
        open_store(sqlite_url(path))

    for statement in range(300):
        status = in_child(partial(killed_at, statement))
        with closing(sqlite3.connect(path)) as connection:
            found = migrate.version_of(connection)
            tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        assert found in (versions, versions + 1) and (tables > 0) == (found > 0)
        if status == 0 or found > versions:
            break
    assert found == versions + 1 and statement > 4
    monkeypatch.setattr(migrate, "migrations", lambda: known)
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        assert_whole(store, 1)


def test_a_migration_that_fails_is_undone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(sqlite_url(path)).close()
    known = {**migrate.migrations(), migrate.current_version() + 1: NEXT + "INSERT INTO no_such_table VALUES (1);\n"}
    with monkeypatch.context() as patch, pytest.raises(sqlite3.OperationalError):
        patch.setattr(migrate, "migrations", lambda: known)
        open_store(sqlite_url(path))
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        assert_whole(store, 1)


# -- refused -------------------------------------------------------------------------------------------------


def test_a_newer_database_is_refused_and_unchanged(path: Path) -> None:
    store = open_store(sqlite_url(path))
    tell(store, *work(0))
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE lineal_schema SET version = 1000")
        connection.commit()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(NewerFormat, match="upgrade"):
            open_store(sqlite_url(path), read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_database_of_ours_is_refused_and_unchanged(path: Path, read_only: bool) -> None:
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 50)
    before = path.read_bytes()
    with pytest.raises(Damaged):
        open_store(sqlite_url(path), read_only=read_only)
    assert path.read_bytes() == before
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(Damaged, match="not one of Lineal's"):
        open_store(sqlite_url(path), read_only=read_only)
    assert path.read_bytes() == before


def test_a_damaged_database_says_so(path: Path) -> None:
    store = open_store(sqlite_url(path))
    for number in range(5):
        tell(store, *work(number))
    store.close()
    data = bytearray(path.read_bytes())
    data[4_096 * 2 :] = os.urandom(len(data) - 4_096 * 2)
    path.write_bytes(data)
    with pytest.raises(Damaged), closing(open_store(sqlite_url(path))) as store:
        assert_whole(store, 5)


def test_a_full_disk_is_not_writable_and_heals(path: Path) -> None:
    store = open_store(sqlite_url(path))
    tell(store, *work(0))
    [pages] = writer_of(store).execute("PRAGMA page_count").fetchone()
    writer_of(store).execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotWritable, match="full"):
        tell(store, *work(1), call("set_note", "run-001", "x" * 100_000, at(1, 9)))
    assert_whole(store, 1)
    writer_of(store).execute("PRAGMA max_page_count = 1000000")
    tell(store, *work(1))
    assert assert_whole(store, 2) == 2
    store.close()


def test_a_file_that_may_not_grow_is_not_writable(path: Path) -> None:
    open_store(sqlite_url(path)).close()

    def starve() -> None:
        store = open_store(sqlite_url(path))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
        try:
            tell(store, *work(0), call("set_note", "run-000", "x" * 500_000, at(1, 9)))
        except NotWritable:
            os._exit(7)

    assert os.waitstatus_to_exitcode(in_child(starve)) == 7
    with closing(open_store(sqlite_url(path))) as store:
        assert assert_whole(store, 0) == 0
        tell(store, *work(0))


def test_a_read_only_store_does_not_write(path: Path) -> None:
    with pytest.raises(NotFound):
        open_store(sqlite_url(path), read_only=True)
    assert not path.exists()
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        with closing(open_store(sqlite_url(path), read_only=True)) as reading:
            assert_whole(reading, 1)
            with pytest.raises(NotWritable), reading.begin():
                pass
            tell(store, *work(1))
            assert assert_whole(reading, 2) == 2


def test_an_empty_file_is_nothing_to_read_yet(path: Path) -> None:
    path.touch()
    with pytest.raises(NotFound):
        open_store(sqlite_url(path), read_only=True)
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))


def test_modes_of_new_files_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "lineal.db"
    before = os.umask(0)
    try:
        with closing(open_store(sqlite_url(path))) as store:
            tell(store, *work(0))
            modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes["lineal.db"] == 0o600 and set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(path.parents[1].stat().st_mode) == 0o700


def as_nobody(body: Callable[[], object]) -> int:
    """In a child without root's right to ignore permissions; the exit status."""

    def change() -> None:
        if ROOT:
            os.setgid(65_534)
            os.setuid(65_534)
        body()

    return os.waitstatus_to_exitcode(in_child(change))


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that others may enter, since pytest's own is private."""
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if parent.owner() == tmp_path.owner():
            parent.chmod(0o755)
    return tmp_path


def test_a_read_only_folder_is_read_as_it_is(open_folder: Path) -> None:
    path = open_folder / "lineal.db"
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def read() -> None:
        with closing(open_store(sqlite_url(path), read_only=True)) as store:
            assert assert_whole(store, 1) == 1
        try:
            open_store(sqlite_url(path))
        except NotWritable:
            return
        raise AssertionError("it could be opened for writing")

    assert as_nobody(read) == 0
    assert [entry.name for entry in open_folder.iterdir()] == ["lineal.db"]
    open_folder.chmod(0o755)


def test_a_read_only_folder_with_an_open_wal_is_copied(
    open_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever wrote was killed, and the folder became read-only: SQLite cannot read there, but a copy can be read."""
    path = open_folder / "lineal.db"

    def die() -> None:
        store = open_store(sqlite_url(path))
        tell(store, *work(0))
        os.kill(os.getpid(), signal.SIGKILL)

    in_child(die)
    for file in open_folder.iterdir():
        file.chmod(0o444)
    (open_folder / "lineal.db-shm").unlink()
    open_folder.chmod(0o555)
    target = tmp_path_factory.mktemp("copies")
    for parent in (target, *target.parents[:2]):
        parent.chmod(0o777)

    def read() -> None:
        try:
            open_store(sqlite_url(path), read_only=True)
        except NotWritable:
            with closing(copy_store(sqlite_url(path), target / "copy.db")) as store:
                assert assert_whole(store, 1) == 1
                tell(store, *work(1))
            return
        raise AssertionError("it could be read in place")

    assert as_nobody(read) == 0
    open_folder.chmod(0o755)


def test_a_copy_is_of_one_moment_and_private(path: Path, tmp_path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        with closing(copy_store(sqlite_url(path), tmp_path / "copy.db")) as copy:
            tell(copy, *work(1))
            assert assert_whole(copy, 2) == 2
            assert assert_whole(store, 1) == 1
        assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
        with pytest.raises(NotWritable):
            copy_store(sqlite_url(path), tmp_path / "copy.db")
        with pytest.raises(NotFound):
            copy_store(sqlite_url(tmp_path / "none.db"), tmp_path / "other.db")
        assert not (tmp_path / "other.db").exists()


# -- several -------------------------------------------------------------------------------------------------


def test_a_writer_held_up_by_another_process_is_told_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(sqlite_url(path))) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer_of(store).execute("PRAGMA busy_timeout = 10")
        with pytest.raises(Busy):
            tell(store, *work(0))
        other.rollback()
        tell(store, *work(0))
        assert_whole(store, 1)


def test_two_processes_take_turns(path: Path) -> None:
    """What one store remembers of numbers given must not be trusted after another wrote."""
    with closing(open_store(sqlite_url(path))) as one, closing(open_store(sqlite_url(path))) as two:
        for number in range(6):
            tell((one, two)[number % 2], *work(number))
            assert assert_whole(one, number + 1) == assert_whole(two, number + 1) == number + 1


def test_many_open_a_new_database_at_once(path: Path) -> None:
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            try:
                with closing(open_store(sqlite_url(path))) as store, store.begin() as transaction:
                    transaction.tenant("default").set_tags(f"run-{number}", {"k": "v"}, at(1))
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    with closing(open_store(sqlite_url(path))) as store:
        assert store.tenant("default").list_runs(RunQuery()).total == 6
    integrity(path)


def test_readers_go_on_while_another_writes(path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        done = threading.Event()
        failures: list[BaseException] = []

        def read() -> None:
            try:
                reader = store.tenant("default")
                while not done.is_set():
                    for run in reader.list_runs(RunQuery()).runs:
                        assert (
                            run.status == "finished" and len(reader.read_points(run.run_id, "loss")[0].columns) == 1_505
                        )
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 15):
            tell(store, *work(number))
        done.set()
        for thread in threads:
            thread.join()
        assert not failures
        assert assert_whole(store, 15) == 15


# -- housekeeping --------------------------------------------------------------------------------------------


def test_closing_leaves_one_small_file(path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        with closing(open_store(sqlite_url(path), read_only=True)) as reading:
            assert_whole(reading, 1)
            store.close()
            wal = path.with_name("lineal.db-wal")
            assert not wal.exists() or wal.stat().st_size == 0
            assert_whole(reading, 1)


def test_how_the_file_is_kept(path: Path) -> None:
    """What the promises rest on: a commit is on disk when it returns, and freed pages can be given back."""
    with closing(open_store(sqlite_url(path))) as store:
        kept = {
            name: writer_of(store).execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "auto_vacuum", "journal_mode", "application_id")
        }
        assert kept == {
            "synchronous": 2,
            "auto_vacuum": 2,
            "journal_mode": "wal",
            "application_id": migrate.APPLICATION_ID,
        }


def test_on_a_network_file_system_there_is_no_wal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "is_on_network", lambda path: True)
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        assert writer_of(store).execute("PRAGMA journal_mode").fetchone() == ("delete",)
        with closing(open_store(sqlite_url(path), read_only=True)) as reading:
            assert_whole(reading, 1)
    assert [entry.name for entry in path.parent.iterdir()] == ["lineal.db"]


def test_pages_that_compaction_frees_are_given_back(path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        for number in range(120):
            tell(
                store,
                call(
                    "append_points", "r1", WRITER, "a1", [block_with([0.1 * n for n in range(100)], 1 + number * 100)]
                ),
                call("compact", "r1"),
            )
    with closing(sqlite3.connect(path)) as connection:
        [free] = connection.execute("PRAGMA freelist_count").fetchone()
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        [batches] = connection.execute("SELECT count(*) FROM fresh").fetchone()
    assert free < pages / 4 and batches <= 33


def test_urls() -> None:
    assert sqlite_path("sqlite:////absolute/a.db") == Path("/absolute/a.db")
    assert sqlite_path("sqlite:///relative/a b?.db") == Path("relative/a b?.db")
    assert sqlite_path(sqlite_url(Path("/x/y.db"))) == Path("/x/y.db")
    for url in ("", "sqlite://", "sqlite:///", "mysql://host/db", "lineal.db", "sqlite:///a\0b"):
        with pytest.raises(InvalidInput):
            open_store(url)


def test_odd_file_names(tmp_path: Path) -> None:
    with closing(open_store(sqlite_url(tmp_path / "a b?c#d%20é&mode=ro.db"))) as store:
        tell(store, *work(0))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a b?c#d%20é&mode=ro.db"]


def test_a_store_that_is_open_refuses_once_a_newer_lineal_has_migrated_it(path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE lineal_schema SET version = 1000")
            connection.commit()
        with pytest.raises(NewerFormat):
            tell(store, *work(1))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)


def test_a_reader_is_as_good_as_new_after_an_error(path: Path) -> None:
    with closing(open_store(sqlite_url(path))) as store:
        tell(store, *work(0))
        reader = store.tenant("default")
        for _ in range(20):
            with pytest.raises(NotFound):
                reader.get_run("none")
        assert isinstance(store, SqlStore) and isinstance(store._database, SqliteDatabase)
        assert len(store._database.readers._idle) == 1
        assert_whole(store, 1)
