"""What the shell is told behind TAB, asked as a shell asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import lineal

SRC = Path(__file__).resolve().parents[3] / "src"
PROGRAM = "from lineal.cli.main import lineal; lineal(prog_name='lineal')"


def completed(folder: Path, *words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "PYTHONPATH": str(SRC),
            "LINEAL_URL": str(folder),
            "_LINEAL_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("lineal", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_runs_and_experiments(folder: Path, sweep: list[str]) -> None:
    for command in ("show", "diff", "delete", "tag", "note"):
        assert completed(folder, "runs", command, sweep[0][:12]) == [sweep[0]]
    assert completed(folder, "runs", "list", "--experiment", "sw") == ["sweep"]
    assert completed(folder, "experiments", "show", "sw") == ["sweep"]
    assert completed(folder, "experiments", "show", "x") == []
    assert set(completed(folder, "runs", "re")) == {"rename", "restore"}


def test_the_folder_and_tenant_of_the_line_count(tmp_path: Path, folder: Path, sweep: list[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    with lineal.init("e", run_id="only-there", url=elsewhere, tenant="acme"):
        pass
    assert completed(folder, "runs", "show", "--folder", str(elsewhere), "--tenant", "acme", "only") == ["only-there"]
    assert completed(folder, "runs", "show", "--folder", str(elsewhere), "only") == []


def test_nothing_is_said_where_nothing_can_be(folder: Path) -> None:
    assert completed(folder, "runs", "show", "a") == []
    assert not folder.exists()
    folder.write_text("not a folder")
    assert completed(folder, "runs", "show", "a") == []
