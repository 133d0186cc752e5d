"""What of a program's output is recorded: for which run, however it ends, and by Python's streams where there are no descriptors."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command_line
from lineal.client.capture.console import recorder as recorder_module
from lineal.client.capture.console.recorder import Recorder
from lineal.client.capture.console.start import start as start_console
from lineal.model.limits import CONSOLE_LINE_MAX_CHARS
from lineal.record.records import CaptureSet
from tests.console.programs import TIMEOUT_S, environment, logged, run, start, texts
from tests.unit.client.capture.said import records

INIT = 'run = lineal.init("x", url=sys.argv[1])\n'


def test_what_was_recorded_of_a_killed_run_is_there(tmp_path: Path) -> None:
    source = (
        INIT
        + """
for n in range(1_000_000_000):
    print("line", n, flush=True)
    time.sleep(0.001)
"""
    )
    program = start(source, tmp_path / "nb")
    assert program.stdout is not None and program.stderr is not None
    printed = [program.stdout.readline() for _ in range(5)]
    deadline = time.monotonic() + TIMEOUT_S
    with lineal.open_store(tmp_path / "nb") as store:
        while not (found := [run.console() for run in store.runs()]) or not found[0]:
            assert time.monotonic() < deadline
            printed.append(program.stdout.readline())
            store.refresh()
    program.send_signal(signal.SIGKILL)
    printed += program.stdout.readlines()
    program.wait(TIMEOUT_S)
    program.stdout.close()
    program.stderr.close()
    [one] = logged(tmp_path / "nb")
    recorded = [line.text for line in one.console()]
    assert one.status == "lost" and recorded and one.losses == {}
    whole = [line.decode().rstrip("\n") for line in printed]
    assert recorded == whole[: len(recorded)] and len(recorded) >= len(found[0])
    assert whole == [f"line {n}" for n in range(len(whole))]  # the helper printed all that the run had


def test_what_a_rank_printed_says_so(tmp_path: Path) -> None:
    for rank in (0, 3):
        source = f'run = lineal.init("x", url=sys.argv[1], run_id="ranks", rank={rank})\nprint("of", run.run_id)\nrun.finish()\n'
        assert run(source, tmp_path / "nb").returncode == 0
    [one] = logged(tmp_path / "nb")
    assert sorted((line.rank, line.text) for line in one.console()) == [(0, "of ranks"), (3, "of ranks")]
    shown = CliRunner().invoke(command_line, ["runs", "console", "ranks", "--url", str(tmp_path / "nb"), "--time"])
    assert sorted(line.partition("stdout  ")[2] for line in shown.output.splitlines()) == [
        "[rank 3] of ranks",
        "of ranks",
    ]


def test_a_live_run_is_followed(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("first", flush=True)
sys.stdin.readline()
print("second", flush=True)
run.finish()
"""
    )
    import subprocess

    program = start(source, tmp_path / "nb", stdin=subprocess.PIPE)
    deadline = time.monotonic() + TIMEOUT_S
    with lineal.open_store(tmp_path / "nb") as store:
        while not any(run.console() for run in store.runs()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
            store.refresh()
        assert [line.text for line in store.runs()[0].console()] == ["first"] and store.runs()[0].status == "running"
    program.communicate(b"go\n", timeout=TIMEOUT_S)
    assert texts(tmp_path / "nb") == ["first", "second"]


@pytest.mark.parametrize("level", ["descriptors", "python"])
def test_each_run_has_what_was_printed_while_it_was_open(tmp_path: Path, level: str) -> None:
    source = """
sys.stdout.write("before\\n")  # still in Python's buffer when the run begins
with lineal.init("x", "outer", url=sys.argv[1]) as outer:
    print("only outer")
    with lineal.init("x", "inner", url=sys.argv[1]) as inner:
        print("both")
        print("error", file=sys.stderr)
    print("outer again")
print("between")
with lineal.init("x", "next", url=sys.argv[1]) as third:
    print("next", end="")
print("after")
"""
    done = run(source, tmp_path / "nb", env=environment(LINEAL_CONSOLE=level))
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"before\nonly outer\nboth\nouter again\nbetween\nnextafter\n" and done.stderr == b"error\n"
    heard = {one.name: sorted(line.text for line in one.console()) for one in logged(tmp_path / "nb")}
    assert heard == {
        "outer": sorted(["only outer", "both", "error", "outer again"]),
        "inner": sorted(["both", "error"]),
        "next": ["next"],
    }


def test_a_traceback_that_python_prints_is_in_the_console_once(tmp_path: Path) -> None:
    for name, source in {
        "with": 'with lineal.init("x", url=sys.argv[1]): print("hi"); 1 / 0',
        "bare": INIT + 'print("hi"); 1 / 0',
        "caught": INIT + "import traceback\ntry: print('hi'); 1 / 0\nexcept ZeroDivisionError:\n"
        "    traceback.print_exc(); run.finish('failed')",
    }.items():
        done = run(source, tmp_path / name)
        assert done.stderr.count(b"ZeroDivisionError: division by zero") == 1
        assert texts(tmp_path / name, "stdout") == ["hi"]
        recorded = texts(tmp_path / name, "stderr")
        assert recorded.count("ZeroDivisionError: division by zero") == 1, recorded
        assert recorded[0] == "Traceback (most recent call last):"
        assert logged(tmp_path / name)[0].status == "failed"
    done = run('with lineal.init("x", url=sys.argv[1]): sys.exit(3)', tmp_path / "exit")
    assert done.returncode == 3 and texts(tmp_path / "exit") == []


def test_python_streams_are_heard_where_there_are_no_descriptors(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("python é🦊")
print("error", file=sys.stderr)
print(*(f"\\r{n}%" for n in range(101)), end="\\n")
sys.stdout.writelines(["one\\n", "two\\n"])
import logging
logging.warning("by logging")
assert sys.stdout is sys.__stdout__ and not sys.stdout.isatty()
if os.fork() == 0:
    print("forked", flush=True)
    os._exit(0)
os.wait()
run.finish()
assert "write" not in vars(sys.stdout)
print("after")
"""
    )
    done = run(source, tmp_path / "nb", env=environment(LINEAL_CONSOLE="python", PYTHONIOENCODING="utf-8"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"error\nWARNING:root:by logging\n"
    assert texts(tmp_path / "nb", "stdout") == ["python é🦊", "100%", "one", "two"]
    assert texts(tmp_path / "nb", "stderr") == ["error", "WARNING:root:by logging"]


def test_a_write_that_the_program_has_put_there_stays(tmp_path: Path) -> None:
    source = (
        """
class Tee:
    def __init__(self, file):
        self.write, self.flush = file.write, file.flush
sys.stdout = Tee(sys.__stdout__)
before = sys.stderr.write
def mine(text): return before(text.upper())
sys.stderr.write = mine
"""
        + INIT
        + """
print("heard")
print("error", file=sys.stderr)
run.finish()
assert sys.stderr.write is mine
print("after")
"""
    )
    done = run(source, tmp_path / "nb", env=environment(LINEAL_CONSOLE="python"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"heard\nafter\n", b"ERROR\n")
    assert texts(tmp_path / "nb") == ["heard", "error"]


def test_nothing_of_the_programs_is_called_to_see_whether_it_passes_on(tmp_path: Path) -> None:
    source = (
        """
import subprocess
class Stamped:
    def __init__(self, inner):
        self.inner = inner
    def write(self, text):
        self.inner.write("[12:00] ")
        return self.inner.write(text)
    def flush(self):
        self.inner.flush()
sys.stdout = Stamped(sys.stdout)
"""
        + INIT
        + """
sys.stdout.write("one\\n")
sys.stdout.flush()
subprocess.run([sys.executable, "-c", "print('a child')"])
run.finish()
"""
    )
    done = run(source, tmp_path / "nb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"[12:00] one\na child\n", b"")
    assert texts(tmp_path / "nb", "stdout") == ["[12:00] one", "a child"]


def test_what_is_printed_after_a_redirection_is_heard(tmp_path: Path) -> None:
    source = """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as quiet:
    run = lineal.init("x", url=sys.argv[1])
    print("within")
print("after")
print("error", file=sys.stderr)
run.finish()
assert quiet.getvalue() == "within\\n"
assert not any("write" in vars(one) for one in (sys.stdout, sys.stderr))
"""
    done = run(source, tmp_path / "nb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"after\n", b"error\n")
    assert texts(tmp_path / "nb", "stdout") == ["within", "after"] and texts(tmp_path / "nb", "stderr") == ["error"]


def test_what_one_stream_passes_on_to_another_is_heard_once(tmp_path: Path) -> None:
    source = (
        """
class Tee:
    def write(self, text): return sys.__stdout__.write(text)
    def flush(self): sys.__stdout__.flush()
sys.stdout, sys.stderr = Tee(), Tee()
"""
        + INIT
        + """
print("one")
print("two", file=sys.stderr)
print("three", file=sys.__stdout__)
run.finish()
assert not any("write" in vars(one) for one in (sys.stdout, sys.__stdout__, sys.__stderr__))
"""
    )
    done = run(source, tmp_path / "nb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\ntwo\nthree\n", b"")
    assert texts(tmp_path / "nb", "stdout") == ["one", "three"] and texts(tmp_path / "nb", "stderr") == ["two"]


TEE = """
class Tee:
    def __init__(self, stream): self.stream, self.kept = stream, []
    def write(self, text):
        self.kept.append(text)
        return self.stream.write(text)
    def flush(self): self.stream.flush()
sys.stdout, sys.stderr = Tee(sys.stdout), Tee(sys.stderr)
"""


def test_children_are_heard_though_the_program_has_put_something_before_its_streams(tmp_path: Path) -> None:
    """As those do that keep a file beside the terminal."""
    source = (
        TEE
        + INIT
        + """
print("one")
sys.stdout.flush()
subprocess.run("echo child; echo error >&2", shell=True, check=True)
os.write(1, b"native\\n")
print("two", file=sys.stderr)
run.finish()
assert "write" not in vars(sys.__stdout__) and sys.stdout.kept == ["one", "\\n"], sys.stdout.kept
"""
    )
    done = run(source, tmp_path / "nb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\nchild\nnative\n", b"error\ntwo\n")
    assert texts(tmp_path / "nb", "stdout") == ["one", "child", "native"]
    assert texts(tmp_path / "nb", "stderr") == ["error", "two"]


@pytest.mark.parametrize(("level", "heard"), [("", ["python"]), ("descriptors", ["child"])])
def test_where_streams_lead_elsewhere_either_they_or_children_are_heard(
    tmp_path: Path, level: str, heard: list[str]
) -> None:
    source = (
        "import io\nsys.stdout = io.StringIO()\n"
        + INIT
        + 'print("python")\nsubprocess.run(["echo", "child"], check=True)\nrun.finish()\n'
    )
    done = run(source, tmp_path / "nb", env=environment(LINEAL_CONSOLE=level))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"child\n", b"")
    assert texts(tmp_path / "nb") == heard


def test_one_stream_for_both_is_heard_once(tmp_path: Path) -> None:
    source = (
        "sys.stderr = sys.stdout\n"
        + INIT
        + """
print("one")
print("two", file=sys.stderr)
run.finish()
assert "write" not in vars(sys.stdout)
"""
    )
    done = run(source, tmp_path / "nb")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\ntwo\n", b"")
    assert texts(tmp_path / "nb") == ["one", "two"]


def test_under_a_test_runner_python_streams_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINEAL_CAPTURE", "console")
    with lineal.init("x", url=tmp_path / "nb"):
        print("hello")
        print("there", file=sys.stderr)
    print("after")
    assert capsys.readouterr() == ("hello\nafter\n", "there\n")
    assert sorted(texts(tmp_path / "nb")) == ["hello", "there"]


def test_it_can_be_left_out(tmp_path: Path) -> None:
    done = run(INIT + "print('x')\nrun.finish()", tmp_path / "nb", "no-console")
    assert done.stdout == b"x\n" and texts(tmp_path / "nb") == []


def test_a_forked_child_stops_nothing(tmp_path: Path) -> None:
    source = (
        INIT
        + """
pid = os.fork()
if pid == 0:
    print("child", flush=True)
    run.finish()
    print("child after", flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print("parent")
run.finish()
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "nb") == ["child", "child after", "parent"] == done.stdout.decode().splitlines()


def test_beyond_the_bound_the_end_is_kept_and_the_rest_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "CONSOLE_MAX_BYTES", 10_000)
    monkeypatch.setattr(recorder_module, "CONSOLE_TAIL_LINES", 10)
    with lineal.init("x", url=tmp_path / "nb") as one:
        recorder = Recorder(one)
        for start_at in range(0, 1_000, 50):
            recorder.feed("o", "".join(f"{n:019}\n" for n in range(start_at, start_at + 50)), 1)
            recorder.flush(1)
        recorder.finish(None)
    recorded = texts(tmp_path / "nb")
    assert recorded == [f"{n:019}" for n in (*range(500), *range(990, 1_000))]
    assert logged(tmp_path / "nb")[0].losses == {"console_limit": 490}


def test_a_clock_that_is_set_back_exchanges_no_lines(tmp_path: Path) -> None:
    with lineal.init("x", url=tmp_path / "nb") as one:
        recorder = Recorder(one)
        for letter, text, time_ms in (("o", "a", 9_000), ("e", "b", 9_500), ("o", "c", 2_000), ("e", "d", 2_500)):
            recorder.feed(letter, text + "\n", time_ms)
        recorder.finish(None)
    assert texts(tmp_path / "nb") == ["a", "c", "b", "d"]


def test_a_program_with_a_thousand_open_files_is_heard(tmp_path: Path) -> None:
    """Its pipes have numbers that select(2) does not take."""
    source = """
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 4096, hard))
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
        with lineal.init(url=sys.argv[1], experiment="e"):
            print("one", flush=True)
            os.system("echo child")
            print("two", file=sys.stderr)
    """
    done = run(source, tmp_path)
    assert done.returncode == 0 and done.stdout == b"one\nchild\n" and done.stderr == b"two\n"
    assert sorted(texts(tmp_path)) == ["child", "one", "two"] and not logged(tmp_path)[0].losses


def test_where_no_thread_is_to_be_had_nothing_is_led(tmp_path: Path) -> None:
    """As in a container of few processes."""
    source = """
        def refuse(self): raise RuntimeError("can't start new thread")
        threading.Thread.start = refuse
        before = os.fstat(1)
        with lineal.init(url=sys.argv[1], experiment="e") as run:
            assert os.path.samestat(os.fstat(1), before)
            print("one", flush=True)
            run.log({"loss": 1.0})
    """
    done = run(source, tmp_path)
    assert (done.returncode, done.stdout) == (0, b"one\n") and b"can't start new thread" in done.stderr
    [one] = logged(tmp_path)
    assert one.status == "finished" and one.metrics["loss"] == 1.0 and one.losses["not_captured"] == 1


def test_a_thread_that_cannot_go_on_is_a_loss_and_no_end_of_anything(tmp_path: Path) -> None:
    source = """
        from lineal.client.capture.console import led
        def refuse(self, data): raise MemoryError
        led._Reading._take = refuse
        with lineal.init(url=sys.argv[1], experiment="e") as run:
            print("one", flush=True)
            run.log({"loss": 1.0})
        print("two")
    """
    done = run(source, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\ntwo\n", b"")
    [one] = logged(tmp_path)
    assert one.status == "finished" and one.losses["console_unread"] >= 1 and one.metrics["loss"] == 1.0


def test_long_lines_and_odd_bytes(tmp_path: Path) -> None:
    source = INIT + "os.write(1, b'x' * 50_000 + b'\\n'); os.write(1, b'\\0nul \\xff \\xed\\xa0\\x80\\n'); run.finish()"
    done = run(source, tmp_path / "nb")
    assert done.stdout == b"x" * 50_000 + b"\n\0nul \xff \xed\xa0\x80\n"
    recorded = texts(tmp_path / "nb")
    assert "".join(recorded[:-1]) == "x" * 50_000 and len(recorded[0]) == CONSOLE_LINE_MAX_CHARS
    assert recorded[-1] == "nul \ufffd \ufffd\ufffd\ufffd"


def test_where_no_helper_can_be_started_python_streams_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(os, "posix_spawn", refused)
    with lineal.init("x", url=tmp_path / "nb") as one:
        descriptors = len(os.listdir("/dev/fd"))
        console = start_console(one, {"LINEAL_CONSOLE": "descriptors"})
        print("heard")
        console.stop()
        console.stop()
        assert len(os.listdir("/dev/fd")) == descriptors
    assert capsys.readouterr().out == "heard\n" and texts(tmp_path / "nb") == ["heard"]


CTRL_C = """
from lineal.client.capture.console.marks import Marks
def interrupted(*given):
    setattr(owner, name, real)
    raise KeyboardInterrupt
def until_ctrl_c(*place):
    global owner, name, real
    owner, name = place
    real = getattr(owner, name)
    setattr(owner, name, interrupted)
"""


def test_after_a_ctrl_c_as_a_run_finished_the_next_is_recorded_all_the_same(tmp_path: Path) -> None:
    source = (
        CTRL_C
        + """
until_ctrl_c(Marks, "wait")
Marks.have_come, come = lambda *given: False, Marks.have_come  # so that it is waited for
run = lineal.init("x", url=sys.argv[1], name="one")
print("first")
try:
    run.finish()
except KeyboardInterrupt:
    Marks.have_come = come
with lineal.init("x", url=sys.argv[1], name="two"):
    print("second")
print("after")
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0 and done.stdout == b"first\nsecond\nafter\n", done.stderr
    one, two = sorted(logged(tmp_path / "nb"), key=lambda one: one.name)
    assert [line.text for line in two.console()] == ["second"] and two.losses == {}
    assert (one.status, two.status) == ("finished", "finished")
    assert one.losses == {"console_unread": 1}  # what may have been on its way is not waited for


def test_a_ctrl_c_as_a_run_begins_ends_what_has_begun(tmp_path: Path) -> None:
    source = (
        CTRL_C
        + """
lineal.init("x", url=sys.argv[1], name="one").finish()
from lineal.client.capture import environment
until_ctrl_c(environment, "known_environment")
try:
    lineal.init("x", url=sys.argv[1], name="two")
except KeyboardInterrupt:
    print("interrupted")
lineal.finish()
print("after")
"""
    )
    done = run(source, tmp_path / "nb", capture="all")
    assert done.returncode == 0 and done.stdout == b"interrupted\nafter\n", done.stderr
    said = [one for one in records(tmp_path / "nb") if isinstance(one, CaptureSet) and one.part == "resources"]
    assert len({one.attempt for one in said}) == 2
    two = max(logged(tmp_path / "nb"), key=lambda one: one.name)
    assert two.status == "finished" and [line.text for line in two.console()] == ["interrupted"]


def test_a_signal_handler_may_make_a_run_while_what_was_printed_is_waited_for(tmp_path: Path) -> None:
    """It comes in at any line: here where the run that finishes waits, which once held a lock meanwhile."""
    source = """
        import signal
        from lineal.client.capture.console.marks import Marks
        def handler(number, frame):
            with lineal.init("x", url=sys.argv[1], name="inner"):
                print("inner")
        signal.signal(signal.SIGUSR1, handler)
        def wait(self, timeout_s):
            Marks.wait = real
            signal.raise_signal(signal.SIGUSR1)
            real(self, timeout_s)
        real, Marks.wait = Marks.wait, wait
        come, Marks.have_come = Marks.have_come, lambda *given: Marks.wait is real and come(*given)
        with lineal.init("x", url=sys.argv[1], name="outer"):
            print("outer")
        print("after")
    """
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0 and done.stdout == b"outer\ninner\nafter\n", done.stderr
    inner, outer = sorted(logged(tmp_path / "nb"), key=lambda one: one.name)
    assert [line.text for line in inner.console()] == ["inner"]
    assert [line.text for line in outer.console()][:1] == ["outer"]
    assert inner.losses == outer.losses == {}
