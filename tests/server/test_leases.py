"""Writers on other hosts: a run is lost when all that promised to be heard of have fallen silent, and runs again when one returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.ingest.tally import Tally
from lineal.model.entities import Cursor, Head
from lineal.model.limits import LEASE_GRACE_S, LEASE_LOOK_S
from lineal.server.hosted import HostedSource
from tests.server.conftest import Place, json_of
from tests.server.hosting import hosting, new_run
from tests.server.test_serve_journals import OCTETS, Journal

RUN = "/experiments/runs"
LEASE_S = 90


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_900_000_000.0

    def time_ns(self) -> int:
        return int(self.now_s * 1_000_000_000)

    def monotonic_s(self) -> float:
        return self.now_s


class Watched:
    """A server whose time is the test's."""

    def __init__(self, source: HostedSource, client: httpx.Client, clock: Clock) -> None:
        self.source, self.client, self.clock = source, client, clock

    def after(self, seconds: float) -> None:
        """So much time goes by, in which it looks as often as it would."""
        until_s = self.clock.now_s + seconds
        while self.clock.now_s < until_s:
            self.clock.now_s = min(until_s, self.clock.now_s + LEASE_LOOK_S)
            self.source.leases.look()

    def status(self, run_id: str) -> str:
        status: str = json_of(self.client.get(f"{RUN}/{run_id}"))["status"]
        return status

    def post(self, journal: Journal, start: int, end: int, **query: Any) -> int:
        asked = {"segment": journal.segment, "offset": start, **query}
        content = journal.data[start:end]
        taken = json_of(self.client.post(journal.path, content=content, params=asked, headers=OCTETS))
        return int(taken["offset"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watched(place: Place, clock: Clock) -> Iterator[Watched]:
    with HostedSource(place.url, place.blobs, clock=clock) as source, hosting(source) as client:
        server = Watched(source, client, clock)
        server.after(LEASE_GRACE_S)
        yield server


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "notebook")


def test_a_silent_writer_is_lost_after_its_lease_and_runs_again_when_it_returns(
    watched: Watched, journal: Journal
) -> None:
    known = watched.post(journal, 0, 5_000, lease_s=LEASE_S)
    watched.after(LEASE_S - 10)
    assert watched.status(journal.run_id) == "running"
    assert watched.post(journal, known, known, lease_s=LEASE_S) == known  # nothing to say, but alive
    watched.after(LEASE_S - 10)
    assert watched.status(journal.run_id) == "running"
    watched.after(10 + LEASE_LOOK_S)
    lost = json_of(watched.client.get(f"{RUN}/{journal.run_id}"))
    assert lost["status"] == "lost" and lost["end_time"] is not None
    for _ in range(2):
        watched.post(journal, known, known, lease_s=LEASE_S)
        running = json_of(watched.client.get(f"{RUN}/{journal.run_id}"))
        assert (running["status"], running["end_time"]) == ("running", None)
        watched.after(LEASE_S + LEASE_LOOK_S)
        assert watched.status(journal.run_id) == "lost"
    known = watched.post(journal, known, 9_000, lease_s=LEASE_S)
    assert watched.status(journal.run_id) == "running"
    watched.post(journal, known, len(journal.data), final="true", lease_s=LEASE_S)
    watched.after(10 * LEASE_S)
    assert watched.status(journal.run_id) == "finished"
    assert json_of(watched.client.get(f"{RUN}/{journal.run_id}/metrics/loss"))["point_count"] == 400


def test_the_true_end_of_a_lost_run_is_told_by_its_journal(watched: Watched, journal: Journal) -> None:
    """Sent by another process, which promises nothing."""
    known = watched.post(journal, 0, 5_000, lease_s=LEASE_S)
    watched.after(LEASE_S + LEASE_LOOK_S)
    assert watched.status(journal.run_id) == "lost"
    known = watched.post(journal, known, 9_000)
    assert watched.status(journal.run_id) == "lost"
    watched.post(journal, known, len(journal.data), final="true")
    assert watched.status(journal.run_id) == "finished"


def test_who_promised_nothing_is_never_lost(watched: Watched, journal: Journal, tmp_path: Path) -> None:
    by_request = new_run(watched.client)
    watched.post(journal, 0, 5_000)
    other = Journal(tmp_path / "another")
    known = watched.post(other, 0, 5_000, lease_s=LEASE_S)
    watched.post(other, known, known, lease_s=0)  # takes its promise back
    watched.after(100 * LEASE_S)
    assert [watched.status(one) for one in (by_request, journal.run_id, other.run_id)] == ["running"] * 3


def test_a_run_is_lost_when_the_last_of_its_ranks_is(watched: Watched, journal: Journal) -> None:
    watched.post(journal, 0, 5_000, lease_s=LEASE_S)
    store = watched.source._store
    cursor = store.tenant("default").find_cursor(journal.writer)
    assert cursor is not None and cursor.head is not None
    attempt = cursor.head.attempt

    def rank_is_heard_of() -> None:
        until_ms = int((watched.clock.now_s + LEASE_S) * 1000)
        with store.begin() as transaction:
            head = Head(attempt, False, "other-host", 7)
            transaction.tenant("default").set_cursor(Cursor("b" * 15, journal.run_id, 1, 1, 8, head, until_ms))

    for _ in range(3):
        rank_is_heard_of()
        watched.after(LEASE_S - 10)
        assert watched.status(journal.run_id) == "running"
    watched.after(10 + LEASE_LOOK_S)
    assert watched.status(journal.run_id) == "lost"


def test_after_a_restart_writers_have_time_to_return(place: Place, clock: Clock, journal: Journal) -> None:
    """The server was away for an hour: that is no silence of theirs."""
    with HostedSource(place.url, place.blobs, clock=clock) as source, hosting(source) as client:
        known = Watched(source, client, clock).post(journal, 0, 5_000, lease_s=LEASE_S)
    clock.now_s += 3_600
    with HostedSource(place.url, place.blobs, clock=clock) as source, hosting(source) as client:
        server = Watched(source, client, clock)
        server.after(LEASE_GRACE_S - 10)
        assert server.status(journal.run_id) == "running"
        server.post(journal, known, known, lease_s=LEASE_S)
        server.after(LEASE_S - 10)
        assert server.status(journal.run_id) == "running"
    clock.now_s += 3_600
    with HostedSource(place.url, place.blobs, clock=clock) as source, hosting(source) as client:
        server = Watched(source, client, clock)
        server.after(LEASE_GRACE_S + LEASE_LOOK_S)
        assert server.status(journal.run_id) == "lost"


def test_a_server_that_stood_still_or_could_not_write_judges_nobody_at_once(watched: Watched, journal: Journal) -> None:
    known = watched.post(journal, 0, 5_000, lease_s=LEASE_S)
    watched.clock.now_s += 3_600  # suspended
    watched.source.leases.look()
    watched.after(LEASE_GRACE_S - 10)
    assert watched.status(journal.run_id) == "running"
    watched.post(journal, known, known, lease_s=LEASE_S)
    watched.after(LEASE_S - 10)
    watched.source._tallied(Tally(1, refused=True))  # its database refused a write
    watched.after(LEASE_GRACE_S - 10)
    assert watched.status(journal.run_id) == "running"
    watched.after(10 + LEASE_LOOK_S)
    assert watched.status(journal.run_id) == "lost"


def test_each_loss_and_return_is_audited_and_an_end_is_not_lost(watched: Watched, journal: Journal) -> None:
    known = watched.post(journal, 0, 5_000, lease_s=LEASE_S)
    watched.after(LEASE_S + LEASE_LOOK_S)
    watched.post(journal, known, len(journal.data), final="true", lease_s=LEASE_S)
    watched.after(2 * LEASE_S)
    actions = [row.action for row in watched.source._store.tenant("default").list_audit()]
    assert [action for action in actions if action in ("attempt.lose", "attempt.regain", "attempt.end")] == [
        "attempt.lose",
        "attempt.regain",
        "attempt.end",
    ]


@pytest.mark.parametrize("lease_s", ["-1", "3601", "x", "1.5"])
def test_leases_that_are_none(watched: Watched, journal: Journal, lease_s: str) -> None:
    asked: dict[str, Any] = {"segment": journal.segment, "offset": 0, "lease_s": lease_s}
    answer = watched.client.post(journal.path, content=journal.data, params=asked, headers=OCTETS)
    assert json_of(answer, 400)["field"] == "lease_s"
