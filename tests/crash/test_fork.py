"""Fork, spawn, pools and ranks: each process is a writer of its own, the parent's records are untouched, nothing hangs."""

import os

import pytest

import lineal

FORKS = int(os.environ.get("LINEAL_TEST_FORKS", "1000" if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else "30"))

FORKING = """
import lineal, os, sys, threading, time
folder, forks, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
run = lineal.init(url=folder, run_id="r", experiment="forks")
counts = [0] * 4
stop = False
def work(number):
    while not stop:
        run.log({f"thread{number}": counts[number]}, step=counts[number])
        if counts[number] % 50 == 0:
            run.set_tags({f"thread{number}": counts[number]})
        counts[number] += 1
        time.sleep(0.0005)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
def fork_one(number):
    pid = os.fork()
    if pid == 0:
        try:
            for step in range(3):
                run.log({"child": number * 10 + step}, step=step)
            run.log_params({f"child{number}": number})
            if number % 3 == 0:
                run.finish()
            elif number % 3 == 1:
                lineal.log({"late": number})
        finally:
            os._exit(0)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            said("child", number, status)
            return
        time.sleep(0.001)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    said("hang", number)
for number in range(forks):
    if how == "thread":
        thread = threading.Thread(target=fork_one, args=(number,))
        thread.start()
        thread.join()
    else:
        fork_one(number)
stop = True
for thread in threads:
    thread.join()
run.finish()
said("counts", *counts)
"""


