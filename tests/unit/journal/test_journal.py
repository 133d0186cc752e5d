"""What is peculiar to the one journal there is: clocks that jump, the keeper, and faults that it must not pass on."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

import lineal
from lineal.journal import keeper as keeper_module
from lineal.journal.interrupts import is_within_call, raised_by_handler
from lineal.journal.journal import Identity, Journal
from lineal.journal.keeper import Keeper
from lineal.journal.layout import Folder
from lineal.model.clock import SystemClock
from lineal.record.records import AttemptEnded, AttemptStarted, NoteSet
from lineal.testing.crash import read_journals

IDENTITY = Identity("default", "r", "a", True)


class JumpingClock(SystemClock):
    """Goes back by hours, stands still, leaps ahead by days: a laptop that slept, a clock set by hand."""

    def __init__(self, times_ns):
        self.times_ns = list(times_ns)

    def time_ns(self):
        return self.times_ns.pop(0) if len(self.times_ns) > 1 else self.times_ns[0]


HOUR = 3600 * 10**9
NOW = 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    "times",
    [
        [NOW, NOW - HOUR],
        [NOW, NOW, NOW],
        [NOW, NOW + 1000 * HOUR, NOW - 1000 * HOUR],
        [0, 1, 2],
        [-HOUR, -2 * HOUR],
        [2**63 - 1, -(2**63)],
    ],
    ids=["back", "still", "leap", "1970", "before 1970", "extremes"],
)
def test_clock_jumps_drop_nothing_and_durations_are_not_negative(tmp_path, times):
    journal = Journal(Folder(tmp_path / "lineal"), IDENTITY, clock=JumpingClock(times))
    journal.append(AttemptStarted("a", "e"))
    for step, when in enumerate([*times, *reversed(times)]):
        journal.append_points({"x": float(step)}, step, when)
    journal.append(AttemptEnded("a", "finished"))
    journal.close()
    run = lineal.get_run("r", url=tmp_path / "lineal")
    history = run.history("x")
    assert history.value.tolist() == [float(step) for step in range(2 * len(times))]
    assert history.time_ms.tolist() == [when // 10**6 for when in [*times, *reversed(times)]]
    assert run.status == "finished"
    assert (run.duration_s or 0) >= 0
    assert run.losses == {}


def test_the_real_clock_of_log_may_jump(tmp_path, monkeypatch):
    clock = JumpingClock([NOW, NOW - HOUR, NOW + HOUR, 5, NOW])
    monkeypatch.setattr("lineal.client.run.time_ns", clock.time_ns)
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        for step in range(10):
            run.log({"x": step, "odd": None}, step=step)
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert logged.history("x").value.tolist() == list(range(10))
    assert logged.losses == {"not_a_number": 10}


# -- the keeper --------------------------------------------------------------------------------------------------


class Tended:
    def __init__(self, action=lambda: None):
        self.times = []
        self.again = threading.Event()
        self.action = action

    def tend(self):
        self.times.append(time.monotonic())
        self.again.set()
        self.action()


def test_the_keeper_comes_when_it_is_called_and_by_itself(monkeypatch):
    keeper = Keeper()
    tended = Tended()
    with monkeypatch.context() as patched:
        patched.setattr(keeper_module, "SYNC_INTERVAL_S", 600.0)
        keeper.add(tended)
        for delay_s in (0.0, 0.02):
            tended.again.clear()
            called_s = time.monotonic()
            keeper.wake(delay_s)
            assert tended.again.wait(60)
            assert tended.times[-1] >= called_s + delay_s - 0.005
    keeper.add(tended)
    tended.again.clear()
    assert tended.again.wait(60), "nobody called, and it never came"
    keeper.remove(tended)
    keeper.wake()
    time.sleep(0.05)
    tended.again.clear()
    keeper.wake()
    assert not tended.again.wait(0.1)
    keeper.add(tended)
    assert tended.again.wait(60)
    keeper.remove(tended)


def test_the_keeper_does_not_spin():
    keeper = Keeper()
    tended = Tended()
    keeper.add(tended)
    time.sleep(0.5)
    assert len(tended.times) <= 2
    keeper.remove(tended)


def test_an_earlier_wish_is_not_put_off_by_a_later_one(monkeypatch):
    monkeypatch.setattr(keeper_module, "SYNC_INTERVAL_S", 600.0)
    keeper = Keeper()
    tended = Tended()
    keeper.add(tended)
    tended.again.clear()
    keeper.wake(0.0)
    keeper.wake(600.0)
    assert tended.again.wait(60)
    keeper.remove(tended)


def test_a_fault_of_the_keepers_own_is_counted_not_passed_on(tmp_path, monkeypatch):
    journal = Journal(Folder(tmp_path / "lineal"), IDENTITY)
    journal.append(NoteSet("x"))
    monkeypatch.setattr(journal, "_tend", lambda: 1 / 0)
    journal.tend()
    monkeypatch.undo()
    journal.close()
    (reading,) = [reading for readings in read_journals(tmp_path / "lineal").values() for reading in readings]
    assert "internal_fault" in str(reading.records)


# -- faults that stay with us ------------------------------------------------------------------------------------


class Broken(logging.Handler):
    def emit(self, record):
        raise RuntimeError("a broken handler of the host's logging")


def test_a_broken_logging_handler_does_not_reach_the_loop(tmp_path):
    handler = Broken()
    logging.getLogger("lineal").addHandler(handler)
    try:
        with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
            run.log({"x": None})
            run.log({"x": 1.0})
    finally:
        logging.getLogger("lineal").removeHandler(handler)
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert (logged.losses, logged.history("x").value.tolist()) == ({"not_a_number": 1}, [1.0])


class Recursive(logging.Handler):
    def __init__(self, run):
        super().__init__()
        self.run = run

    def emit(self, record):
        self.run.log({"warnings": 1, "also bad": "x"})


def test_a_logging_handler_that_logs_here(tmp_path):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        handler = Recursive(run)
        logging.getLogger("lineal").addHandler(handler)
        try:
            run.log({"x": None})
        finally:
            logging.getLogger("lineal").removeHandler(handler)
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert logged.history("warnings").value.tolist() == [1]
    assert logged.losses == {"not_a_number": 2}


@pytest.mark.parametrize("fault", [RuntimeError, MemoryError, ZeroDivisionError])
def test_a_fault_inside_the_journal_does_not_reach_the_loop(tmp_path, monkeypatch, fault):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        run.log({"x": 1.0})
        with monkeypatch.context() as patch:

            def fail(*_):
                raise fault("ours")

            patch.setattr("lineal.journal.journal.crc32", fail)
            run.log({"x": 2.0})
            patch.setattr("lineal.journal.journal.encode_frame", fail)
            run.set_tags({"a": "b"})
            run.log({"y": 2.0})
        run.log({"x": 3.0})
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert logged.history("x").value.tolist() == [1.0, 3.0]
    assert logged.losses == {"internal_fault": 3}
    assert logged.status == "finished"


def test_whose_exception_it_is():
    import functools
    import signal

    def plain(number, frame):
        raise ValueError

    class Callable:
        def __call__(self, number, frame):
            raise ValueError

        def method(self, number, frame):
            raise ValueError

    before = signal.getsignal(signal.SIGUSR2)
    try:
        for handler in (plain, functools.partial(plain), Callable(), Callable().method, lambda *_: plain(*_)):
            signal.signal(signal.SIGUSR2, handler)
            with pytest.raises(ValueError) as caught:
                signal.raise_signal(signal.SIGUSR2)
                for _ in range(100):
                    pass
            assert raised_by_handler(caught.value)
        with pytest.raises(ValueError) as caught:
            int("x")
        assert not raised_by_handler(caught.value)
        assert not raised_by_handler(ValueError())
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_after_finish_all_is_refused_and_nothing_is_written(tmp_path, caplog):
    run = lineal.init(url=tmp_path / "lineal", run_id="r")
    run.log({"x": 1})
    run.finish()
    run.finish("failed")
    size = [os.path.getsize(segment.path) for segment in Folder(tmp_path / "lineal").list_segments()]
    run.log({"x": 2})
    run.log({"x": "odd"})
    run.log_params({"a": 1})
    run.set_tags({"a": 1})
    run.set_note("n")
    run.set_json("j", 1)
    run.log_text("t", "t.txt")
    assert [os.path.getsize(segment.path) for segment in Folder(tmp_path / "lineal").list_segments()] == size
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert (logged.status, logged.params, logged.tags, logged.note, logged.artifacts) == ("finished", {}, {}, "", [])
    assert logged.history("x").value.tolist() == [1]
    assert "is finished" in caplog.text


def test_a_disk_fault_and_a_logging_handler_that_logs_here_do_not_wait_for_each_other(tmp_path, monkeypatch):
    """One thread is in a handler of the host's logging (and holds its lock) and logs; another has the journal's and warns."""
    run = lineal.init(url=tmp_path / "lineal", run_id="r")
    run.log({"x": 0})
    in_emit, refusing = threading.Event(), threading.Event()

    class Logs(logging.Handler):
        def emit(self, record):
            if record.name == "host":
                in_emit.set()
                refusing.wait(60)
                time.sleep(0.1)
                run.log({"from the handler": 1})

    def refuse(frame):
        refusing.set()
        raise OSError(28, "No space left on device")

    handler = Logs()
    logging.getLogger().addHandler(handler)
    try:
        host = threading.Thread(target=lambda: logging.getLogger("host").warning("something"), daemon=True)
        host.start()
        assert in_emit.wait(60)
        monkeypatch.setattr(run._journal, "_write", refuse)
        training = threading.Thread(target=lambda: run.log({"x": 1}), daemon=True)
        training.start()
        training.join(60)
        host.join(60)
        assert not training.is_alive(), "log() waits for ever"
        assert not host.is_alive()
    finally:
        logging.getLogger().removeHandler(handler)
    run.finish()
    assert lineal.get_run("r", url=tmp_path / "lineal").history("x").value.tolist() == [0, 1]


def test_a_handler_knows_of_the_call_that_it_has_interrupted(tmp_path):
    """From the first moment that others wait for that to the last; another thread's call is none."""
    journal = Journal(Folder(tmp_path / "lineal"), IDENTITY)
    seen = []
    assert not is_within_call(journal)
    with journal._lock:
        assert is_within_call(journal)
        other = threading.Thread(target=lambda: seen.append(is_within_call(journal)))
        other.start()
        other.join()
    assert seen == [False] and not is_within_call(journal)
    journal.close()
