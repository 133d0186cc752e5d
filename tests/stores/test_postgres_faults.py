"""A PostgreSQL store whose process is killed, whose server is restarted, whose connections are cut, and which others use at
the same time."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from operator import methodcaller as call
from pathlib import Path

import psycopg
import pytest

from lineal.model.errors import Busy
from lineal.query.parser import parse, parse_orders
from lineal.store.contracts import RunQuery
from lineal.store.open import open_store
from lineal.store.sql import migrate
from lineal.store.sql.postgres.connection import PostgresConnection
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import WRITER, at, starting
from tests.stores.telling import Assassin, assert_whole, in_child, tell, work

TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
EVERY = 1 if TORTURE else 7  # of the statements at which a process is killed


def before_each(told: Callable[[str], object]) -> None:
    """Tells every statement of this process before it is sent. For a forked child, which ends soon."""
    execute, executemany = PostgresConnection.execute, PostgresConnection.executemany

    def first(original):
        def run(self, sql, *values):
            told(sql)
            return original(self, sql, *values)

        return run

    PostgresConnection.execute = first(execute)  # type: ignore[method-assign]
    PostgresConnection.executemany = first(executemany)  # type: ignore[method-assign]


# -- killed --------------------------------------------------------------------------------------------------


def test_a_transaction_killed_at_any_statement_leaves_the_last_committed_state(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store:
        tell(store, *work(0))

    def killed_at(statement: int) -> None:
        store = open_store(postgres_url)
        before_each(Assassin(statement))
        tell(store, *work(1))

    for statement in range(0, 300, EVERY):
        status = in_child(partial(killed_at, statement))
        with closing(open_store(postgres_url)) as store:
            count = assert_whole(store, 1)
        if count == 2:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert count == 2 and statement > 20


NEXT = "ALTER TABLE run ADD COLUMN colour TEXT;\nCREATE TABLE colour (tenant INTEGER, name TEXT);\nINSERT INTO colour VALUES (1, 'red');\n"


@pytest.mark.parametrize("versions", range(migrate.current_version() + 1))
def test_a_migration_killed_at_any_statement_leaves_old_or_new(
    new_url: str, versions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to the first schema, from each to the next, and from this release's to one to come."""
    known = {**migrate.migrations(), migrate.current_version() + 1: NEXT}
    if versions:
        with closing(PostgresConnection(new_url)) as connection, monkeypatch.context() as patch:
            patch.setattr(migrate, "migrations", lambda: dict(list(known.items())[:versions]))
            migrate.migrate(connection)
    upto = {number: text for number, text in known.items() if number <= versions + 1}
    monkeypatch.setattr(migrate, "migrations", lambda: upto)

    def killed_at(statement: int) -> None:
        before_each(Assassin(statement))
        open_store(new_url)

    for statement in range(1, 300, 1 if versions > 1 else EVERY):
        status = in_child(partial(killed_at, statement))
        with closing(PostgresConnection(new_url)) as connection:
            found = migrate.version_of(connection)
            tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
        assert found in (versions, versions + 1) and (tables[0] > 0) == (found > 0)
        if status == 0 or found > versions:
            break
    assert found == versions + 1 and statement > 4
    monkeypatch.setattr(migrate, "migrations", lambda: known)
    with closing(open_store(new_url)) as store:
        tell(store, *work(0))
        assert_whole(store, 1)