@pytest.mark.parametrize("how", ["main", "thread"])
@pytest.mark.timeout(0 if FORKS > 100 else 180)
def test_forks_while_four_threads_log(writer, folder, child, read, how):
    forks = max(1, FORKS // 4)  # two writers, two ways
    lines = child(FORKING, folder, forks, how).end_well(timeout_s=60 + forks)
    assert not [line for line in lines if line.startswith("hang")]
    assert sum(line.startswith("child") and line.endswith(" 0") for line in lines) == forks
    counts = [int(word) for word in lines[-1].split()[1:]]
    run = read("r")
    assert (run.status, run.losses) == ("finished", {})
    for number, count in enumerate(counts):
        assert run.history(f"thread{number}").value.tolist() == list(range(count))
        assert run.tags[f"thread{number}"] == str((count - 1) // 50 * 50)
    expected = sorted(number * 10 + step for number in range(forks) for step in range(3))
    assert sorted(run.history("child").value.tolist()) == expected
    assert {f"child{n}": n for n in range(forks)} == run.params
    late = [number for number in range(forks) if number % 3 == 1]
    assert sorted(run.history("late").value.tolist()) == late
    assert len(run.attempts) == 1
    assert os.listdir(folder / "journals") == ["locks"]


def test_a_child_outlives_its_parent(writer, folder, child, read):
    """The parent's end is the run's; what the child says afterwards is kept."""
    program = child(
        """
        import lineal, os, sys, time
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        if os.fork() == 0:
            time.sleep(0.4)
            run.log({"x": 2})
            said("child is done")
            os._exit(0)
        run.finish()
        """,
        folder,
    )
    assert program.end() == 0
    assert read("r").status == "finished"
    program.wait_for = program.wait_for
    while "child is done" not in program.lines():
        pass
    assert sorted(read("r").history("x").value.tolist()) == [1, 2]
    assert read("r").status == "finished"


def test_a_child_that_is_killed_does_not_end_the_run(writer, folder, child, read):
    program = child(
        """
        import lineal, os, signal, sys, time
        run = lineal.init(url=sys.argv[1], run_id="r")
        pid = os.fork()
        if pid == 0:
            run.log({"x": 1})
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        said("died")
        run.log({"x": 2})
        time.sleep(30)
        """,
        folder,
    )
    program.wait_for("died")
    assert read("r").status == "running"
    program.kill()
    program.end()
    assert read("r").status == "lost"
    assert sorted(read("r").history("x").value.tolist()) == [1, 2]


def test_a_child_does_not_keep_its_dead_parent_alive(writer, folder, child, read):
    """A data-loader worker that was left behind holds none of the parent's locks."""
    program = child(
        """
        import lineal, os, sys, time
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        if os.fork() == 0:
            said("child")
            time.sleep(30)
            os._exit(0)
        time.sleep(30)
        """,
        folder,
    )
    program.wait_for("child")
    program.kill()
    program.end()
    assert read("r").status == "lost"


@pytest.mark.parametrize("own", ["none", "own"])
def test_a_child_has_the_signal_handlers_of_its_host(folder, child, read, own):
    """`Pool.terminate` sends SIGTERM to workers that begin to wait for a semaphore: a Python handler sees it only after the wait."""
    program = child(
        """
        import lineal, multiprocessing, os, signal, sys
        def handler(number, frame): os._exit(7)
        if sys.argv[2] == "own":
            signal.signal(signal.SIGTERM, handler)
        host = signal.getsignal(signal.SIGTERM)
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        assert signal.getsignal(signal.SIGTERM) != host
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        pid = os.fork()
        if pid == 0:
            right = signal.getsignal(signal.SIGTERM) == host and signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
            os._exit(0 if right else 3)
        assert os.waitpid(pid, 0)[1] == 0
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
        held = multiprocessing.Lock()
        held.acquire()
        for number in range(200 if sys.argv[2] == "none" else 0):
            pid = os.fork()
            if pid == 0:
                held.acquire()
            os.kill(pid, signal.SIGTERM)
            said("sent", number)
            assert os.waitpid(pid, 0)[1] == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        folder,
        own,
    )
    assert program.end() == (7 if own == "own" else -15)
    assert read("r").status == "killed"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(writer, folder, child, read, tmp_path, method):
    """A pool whose workers log, and loaders that leave by os._exit; under spawn the run travels by pickle."""
    script = tmp_path / "train.py"
    script.write_text(
        """
import multiprocessing as mp, os, sys
import lineal

def double(run, number):
    run.log({"worker": number}, step=number)
    return number * 2

def loader(run, number):
    for step in range(20):
        run.log({"loader": number * 100 + step}, step=step)
    os._exit(0)

if __name__ == "__main__":
    context = mp.get_context(sys.argv[2])
    with lineal.init(url=sys.argv[1], run_id="r") as run:
        with context.Pool(3) as pool:
            assert pool.starmap(double, [(run, n) for n in range(30)]) == [n * 2 for n in range(30)]
        loaders = [context.Process(target=loader, args=(run, n)) for n in range(3)]
        for process in loaders:
            process.start()
        for step in range(200):
            run.log({"main": step}, step=step)
        for process in loaders:
            process.join(60)
            assert process.exitcode == 0
"""
    )
    program = child(f"import runpy, sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport subprocess\n"
                    f"sys.exit(subprocess.call([sys.executable, {str(script)!r}, *sys.argv[1:]]))", folder, method)  # fmt: skip
    program.end_well(timeout_s=100)
    run = read("r")
    assert (run.status, run.losses) == ("finished", {})
    assert run.history("main").value.tolist() == list(range(200))
    assert sorted(run.history("worker").value.tolist()) == list(range(30))
    assert sorted(run.history("loader").value.tolist()) == sorted(
        n * 100 + step for n in range(3) for step in range(20)
    )
    assert len(run.attempts) == 1


def test_a_spawned_process_uses_the_same_segment_writer(writer, folder, child):
    """The setting was made because the file system asks for it; a pickled run must not forget it."""
    program = child(
        """
        import lineal, os, pickle, sys
        run = lineal.init(url=sys.argv[1], run_id="r")
        data = pickle.dumps(run)
        mode = os.environ.pop("LINEAL_JOURNAL_WRITER")
        other = pickle.loads(data)
        other.log({"x": 1})
        said(type(other._journal._segment).__name__)
        """,
        folder,
    )
    assert program.end_well()[-1] == {"mapped": "MappedSegment", "write": "FileSegment"}[writer]


RANK = """
import lineal, sys, time
folder, rank = sys.argv[1], int(sys.argv[2])
run = lineal.init(url=folder, run_id="ranks", rank=rank, experiment="vision", name="all eight", params={"world": 8} if rank == 0 else None)
said("ready")
for step in range(100):
    run.log({"loss": rank * 1000 + step}, step=step)
    time.sleep(0.0005)
run.finish()
"""


@pytest.mark.parametrize("order", [range(8), range(7, -1, -1)], ids=["zero first", "zero last"])
def test_eight_ranks_of_one_run(writer, folder, child, read, order):
    ranks = []
    for rank in order:
        ranks.append(child(RANK, folder, rank))
        if order[0] == 7:
            ranks[-1].wait_for("ready")
    for each in ranks:
        each.end_well()
    run = read("ranks")
    assert (run.status, run.losses, run.experiment, run.name) == ("finished", {}, "vision", "all eight")
    assert len(run.attempts) == 1
    assert not run.attempts[0].resumed
    assert run.params == {"world": 8}
    assert run.history("loss").value.tolist() == list(range(100))
    for rank in range(1, 8):
        points = run.history("loss", labels={"rank": str(rank)}).value.tolist()
        assert points == [rank * 1000 + step for step in range(100)]


def test_the_launcher_says_the_rank(writer, folder, child, read):
    program = """
        import lineal, sys
        with lineal.init(url=sys.argv[1], experiment="vision") as run:
            said(run.primary)
            run.log({"loss": 1.0})
    """
    for rank in range(3):
        env = {"RANK": str(rank), "WORLD_SIZE": "3", "LINEAL_RUN_ID": "torchrun"}
        assert child(program, folder, env=env).end_well() == [str(rank == 0)]
    run = read("torchrun")
    assert [info.key.labels for info in run.series] == [(), (("rank", "1"),), (("rank", "2"),)]


def test_a_child_of_a_finished_run_is_refused_too(writer, folder, child, read):
    program = child(
        """
        import lineal, os, sys
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 1})
        run.finish()
        pid = os.fork()
        if pid == 0:
            run.log({"x": 2})
            os._exit(0)
        os.waitpid(pid, 0)
        """,
        folder,
    )
    program.end_well()
    assert "finished" in program.output()
    assert read("r").history("x").value.tolist() == [1]
    assert lineal.get_run("r", url=folder).status == "finished"


def test_fork_inside_a_handler_inside_log(writer, folder, child, read):
    """The worst place: the child wakes up half way through its parent's record."""
    program = child(
        """
        import lineal, os, signal, sys
        import lineal.journal.journal as journal
        run = lineal.init(url=sys.argv[1], run_id="r")
        run.log({"x": 0}, step=0)
        parent = os.getpid()
        def handler(number, frame):
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)
        signal.signal(signal.SIGUSR1, handler)
        plain = journal.crc32
        def interrupted(body):
            if armed:
                armed.clear()
                signal.raise_signal(signal.SIGUSR1)
            return plain(body)
        armed = []
        journal.crc32 = interrupted
        for step in range(1, 20):
            armed.append(step) if step == 10 and os.getpid() == parent else None
            run.log({"x": step}, step=step)
            if os.getpid() != parent:
                run.log({"child": step}, step=step)
        if os.getpid() != parent:
            os._exit(0)
        run.finish()
        """,
        folder,
    )
    program.end_well(timeout_s=20)
    run = read("r")
    points = run.history("x").value.tolist()
    assert [point for point in points if point < 10] == list(range(10))
    assert set(points) == set(range(20))
    assert sorted(run.history("child").value.tolist()) == list(range(10, 20))
    assert run.status == "finished"
