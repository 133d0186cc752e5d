"""The disk refuses: full, over quota, read-only, failing, or gone. Training goes on, one warning is given, what is lost is counted."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import lineal
from lineal.journal.layout import Folder
from lineal.record.stream import header_at, scan
from lineal.testing.crash import read_journals, remount

HEAL_S = 5.0
SLACK_S = 8.0  # a busy machine

# Logs until it is told by the file "stop"; says after each call; the longest call is said at the end.
PROGRAM = """
import lineal, os, sys, time
folder, stop, width, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
run = lineal.init(url=folder, run_id="r", experiment="disk", params={"lr": 0.1})
said("init")
wide = {f"w{i}": i / 3 for i in range(width)}
step = 0
longest = 0.0
while not os.path.exists(stop):
    started = time.perf_counter()
    run.log({"x": step, **wide}, step=step)
    longest = max(longest, time.perf_counter() - started)
    said(step)
    step += 1
    if pause:
        time.sleep(pause)
run.set_tags({"end": step})
started = time.perf_counter()
run.finish()
said("finish", time.perf_counter() - started, longest)
"""


def steps_in(lines):
    return [int(line) for line in lines if line.isdigit()]


def look(folder, place):
    """The run, read from a copy: a full disk has no room for a database."""
    shutil.copytree(folder, place)
    with lineal.open_store(place) as store:
        run = store.get_run("r")
        return run, run.history("x").value.tolist() if run.series else []


def check_files(folder):
    """Nothing half written that a reader would have to step over, but at the very end of a segment."""
    for readings in read_journals(folder).values():
        for reading in readings:
            assert not reading.damages or reading.damages[0].offset > 8, reading.path
            assert len(reading.damages) <= 1


def last_seq_on_disk(folder):
    """Of the records that a reader would find now."""
    found = [0]
    for segment in Folder(folder).list_segments():
        with contextlib.suppress(FileNotFoundError):
            data = Path(segment.path).read_bytes()
            view = memoryview(data)
            found += [header_at(view, offset).seq for offset in scan(view, 8, final=False).offsets[-2:]]
    return max(found)


def wait_healed(folder, step):
    """Until that call is on disk; within the promised time. A call is a record, so its sequence is larger than its step."""
    deadline_s = time.monotonic() + HEAL_S + SLACK_S
    while last_seq_on_disk(folder) <= step:
        assert time.monotonic() < deadline_s, f"not healed within {HEAL_S} s"
        time.sleep(0.05)


def warnings_in(program):
    return [line for line in program.output().splitlines() if line.strip()]


def finished_in_time(lines):
    (line,) = [line for line in lines if line.startswith("finish")]
    _, seconds, longest = line.split()
    assert float(seconds) < 20  # a busy machine, not a disk that is waited for
    assert float(longest) < 5, f"a call of log took {longest} s"


def test_disk_full_and_space_returns(writer, tiny_disk, tmp_path, child):
    folder, stop = tiny_disk / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 20, 0.0002)
    started.wait_for(lambda _: "refuses" in started.output(), 60)
    time.sleep(1.2)
    full_at = steps_in(started.lines())[-1]
    remount(tiny_disk, "size=64M")
    wait_healed(folder, full_at + 1)
    stop.touch()
    lines = started.end_well()
    check_files(folder)
    run, got = look(folder, tmp_path / "copy")
    steps = steps_in(lines)
    assert got == steps, f"{len(steps) - len(got)} lost though memory sufficed"
    assert (run.status, run.losses, run.tags) == ("finished", {}, {"end": str(len(steps))})
    assert run.params == {"lr": 0.1}
    finished_in_time(lines)
    assert len(warnings_in(started)) == 1


def test_disk_full_for_longer_than_memory_lasts(writer, tiny_disk, tmp_path, child):
    """Beyond 4 MiB it is counted, exactly; afterwards all goes on."""
    folder, stop = tiny_disk / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 400, 0.0002)
    bound = 6 * 2**20 // (8 * 401)
    started.wait_for(str(bound), 60)
    last = steps_in(started.lines())[-1]
    remount(tiny_disk, "size=64M")
    wait_healed(folder, last + 100)
    stop.touch()
    lines = started.end_well()
    check_files(folder)
    run, got = look(folder, tmp_path / "copy")
    steps = steps_in(lines)
    assert sorted(set(got)) == got
    assert set(got) <= set(steps)
    assert run.losses == {"disk_refuses": (len(steps) - len(got)) * 401}
    assert got[-1] == steps[-1]
    assert run.status == "finished"
    finished_in_time(lines)
    assert len(warnings_in(started)) == 1


def test_disk_full_to_the_end(writer, tiny_disk, tmp_path, child):
    folder, stop = tiny_disk / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 50, 0)
    started.wait_for("8000", 60)
    stop.touch()
    lines = started.end_well()
    finished_in_time(lines)
    check_files(folder)
    run, got = look(folder, tmp_path / "copy")
    assert got == list(range(len(got)))
    assert len(got) > 1000
    assert run.status == "lost", "its end could not be written, and nobody may claim otherwise"
    said = warnings_in(started)
    assert len(said) == 2
    assert "not everything could be written" in said[1]


def test_no_room_for_the_first_byte(writer, tiny_disk, tmp_path, child):
    (tiny_disk / "ballast").write_bytes(bytes(1024 * 1024 - 4096))
    folder, stop = tiny_disk / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 2, 0.001)
    started.wait_for("500", 60)
    (tiny_disk / "ballast").unlink()
    wait_healed(folder, 600)
    stop.touch()
    lines = started.end_well()
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert (run.status, run.losses, run.experiment) == ("finished", {}, "disk")


def test_read_only_from_the_start(writer, tiny_disk, tmp_path, child):
    remount(tiny_disk, "ro")
    folder, stop = tiny_disk / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 2, 0.001)
    started.wait_for("500", 60)
    remount(tiny_disk, "rw")
    wait_healed(folder, 600)
    stop.touch()
    lines = started.end_well()
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert (run.status, run.losses) == ("finished", {})
    assert len(warnings_in(started)) == 1


def test_read_only_for_ever(writer, tiny_disk, tmp_path, child):
    remount(tiny_disk, "ro")
    stop = tmp_path / "stop"
    started = child(PROGRAM, tiny_disk / "lineal", stop, 2, 0.001)
    started.wait_for("100", 60)
    stop.touch()
    finished_in_time(started.end_well())
    assert 1 <= len(warnings_in(started)) <= 2
    assert not os.listdir(tiny_disk)


@pytest.mark.parametrize("what", ["folder", "journals", "segment", "locks"])
def test_deleted_in_mid_run(writer, tmp_path, child, what):
    folder, stop = tmp_path / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 3, 0.003)
    started.wait_for("100", 60)
    if what == "folder":
        shutil.rmtree(folder)
    elif what == "journals":
        shutil.rmtree(folder / "journals")
    elif what == "locks":
        (folder / "journals" / "locks").unlink()
    else:
        for path in (folder / "journals").glob("*.seg"):
            path.unlink()
    if what != "locks":
        wait_healed(folder, int(started.lines()[-1]))
        with lineal.open_store(folder) as store:
            assert store.get_run("r").status == "running"
    stop.touch()
    lines = started.end_well()
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert (run.status, run.losses, run.experiment) == ("finished", {}, "disk")


def test_deleted_again_and_again_while_segments_roll(writer, tmp_path, child):
    """What was in segments that are full and deleted is gone; it is missed, and counted as missing."""
    folder, stop = tmp_path / "lineal", tmp_path / "stop"
    started = child(PROGRAM, folder, stop, 100, 0.0005)
    for _ in range(3):
        time.sleep(0.7)
        shutil.rmtree(folder, ignore_errors=True)
    time.sleep(2.5)
    stop.touch()
    lines = started.end_well()
    run, got = look(folder, tmp_path / "copy")
    steps = steps_in(lines)
    assert sorted(set(got)) == got
    assert got[-1] == steps[-1]
    assert run.status == "finished"
    lost = len(steps) - len(got)
    assert lost - 3 <= run.losses.get("damaged", 0) <= lost + 3, f"{lost} calls are missing, {run.losses} were counted"


def test_a_limit_on_file_size(writer, folder, tmp_path, child):
    """What a quota looks like: EFBIG for one writer, and for both no way to go on."""
    stop = tmp_path / "stop"
    started = child(
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000_000))\n"
        + PROGRAM.replace("while not", "raised = False\nwhile not", 1).replace(
            "    step += 1\n",
            "    step += 1\n    if step == 3000:\n        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000_000, 100_000_000))\n",
        ),
        folder,
        stop,
        50,
        0.0003,
    )
    started.wait_for("3000", 60)
    wait_healed(folder, 3100)
    stop.touch()
    lines = started.end_well()
    check_files(folder)
    assert len(os.listdir(folder / "journals")) < 12, "each attempt to heal leaves something behind"
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert (run.status, run.losses) == ("finished", {})
    assert len(warnings_in(started)) <= 1


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_sync_fails(writer, folder, tmp_path, child, strace, call):
    """The bytes are with the kernel, which cannot bring them to the disk: said once, and nothing is dropped."""
    stop = tmp_path / "stop"
    prefix = [strace, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when=3+"]
    started = child(PROGRAM, folder, stop, 3, 0.001, prefix=prefix)
    started.wait_for("1500", 60)
    stop.touch()
    lines = started.end_well()
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert run.status == "finished"
    assert len(warnings_in(started)) <= 2


@pytest.mark.parametrize("start", [30, 60])
def test_writes_fail_for_a_while(folder, tmp_path, child, strace, monkeypatch, start):
    """ENOSPC from write(2) at the n-th call and for 40 more; the ledger's own writes are through another call."""
    monkeypatch.setenv("LINEAL_JOURNAL_WRITER", "write")
    stop = tmp_path / "stop"
    prefix = [strace, "-f", "-o", "/dev/null", "-P", str(folder / "journals"), "-e", "trace=write", "-e",
              f"inject=write:error=ENOSPC:when={start}..{start + 40}"]  # fmt: skip
    quiet = PROGRAM.replace("    said(step)\n", "    os.writev(_LEDGER, [b'%d\\n' % step])\n")
    started = child(quiet, folder, stop, 3, 0.001, prefix=prefix)
    started.wait_for("1500", 60)
    wait_healed(folder, 1600)
    stop.touch()
    lines = started.end_well()
    check_files(folder)
    run, got = look(folder, tmp_path / "copy")
    assert got == steps_in(lines)
    assert (run.status, run.losses) == ("finished", {})


