"""The door of requests: works share a commit, and one that fails is nobody else's failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import GroupCommit, Once, Work
from lineal.ingest.rows import read_metrics
from lineal.model.errors import Busy, Conflict, NotFound, NotWritable
from lineal.model.limits import ANSWER_MAX_AGE_S
from lineal.record.records import AttemptStarted, NoteSet, TagsSet
from lineal.store.contracts import Store
from lineal.store.open import open_store

DONE = Said(200, b"{}")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def time_ns(self) -> int:
        return int(self.now_s * 1_000_000_000)

    def monotonic_s(self) -> float:
        return self.now_s


@pytest.fixture(params=["memory:", "sqlite"])
def store(request: Any, tmp_path: Path) -> Iterator[Store]:
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/lineal.db"
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def group(store: Store, clock: Clock) -> Iterator[GroupCommit]:
    group = GroupCommit(store, clock=clock)
    yield group
    group.close()


def starting(run_id: str) -> Work:
    def work(desk: Desk) -> Said:
        desk.start_run(run_id, AttemptStarted("a" * 15, "digits", "mlp"))
        return DONE

    return work


def noting(run_id: str, text: str) -> Work:
    def work(desk: Desk) -> Said:
        desk.say(desk.get_run(run_id), [NoteSet(text)])
        return Said(200, text.encode())

    return work


def together(group: GroupCommit, works: list[Work]) -> list[Future[Said]]:
    """All in one transaction: the thread is held up by a work before them while they are submitted."""
    held, entered = threading.Event(), threading.Event()

    def hold(desk: Desk) -> Said:
        entered.set()
        assert held.wait(30)
        return DONE

    first = group.submit("default", hold)
    assert entered.wait(30)
    waiting = [group.submit("default", work) for work in works]
    held.set()
    assert first.result(30) == DONE
    return waiting


def test_works_that_wait_share_one_commit(store: Store, group: GroupCommit) -> None:
    group.submit("default", starting("r1")).result(30)
    before = store.change_number()
    for done in together(group, [noting("r1", str(number)) for number in range(50)]):
        done.result(30)
    assert store.change_number() == before + 1
    assert store.tenant("default").get_details("r1").note == "49"


def test_one_that_fails_after_it_has_spoken_fails_alone(store: Store, group: GroupCommit) -> None:
    group.submit("default", starting("r1")).result(30)

    def failing(desk: Desk) -> Said:
        desk.say(desk.get_run("r1"), [TagsSet({"half": "said"})])
        raise RuntimeError("a mistake of ours")

    good, bad, also_good = together(group, [noting("r1", "one"), failing, starting("r2")])
    assert good.result(30).body == b"one" and also_good.result(30) == DONE
    with pytest.raises(RuntimeError):
        bad.result(30)
    details = store.tenant("default").get_details("r1")
    assert (details.note, details.tags) == ("one", {})


def test_a_refusal_leaves_the_others_in_their_transaction(store: Store, group: GroupCommit) -> None:
    group.submit("default", starting("r1")).result(30)
    before = store.change_number()
    good, refused, also_good = together(group, [noting("r1", "one"), noting("nobody", "x"), noting("r1", "two")])
    with pytest.raises(NotFound):
        refused.result(30)
    assert [good.result(30).body, also_good.result(30).body] == [b"one", b"two"]
    assert store.change_number() == before + 1


def test_a_refused_request_makes_no_tenant(store: Store, group: GroupCommit) -> None:
    with pytest.raises(NotFound):
        group.submit("acme", noting("nobody", "x"), Once("k", "d")).result(30)
    assert store.list_tenants() == []


def test_what_one_has_said_the_next_of_the_same_commit_knows(store: Store, group: GroupCommit) -> None:
    def params(value: float) -> Work:
        def work(desk: Desk) -> Said:
            run = desk.get_run("r1")
            desk.check_params(run, {"lr": value})
            from lineal.record.records import ParamsSet

            desk.say(run, [ParamsSet(run.attempt, {"lr": value})])
            return DONE

        return work

    made, first, same, other = together(group, [starting("r1"), params(0.1), params(0.1), params(0.2)])
    assert made.result(30) == first.result(30) == same.result(30) == DONE
    with pytest.raises(Conflict):
        other.result(30)
    assert store.tenant("default").get_details("r1").params == {"lr": 0.1}


def test_a_key_answers_once_within_and_after_a_commit_and_not_for_ever(
    store: Store, group: GroupCommit, clock: Clock
) -> None:
    group.submit("default", starting("r1")).result(30)
    once = Once("k", "digest")
    assert group.submit("default", noting("r1", "one"), once).result(30).body == b"one"
    assert group.submit("default", noting("r1", "two"), once).result(30).body == b"one"
    with pytest.raises(Conflict):
        group.submit("default", noting("r1", "two"), Once("k", "other")).result(30)
    assert store.tenant("default").get_details("r1").note == "one"
    clock.now_s += ANSWER_MAX_AGE_S + 61
    group.submit("default", noting("r1", "three")).result(30)  # what is old goes with the next commit
    assert group.submit("default", noting("r1", "four"), once).result(30).body == b"four"


def test_sequence_numbers_go_on_after_a_restart(store: Store, group: GroupCommit) -> None:
    def points(value: float) -> Work:
        def work(desk: Desk) -> Said:
            desk.append(desk.get_run("r1"), read_metrics(["loss"], [value], [None], [None], desk.time_ms))
            return DONE

        return work

    group.submit("default", starting("r1")).result(30)
    group.submit("default", points(1.5)).result(30)
    group.close()
    again = GroupCommit(store)
    again.submit("default", points(2.5)).result(30)
    again.close()
    [piece] = store.tenant("default").read_points("r1", "loss")
    assert piece.columns.value.tolist() == [1.5, 2.5] and piece.columns.step.tolist() == [0, 1]


def test_a_disk_that_refuses_is_said_to_all_and_what_was_known_is_asked_anew(
    store: Store, group: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    group.submit("default", starting("r1")).result(30)

    def refuse() -> Any:
        raise NotWritable("full")

    monkeypatch.setattr(store, "begin", refuse)
    with pytest.raises(NotWritable):
        group.submit("default", noting("r1", "lost")).result(30)
    monkeypatch.undo()
    group.submit("default", noting("r1", "kept")).result(30)
    assert store.tenant("default").get_details("r1").note == "kept"


def test_closing_finishes_what_waits_and_takes_no_more(store: Store, group: GroupCommit) -> None:
    waiting = together(group, [starting(f"r{number}") for number in range(20)])
    group.close()
    assert all(done.done() for done in waiting)
    assert len(store.tenant("default").find_run_ids("r", limit=100)) == 20
    with pytest.raises(Busy):
        group.submit("default", starting("late"))
