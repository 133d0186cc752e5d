"""The commands of "Work in the terminal" do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import lineal

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "work-in-the-terminal.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the docs are not here")
def test_every_command_of_the_page_runs(invoke, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run_id, loss in (("4f1c", 0.4), ("9a20", 0.6), ("c07d", 3.0)):
        with lineal.init("digits", run_id=run_id, params={"lr": 0.01}, url=folder) as run:
            run.log({"val/loss": loss})
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line.partition(" | ")[0] for line in "".join(blocks).splitlines() if "--watch" not in line]
    assert len(lines) > 10
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "lineal"
        result = invoke(*arguments)
        assert result.exit_code == 0, (line, result.stderr)
        assert "no run matches" not in result.stdout
    assert lineal.get_run("4f1c", url=folder).name == "the good one"
    assert lineal.get_run("c07d", url=folder).tags == {"hopeless": "yes"}
    assert (tmp_path / "digits.csv").exists() and (tmp_path / "points.parquet").exists()