def test_a_migration_that_fails_is_undone(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(new_url).close()
    known = {**migrate.migrations(), migrate.current_version() + 1: NEXT + "INSERT INTO no_such_table VALUES (1);\n"}
    with monkeypatch.context() as patch, pytest.raises(psycopg.errors.UndefinedTable):
        patch.setattr(migrate, "migrations", lambda: known)
        open_store(new_url)
    with closing(open_store(new_url)) as store:
        tell(store, *work(0))
        assert_whole(store, 1)


# -- together ------------------------------------------------------------------------------------------------


def test_several_processes_start_on_nothing_and_write_at_once(new_url: str) -> None:
    """No change number twice, no run lost, whoever of them makes the tables."""
    processes, transactions = 4, 5

    def write(number: int) -> None:
        with closing(open_store(new_url)) as store:
            for turn in range(transactions):
                name = f"run-{number}-{turn}"
                tell(store, starting(name, time_ms=number + 1), call("set_tags", name, {"who": str(number)}, at(1)))

    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            try:
                write(number)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * processes
    with closing(open_store(new_url)) as store:
        assert store.change_number() == processes * transactions
        reader = store.tenant("default")
        assert reader.list_runs(RunQuery()).total == processes * transactions
        numbers = [row.number for row in reader.list_audit()]
        assert numbers == list(range(1, len(numbers) + 1))
        changes = reader.list_changes(0)
        assert changes.is_complete and len(changes.run_ids) == processes * transactions


def test_two_stores_take_turns_and_each_sees_the_other(postgres_url: str) -> None:
    """What one remembers of numbers given, and of columns read, must not be trusted after another wrote."""
    with closing(open_store(postgres_url)) as one, closing(open_store(postgres_url)) as two:
        for number in range(6):
            tell((one, two)[number % 2], *work(number))
            assert assert_whole(one, number + 1) == assert_whole(two, number + 1) == number + 1
            for store in (one, two):
                query = RunQuery(parse("params.number >= 0 and tags.number != 'x'"), parse_orders("params.number desc"))
                found = store.tenant("default").list_runs(query).runs
                assert [run.run_id for run in found] == [f"run-{n:03}" for n in range(number, -1, -1)]


def test_a_writer_held_up_by_another_process_is_told_so(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(postgres_url)) as store, closing(PostgresConnection(postgres_url)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert isinstance(store, SqlStore) and store._writer is not None
        store._writer.execute("SET lock_timeout = '20ms'")
        with pytest.raises(Busy):
            tell(store, *work(0))
        other.execute("ROLLBACK")
        tell(store, *work(0))
        assert_whole(store, 1)


# -- cut off -------------------------------------------------------------------------------------------------


def test_a_connection_ended_by_the_server_is_busy_once_and_then_replaced(
    postgres_url: str, postgres, schema: str
) -> None:
    # The server is also that of other workers' tests, which may end connections in this very moment.
    end_all = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed {schema}'"
    with closing(open_store(f"{postgres_url}&application_name=doomed%20{schema}")) as store:
        tell(store, *work(0))
        assert_whole(store, 1)
        with pytest.raises(Busy), store.begin() as transaction:
            for statement in work(1)[:4]:
                statement(transaction.tenant("default"))
            postgres.execute(end_all)
        assert assert_whole(store, 1) == 1
        postgres.execute(end_all)  # while nothing is under way: nobody notices
        tell(store, *work(1))
        postgres.execute(end_all)
        assert assert_whole(store, 2) == 2


def test_a_server_that_crashes_in_mid_transaction_and_comes_back(own_server) -> None:
    """The whole unit is said again, as ingest does."""
    url = own_server.new("lineal")
    pid = own_server.server.get_pid()
    with closing(open_store(url)) as store:
        tell(store, *work(0))
        with pytest.raises(Busy), store.begin() as transaction:
            for statement in work(1):
                statement(transaction.tenant("default"))
            os.kill(pid, signal.SIGQUIT)  # at once: what was not committed is lost
            own_server.server.get_postmaster_info().process.wait(20)
        for attempt in (partial(tell, store, *work(1)), partial(assert_whole, store, 1)):
            with pytest.raises(Busy):
                attempt()
        own_server.server.ensure_postgres_running()
        assert assert_whole(store, 1) == 1
        tell(store, *work(1))
        assert assert_whole(store, 2) == 2


class Cutter:
    """Between a client and the server: passes bytes on until the client commits, then cuts, before or after the server has."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut: str | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(client):
            if self.cut and b"COMMIT\0" in data:
                when, self.cut = self.cut, None
                # The client is cut off first, so that it can have no reply.
                client.shutdown(socket.SHUT_RDWR)
                if when == "after":
                    server.sendall(data)
                break
            server.sendall(data)
        try:
            server.shutdown(socket.SHUT_WR)  # the server ends the session once it has done what it was told
        except OSError:
            pass  # it was the server that ended it

    def _pass_on(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := _received(server):
                client.sendall(data)
        except OSError:
            pass  # cut off
        client.close()
        server.close()

    def close(self) -> None:
        self._listener.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65_536)
    except OSError:
        return b""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_reply_is_lost_is_resolved_by_the_cursor(
    postgres_url: str, postgres, schema: str, when: str
) -> None:
    cutter = Cutter(str(Path(postgres.admin_address.split("host=")[1]) / ".s.PGSQL.5432"))
    url = f"postgresql://lineal@127.0.0.1:{cutter.port}/postgres?sslmode=disable&gssencmode=disable"
    with closing(open_store(f"{url}&options=-csearch_path%3D{schema}")) as store:
        tell(store, *work(0))
        cutter.cut = when
        with pytest.raises(Busy):
            tell(store, *work(1))
        # What ingest does: begin again, and look how far the cursor is. The lock makes sure that the first try has ended.
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            cursor = writer.find_cursor(WRITER)
            assert cursor is not None and cursor.seq == (0 if when == "before" else 1)
            if cursor.seq == 0:
                for statement in work(1):
                    statement(writer)
        assert assert_whole(store, 2) == 2
    cutter.close()


def test_readers_go_on_while_another_writes(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store, closing(open_store(postgres_url)) as other:
        tell(store, *work(0))
        with store.begin() as transaction:
            for statement in work(1):
                statement(transaction.tenant("default"))
            assert assert_whole(other, 1) == 1
        assert assert_whole(other, 2) == 2


def test_a_process_that_stands_still_does_not_hold_up_the_others_for_ever(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as still, closing(open_store(postgres_url)) as other:
        assert isinstance(still, SqlStore) and still._writer is not None
        limit = still._writer.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        assert limit == ("2min",)
        with pytest.raises(Busy), still.begin() as transaction:
            starting("run-999")(transaction.tenant("default"))
            # Only now: a busy machine may need longer between two statements.
            still._writer.execute("SET idle_in_transaction_session_timeout = '30ms'")
            tell(other, *work(0))  # waits for the lock, and gets it
        assert assert_whole(other, 1) == 1
        tell(still, *work(1))
        assert assert_whole(still, 2) == 2
