"""kill -9 at any instant: every call that had returned is recovered, and the run shows lost.

The ledger is a pipe to this process. 30 kills and a few by default; LINEAL_TEST_KILLS=300 for more."""

import hashlib
import os
import random
import time

import pytest

import lineal

KILLS = int(os.environ.get("LINEAL_TEST_KILLS", "300" if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else "36"))

PROGRAMS = {
    "burst": """
        run = lineal.init(url=folder, run_id="r", experiment="kills", params={"lr": 0.1})
        said("ready")
        for step in range(10**9):
            run.log({"x": step, "y": step / 7}, step=step)
            said(step)
    """,
    "paced": """
        run = lineal.init(url=folder, run_id="r", experiment="kills", params={"lr": 0.1})
        said("ready")
        for step in range(10**9):
            run.log({"x": step, "y": step / 7}, step=step)
            said(step)
            time.sleep(0.001)
    """,
    # 1.7 kB a call: a new segment every 40 calls at first.
    "roll": """
        run = lineal.init(url=folder, run_id="r", experiment="kills", params={"lr": 0.1})
        wide = {f"w{i}": 0.5 for i in range(200)}
        said("ready")
        for step in range(10**9):
            run.log({"x": step, "y": step / 7, **wide}, step=step)
            said(step)
    """,
    # Train and evaluation alternate, so layouts are defined again in every segment.
    "alternating": """
        run = lineal.init(url=folder, run_id="r", experiment="kills", params={"lr": 0.1})
        said("ready")
        for step in range(10**9):
            extra = {f"eval/{step % 3}/{i}": step for i in range(20 * (step % 4))}
            run.log({"x": step, "y": step / 7, **extra}, step=step)
            said(step)
    """,
    "statements": """
        run = lineal.init(url=folder, run_id="r", experiment="kills")
        said("ready")
        for step in range(10**9):
            run.log_params({f"p{step}": step})
            run.set_tags({"t": step, f"t{step}": "x" * 50})
            run.set_note(f"note {step}")
            run.set_json("doc", {"step": step})
            said(step)
    """,
    "artifacts": """
        run = lineal.init(url=folder, run_id="r", experiment="kills")
        said("ready")
        for step in range(10**9):
            path = os.path.join(os.path.dirname(folder), f"file{step % 4}")
            with open(path, "wb") as file:
                file.write(b"%d " % step * 20_000)
            run.log_artifact(path, f"at/{step}")
            said(step)
    """,
    # From init to the end of finish, again and again.
    "whole": """
        said("ready")
        for number in range(10**9):
            run = lineal.init(url=folder, run_id=f"n{number}", experiment="kills", params={"lr": 0.1})
            said("init", number)
            for step in range(5):
                run.log({"x": step, "y": step / 7}, step=step)
                said("log", number, step)
            run.finish()
            said("finish", number)
    """,
}
HEAD = "import lineal, os, sys, time\nfolder = sys.argv[1]\n"


def program(name):
    from textwrap import dedent

    return HEAD + dedent(PROGRAMS[name])


def numbers_of(lines):
    return [int(line) for line in lines if line.isdigit()]


def check_points(run, said):
    """A prefix of what was logged, at least as long as the ledger, at most one call longer."""
    count = max(said, default=-1) + 1
    if count == 0 and not run.series:
        return
    got = run.history("x").value.tolist()
    assert got == list(range(len(got)))
    assert run.history("y").value.tolist() == [step / 7 for step in got]
    assert run.history("x").step.tolist() == got
    assert count <= len(got) <= count + 1, f"{count} calls returned, {len(got)} were recovered"


def check_statements(run, said):
    count = max(said, default=-1) + 1
    if run.status == "running":
        assert {f"p{step}": step for step in range(count)}.items() <= run.params.items()
        return
    assert {f"p{step}": step for step in range(count)}.items() <= run.params.items()
    assert set(run.params) <= {f"p{step}" for step in range(count + 1)}
    assert all(run.tags[f"t{step}"] == "x" * 50 for step in range(count))
    if count:
        assert int(run.tags["t"]) in (count - 1, count)
        assert run.note in (f"note {count - 1}", f"note {count}")
        assert run.document("doc") in ({"step": count - 1}, {"step": count})


def check_artifacts(run, said):
    logged = {artifact.path: artifact for artifact in run.artifacts}
    for step in said:
        path = f"at/{step}/file{step % 4}"
        content = run.artifact_path(path).read_bytes()
        assert content == b"%d " % step * 20_000
        assert logged[path].digest == hashlib.sha256(content).hexdigest()


CHECKS = {"statements": check_statements, "artifacts": check_artifacts}


