"""What a run costs, stated and measured: bytes, barriers, files, modes."""

import os
import subprocess
import sys

import pytest

import lineal

SHORT = """
import lineal, sys
params = {"lr": 0.1, "layers": [64, 32], "model": {"width": 64}}
with lineal.init(url=sys.argv[1], run_id="r", experiment="short", params=params, tags={"a": "b"}) as run:
    for step in range(20):
        run.log({"loss": 1 / (step + 1), "acc": step / 20}, step=step)
"""


def test_a_short_run_is_small(writer, folder, child):
    child(SHORT, folder).end_well()
    files = {
        os.path.join(place, name): os.stat(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    }
    assert sum(status.st_blocks * 512 for status in files.values()) < 16 * 1024, {
        k: v.st_blocks for k, v in files.items()
    }
    assert len(files) == 4, "VERSION, .gitignore, locks, one segment"


def test_a_short_run_pays_two_barriers(writer, folder, child, strace, tmp_path):
    """In a folder that is there already: one fdatasync of its segment, one fsync of the folder that names it. A run that a busy machine
    makes long may pay another one each second, as all do."""
    lineal.init(url=folder).finish()
    log = tmp_path / "strace"
    prefix = [strace, "-f", "-y", "-o", str(log), "-e", "trace=fsync,fdatasync,sync,syncfs,msync,sync_file_range"]
    program = SHORT.replace('run_id="r", ', "")
    program = f"import time\nbegun = time.monotonic()\n{program}said(int(time.monotonic() - begun))"
    [seconds] = map(int, child(program, folder, prefix=prefix).end_well())
    calls = [line.split(" ", 1)[1].strip() for line in log.read_text().splitlines() if "sync" in line and "(" in line]
    of_segment = [call for call in calls if ".seg" in call or ".spare" in call]
    assert 1 <= len(of_segment) <= 1 + seconds, calls
    assert len(calls) <= 2 + seconds, calls


def test_log_makes_no_system_call_when_mapped(folder, child, strace, tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_JOURNAL_WRITER", "mapped")
    log = tmp_path / "strace"
    child(
        """
        import lineal, os, sys
        run = lineal.init(url=sys.argv[1])
        run.log({"x": 0})
        os.write(2, b"begin")
        for step in range(300):
            run.log({"x": step}, step=step)
        os.write(2, b"end")
        run.finish()
        """,
        folder,
        prefix=[strace, "-o", str(log)],
    ).end_well()
    lines = log.read_text().splitlines()
    begin, end = (next(n for n, line in enumerate(lines) if f'"{word}"' in line) for word in ("begin", "end"))
    between = [line for line in lines[begin + 1 : end] if not line.startswith(("futex", "brk", "mmap", "munmap"))]
    assert len(between) < 5, between[:10]


def test_a_folder_of_finished_runs_keeps_no_journal(writer, folder, child):
    for _ in range(5):
        child(SHORT.replace('run_id="r", ', ""), folder).end_well()
    with lineal.open_store(folder) as store:
        assert len(store.runs()) == 5
    assert os.listdir(folder / "journals") == ["locks"]
    assert (folder / "journals" / "locks").stat().st_size == 0
    assert not list(folder.rglob("*draft*"))
    assert not list(folder.rglob("*.spare*"))


def test_a_run_that_logs_nothing_more_than_init(writer, folder, child):
    child("import lineal, sys\nlineal.init(url=sys.argv[1], run_id='r')", folder).end_well()
    run = lineal.get_run("r", url=folder)
    assert (run.status, run.series) == ("finished", [])


def test_nothing_is_written_before_the_first_record(folder):
    from lineal.client.settings import resolve
    from lineal.journal.journal import Identity, Journal

    journal = Journal(resolve(folder).folder, Identity("default", "r", "a", True))
    journal.close()
    assert not folder.exists()


def test_all_is_its_owners_alone(writer, folder, child):
    child(
        SHORT + "    run.log_text('x', 'a/b.txt')\n",
        folder,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        prefix=["sh", "-c", 'umask 0; exec "$@"', "sh"],
    ).end_well()
    child(
        "import lineal, sys\nlineal.get_run('r', url=sys.argv[1])",
        folder,
        prefix=["sh", "-c", 'umask 0; exec "$@"', "sh"],
    ).end_well()
    for place, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            path = os.path.join(place, name)
            assert os.stat(path).st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    "program", ["import lineal", "import lineal\nrun = lineal.init(url=sys.argv[1])\nrun.log({'x': 1})\nrun.finish()"]
)
def test_the_training_process_stays_light(folder, program):
    """Neither importing nor logging loads numpy, a database or the readers."""
    code = f"import sys\n{program}\nprint(*sys.modules)"
    src = os.path.dirname(os.path.dirname(lineal.__file__))
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": src},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    heavy = {
        "numpy",
        "sqlite3",
        "asyncio",
        "lineal.local",
        "lineal.store.contracts",
        "lineal.ingest.follow",
        "logging",
        "subprocess",
    }
    assert not loaded & heavy


def test_memory_and_descriptors_do_not_grow_with_the_number_of_runs(folder, child):
    lines = child(
        """
        import gc, lineal, os, resource, sys
        def state():
            gc.collect()
            return len(os.listdir("/proc/self/fd")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(300):
            with lineal.init(url=sys.argv[1], params={"n": number}) as run:
                for step in range(50):
                    run.log({"x": step}, step=step)
            if number in (50, 299):
                said(*state())
        """,
        folder,
    ).end_well()
    (fds_before, kib_before), (fds_after, kib_after) = (map(int, line.split()) for line in lines)
    assert fds_after <= fds_before
    assert kib_after - kib_before < 4_096


def test_a_long_run_keeps_its_descriptors(writer, folder, child):
    lines = child(
        """
        import lineal, os, sys, time
        run = lineal.init(url=sys.argv[1])
        wide = {f"w{n}": 0.5 for n in range(300)}
        for step in range(20_000):
            run.log(wide, step=step)
            if step == 2_000:
                time.sleep(1.2)
                before = len(os.listdir("/proc/self/fd"))
        until = time.monotonic() + 30
        while (after := len(os.listdir("/proc/self/fd"))) > before + 2 and time.monotonic() < until:
            time.sleep(0.1)
        said(before, after)
        run.finish()
        """,
        folder,
    ).end_well()
    before, after = map(int, lines[0].split())
    assert after <= before + 2
    assert not [name for name in os.listdir(folder / "journals") if "spare" in name]
