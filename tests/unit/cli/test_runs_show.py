"""`lineal runs show` on real folders."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lineal

SRC = Path(__file__).resolve().parents[3] / "src"


@pytest.fixture
def rich_run(folder: Path) -> str:
    """A run with something of everything."""
    params = {"model": {"hidden": [64, 64], "kind": "mlp"}, "lr": 0.1, "text": "0.1", "none": None}
    with lineal.init("e", "everything", params=params, tags={"team": "vision"}, url=folder, description="a try") as run:
        for step in range(1_000):
            run.log({"loss": math.exp(-step / 100), "step2": step**2, "nan": math.nan}, step=step)
        run.log({"loss": "high"})
        run.log_params({"lr": 0.2})
        run.set_note("# Worth it\n\nIt *works*.")
        run.set_json("review", {"score": 5})
        run.log_text("one", "out/log.txt")
        run.log_text("two!", "out/log.txt")
        run.log_artifact("s3://bucket/model.bin", mode="reference")
    return run.run_id


def test_a_beginning_of_the_id_is_enough(ask, invoke, sweep) -> None:
    assert ask("runs", "show", sweep[0][:10])["run_id"] == sweep[0]
    result = invoke("runs", "show", "")
    assert result.exit_code == 2
    assert "more characters" in result.stderr


def test_everything_is_on_the_page(invoke, rich_run: str) -> None:
    text = invoke("runs", "show", rich_run).stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "everything finished"
    for line in (
        f"run {rich_run}",
        "experiment e",
        "about a try",
        "lr 0.1",
        "none None",
        'text "0.1"',
        "model/",
        "hidden [64,64]",
        "team vision",
        "# Worth it",
        "out/log.txt 3 bytes version 1 of 2, sha256 7692c3ad3540",
        "out/log.txt 4 bytes version 2 of 2, sha256 b9fb71c1a5ff",
        "model.bin ? reference to s3://bucket/model.bin",
        "review",
        "Not recorded: values that are no numbers (1)",
        "Conflict: param lr was 0.1 already, and 0.2 was refused",
    ):
        if "sha256" in line:
            line = line.rpartition(" ")[0]
        assert any(line in one for one in lines), line
    [loss] = [line for line in lines if line.startswith("loss ")]
    assert loss.split()[1:6] == ["4.586e-05", "4.586e-05", "1.000", "0.1005", "1,000"]
    assert loss.split()[6].startswith("█") and loss.split()[6].endswith("▁")


def test_json_has_everything_of_the_page(ask, rich_run: str) -> None:
    run = ask("runs", "show", rich_run)
    assert run["experiment"] == "e"
    assert run["note"].startswith("# Worth it")
    assert run["losses"] == {"not_a_number": 1}
    assert [(one["name"], one["kept"], one["refused"]) for one in run["conflicts"]] == [("lr", 0.1, 0.2)]
    assert [(one["path"], one["version"], one["size_bytes"]) for one in run["artifacts"]] == [
        ("model.bin", 1, None),
        ("out/log.txt", 1, 3),
        ("out/log.txt", 2, 4),
    ]
    [attempt] = run["attempts"]
    assert (attempt["status"], attempt["pid"]) == ("finished", os.getpid())
    series = {one["name"]: one for one in run["series"]}
    assert series["loss"]["count"] == 1_000 and series["loss"]["first"] == 1.0
    assert (series["nan"]["last"], series["nan"]["min"], series["nan"]["nan_count"]) == ("NaN", None, 1_000)
    assert series["step2"]["max"] == 999**2
    assert "review" in run["documents"]


@pytest.mark.parametrize("columns", [80, 140])
def test_it_fits_the_terminal(terminal, rich_run: str, columns: int) -> None:
    raw, plain, status = terminal(columns, "runs", "show", rich_run)
    assert status == 0
    assert max(map(len, plain.splitlines())) <= columns
    assert "\x1b[" in raw
    for name in ("loss", "step2", "nan", "team", "hidden", "Worth it"):
        assert name in plain
    assert "█" in plain


def test_a_failure_shows_what_failed(invoke, folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), lineal.init("e", url=folder) as run:
        run.log({"loss": 1 / 0})
    text = invoke("runs", "show", run.run_id).stdout
    assert "failed" in text.splitlines()[0]
    assert "ZeroDivisionError: division by zero" in text


def test_a_killed_process_is_lost_and_keeps_what_it_said(invoke, ask, folder: Path) -> None:
    program = (
        "import lineal, os, signal\n"
        f"run = lineal.init('e', run_id='victim', url={str(folder)!r})\n"
        "for step in range(500): run.log({'loss': step}, step=step)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(SRC)})
    assert died.returncode == -signal.SIGKILL
    run = ask("runs", "show", "victim")
    assert (run["status"], run["metrics"], run["series"][0]["count"]) == ("lost", {"loss": 499}, 500)
    assert "died without a word" in invoke("runs", "show", "victim").stdout


def test_a_resumed_run_shows_its_attempts(invoke, folder: Path) -> None:
    for status in ("failed", "finished"):
        run = lineal.init("e", run_id="twice", resume="allow", url=folder)
        run.log({"loss": 1.0})
        run.finish(status)
    text = invoke("runs", "show", "twice").stdout
    attempts = text.partition("Attempts\n")[2].splitlines()
    assert [line.split()[:2] for line in attempts] == [["1", "failed"], ["2", "finished"]]


def test_parents_and_forks_are_named(invoke, folder: Path) -> None:
    with (
        lineal.init("e", "mother", url=folder) as mother,
        lineal.init("e", parent_run_id=mother.run_id, url=folder) as child,
    ):
        child.log({"loss": 1.0}, step=7)
    with lineal.init("e", fork_from=f"{child.run_id}@7", url=folder) as fork:
        pass
    assert f"{mother.run_id} (mother)" in invoke("runs", "show", child.run_id).stdout
    assert "at step 7" in invoke("runs", "show", fork.run_id).stdout


def test_series_with_labels_are_told_apart(invoke, folder: Path) -> None:
    for rank in (0, 1):
        with lineal.init("e", run_id="ranks", rank=rank, url=folder) as run:
            run.log({"loss": float(rank)}, step=0)
    text = invoke("runs", "show", "ranks").stdout
    assert "loss (rank=1)" in text


def test_a_run_of_nothing(invoke, folder: Path) -> None:
    with lineal.init("e", "empty", url=folder) as run:
        pass
    text = invoke("runs", "show", run.run_id).stdout
    assert "Params" not in text and "Metrics" not in text
    assert text.startswith("empty  finished\n")
    assert "\n\n\n" not in text


def test_a_deleted_run_says_so(invoke, folder: Path, sweep) -> None:
    lineal.delete_run(sweep[0], url=folder)
    assert "deleted" in invoke("runs", "show", sweep[0]).stdout.splitlines()[0]
    assert sweep[0][:8] not in invoke("runs", "list").stdout


def test_a_long_value_is_cut_and_says_where_it_is_whole(invoke, ask, folder: Path) -> None:
    with lineal.init("e", url=folder, params={"long": "x" * 5_000}) as run:
        pass
    text = invoke("runs", "show", run.run_id).stdout
    assert "5,000 characters" in text and "x" * 300 not in text
    assert ask("runs", "show", run.run_id)["params"]["long"] == "x" * 5_000


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_long_names_give_way_before_numbers_do(terminal, folder: Path, columns: int) -> None:
    with lineal.init("e", url=folder) as run:
        for step in range(50):
            run.log(
                {"train/a_metric_with_quite_a_long_name_that_goes_on": 1 / (step + 7), "lr": 1e-5 / (step + 3)},
                step=step,
            )
    _, plain, status = terminal(columns, "runs", "show", run.run_id)
    assert status == 0
    metrics = plain.partition("Metrics\n")[2]
    assert not re.search(r"\d…", metrics)
    assert "1.923e-07" in metrics and "█" in metrics
    assert max(map(len, plain.splitlines())) <= columns


def test_what_a_run_used_is_on_the_page_and_in_json(ask, invoke, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "train.csv"
    data.write_text("a,b\n1,2\n")
    with lineal.init("e", "maker", url=folder) as maker:
        maker.log_text("weights", "model.txt")
        maker.log_model("digits", str(data))
    lineal.promote("digits/1", to="staging", alias="champion", lock_run=False, url=folder)
    with lineal.init("e", "user", url=folder) as run:
        run.log_dataset("train", str(data), version="2.1", context="training")
        run.use_artifact(f"{maker.run_id}:model.txt")
        run.use_model("digits@champion")
    lines = [" ".join(line.split()) for line in invoke("runs", "show", run.run_id).stdout.splitlines()]
    answer = ask("runs", "show", run.run_id)
    digest = answer["datasets"][0]["digest"]
    taken = answer["artifact_uses"][0]
    assert (taken["run_id"], taken["path"], taken["version"]) == (maker.run_id, "model.txt", 1)
    assert [one["name"] for one in answer["version_uses"]] == ["digits"]
    assert f"training train@{digest[:12]} version 2.1 {data}" in " ".join(lines)
    assert f"artifact {maker.run_id[:8]}:model.txt@1 sha256 {taken['digest'][:12]}" in lines
    assert "model digits/1 staging @champion" in lines
    assert "Used" not in invoke("runs", "show", maker.run_id).stdout


def test_models_that_are_not_here_and_very_many_uses(ask, invoke, folder: Path) -> None:
    from lineal.record.records import DatasetUsed, ModelUsed, ModelVersionUsed

    with lineal.init("e", url=folder) as run:
        run._say(ModelVersionUsed("f" * 32, "gone"))
        run._say(ModelUsed("m-1", "input"))
        run._say(ModelUsed("m-2", "output", 7))
        for number in range(60):
            run._say(DatasetUsed(f"d{number:02}", "1"))
    text = " ".join(invoke("runs", "show", run.run_id).stdout.split())
    assert "data d00@1" in text and "and 13 more: --json has them" in text and "d55@1" not in text
    assert len(ask("runs", "show", run.run_id)["datasets"]) == 60
    with lineal.init("e", url=folder) as run:
        run._say(ModelVersionUsed("f" * 32, "gone"))
        run._say(ModelUsed("m-1", "input"))
        run._say(ModelUsed("m-2", "output", 7))
    text = " ".join(invoke("runs", "show", run.run_id).stdout.split())
    assert f"model gone, version {'f' * 32}, which is not here" in text
    assert "model logged model m-1" in text and "put out logged model m-2" in text
