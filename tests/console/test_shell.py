"""In a real IPython shell, and in a real Jupyter kernel where ipykernel is installed (40 MB: not among what the tests bring along)."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.programs import TIMEOUT_S, environment, logged, run, texts

SHELL = """
import asyncio
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.user_ns["folder"] = sys.argv[1]
def cell(text): assert shell.run_cell(text, store_history=True).success
"""


def shell_environment(tmp_path: Path) -> dict[str, str]:
    pytest.importorskip("IPython")
    return environment(LINEAL_CONSOLE="python", IPYTHONDIR=str(tmp_path / "ipython"), PYTHONIOENCODING="utf-8")


def test_the_cells_after_the_one_of_init_are_heard(tmp_path: Path) -> None:
    source = (
        SHELL
        + """
cell("import lineal; run = lineal.init('x', url=folder); print('first')")
cell("print('second')")
cell("import sys; print('error', file=sys.stderr)")
cell("%%capture kept\\nprint('kept back')")
cell("print('third'); run.finish(); print('after')")
cell("print('nobody listens')")
for number in range(1_100):  # in the end nothing lies upon it a thousand times
    if number % 50 == 0:
        cell(f"run = lineal.init('x', url=folder, name='again')")
        cell(f"print('again', {number})")
        cell("run.finish()")
    else:
        cell("1")
"""
    )
    done = run(source, tmp_path / "nb", env=shell_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    printed = done.stdout.decode().splitlines()
    again = [f"again {number}" for number in range(0, 1_100, 50)]
    assert [line for line in printed if not line.startswith("Out")] == [
        "first", "second", "third", "after", "nobody listens", *again
    ]  # fmt: skip
    first, *others = logged(tmp_path / "nb")
    assert [line.text for line in first.console() if line.stream == "stdout"] == ["first", "second", "third"]
    assert [line.text for line in first.console() if line.stream == "stderr"] == ["error"]
    assert [[line.text for line in one.console()] for one in others] == [[line] for line in again]


def test_what_is_printed_between_cells_is_heard(tmp_path: Path) -> None:
    source = (
        SHELL
        + """
async def kernel():
    cell("import lineal; run = lineal.init('x', url=folder)")
    await asyncio.sleep(0)
    print("between")
    cell("print('within')")
    print("behind")
    cell("run.finish()")
    print("after")
asyncio.run(kernel())
"""
    )
    done = run(source, tmp_path / "nb", env=shell_environment(tmp_path))
    assert (done.returncode, done.stdout) == (0, b"between\nwithin\nbehind\nafter\n"), done.stderr
    assert texts(tmp_path / "nb") == ["between", "within", "behind"]


def test_a_write_that_a_program_has_put_over_ours_is_heard_once(tmp_path: Path) -> None:
    source = """
import IPython
run = lineal.init("x", url=sys.argv[1])
before = sys.stdout.write
calls = []
def stamped(text):
    calls.append(text)
    return before(text.upper())
