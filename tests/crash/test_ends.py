"""However a process ends, its run's status is true within half a second, and the exit status is what it would have been."""

import os
import shutil
import signal
import subprocess
import textwrap
import time

import pytest

SIGNAL_S = 0.5
SLACK_S = 8.0  # a busy machine; the programs would go on for 30 s

# Not one long sleep: a signal that another thread took, as the kernel has it while a tracer holds this one, would be seen after it.
STANDS = "for _ in range(1_200): time.sleep(0.05)\n"
START = """
import lineal, os, signal, sys, threading, time
run = lineal.init(url=sys.argv[1], run_id="r")
run.log({"x": 1}, step=0)
run.log_params({"lr": 0.1})
"""
WITH = """
import lineal, os, signal, sys, threading, time
with lineal.init(url=sys.argv[1], run_id="r") as run:
    run.log({"x": 1}, step=0)
    run.log_params({"lr": 0.1})
"""

# name -> (program, exit status, status of the run)
ENDS = {
    "the end of the program": (START, 0, "finished"),
    "finish": (START + "run.finish()", 0, "finished"),
    "finish as failed": (START + "run.finish('failed')", 0, "failed"),
    "exception": (START + "1 / 0", 1, "failed"),
    "exception within with": (WITH + "    1 / 0", 1, "failed"),
    "exception that is caught": (START + "try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass", 0, "finished"),
    "sys.exit": (START + "sys.exit()", 0, "finished"),
    "sys.exit(0)": (START + "sys.exit(0)", 0, "finished"),
    "sys.exit(3)": (START + "sys.exit(3)", 3, "failed"),
    "sys.exit(text)": (START + "sys.exit('no data')", 1, "failed"),
    "sys.exit(0) within with": (WITH + "    sys.exit(0)", 0, "finished"),
    "sys.exit(3) within with": (WITH + "    sys.exit(3)", 3, "failed"),
    "SystemExit(3) within with": (WITH + "    raise SystemExit(3)", 3, "failed"),
    "sys.exit in a function": (START + "def main():\n    sys.exit(3)\nmain()", 3, "failed"),
    "sys.exit that is caught, then work": (
        START + "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass\nrun.log({'x': 2})", 0, "finished"
    ),
    "sys.exit that is caught in a function": (
        START + "def main():\n    try:\n        sys.exit(3)\n    except SystemExit:\n        return 1\n"
        "main()\nrun.log({'x': 2})", 0, "finished"
    ),
    "sys.exit that is caught and raised again": (
        START + "def main():\n    try:\n        sys.exit(3)\n    except SystemExit:\n        raise\nmain()", 3, "failed"
    ),
    "sys.exit through a finally": (START + "try:\n    sys.exit(3)\nfinally:\n    run.log({'x': 2})", 3, "failed"),
    "sys.exit caught once, then for good": (
        START + "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass\nsys.exit(4)", 4, "failed"
    ),
    "sys.exit by way of runpy": (
        START + "import runpy\nopen(sys.argv[1] + '.py', 'w').write('import sys; sys.exit(3)')\n"
        "runpy.run_path(sys.argv[1] + '.py', run_name='__main__')", 3, "failed"
    ),
    "sys.exit in a thread": (
        START + "t = threading.Thread(target=lambda: sys.exit(3))\nt.start()\nt.join()\nrun.log({'x': 2})", 0, "finished"
    ),
    "exception in a thread": (
        START + "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\nrun.log({'x': 2})", 0, "finished"
    ),
    "a run begun in a thread": (
        "import lineal, sys, threading\ndef work():\n    lineal.init(url=sys.argv[1], run_id='r').log({'x': 1}, step=0)\n"
        "    lineal.log_params({'lr': 0.1})\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()", 0, "finished"
    ),
    "os._exit": (START + "os._exit(0)", 0, "lost"),
    "os._exit(7) within with": (WITH + "    os._exit(7)", 7, "lost"),
    "os.abort": (START + "os.abort()", -6, "lost"),
    "SIGKILL": (START + "os.kill(os.getpid(), signal.SIGKILL)", -9, "lost"),
    "SIGSEGV": (START + "os.kill(os.getpid(), signal.SIGSEGV)", -11, "lost"),
    "SIGTERM": (START + "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -15, "killed"),
    "SIGTERM within with": (WITH + "    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(9)", -15, "killed"),
    "SIGTERM, earlier handler that exits": (
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))" + START
        + "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", 5, "killed"
    ),
    "SIGTERM, earlier handler that goes on": (
        "import signal\ncalls = []\nsignal.signal(signal.SIGTERM, lambda *_: calls.append(1))" + WITH
        + "    os.kill(os.getpid(), signal.SIGTERM)\n    assert calls == [1]\n    run.log({'x': 2})", 0, "finished"
    ),
    "SIGTERM, earlier handler that raises": (
        "import signal\nclass Stop(Exception): pass\ndef stop(*_): raise Stop\nsignal.signal(signal.SIGTERM, stop)" + WITH
        + "    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(9)", 1, "failed"
    ),
    "SIGTERM ignored": (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)" + START
        + "os.kill(os.getpid(), signal.SIGTERM)\nrun.log({'x': 2})", 0, "finished"
    ),
    "SIGTERM, handler set later": (
        START + "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", 4, "failed"
    ),
    "SIGINT": (START + "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)", -2, "killed"),
    "SIGINT within with": (WITH + "    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)", -2, "killed"),
    "SIGINT that is caught": (
        START + "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\nexcept KeyboardInterrupt:\n    pass", 0, "finished"
    ),
    "SIGINT while modules are loaded beside it": (
        "import sys, threading\nended = threading.Event()\nsys.excepthook = lambda *_: ended.set()\n"
        + START + "def load():\n    ended.wait()\n    exec('1')\nthread = threading.Thread(target=load)\nthread.start()\n"
        "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)", -2, "killed"
    ),
    "an exception in interrupted code": (
        START + "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\nexcept KeyboardInterrupt as error:\n"
        "    sys.excepthook(type(error), error, error.__traceback__)", 0, "killed"
    ),
    "SIGHUP": (START + "os.kill(os.getpid(), signal.SIGHUP)\ntime.sleep(9)", -1, "lost"),
    "SIGTERM to a finished run": (START + "run.finish()\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -15, "finished"),
    "SIGTERM while a thread logs": (
        START + "def work():\n    while True:\n        run.log({'y': 1.0})\nthreading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.1)\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -15, "killed"
    ),
    "SIGTERM while the main thread logs": (
        START + "threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()\n"
        "while True:\n    run.log({'y': 1.0})", -15, "killed"
    ),
    "an own excepthook": (
        "import sys\nsys.excepthook = lambda *_: print('mine')" + START + "1 / 0", 1, "failed"
    ),
    "atexit of the program": (
        "import atexit, lineal\natexit.register(lambda: lineal.current_run() and lineal.log({'late': 1}))" + START, 0, "finished"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_status_and_exit_status(folder, child, read, name):
    program, exit_status, status = ENDS[name]
    started = child(program, folder)
    assert started.end(timeout_s=20) == exit_status, started.output()
    run = read("r")
    assert run.status == status, run.attempts
    assert run.params == {"lr": 0.1}
    assert run.history("x").value.tolist()[0] == 1
    assert run.losses == {}
    assert os.listdir(folder / "journals") == ["locks"]
    if status == "failed" and exit_status == 1 and "finish" not in name and "text" not in name:
        assert "Error" in (run.attempts[0].error or "") or "Stop" in (run.attempts[0].error or "")


def test_the_traceback_is_kept(folder, child, read):
    child(START + "def deep():\n    raise ValueError('the reason \\udcff')\ndeep()", folder).end()
    (attempt,) = read("r").attempts
    assert "in deep" in attempt.error
    assert "ValueError: the reason" in attempt.error


@pytest.mark.parametrize("busy", ["sleeps", "logs", "computes"])
def test_sigterm_is_on_disk_within_half_a_second(writer, folder, child, read, busy):
    work = {
        "sleeps": "time.sleep(30)",
        "logs": "while True: run.log({'y': 1.0, 'z': 2}, step=1)",
        "computes": "while True: sum(range(10**5))",
    }
    started = child(START + f"said('ready')\n{work[busy]}\n", folder)
    started.wait_for("ready")
    time.sleep(0.1)
    begun_s = time.monotonic()
    started.kill(signal.SIGTERM)
    assert started.end(timeout_s=60) == -signal.SIGTERM
    assert time.monotonic() - begun_s < SIGNAL_S + SLACK_S
    assert read("r").status == "killed"


def test_sigterm_while_the_disk_does_not_answer(folder, child, read, strace):
    """A sync that hangs keeps nobody from ending: what was written is with the kernel. The earlier handler has its turn in time."""
    prefix = [strace, "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=5000000"]
    earlier = """
        import os, signal, time
        def earlier(*_):
            said("turn", time.monotonic())
            os._exit(7)
        signal.signal(signal.SIGTERM, earlier)
    """
    started = child(textwrap.dedent(earlier) + START + "said('ready', os.getpid())\n" + STANDS, folder, prefix=prefix)
    pid = int(started.wait_for(lambda line: line.startswith("ready")).split()[1])
    begun_s = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    turn_s = float(started.wait_for(lambda line: line.startswith("turn")).split()[1])
    assert turn_s - begun_s < SIGNAL_S + SLACK_S
    assert read("r").status == "killed"


def test_as_process_1_of_a_container(folder, child, read):
    """The kernel ignores a default SIGTERM sent to process 1 by itself; the exit status must still be 143."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare to be process 1")
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot make a pid namespace here")
    started = child(
        START + "said(os.getpid())\nsaid('ready')\n" + STANDS,
        folder,
        prefix=["unshare", "--pid", "--fork", "--kill-child"],
    )
    started.wait_for("ready")
    assert started.lines()[0] == "1"
    (inner,) = (
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-P", str(started.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    begun_s = time.monotonic()
    os.kill(inner, signal.SIGTERM)
    assert started.end(timeout_s=20) in (143, -15)
    assert time.monotonic() - begun_s < SIGNAL_S + SLACK_S
    assert read("r").status == "killed"


def test_a_process_with_many_runs_ends_them_all(folder, child, read):
    started = child(
        """
        import lineal, os, signal, sys, time
        runs = [lineal.init(url=sys.argv[1], run_id=f"r{n}") for n in range(20)]
        for number, run in enumerate(runs):
            run.log({"x": number})
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
        """,
        folder,
    )
    assert started.end(timeout_s=20) == -15
    assert {read(f"r{n}").status for n in range(20)} == {"killed"}


def test_stopped_is_not_dead(folder, child, read):
    started = child(START + "said('ready')\n" + STANDS, folder)
    started.wait_for("ready")
    started.kill(signal.SIGSTOP)
    assert read("r").status == "running"
    started.kill(signal.SIGCONT)
    started.kill()
    started.end()
    assert read("r").status == "lost"


def test_a_run_that_was_called_lost_comes_back(folder, child, read):
    """Its lock was taken away (somebody removed the locks file): it is called lost, goes on, and its end counts."""
    started = child(
        START + "said('ready')\nwhile not os.path.exists(sys.argv[1] + '.go'):\n    time.sleep(0.01)\n"
        "run.log({'x': 2})\nrun.finish()\n",
        folder,
    )
    started.wait_for("ready")
    os.unlink(folder / "journals" / "locks")
    assert read("r").status in ("lost", "running")
    folder.with_name(f"{folder.name}.go").touch()
    started.end_well()
    run = read("r")
    assert run.status == "finished"
    assert run.history("x").value.tolist() == [1, 2]
