"""What the tests of both databases tell a store, and how they kill who tells it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from operator import methodcaller as call

from lineal.model.entities import Cursor
from lineal.store.contracts import RunQuery, Store
from lineal.testing.suite_base import WRITER, Said, at, block_with, starting


def tell(store: Store, *statements: Said) -> None:
    with store.begin() as transaction:
        for statement in statements:
            statement(transaction.tenant("default"))


def work(number: int) -> list[Said]:
    """A transaction that touches every kind of table."""
    run_id = f"run-{number:03}"
    return [
        starting(run_id, time_ms=number + 1),
        call("set_params", run_id, "a1", {"number": number}, at(number, 1)),
        call("set_tags", run_id, {"number": str(number)}, at(number, 2)),
        call("append_points", run_id, WRITER, "a1", [block_with([float(number)] * 1_500)]),
        call("append_points", run_id, WRITER, "a1", [block_with([float(number)] * 5, 5_000)]),
        call("end_attempt", run_id, "a1", "finished", None, at(number + 9, 3)),
        call("set_cursor", Cursor(WRITER, run_id, number, 1, number)),
        call("compact", run_id),
    ]


def assert_whole(store: Store, least: int) -> int:
    """Every transaction is there as a whole, or not at all; at least those below `least`. Returns how many."""
    reader = store.tenant("default")
    page = reader.list_runs(RunQuery(limit=10_000))
    assert page.total >= least
    assert [run.run_id for run in reversed(page.runs)] == [f"run-{number:03}" for number in range(page.total)]
    for number, details in enumerate(reversed(reader.get_details_of([run.run_id for run in page.runs]))):
        assert details.run.status == "finished" and details.params == {"number": number}
        [piece] = reader.read_points(details.run.run_id, "loss")
        assert len(piece.columns) == 1_505 and set(piece.columns.value.tolist()) == {float(number)}
    cursor = reader.find_cursor(WRITER)
    assert (cursor.seq if cursor else -1) == page.total - 1
    assert len(reader.list_audit()) == 4 * page.total
    assert store.change_number() == page.total
    return page.total


def in_child(body: Callable[[], object]) -> int:
    """Runs it in a forked process, which ends without cleaning up; returns the wait status."""
    child = os.fork()
    if child == 0:
        try:
            body()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


class Assassin:
    """Kills the process when its connection is about to run the n-th statement."""

    def __init__(self, statement: int) -> None:
        self._left = statement

    def __call__(self, sql: str) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
