"""An import that is killed goes on, and what it took is taken once, whatever MLflow did meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lineal
from tests.importing.foreign import Foreign, filled, run_id_of
from tests.importing.test_mlflow_stores import bring

PROGRAM = """
import os, signal, sys
import lineal.importing.destination as destination
import lineal.importing.mlflow_import as importing
import lineal.importing.segments as segments
from lineal.importing.mlflow_sql import MlflowSql
from lineal.api import open_store

source, folder, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
segments.Segments.__init__.__kwdefaults__["segment_bytes"] = 4096
destination.IMPORT_TRANSACTION_BYTES = 6000
importing.IMPORT_RUNS_COUNT = 2

class Killed(destination.FolderDestination):
    def flush(self):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        super().flush()

    def take_file(self, path):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return super().take_file(path)

with open_store(folder) as store:
    assert importing.MlflowImport(MlflowSql(source), Killed(store)).run().is_whole
"""


def import_until(source: str, folder: Path, left: int) -> bool:
    """Whether it came to its end before it was killed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, source, str(folder), str(left)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode == 0


def state(folder: Path) -> dict:
    """All that is there of every run."""
    found = {}
    with lineal.open_store(folder) as store:
        for run in (*store.runs(limit=1_000), *store.runs(limit=1_000, deleted=True)):
            histories = {str(info.key): run.history(info.key.name, labels=dict(info.key.labels)) for info in run.series}
            found[run.run_id] = {
                "run": run.to_dict(),
                "note": run.note,
                "losses": run.losses,
                "attempts": [(one.status, one.started_ms, one.ended_ms) for one in run.attempts],
                "artifacts": [(one.path, one.version, one.digest) for one in run.artifacts],
                "points": {
                    name: sorted(zip(one.step.tolist(), one.time_ms.tolist(), one.value.tolist(), strict=True))
                    for name, one in histories.items()
                },
            }
    return found


@pytest.fixture
def source(tmp_path: Path) -> Foreign:
    made = filled(tmp_path / "mlflow.db", runs=3, steps=150)
    files = tmp_path / "files"
    files.mkdir()
    (files / "model.bin").write_bytes(os.urandom(5_000))
    made.say("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(files), run_id_of(1))
    return made


def test_it_goes_on_where_it_was_killed(source: Foreign, tmp_path: Path) -> None:
    bring(source.url, tmp_path / "whole")
    kills = 0
    while not import_until(source.url, tmp_path / "killed", 2 + kills % 3):
        kills += 1
        assert kills < 40
    assert kills >= 3
    assert state(tmp_path / "killed") == state(tmp_path / "whole")
    said = bring(source.url, tmp_path / "killed")
    assert said["found"] == said["there"] and said["runs"]["unchanged"] == 3


def test_it_goes_on_although_mlflow_went_on_meanwhile(source: Foreign, tmp_path: Path) -> None:
    assert not import_until(source.url, tmp_path / "killed", 4)
    for number in range(3):
        source.add_points(run_id_of(number), "m/0", ((step, -1.0) for step in range(-5, 3)), at_ms=10)
        source.add_points(run_id_of(number), "a/new", [(1, 2.0)])
        source.add_text("params", run_id_of(number), zeta="1")
    bring(source.url, tmp_path / "whole")
    said = bring(source.url, tmp_path / "killed")
    assert said["found"] == said["there"]
    assert state(tmp_path / "killed") == state(tmp_path / "whole")


def test_what_waits_as_a_journal_is_taken_in_first(source: Foreign, tmp_path: Path) -> None:
    """A run of that id that somebody has logged here, too: the import adds what it lacks."""
    with lineal.init("digits", "by hand", run_id=run_id_of(1), url=tmp_path / "lineal") as run:
        run.log({"m/0": 1.5}, step=-1)
    said = bring(source.url, tmp_path / "lineal")
    assert said["found"] == said["there"] and said["runs"] == {"new": 2, "changed": 1, "unchanged": 0}
    with lineal.open_store(tmp_path / "lineal") as store:
        history = store.get_run(run_id_of(1)).history("m/0")
        assert len(history) == 151 and history.value.tolist().count(1.5) == 2
