"""One process at a time takes in a folder; the lock goes with its holder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineal.ingest import lock
from lineal.ingest.lock import ingest_lock
from lineal.model.errors import Busy, NotWritable

HOLD = """
import sys
from lineal.ingest.lock import ingest_lock
with ingest_lock(sys.argv[1], 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    path = str(tmp_path / "ingest.lock")
    env = {**os.environ, "PYTHONPATH": str(Path(lock.__file__).parents[2])}
    command = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def test_a_second_one_waits_and_then_is_told(holder):
    path, _ = holder
    started_s = time.monotonic()
    with pytest.raises(Busy), ingest_lock(path, 0.2):
        pass
    assert time.monotonic() - started_s >= 0.2


def test_death_frees_it(holder):
    path, process = holder
    process.kill()
    process.wait()
    with ingest_lock(path, 2):
        pass


def test_an_error_within_frees_it(tmp_path):
    path = str(tmp_path / "ingest.lock")
    with pytest.raises(ZeroDivisionError), ingest_lock(path, 0):
        1 / 0  # noqa: B018
    with ingest_lock(path, 0):
        pass
    assert Path(path).stat().st_mode & 0o077 == 0


def test_two_threads_of_one_process_exclude_each_other(tmp_path):
    path = str(tmp_path / "ingest.lock")
    with ingest_lock(path, 0), pytest.raises(Busy), ingest_lock(path, 0):
        pass


def test_where_no_lock_can_be_made(tmp_path):
    with pytest.raises(NotWritable), ingest_lock(str(tmp_path / "missing" / "ingest.lock"), 0):
        pass
