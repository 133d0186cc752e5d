"""Modules loaded beside the training: forks wait for that, but neither they nor the training's own imports wait for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lineal.client.capture import imports
from lineal.client.capture.imports import ImportGate

ROOT = Path(__file__).resolve().parents[4]


def run_program(program: str, *arguments: object, capture: str = "none") -> str:
    """Fails on a hang."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "LINEAL_CAPTURE": capture},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fork_waits_until_the_modules_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CAPTURE_FORK_WAIT_S", 100.0)
    gate, started, loaded = ImportGate(), threading.Event(), []

    def load() -> None:
        started.set()
        threading.Event().wait(0.2)
        loaded.append("module")

    thread = threading.Thread(target=gate.load, args=(load,))
    thread.start()
    started.wait()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if loaded and gate._lock.acquire(blocking=False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()
    gate.load(lambda: None)  # which the fork gave back


def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CAPTURE_FORK_WAIT_S", 0.05)
    gate, started, forked = ImportGate(), threading.Event(), threading.Event()

    def load() -> None:
        started.set()
        forked.wait(100)

    thread = threading.Thread(target=gate.load, args=(load,))
    thread.start()
    started.wait()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if gate._lock.acquire(blocking=False) else 1)
    forked.set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()
    gate.load(lambda: None)


def test_a_module_that_forks_while_it_is_loaded_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CAPTURE_FORK_WAIT_S", 100.0)
    gate, statuses = ImportGate(), []

    def load() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        statuses.append(os.waitpid(pid, 0)[1])

    gate.load(load)
    assert statuses == [0]


def test_a_signal_handler_that_loads_in_the_midst_of_a_load_or_a_fork_waits_for_nobody() -> None:
    gate, loaded = ImportGate(), []
    gate.load(lambda: gate.load(lambda: loaded.append("within a load")))
    gate._before_fork()
    gate.load(lambda: loaded.append("within a fork"))
    gate._after_fork()
    gate.load(lambda: loaded.append("after"))
    assert loaded == ["within a load", "within a fork", "after"]


def test_modules_are_loaded_once_and_tried_again_after_an_error() -> None:
    gate, calls = ImportGate(), list[int]()

    def load() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ImportError("the disk was away")

    with pytest.raises(ImportError):
        gate.load(load)
    threads = [threading.Thread(target=gate.load, args=(load,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 2


CROSSED = """
import sys, threading
from lineal.client.capture.imports import IMPORTS
sys.path.insert(0, sys.argv[1])
import builtins
builtins.inside = threading.Event()
def load():
    inside.set()
    import outer
thread = threading.Thread(target=lambda: IMPORTS.load(load), daemon=True)
builtins.begin = thread.start
import outer
thread.join()
"""


def test_the_training_loads_modules_while_the_thread_waits_for_them(tmp_path: Path) -> None:
    """The main thread is in the midst of a module that the thread wants as well, and goes on to another one."""
    (tmp_path / "outer.py").write_text("begin()\ninside.wait()\nimport time\ntime.sleep(0.1)\nimport inner\n")
    (tmp_path / "inner.py").write_text("")
    run_program(CROSSED, tmp_path)


POOL = """
import sys
import lineal
if __name__ == "__main__":
    run = lineal.init("e", url=sys.argv[1], run_id="r")
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(sum(pool.map(abs, range(10))))
    run.finish()
"""


def test_a_pool_right_after_init(tmp_path: Path) -> None:
    assert run_program(POOL, tmp_path, capture="all") == "45\n"


def test_threads_beside_the_training_load_modules_within_the_gate_alone(tmp_path: Path) -> None:
    """Else a fork meets one in the midst of it, and the child waits for that module without an end."""
    program = """
import sys, threading
import lineal
from lineal.client.capture.imports import IMPORTS

found = []

class Watch:
    def find_spec(self, name, path=None, target=None):
        me = threading.get_ident()
        if me != threading.main_thread().ident and IMPORTS._loader != me:
            found.append(name)

sys.meta_path.insert(0, Watch())
with lineal.init(url=sys.argv[1]) as run:
    print("said")
    run.log({"a": 1})
print(*found)
"""
    assert run_program(program, tmp_path / "store", capture="all").split() == ["said"]


def test_masks_are_loaded_with_the_first_line_and_not_by_init(tmp_path: Path) -> None:
    """Their patterns take milliseconds to compile, and `init` has 50."""
    program = """
import sys
import lineal
run = lineal.init(url=sys.argv[1])
early = "lineal.client.capture.redact" in sys.modules
print("key AKIA" + "QWERTYUIOPASDFGH")
run.finish()
with lineal.open_store(sys.argv[1]) as store:
    lines = [line.text for line in store.runs()[0].console()]
print(early, *lines)
"""
    said = run_program(program, tmp_path / "store", capture="console").splitlines()
    assert said[0] == "key AKIAQWERTYUIOPASDFGH"
    assert said[1].startswith("False key ") and "QWERTY" not in said[1]