def test_an_artifact_that_does_not_fit(tiny_disk, tmp_path, child):
    folder = tiny_disk / "lineal"
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(2 * 1024 * 1024))
    program = child(
        """
        import lineal, sys
        with lineal.init(url=sys.argv[1], run_id="r") as run:
            run.log({"x": 1})
            run.log_artifact(sys.argv[2])
            run.log_text("small", "small.txt")
            run.log({"x": 2})
        """,
        folder,
        big,
    )
    program.end_well()
    run, got = look(folder, tmp_path / "copy")
    assert got == [1, 2]
    assert [artifact.path for artifact in run.artifacts] == ["small.txt"]
    assert run.losses == {"artifact_not_kept": 1}
    assert not list((folder / "blobs").rglob("draft-*"))
    assert len(warnings_in(program)) == 1


def test_an_unwritable_folder_as_another_user(tmp_path, child):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to become another user")
    folder = tmp_path / "lineal"
    lineal.init(url=folder, run_id="mine").finish()
    for place in [tmp_path, *tmp_path.parents]:
        if place.stat().st_uid == 0 and place.name.startswith("pytest"):
            place.chmod(0o755)
    probe = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", tmp_path], check=False, capture_output=True
    )
    if probe.returncode:
        pytest.skip("the other user cannot reach the test's folder")
    program = child(
        """
        import lineal, sys
        run = lineal.init(url=sys.argv[1])
        for step in range(100):
            run.log({"x": step})
        run.finish()
        """,
        folder,
        prefix=["setpriv", "--reuid=65534", "--clear-groups"],
    )
    program.end_well()
    assert 1 <= len(warnings_in(program)) <= 2


def test_no_descriptors_left(writer, folder, tmp_path, child):
    """Data loaders eat them all for a while: a new segment cannot be opened then, and nothing is lost for it."""
    program = child(
        """
        import lineal, os, resource, sys, time
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        run = lineal.init(url=sys.argv[1], run_id="r")
        wide = {f"w{n}": 0.5 for n in range(200)}
        step = 0
        def log(count):
            global step
            for _ in range(count):
                run.log({"x": step, **wide}, step=step)
                step += 1
        log(10)
        taken = []
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        log(500)
        time.sleep(1.2)
        log(100)
        for fd in taken:
            os.close(fd)
        time.sleep(2.2)
        log(100)
        run.finish()
        said(step)
        """,
        folder,
    )
    count = int(program.end_well()[-1])
    run, got = look(folder, tmp_path / "copy")
    assert got == list(range(count))
    assert (run.status, run.losses) == ("finished", {})
    assert len(warnings_in(program)) <= 1, "Python may not even be able to load what it warns with"