def kill_once(child, root, name, draw):
    """One program, killed somewhere. Returns its ledger."""
    folder = root / f"{name}-{draw.randrange(10**9)}" / "lineal"
    folder.parent.mkdir()
    started = child(program(name), folder)
    started.wait_for("ready")
    time.sleep(draw.choice([0, 0.0005, 0.003, 0.03, 0.2]) * draw.random() * 2)
    watch = draw.random() < 0.4
    with lineal.open_store(folder) as store:
        if watch:
            before = numbers_of(started.lines())
            if before:
                seen = store.get_run("r")
                assert seen.status == "running", "alive"
                CHECKS.get(name, check_prefix)(seen, before)
            time.sleep(0.01 * draw.random())
        started.kill()
        assert started.end() == -9
        return folder, started.lines(), store.get_run


def check_prefix(run, said):
    """While the program goes on, at least what was said before the question."""
    got = run.history("x").value.tolist()
    assert got == list(range(len(got)))
    assert len(got) > max(said, default=-1)


def check_folder(folder, run):
    left = sorted(os.listdir(folder / "journals"))
    assert left == ["locks"], "a dead writer's files are taken in and gone"
    assert set(run.losses) <= {"torn"}, run.losses
    assert run.experiment == "kills"


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "whole"])
def test_killed_while_it_logs(writer, tmp_path, child, seed, name):
    draw = random.Random(f"{seed} {name} {writer}")
    for _ in range(-(-KILLS // 14)):
        folder, lines, _ = kill_once(child, tmp_path, name, draw)
        with lineal.open_store(folder) as store:
            run = store.get_run("r")
            assert run.status == "lost"
            CHECKS.get(name, check_points)(run, numbers_of(lines))
            check_folder(folder, run)


def test_killed_between_init_and_the_end_of_finish(writer, tmp_path, child, seed):
    draw = random.Random(f"{seed} whole {writer}")
    for number in range(-(-KILLS // 14)):
        folder = tmp_path / str(number) / "lineal"
        folder.parent.mkdir()
        started = child(program("whole"), folder)
        started.wait_for("ready")
        time.sleep(draw.random() * 0.08)
        started.kill()
        assert started.end() == -9
        said = [line.split() for line in started.lines()]
        if not os.path.exists(folder):
            assert not [words for words in said if words[0] == "init"]
            continue
        with lineal.open_store(folder) as store:
            runs = {run.run_id: run for run in store.runs(limit=10_000)}
        for words in said:
            if words[0] == "finish":
                assert runs[f"n{words[1]}"].status == "finished"
            elif words[0] == "init":
                assert runs[f"n{words[1]}"].params == {"lr": 0.1}
        logged = [words for words in said if words[0] == "log"]
        with lineal.open_store(folder) as store:
            for run_id, run in runs.items():
                steps = [int(words[2]) for words in logged if f"n{words[1]}" == run_id]
                check_points(store.get_run(run_id), steps)
                assert run.status in ("finished", "lost"), run_id
            unfinished = [run for run in runs.values() if run.status == "lost"]
        assert len(unfinished) <= 1
        if (folder / "journals").exists():
            assert os.listdir(folder / "journals") in ([], ["locks"])


@pytest.mark.parametrize("delay_ms", [0, 20, 40, 60, 90])
def test_killed_while_it_starts(writer, tmp_path, child, delay_ms):
    """Even before Lineal is imported: nothing half done that a reader stumbles over."""
    folder = tmp_path / "lineal"
    started = child(program("burst"), folder)
    time.sleep(delay_ms / 1000)
    started.kill()
    started.end()
    with lineal.open_store(folder) as store:
        runs = store.runs()
        assert [run.status for run in runs] in ([], ["lost"])
        for run in runs:
            check_points(store.get_run(run.run_id), numbers_of(started.lines()))


def test_killed_while_a_reader_takes_in(writer, tmp_path, child, seed):
    """The reader dies too, in the middle of a transaction or of deleting segments; the next one finds everything once."""
    draw = random.Random(f"{seed} readers {writer}")
    folder = tmp_path / "lineal"
    started = child(program("roll"), folder)
    started.wait_for("ready")
    reader = """
        import lineal, sys
        with lineal.open_store(sys.argv[1]) as store:
            said("go")
            while True:
                store.get_run("r")
    """
    for _ in range(-(-KILLS // 6)):
        other = child(reader, folder)
        other.wait_for("go")
        time.sleep(draw.random() * 0.05)
        other.kill()
        other.end()
    started.kill()
    started.end()
    with lineal.open_store(folder) as store:
        run = store.get_run("r")
        check_points(run, numbers_of(started.lines()))
        assert run.status == "lost"
        check_folder(folder, run)
