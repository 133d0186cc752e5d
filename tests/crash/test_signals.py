"""Signal handlers that run inside log(): those that log, those that raise, those that end the run."""

import collections
import signal
import sys

import pytest

STORM = """
    import lineal, signal, sys
    folder, calls, every_us = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    run = lineal.init(url=folder, run_id="storm")
    fired = 0
    inside = False
    def handler(number, frame):
        global fired, inside
        if inside:
            return
        inside = True
        run.log({"handler": fired}, step=fired)
        if fired % 7 == 0:
            run.set_tags({"handler": fired})
        if fired % 11 == 0:
            run.log({"handler_bad": None})
        fired += 1
        inside = False
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, every_us / 1e6, every_us / 1e6)
    for step in range(calls):
        run.log({"main": step, "twice": step * 0.5}, step=step)
        if step % 50 == 0:
            run.set_tags({"main": step})
            run.log({"main_bad": "x"})
    signal.setitimer(signal.ITIMER_REAL, 0)
    run.finish()
    said(calls, fired)
"""


@pytest.mark.parametrize("every_us", [50, 300])
def test_a_handler_that_logs_inside_log(writer, folder, child, read, every_us):
    lines = child(STORM, folder, 20_000, every_us).end_well()
    calls, fired = map(int, lines[-1].split())
    assert fired > 50
    run = read("storm")
    assert run.status == "finished"
    assert run.history("main").value.tolist() == list(range(calls))
    assert run.history("twice").value.tolist() == [step * 0.5 for step in range(calls)]
    # A handler inside log() speaks as another writer, so only the set is promised.
    assert sorted(run.history("handler").value.tolist()) == list(range(fired))
    assert run.losses == {"not_a_number": -(-calls // 50) + -(-fired // 11)}
    assert run.tags["main"] == str((calls - 1) // 50 * 50)


RAISING = """
    import lineal, signal, sys
    folder, calls, every_us, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    class Stop(Exception):
        pass
    errors = {"TimeoutError": TimeoutError, "ValueError": ValueError, "Stop": Stop, "KeyboardInterrupt": KeyboardInterrupt}
    run = lineal.init(url=folder, run_id="raising")
    raised = caught = 0
    armed = False
    def handler(number, frame):
        global raised, armed
        if armed:
            armed = False
            raised += 1
            raise errors[kind]("by the handler")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, every_us / 1e6, every_us / 1e6)
    returned = []
    for step in range(calls):
        try:
            armed = True
            run.log({"x": step}, step=step)
            armed = False
            returned.append(step)
        except errors[kind]:
            caught += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    run.log({"x": calls}, step=calls)
    run.finish()
    said(raised, caught)
    said(*returned)
"""


@pytest.mark.parametrize("kind", ["TimeoutError", "ValueError", "Stop", "KeyboardInterrupt"])
def test_a_handler_that_raises_inside_log(writer, folder, child, read, kind):
    """Its exception reaches the loop, as if log() were not there; what returned is there once, what was broken off at most once."""
    program = child(RAISING, folder, 4000, 100, kind)
    counts, returned = program.end_well()[-2:]
    raised, caught = map(int, counts.split())
    assert raised > 20
    assert caught == raised, "log() swallowed a handler's exception"
    assert "refuses" not in program.output()
    run = read("raising")
    assert run.status == "finished"
    times = collections.Counter(run.history("x").value.tolist())
    assert max(times.values()) == 1, "logged twice"
    assert not {int(step) for step in returned.split()} - set(times), "lost"
    assert 4000 in times
    assert run.losses == {}


def test_a_handler_that_finishes_the_run_inside_log(writer, folder, child, read):
    """As batch systems ask for it: save a checkpoint on a signal, then finish. The call that was interrupted is refused."""
    program = child(
        """
        import lineal, signal, sys, time
        run = lineal.init(url=sys.argv[1], run_id="r")
        def handler(number, frame):
            time.sleep(1.5)  # a checkpoint; the keeper wants its turn meanwhile
            started = time.monotonic()
            run.finish("killed")
            said("finish", time.monotonic() - started)
        signal.signal(signal.SIGUSR1, handler)
        class Value(float):
            def __float__(self):
                signal.raise_signal(signal.SIGUSR1)
                return 1.0
        # The handler runs while the journal is half way through a record.
        import lineal.journal.journal as journal
        plain = journal.crc32
        def interrupted(body):
            if run._journal._busy and not said_once:
                said_once.append(1)
                signal.raise_signal(signal.SIGUSR1)
            return plain(body)
        said_once = [1]
        journal.crc32 = interrupted
        for step in range(100):
            run.log({"x": step}, step=step)
        run.log({"x": "no number"})  # a loss that the keeper will want to say
        said_once.clear()
        run.log({"x": 100}, step=100)
        """,
        folder,
    )
    lines = program.end_well(timeout_s=25)
    (seconds,) = [float(line.split()[1]) for line in lines if line.startswith("finish")]
    assert seconds < 5  # a busy machine; a lock that is held by the interrupted call is never let go
    run = read("r")
    assert run.status == "killed"
    assert run.history("x").value.tolist()[:100] == list(range(100))


def test_a_signal_while_a_thread_is_being_started(folder, child, read):
    """CPython holds a plain lock while it starts a thread; a handler that starts one then would wait for ever."""
    program = child(
        """
        import lineal, os, signal, sys, threading
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        with threading._active_limbo_lock:
            said("in")
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):
                pass
        """,
        folder,
    )
    assert program.end() == -signal.SIGTERM
    assert read("r").status == "killed"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="looks into CPython's thread module")
@pytest.mark.parametrize("held", ["keeper", "registers", "locks"])
def test_a_handler_that_logs_while_a_lock_of_ours_is_held(folder, child, read, held):
    """Whatever lock the interrupted call holds, the handler's own call must not wait for it."""
    program = child(
        """
        import lineal, signal, sys
        from lineal.journal import keeper, locks
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        def handler(number, frame):
            run._journal._busy = True  # as if it were half way through
            try:
                run.log({"handler": 1})
                run.set_tags({"a": "b"})
            finally:
                run._journal._busy = False
        signal.signal(signal.SIGUSR1, handler)
        register = locks.locks_of(run._journal.folder.locks)
        lock = {"keeper": keeper.KEEPER._guard, "registers": locks._registers_guard, "locks": register._guard}[sys.argv[2]]
        with lock:
            signal.raise_signal(signal.SIGUSR1)
            for _ in range(1000):
                pass
        run.finish()
        """,
        folder,
        held,
    )
    program.end_well()
    assert read("r").history("handler").value.tolist() == [1]
    assert read("r").tags == {"a": "b"}
