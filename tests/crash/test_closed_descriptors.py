"""A program that closes all descriptors that it does not know, as daemons do, keeps its own files: nobody writes to them, cuts them or
closes them because of their numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lineal

PROGRAM = """
import lineal, os, sys
run = lineal.init(url=sys.argv[1], run_id="r")
if run._captures is not None and run._captures._looking is not None:
    with run._captures._looking:
        pass
run.log({"x": 0})
print("one", flush=True)
os.closerange(3, 256)
files = [open(f"{sys.argv[2]}/{n}", "wb+", buffering=0) for n in range(60)]
for file in files:
    file.write(b"mine" * 50_000)
    file.seek(8)
for n in range(1, 50):
    run.log({"x": n})
run.log_params({"a": 1})
print("two", flush=True)
run.finish()
for file in files:
    assert file.tell() == 8, file.name
    file.seek(0)
    assert file.read() == b"mine" * 50_000, file.name
"""


@pytest.mark.parametrize("capture", ["none", "console,code"])
@pytest.mark.parametrize("mode", ["mapped", "write"])
def test_the_programs_own_files_stay_as_they_are(tmp_path: Path, mode: str, capture: str) -> None:
    place = tmp_path / "files"
    place.mkdir()
    environ = {**os.environ, "LINEAL_JOURNAL_WRITER": mode, "LINEAL_CAPTURE": capture}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "nb"), str(place)],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
    run = lineal.get_run("r", url=tmp_path / "nb")
    assert run.status == "finished" and run.params == {"a": 1}
    assert run.history("x").value.tolist() == list(range(50))
