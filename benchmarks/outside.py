"""The parent's side: start workers, time cold processes, kill them. Nothing here knows any tracker."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environments, process
from benchmarks.adapters import load

ROOT = environments.HERE.parent
HELPERS_MAY_LINGER_S = 10.0

Figures = dict[str, Any]


@dataclass(frozen=True)
class Tracker:
    """A tracker with its Python, and the folder of this measurement: data in `folder/data`, everything else
    beside it, so that a tool that writes where it stands writes there. The folder is in no git checkout."""

    name: str
    python: Path
    folder: Path
    timeout_s: float

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT), *([str(ROOT / "src")] if self.name == "lineal" else [])])
        return {**os.environ, **load(self.name).environment(self.data), "PYTHONPATH": path}

    def start(self, command: list[str], out: int = subprocess.PIPE) -> subprocess.Popen[str]:
        with open(self.folder / "stderr.txt", "a", encoding="utf-8") as errors:
            return subprocess.Popen(
                [str(self.python), *command],
                stdout=out,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                cwd=self.folder,
                env=self.variables(),
                start_new_session=True,
            )

    def worker(self, measure: str, args: Mapping[str, Any]) -> list[str]:
        given = [
            "--tracker",
            self.name,
            "--measure",
            measure,
            "--folder",
            str(self.data),
            "--args",
            json.dumps(args),
        ]
        return ["-m", "benchmarks.worker", *given]

    def run(self, measure: str, args: Mapping[str, Any]) -> Figures:
        """One scenario in a worker; a time-out or a crash is an answer too."""
        child = self.start(self.worker(measure, args))
        try:
            out, _ = child.communicate(timeout=self.timeout_s)
        except subprocess.TimeoutExpired:
            end(child)
            return {"error": f"stopped after {self.timeout_s:.0f} s"}
        end(child)
        if child.returncode or not out.strip():
            said = (self.folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return {"error": f"exit {child.returncode}: {' / '.join(said[-2:])[-300:]}"}
        answer: Figures = json.loads(out.strip().splitlines()[-1])
        return answer


def wait(child: subprocess.Popen[str], timeout_s: float) -> int:
    """As `child.wait(timeout_s)`, which polls with growing naps and so would round a short life up to 16 ms."""
    alarm = threading.Timer(timeout_s, child.kill)
    alarm.start()
    try:
        return child.wait()
    finally:
        alarm.cancel()


def end(child: subprocess.Popen[str]) -> None:
    """End a worker that we started and whatever helper it left in its own session, by their ids."""
    for pid in {*process.session_members(child.pid), *([child.pid] if child.poll() is None else [])}:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    child.wait()


FIRST_LOG = """
import os, pathlib
from benchmarks.adapters import load
tool = load({name!r})
tool.import_tool()
tool.open(pathlib.Path({data!r}), "first-" + str(os.getpid()), {{"p0": 0.5}})
tool.log({{"m0": 0.5}}, 0)
os._exit(0)
"""


def cold(tracker: Tracker, repeats: int) -> Figures:
    """S1: whole processes in turn: one that does nothing, one that imports, one that imports, opens a run and
    ends when its first value is logged. The store is there already: the first turn is not counted."""
    codes = {
        "bare_ms": "pass",
        "import_ms": f"import {tracker.name}",
        "to_first_log_ms": FIRST_LOG.format(name=tracker.name, data=str(tracker.data)),
    }
    spent: dict[str, list[float]] = {key: [] for key in codes}
    for attempt in range(repeats + 1):
        for key, code in codes.items():
            before = time.perf_counter()
            child = tracker.start(["-c", code], subprocess.DEVNULL)
            failed = wait(child, tracker.timeout_s)
            took = (time.perf_counter() - before) * 1e3
            end(child)
            if failed:
                return {"error": f"{key}: exit {failed}"}
            if attempt:
                spent[key].append(took)
    bare = median(spent.pop("bare_ms"))
    return {"bare_ms": bare} | {key: median(times) - bare for key, times in spent.items()}


def _one_kill(tracker: Tracker, steps: int, metrics: int, pause_s: float) -> Figures:
    child = tracker.start(tracker.worker("kill_child", {"steps": steps, "metrics": metrics, "pause_s": pause_s}))
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], tracker.timeout_s)
    line = child.stdout.readline() if ready else ""
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    if not line:
        end(child)
        return {"error": "the child never said that it was done"}
    # a helper process survives its owner's death and may still save something: let it
    deadline = time.monotonic() + HELPERS_MAY_LINGER_S
    while process.session_members(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    end(child)
    return tracker.run("recover", {"run": json.loads(line)["run"], "steps": steps, "metrics": metrics})


def kill(tracker: Tracker, steps: int, metrics: int, pause_s: float, kills: int = 1) -> Figures:
    """S7: SIGKILL the logging process alone, as the kernel would; read with the tool's own way in a fresh
    one. Of several kills the worst counts."""
    outcomes = []
    for number in range(kills):
        place = tracker.folder / f"kill-{number}"
        place.mkdir()
        outcome = _one_kill(Tracker(tracker.name, tracker.python, place, tracker.timeout_s), steps, metrics, pause_s)
        if "error" in outcome:
            return outcome
        outcomes.append(outcome)
    worst = min(outcomes, key=lambda one: int(one["recovered"]))
    whole = sum(one["recovered"] == one["of"] for one in outcomes)
    return worst | {"kills": kills, "kills_whole": whole}


# The scenarios that are measured from outside; all the others run in a worker.
MEASURES: dict[str, Callable[..., Figures]] = {"cold": cold, "kill": kill}
