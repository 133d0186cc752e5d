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
    assert ask("runs", "list") == {"runs": [], "total": 0, "next_page_token": None}


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


# -- pages and orders ---------------------------------------------------------------------------


def test_several_keys_of_order(ask, sweep) -> None:
    wanted = ["sgd-0.01-2", "sgd-0.1-2", "sgd-0.01-1", "sgd-0.1-1", "sgd-0.01-0", "sgd-0.1-0"]
    keys = ["params.seed desc", "params.optimizer/lr"]
    for arguments in (["--order-by", ", ".join(keys)], ["--order-by", keys[0], "--order-by", keys[1]]):
        assert [run["name"] for run in ask("runs", "list", *arguments)["runs"]] == wanted


def test_pages_by_token_and_by_offset(ask, invoke, folder: Path, sweep) -> None:
    found, arguments = [], ["--limit", "4"]
    answer = ask("runs", "list", *arguments)
    found += answer["runs"]
    with lineal.init("sweep", "arrived meanwhile", url=folder):
        pass
    rest = ask("runs", "list", *arguments, "--page-token", answer["next_page_token"])
    found += rest["runs"]
    assert [run["run_id"] for run in found] == sweep[::-1]
    assert rest["next_page_token"] is None
    assert [run["run_id"] for run in ask("runs", "list", "--offset", "5")["runs"]] == sweep[1::-1]
    assert (
        invoke("runs", "list", "--offset", "2", "--limit", "3")
        .stdout.rstrip()
        .endswith("3 to 5 of 7 runs; next: --offset 5")
    )
    assert invoke("runs", "list", "--offset", "5").stdout.rstrip().endswith("6 to 7 of 7 runs")
    assert "--offset 7 leaves them out" in invoke("runs", "list", "--offset", "7").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--page-token", "nonsense"],
        ["--page-token", "TOKEN", "--offset", "1"],
        ["--page-token", "TOKEN", "params.seed = 1"],
        ["--offset", "-1"],
    ],
)
def test_pages_that_are_none(ask, invoke, sweep, arguments: list[str]) -> None:
    token = ask("runs", "list", "--limit", "1")["next_page_token"]
    result = invoke("runs", "list", *[token if text == "TOKEN" else text for text in arguments])
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_wrong_filter_points_at_the_place(ask, invoke, sweep) -> None:
    result = invoke("runs", "list", "params.seed = 1 and metrcs.x > 1")
    lines = result.stderr.splitlines()
    assert result.exit_code == 2
    assert lines[2].index("^") == lines[1].index("metrcs")
    error = ask("runs", "list", "params.seed = 1 and metrcs.x > 1")["error"]
    assert (error["code"], error["field"], error["position"]) == ("invalid_input", "filter", 20)
    assert error["expected"]


def test_an_aggregate_in_the_order_is_shown(invoke, sweep) -> None:
    header, first, *_ = rows(invoke("runs", "list", "--order-by", "max(metrics.train/loss), name").stdout)
    assert "max(train/loss)" in header and "1.000" in first


def test_deleted_runs_are_named_so(invoke, folder: Path, sweep) -> None:
    assert "is deleted" in invoke("runs", "list", "--deleted").stdout
    lineal.delete_run(sweep[0], url=folder)
    assert invoke("runs", "list", "--deleted").stdout.rstrip().endswith("1 deleted run")


def test_wide_names_fit_the_terminal(terminal, folder: Path) -> None:
    from rich.cells import cell_len

    for name in ("日本語の名前" * 10, "😀" * 40, "plain"):
        with lineal.init("実験" * 30, name, url=folder, params={"学習率": "値" * 30}) as run:
            run.log({"損失": 0.5})
    for columns in (80, 120):
        for arguments in (["runs", "list"], ["runs", "show", run.run_id]):
            _, plain, status = terminal(columns, *arguments)
            assert status == 0
            assert max(map(cell_len, plain.splitlines())) <= columns
            assert "plain" in plain