sys.stdout.write = stamped
print("one")
run.finish()
run = lineal.init("x", url=sys.argv[1])
print("two")
run.finish()
print("after")
assert "" not in calls  # nobody has called it but the program
"""
    done = run(source, tmp_path / "nb", env=shell_environment(tmp_path))
    assert (done.returncode, done.stdout) == (0, b"ONE\nTWO\nAFTER\n"), done.stderr
    assert [[line.text for line in one.console()] for one in logged(tmp_path / "nb")] == [["ONE"], ["two"]]


# -- a kernel -----------------------------------------------------------------------------------

Outcome = tuple[dict[str, str], str | None]
"""What a cell showed of each stream, and the name of its error."""


class Kernel:
    def __init__(self, folder: Path) -> None:
        manager: Any = pytest.importorskip("jupyter_client.manager")
        pytest.importorskip("ipykernel")
        spec: Any = pytest.importorskip("jupyter_client.kernelspec")
        self.folder = folder
        self.manager = manager.KernelManager(kernel_name="")
        self.manager._kernel_spec = spec.KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        )
        env = environment("console,code", LINEAL_URL=str(folder / "nb"), IPYTHONDIR=str(folder / "ipython"))
        for name in (
            "PYTEST_CURRENT_TEST",
            "PYTHONUNBUFFERED",
        ):  # with the first, a kernel leaves the descriptors alone
            env.pop(name, None)
        self.output = (folder / "kernel.out").open("wb")
        self.manager.start_kernel(cwd=str(folder), env=env, stdout=self.output, stderr=self.output)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, cell: str, until: Callable[[dict[str, str]], bool] = lambda shown: True) -> Outcome:
        """`until`: what it has shown may come after it has ended. A cell that prints READY is interrupted."""
        asked = self.client.execute(cell)
        shown: dict[str, str] = defaultdict(str)
        error, is_idle, is_ready = None, False, False
        while not (is_idle and until(shown)):
            message = self.client.get_iopub_msg(timeout=TIMEOUT_S)
            content = message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "stream":
                shown[content["name"]] += content["text"]
            elif message["msg_type"] == "error":
                error = content["ename"]
            elif message["msg_type"] == "status":
                is_idle = content["execution_state"] == "idle"
            if not is_ready and "READY" in shown["stdout"]:
                is_ready = True
                self.manager.interrupt_kernel()
        return {name: text for name, text in shown.items() if text}, error

    def restart(self, now: bool) -> None:
        self.manager.restart_kernel(now=now)
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()
        self.output.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.close()


def ends(end: str) -> Callable[[dict[str, str]], bool]:
    return lambda shown: shown["stdout"].replace("\r\n", "\n").endswith(end)


def test_a_kernel_shows_and_records_each_line_once(kernel: Kernel, tmp_path: Path) -> None:
    cells: list[tuple[str, str, str]] = [
        ("import lineal, os, subprocess, sys, threading\nrun = lineal.init('x')\nprint('zero')", "zero", ""),
        ("print('one'); print('two', file=sys.stderr)", "one", "two"),
        ("os.write(1, b'three\\n')", "three", ""),
        ("!echo four", "four", ""),
        ("subprocess.run(['echo', 'five'])", "five", ""),
        ("print('six', file=sys.__stdout__, flush=True)", "six", ""),
        ("threading.Timer(0.3, print, ['seven']).start()", "seven", ""),
        ("print('\\r10 %', end=''); print('\\reight')", "\r10 %\reight", ""),
        ("open('more.py', 'w').write('print(\"nine\")\\n')\n%run more.py", "nine", ""),
        ("%%capture kept\nprint('kept back')", "", ""),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('ten')", "ten", ""),
    ]
    for cell, out, err in cells:
        shown, error = kernel.run(cell, until=ends(f"{out}\n") if out else lambda shown: True)
        assert error is None
        assert shown.get("stdout", "").replace("\r\n", "\n") == (f"{out}\n" if out else ""), cell
        assert shown.get("stderr", "") == (f"{err}\n" if err else ""), cell
    assert kernel.run("1 / 0") == ({}, "ZeroDivisionError")
    assert kernel.run("print('READY', flush=True)\nwhile True: pass") == ({"stdout": "READY\n"}, "KeyboardInterrupt")
    assert kernel.run("run.finish(); print('after')") == ({"stdout": "after\n"}, None)
    [one] = logged(tmp_path / "nb")
    assert one.status == "finished" and one.losses == {}
    numbers = ["zero", "one", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "READY"]
    assert texts(tmp_path / "nb", "stdout") == numbers
    err_lines = texts(tmp_path / "nb", "stderr")
    assert err_lines[:2] == ["two", "Traceback (most recent call last):"]
    assert err_lines.count("ZeroDivisionError: division by zero") == 1 and err_lines[-1] == "KeyboardInterrupt"
    assert not any("IPython" in line for line in err_lines)
    recorded = one.artifact_path(".lineal/code/cells.py").read_text()
    places = [recorded.index(cell.split("\n")[0].split("!")[-1]) for cell, _, _ in cells]
    assert places == sorted(places) and "1 / 0" in recorded


def test_how_runs_of_a_kernel_end(kernel: Kernel, tmp_path: Path) -> None:
    for word in ("one", "two", "three"):
        assert kernel.run(f"import lineal\nrun = lineal.init('x')\nprint({word!r})")[1] is None
    kernel.restart(now=False)
    assert kernel.run("import lineal\nwith lineal.init('x'):\n    print('four')\n    1 / 0")[1] == "ZeroDivisionError"
    assert kernel.run("run = lineal.init('x')\nprint('five')")[1] is None
    kernel.restart(now=True)  # by SIGKILL
    deadline = time.monotonic() + TIMEOUT_S
    while [one.status for one in logged(tmp_path / "nb")] != ["finished", "finished", "finished", "failed", "lost"]:
        assert time.monotonic() < deadline, [one.status for one in logged(tmp_path / "nb")]
        time.sleep(0.05)
    assert [[line.text for line in one.console()][:1] for one in logged(tmp_path / "nb")[:4]] == [
        ["one"], ["two"], ["three"], ["four"]
    ]  # fmt: skip
