"""Real runs beside real work: what the series and totals say of it, within what physics allows."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.client.capture.resources import sampler
from lineal.client.capture.resources.sampler import SAMPLER
from lineal.client.capture.resources.start import start
from lineal.model.spent import spent_of
from lineal.model.vocabulary import is_system

ROOT = Path(__file__).resolve().parents[5]
linux_only = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc")


def totals(folder: Path, run_id: str, part: str = "resources") -> dict[str, Any]:
    with lineal.open_store(folder) as store:
        capture = store.reader().find_capture(run_id, part)
    assert capture is not None
    content: dict[str, Any] = json.loads(capture.json_text)
    return content


def said(folder: Path, run_id: str) -> dict[str, Any]:
    return {info.key.name: info for info in lineal.get_run(run_id, url=folder).series if is_system(info.key.name)}


def wait_until(holds: Any) -> None:
    until_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)


@linux_only
def test_a_run_counts_from_the_end_of_one_that_was_over_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = sampler.Readers()
    monkeypatch.setattr(sampler, "RESOURCES_SHARED_S", math.inf)
    end = readers.look(machine=False).used
    used, traffic = readers.begin()
    assert used is end and readers.begin() == (used, traffic)
    monkeypatch.setattr(sampler, "RESOURCES_SHARED_S", 0.0)
    assert readers.begin()[0] is not end


WORK = """
import os, sys, time
folder = sys.argv[1]
import lineal
from lineal.client.capture.resources.start import start
with lineal.init("e", url=folder, run_id="r") as run:
    resources = start(run)
    held = bytearray(os.urandom(1)) * (200 << 20)
    with open(os.path.join(folder, "out"), "wb") as file:
        file.write(held[: 64 << 20])
        os.fsync(file.fileno())
    pid = os.fork()
    until = time.process_time() + 1.0
    while time.process_time() < until:
        sum(range(1_000))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    resources.stop()
    print(sum(os.times()[:4]))
"""


@linux_only
def test_what_a_program_used_is_what_it_says(tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    total, series = totals(tmp_path, "r"), said(tmp_path, "r")
    # Two processes burned a second each; with the start of Python it is what the kernel says at the end.
    assert 1.8 <= total["cpu_hours"] * 3600 <= float(done.stdout) + 0.1
    assert 0.9 <= total["wall_s"] < 150
    assert 190 << 20 < total["peak_memory_bytes"] < 1 << 30
    if total["disk_written_bytes"]:  # nothing is counted on a file system in memory
        assert 60 << 20 < total["disk_written_bytes"] < 1 << 30
    assert total["sample_count"] >= 1
    host = os.uname().nodename
    assert {info.key.labels for info in series.values()} == {(("host", host),)}
    for name in (
        "system/process/memory_bytes",
        "system/process/cpu_percent",
        "system/memory_bytes",
        "system/disk/free_bytes",
    ):
        assert series[name].summary.last > 0, name
    now_s = time.time()
    assert all(now_s - 600 < info.summary.last_step <= now_s for info in series.values())


def test_a_run_of_a_moment_says_its_totals_and_nothing_else(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run:
        begun_s = time.monotonic()
        start(run).stop()
        was_quick = time.monotonic() - begun_s < 1.0
    total = totals(tmp_path, run.run_id)
    assert total["wall_s"] >= 0 and total["peak_memory_bytes"] > 1 << 20
    if was_quick:
        assert said(tmp_path, run.run_id) == {}


def test_a_rank_says_its_own_totals_and_nothing_of_the_machine(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run, lineal.init("e", url=tmp_path, run_id=run.run_id, rank=2) as other:
        first, second = start(run, {}), start(other, {"LOCAL_RANK": "2"})
        wait_until(lambda: first._meter._totals.sample_count and second._meter._totals.sample_count)
        second.stop()
        first.stop()
    assert totals(tmp_path, run.run_id, f"resources.rank-2.{other._journal.writer}")["rank"] == 2
    assert "rank" not in totals(tmp_path, run.run_id)
    series = [info.key for info in lineal.get_run(run.run_id, url=tmp_path).series]
    assert {key.name.split("/")[1] for key in series if ("rank", "2") in key.labels} == {"process"}
    assert "system/memory_bytes" in {key.name for key in series if ("rank", "2") not in key.labels}


def test_ranks_of_a_resumed_run_add_to_what_they_used_before(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            lineal.init("e", url=tmp_path, run_id="r", resume="allow") as run,
            lineal.init("e", url=tmp_path, run_id="r", rank=1) as other,
        ):
            for part in (start(run, {}), start(other, {})):
                part.stop()
    captures = [one for one in lineal.get_run("r", url=tmp_path).captures if one.part.startswith("resources")]
    assert len(captures) == 4
    spent = spent_of(captures)
    assert spent is not None and spent.cpu_hours == pytest.approx(sum(one.content["cpu_hours"] for one in captures))


def test_a_process_that_joins_without_a_rank_replaces_no_totals(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path, run_id="r") as run:
        first = start(run, {})
        with lineal.init("e", url=tmp_path, run_id="r") as other:
            assert not other.primary
            second = start(other, {})
            first.stop()
            second.stop()
    [capture] = [one for one in lineal.get_run("r", url=tmp_path).captures if one.part.startswith("resources")]
    assert first._meter._totals.content(None)["wall_s"] == capture.content["wall_s"]


def test_stopped_twice_or_after_the_run_it_says_nothing_more(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run:
        resources = start(run)
        resources.stop()
        resources.stop()
        late = start(run)
    late.stop()
    assert lineal.get_run(run.run_id, url=tmp_path).losses == {}


def test_many_runs_share_one_thread_and_leave_nothing(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as warm:
        start(warm).stop()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
    for _ in range(20):
        with lineal.init("e", url=tmp_path) as run:
            start(run).stop()
    assert not SAMPLER._due
    if threads:
        assert len(os.listdir("/proc/self/task")) <= threads


def test_a_driver_that_hangs_keeps_no_run_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    asked = threading.Event()

    def hang() -> None:
        asked.set()
        gate.wait(120)

    with lineal.init("e", url=tmp_path) as run:
        resources = start(run)
        monkeypatch.setattr(SAMPLER.readers, "_read_gpus", hang)
        assert asked.wait(60)
        resources.stop()
        assert not gate.is_set()
    gate.set()
    assert totals(tmp_path, run.run_id)["wall_s"] >= 0


def test_a_reader_that_fails_costs_samples_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = threading.Event()

    def fail(**given: Any) -> None:
        rounds.set()
        raise ValueError("an odd kernel")

    with lineal.init("e", url=tmp_path) as run:
        resources = start(run)
        with monkeypatch.context() as patched:
            patched.setattr(SAMPLER.readers, "look", fail)
            assert rounds.wait(60)
        resources.stop()
    assert totals(tmp_path, run.run_id)["wall_s"] >= 0