def test_no_color_is_honoured(terminal, sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in terminal(100, "runs", "list")[0]
    raw, plain, _ = terminal(100, "runs", "list", NO_COLOR="1")
    assert "val/accuracy" in plain
    assert not [part for part in raw.split("\x1b[")[1:] if part.partition("m")[0] not in ("0", "1", "2")]


# -- groups -------------------------------------------------------------------------------------


def test_groups_with_mean_and_spread(ask, invoke, sweep) -> None:
    answer = ask("runs", "list", "--group-by", "params.optimizer/lr", "--metric", "val/accuracy")
    assert answer["total"] == 2
    assert [(group["values"], group["run_count"]) for group in answer["groups"]] == [
        ({"params.optimizer/lr": 0.01}, 3),
        ({"params.optimizer/lr": 0.1}, 3),
    ]
    spread = answer["groups"][1]["metrics"]["metrics.val/accuracy"]
    assert spread == {
        "count": 3,
        "mean": pytest.approx(0.219),
        "std": pytest.approx(0.1),
        "min": pytest.approx(0.119),
        "max": pytest.approx(0.319),
    }
    assert answer["groups"][1]["run_ids"] == sweep[2::-1]
    header, _, second = rows(
        invoke("runs", "list", "--group-by", "params.optimizer/lr", "--metric", "val/accuracy").stdout
    )
    assert header == ["optimizer/lr", "runs", "val/accuracy", "min", "max"]
    assert second == ["0.1", "3", "0.2190", "+-", "0.10", "0.1190", "0.3190"]


def test_groups_ordered_by_a_mean(ask, invoke, sweep) -> None:
    """What they are ordered by is shown."""
    for order, expected in (("metrics.val/accuracy", [0.01, 0.1]), ("metrics.val/accuracy desc", [0.1, 0.01])):
        answer = ask("runs", "list", "--group-by", "params.optimizer/lr", "--order-by", order)
        assert [group["values"]["params.optimizer/lr"] for group in answer["groups"]] == expected
        means = [group["metrics"]["metrics.val/accuracy"]["mean"] for group in answer["groups"]]
        assert means == sorted(means, reverse=order.endswith("desc")) and means[0] != means[1]
    text = invoke("runs", "list", "--group-by", "params.optimizer/lr", "--order-by", "params.optimizer/lr desc").stdout
    assert [row[0] for row in rows(text)[:3]] == ["optimizer/lr", "0.1", "0.01"]


def test_groups_by_several_keys_filtered(ask, invoke, sweep) -> None:
    for arguments in (
        ["--group-by", "tags.setting,params.seed"],
        ["--group-by", "tags.setting", "--group-by", "params.seed"],
    ):
        answer = ask("runs", "list", "params.seed > 0", *arguments, "--limit", "3")
        assert (len(answer["groups"]), answer["total"]) == (3, 4)
        assert set(answer["groups"][0]["values"]) == {"tags.setting", "params.seed"}
        assert answer["groups"][0]["metrics"] == {}
    text = invoke("runs", "list", "--group-by", "tags.setting,params.seed", "--limit", "4").stdout
    assert "4 of 6 groups, 4 runs; more with --limit 6" in text
    assert "--metric NAME" in text


def test_a_group_of_what_is_missing(invoke, folder: Path, sweep) -> None:
    with lineal.init("sweep", "bare", url=folder):
        pass
    text = invoke(
        "runs", "list", "--group-by", "params.seed", "--metric", "duration", "--metric", "val/accuracy"
    ).stdout
    last = rows(text)[-1]
    assert last[:2] == ["-", "1"] and last[-3:] == ["-", "-", "-"]
    assert "no group" in invoke("runs", "list", "params.seed = 99", "--group-by", "params.seed").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--group-by", "nonsense"], "nonsense"),
        (["--group-by", "params.seed desc"], "no direction"),
        (["--group-by", "params.seed", "--order-by", "nonsense"], "nonsense"),
        (["--group-by", "params.seed", "--offset", "1"], "--offset goes without"),
        (["--group-by", "params.seed", "--page-token", "x"], "--page-token goes without"),
        (["--metric", "val/accuracy"], "--group-by"),
        (["--group-by", "params.seed", "--metric", "min("], ""),
    ],
)
def test_groups_that_are_none(invoke, sweep, arguments: list[str], said: str) -> None:
    result = invoke("runs", "list", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


METRICS = ["--metric", "val/accuracy", "--metric", "train/loss", "--metric", "duration"]


@pytest.mark.parametrize("columns", [80, 120])
def test_groups_fit_the_terminal(terminal, sweep, columns: int) -> None:
    _, plain, status = terminal(
        columns,
        "runs",
        "list",
        "--group-by",
        "params.optimizer/lr",
        "--metric",
        "val/accuracy",
        "--metric",
        "train/loss",
    )
    assert status == 0
    assert max(map(len, plain.splitlines())) <= columns
    assert "±" in plain and "…" not in plain, "extremes go before anything is cut"
    assert ("max" in plain) == (columns == 120)
