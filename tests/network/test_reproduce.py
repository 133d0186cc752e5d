"""`lineal reproduce` of a run on a server: read from there, made here, recorded there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

import lineal
from lineal.api import say_outside
from lineal.record.records import CaptureSet
from tests.network.conftest import detail_of, points_of, url_of
from tests.unit.reproduce.conftest import SEEDED, SRC, git


def test_a_run_on_a_server_is_made_again(server: httpx.Client, tmp_path: Path, own_folder: Path) -> None:
    url = url_of(server)
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    (root / "train.py").write_text(SEEDED)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    environment = os.environ | {"LINEAL_URL": url, "PYTHONPATH": str(SRC), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "train.py", "3"], cwd=root, env=environment, check=True)
    (original,) = lineal.runs(url=url)
    attempt = original.attempts[0].attempt_id
    execution = {"command": ["python", "train.py", "3"], "entry_point": {"kind": "script"}, "folder": str(root)}
    code = {"kind": "git", "root": str(root), "commit": git(root, "rev-parse", "HEAD").strip()}
    for part, content in (("execution", execution), ("code", code)):
        say_outside(original.run_id, CaptureSet(attempt, part, content), url, None)
    command = [
        sys.executable,
        "-m",
        "lineal.cli.main",
        "reproduce",
        original.run_id[:8],
        "--environment",
        "current",
        "--json",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "identical" and answer["counts"] == {"identical": 2}
    made = detail_of(server, answer["run_id"])
    assert made["tags"]["lineal.reproduces"] == original.run_id and made["status"] == "finished"
    assert points_of(server, answer["run_id"], "loss") == points_of(server, original.run_id, "loss")
    assert server.get(f"/runs/{answer['run_id']}/documents/reproduction").json()["verdict"] == "identical"
    assert not (root / ".lineal").exists()
