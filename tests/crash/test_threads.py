"""Many threads, many readers: exact counts, each thread's order kept, and looking never harms the one who writes."""

import threading

import pytest

import lineal

THREADS, POINTS = 8, 2_000

READER = """
import lineal, sys
seen = 0
with lineal.open_store(sys.argv[1]) as store:
    said("ready")
    while True:
        run = store.get_run("r")
        assert run.status in ("running", "finished"), run.status
        counts = {info.key.name: info.summary.count for info in run.series}
        for name, count in counts.items():
            values = run.history(name).value.tolist()
            assert values == list(range(len(values))), (name, values[:10])
            assert len(values) >= count
        assert sum(counts.values()) >= seen
        seen = sum(counts.values())
        said("seen", seen, run.status)
        if run.status == "finished":
            break
"""


def test_eight_threads_log_while_another_process_reads(writer, folder, child, read):
    run = lineal.init(url=folder, run_id="r")
    reader = child(READER, folder)
    reader.wait_for("ready", 60)

    def work(number):
        for step in range(POINTS):
            run.log({f"thread{number}": step}, step=step)
            if step % 500 == 0:
                run.set_tags({f"tag{number}": step})
                run.log_params({f"param{number}/{step}": step})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    lines = reader.end_well()
    assert lines[-1] == f"seen {THREADS * POINTS} finished"
    logged = read("r")
    assert logged.losses == {}
    for number in range(THREADS):
        history = logged.history(f"thread{number}")
        assert history.value.tolist() == history.step.tolist() == list(range(POINTS))
    assert len(logged.params) == THREADS * 4
    assert logged.tags == {f"tag{number}": "1500" for number in range(THREADS)}


def test_threads_without_steps_share_one_count(folder, read):
    with lineal.init(url=folder, run_id="r") as run:

        def work():
            for _ in range(POINTS):
                run.log({"x": 1})

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(read("r").history("x").step.tolist()) == list(range(THREADS * POINTS))


PROBE = """
import lineal, sys
print(lineal.get_run("r", url=sys.argv[1]).status)
said(lineal.get_run("r", url=sys.argv[1]).status)
"""


@pytest.mark.parametrize("way", ["get_run", "open_store", "snapshot", "other path"])
def test_reading_in_the_process_that_logs_does_not_drop_its_locks(writer, folder, child, tmp_path, way):
    """POSIX drops all locks of a process on a file when it closes any descriptor of it: a reader must not do that."""
    import os

    from lineal.ingest.lock import ingest_lock

    run = lineal.init(url=folder, run_id="r")
    for step in range(20):
        run.log({"x": step}, step=step)
        if way == "get_run":
            assert len(lineal.get_run("r", url=folder).history("x")) == step + 1
        elif way == "open_store":
            with lineal.open_store(folder) as store:
                assert store.get_run("r").status == "running"
        elif way == "snapshot":
            if step % 10 == 0:
                with ingest_lock(os.path.join(folder, "ingest.lock"), 1), lineal.open_store(folder) as store:
                    assert store.get_run("r").status == "running"
        else:
            link = tmp_path / "link"
            if not link.exists():
                link.symlink_to(folder)
            with lineal.open_store(link) as store:
                assert store.get_run("r").status == "running"
    assert child(PROBE, folder).end_well() == ["running"], "another process thinks that the writer is dead"
    run.finish()
    assert child(PROBE, folder).end_well() == ["finished"]


def test_many_runs_at_once_in_one_process(writer, folder, read):
    runs = [lineal.init(url=folder, run_id=f"r{number}") for number in range(30)]

    def work(run):
        for step in range(100):
            run.log({"x": step}, step=step)
        run.finish()

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(30):
        assert read(f"r{number}").status == "finished"
        assert read(f"r{number}").history("x").value.tolist() == list(range(100))


def test_threads_that_start_finish_and_fail_together(writer, folder, read):
    """finish from several threads while others log: one end, no error, what returned before is kept."""
    run = lineal.init(url=folder, run_id="r")
    counts = [0] * 4
    errors = []

    def work(number):
        try:
            while not run.finished and counts[number] < 100_000:
                run.log({f"t{number}": counts[number]}, step=counts[number])
                counts[number] += 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    enders = [threading.Timer(0.1, run.finish) for _ in range(3)]
    for ender in enders:
        ender.start()
    for thread in [*threads, *enders]:
        thread.join()
    assert errors == []
    logged = read("r")
    assert logged.status == "finished"
    for number, count in enumerate(counts):
        values = logged.history(f"t{number}").value.tolist()
        assert values == list(range(len(values)))
        assert count - 2 <= len(values) <= count


@pytest.mark.parametrize("readers", [4])
def test_several_programs_take_in_one_folder(writer, folder, child, read, readers):
    run = lineal.init(url=folder, run_id="r")
    programs = [child(READER, folder) for _ in range(readers)]
    for program in programs:
        program.wait_for("ready", 60)
    for step in range(20_000):
        run.log({"x": step}, step=step)
    run.finish()
    for program in programs:
        assert program.end_well()[-1] == "seen 20000 finished"
    assert read("r").losses == {}
