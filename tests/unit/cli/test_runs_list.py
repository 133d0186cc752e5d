"""`lineal runs list` on real folders."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import lineal
from lineal.cli import opening

RUN_FIELDS = {
    "run_id",
    "experiment_id",
    "parent_run_id",
    "name",
    "description",
    "status",
    "user_id",
    "start_time",
    "end_time",
    "duration_seconds",
    "params",
    "metrics",
    "tags",
    "artifact_uri",
    "lifecycle_stage",
}


def rows(text: str) -> list[list[str]]:
    """The cells of the table above the total."""
    return [line.split() for line in text.split("\n\n")[0].splitlines()]


def test_a_folder_that_is_not_there_says_the_next_step(invoke, folder: Path) -> None:
    result = invoke("runs", "list")
    assert result.exit_code == 0
    assert f"No runs in {folder} yet" in result.stdout
    assert "lineal demo" in result.stdout
    assert not folder.exists(), "a question makes no folder"


def test_json_of_nothing(ask) -> None:
    assert ask("runs", "list") == {"runs": [], "total": 0}


def test_no_match_is_not_the_same_as_no_runs(invoke, sweep) -> None:
    result = invoke("runs", "list", "params.seed = 99")
    assert result.exit_code == 0
    assert "matches" in result.stdout and "yet" not in result.stdout


def test_an_experiment_that_is_not_there_names_those_that_are(invoke, sweep) -> None:
    assert "There are: sweep" in invoke("runs", "list", "--experiment", "nothing").stdout


def test_newest_first_with_total(invoke, sweep) -> None:
    result = invoke("runs", "list", "--limit", "4")
    header, *body = rows(result.stdout)
    assert header[:6] == ["run", "name", "experiment", "status", "started", "took"]
    assert [row[0] for row in body] == [run_id[:8] for run_id in sweep[:1:-1]]
    assert all("finished" in row for row in body)
    assert result.stdout.rstrip().endswith("4 of 6 runs; more with --limit 6")


def test_json_has_the_fields_of_the_contract(ask, sweep) -> None:
    answer = ask("runs", "list", "--limit", "2")
    assert answer["total"] == 6
    assert [run["run_id"] for run in answer["runs"]] == sweep[:3:-1]
    for run in answer["runs"]:
        assert set(run) == RUN_FIELDS
        assert run["start_time"].endswith("Z") and run["end_time"].endswith("Z")
        assert run["metrics"]["train/loss"] == 1 / 20


def test_filter_order_experiment_and_tenant(ask, folder: Path, sweep) -> None:
    with lineal.init("other", "stranger", url=folder):
        pass
    with lineal.init("sweep", "elsewhere", url=folder, tenant="acme"):
        pass
    assert ask("runs", "list", "params.optimizer/lr = 0.1 and metrics.val/accuracy > 0.2")["total"] == 2
    best = ask("runs", "list", "--order-by", "metrics.val/accuracy desc")["runs"][0]
    assert best["name"] == "sgd-0.1-2"
    assert [run["name"] for run in ask("runs", "list", "--experiment", "other")["runs"]] == ["stranger"]
    assert ask("runs", "list", "--experiment", "nothing")["total"] == 0
    assert [run["name"] for run in ask("runs", "list", "--tenant", "acme")["runs"]] == ["elsewhere"]


def test_what_was_asked_for_is_shown(invoke, sweep) -> None:
    header = rows(invoke("runs", "list", "tags.setting != 'x'", "--order-by", "params.seed").stdout)[0]
    assert {"seed", "setting"} <= set(header)


def test_params_that_are_the_same_everywhere_are_not_shown(invoke, folder: Path, sweep) -> None:
    with lineal.init("sweep", "without params", url=folder):
        pass
    header = rows(invoke("runs", "list").stdout)[0]
    assert "optimizer/lr" in header and "optimizer/name" not in header


def test_metrics_that_judge_come_before_those_of_training(invoke, sweep) -> None:
    header = rows(invoke("runs", "list").stdout)[0]
    assert header.index("val/accuracy") < header.index("train/loss")


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_it_fits_the_terminal(terminal, sweep, columns: int) -> None:
    raw, plain, status = terminal(columns, "runs", "list")
    assert status == 0
    assert max(map(len, plain.splitlines())) <= columns
    assert "\x1b[" in raw, "colours on a terminal"
    assert "val/accuracy" in plain or columns < 80
    assert "…" not in plain.split("\n\n")[0] or columns < 80
    # An experiment that all share is said where there is room.
    assert ("experiment" in plain) == (columns >= 100)


def test_it_says_when_much_must_be_taken_in_first(
    folder: Path, sweep, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    for many, said in ((500, ""), (6, "Taking in 6 journals (0 MiB) ...\n")):
        monkeypatch.setattr(opening, "_MANY_SEGMENTS", many)
        with opening.opened(str(folder), None):
            assert capsys.readouterr().err == said


def test_a_pipe_gets_plain_lines(invoke, sweep) -> None:
    text = invoke("runs", "list").stdout
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert text.isascii()


def test_names_are_text_and_never_a_program(terminal, invoke, folder: Path) -> None:
    evil = "[red]x[/red] \x1b[2J\x07 \u202e"
    with lineal.init(
        evil, evil, params={"\x1b[31m": "\x1b]0;title\x07"}, tags={"a\nb": "c\x1bd"}, url=folder, note=evil
    ) as run:
        run.log({"m\x1b[2J": 1.0})
    for arguments in (
        ["runs", "list"],
        ["runs", "list", "--order-by", "params.`\x1b[31m`"],
        ["runs", "show", run.run_id],
    ):
        text = invoke(*arguments).stdout
        assert "[red]" in text
        assert not [character for character in text if not character.isprintable() and character != "\n"]
        raw, _, _ = terminal(140, *arguments)
        assert "\x1b[2J" not in raw and "\x07" not in raw and "\x1b]0" not in raw and "\u202e" not in raw


def test_numbers_that_json_lacks_are_strings(invoke, folder: Path) -> None:
    with lineal.init("e", url=folder, params={"p": math.inf}) as run:
        run.log({"nan": math.nan, "up": math.inf, "down": -math.inf, "big": 2**53 + 1, "third": 1 / 3})
    text = invoke("runs", "list", "--json").stdout
    metrics = json.loads(text, parse_constant=pytest.fail)["runs"][0]["metrics"]
    assert metrics == {"nan": "NaN", "up": "Infinity", "down": "-Infinity", "big": 2**53 + 1, "third": 1 / 3}
    shown = invoke("runs", "list").stdout
    assert "NaN" in shown and "-inf" in shown


def test_ids_that_begin_alike_are_shown_far_enough(invoke, folder: Path) -> None:
    ids = ["a" * 31 + digit for digit in "01"]
    for run_id in ids:
        with lineal.init("e", run_id=run_id, url=folder):
            pass
    assert sorted(row[0] for row in rows(invoke("runs", "list").stdout)[1:]) == ids


def test_a_run_that_still_runs_is_listed(invoke, ask, folder: Path) -> None:
    run = lineal.init("e", "alive", url=folder)
    try:
        run.log({"loss": 1.0})
        [listed] = ask("runs", "list")["runs"]
        assert (listed["status"], listed["end_time"], listed["duration_seconds"]) == ("running", None, None)
        assert listed["metrics"] == {"loss": 1.0}
        assert "running" in invoke("runs", "list").stdout
    finally:
        run.finish()
    assert "finished" in invoke("runs", "list", "status = 'finished'").stdout
