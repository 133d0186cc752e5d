"""The chainer: two at once, killed at any statement, and in the server's background."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from lineal.ingest.chainer import Chainer, link_all
from lineal.model.errors import Busy
from lineal.server.hosted import HostedSource
from lineal.store.chain import verify
from lineal.store.contracts import Store
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import starting


def waiting(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        threading.Event().wait(0.01)


def say(store: Store, first: int, count: int, tenant: str = "default") -> None:
    with store.begin() as transaction:
        for n in range(first, first + count):
            starting(f"r{n}", time_ms=n + 1)(transaction.tenant(tenant))


def linked(store: Store, tenant: str = "default") -> int:
    verdict = verify(store.tenant(tenant), tenant)
    assert verdict.broken is None
    return verdict.head.number if verdict.head else 0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "lineal.db")
    found: str = request.getfixturevalue("postgres_url")
    return found


def test_everything_of_every_tenant_is_linked(url: str) -> None:
    with closing(open_store(url)) as store:
        for tenant, count in (("acme", 3), ("default", 12), ("zeta", 1)):
            say(store, 0, count, tenant)
        link_all(store)
        assert [linked(store, name) for name in ("acme", "default", "zeta", "nobody")] == [3, 12, 1, 0]
        number = store.change_number()
        link_all(store)
        assert store.change_number() == number


def test_two_chainers_beside_a_writer_link_every_row_once(url: str) -> None:
    """In PostgreSQL as two server processes do, each with its own store; a SQLite file has one that writes."""
    with ExitStack() as opened:
        store = other = opened.enter_context(closing(open_store(url)))
        if not url.startswith("sqlite"):
            other = opened.enter_context(closing(open_store(url)))
        ended = threading.Event()
        failures: list[BaseException] = []

        def chain(mine: Store) -> None:
            try:
                while not ended.is_set():
                    link_all(mine)
                link_all(mine)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=chain, args=(one,)) for one in (store, other)]
        for thread in threads:
            thread.start()
        for n in range(30):
            say(store if n % 2 else other, 10 * n, 10)
        ended.set()
        for thread in threads:
            thread.join()
        assert not failures and linked(store) == 300


class Assassin:
    def __init__(self, statement: int) -> None:
        self._left = statement

    def __call__(self, sql: str) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_chainer_killed_at_any_statement_leaves_whole_links_and_the_next_goes_on(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "lineal.db")
    with closing(open_store(url)) as store:
        say(store, 0, 20)
    found: list[int] = []
    for statement in range(200):
        child = os.fork()
        if child == 0:
            try:
                store = open_store(url)
                assert isinstance(store, SqlStore) and isinstance(store._writer, sqlite3.Connection)
                store._writer.set_trace_callback(Assassin(statement))
                with store.begin() as transaction:
                    transaction.link_audit(7)
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        with closing(open_store(url)) as store:
            found.append(linked(store))
        if status == 0 or found[-1] == 20:
            break
    assert statement > 8 and set(found) <= {0, 7, 14, 20} and found == sorted(found) and 7 in found
    with closing(open_store(url)) as store:
        link_all(store)
        assert linked(store) == 20


def test_a_server_links_in_the_background_and_at_its_end(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "srv" / "lineal.db")
    with closing(open_store(url)) as store:
        say(store, 0, 5)  # of an earlier one that was killed
    with HostedSource(url) as source, source.opened() as store:
        waiting(lambda: linked(store) == 5)
    with closing(open_store(url)) as store:
        say(store, 5, 5)
        chainer = Chainer(store, interval_s=3_600)
        waiting(lambda: linked(store) == 10)
        say(store, 10, 1)
        chainer.wake()
        chainer.close()
        chainer.close()
        assert linked(store) == 11


def test_a_store_that_refuses_is_asked_again() -> None:
    class Moody(MemoryStore):
        refusals = 3

        def change_number(self) -> int:
            if self.refusals:
                self.refusals -= 1
                raise Busy("not now")
            return super().change_number()

    store = Moody()
    say(store, 0, 2)
    chainer = Chainer(store, interval_s=0.001)
    waiting(lambda: store.refusals == 0 and linked(store) == 2)
    chainer.close()


def test_a_row_that_is_missing_does_not_keep_it_busy_for_ever(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "lineal.db")
    with closing(open_store(url)) as store:
        say(store, 0, 5)
        with closing(sqlite3.connect(tmp_path / "lineal.db")) as connection, connection:
            connection.execute("DELETE FROM audit WHERE number = 3")
        link_all(store)
        verdict = verify(store.tenant("default"), "default")
        assert verdict.broken == (3, "is missing") and verdict.head is not None and verdict.head.number == 2
        say(store, 5, 1)  # nobody is kept from writing
        link_all(store)
