"""`lineal runs diff` on real folders."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineal
from lineal.record.records import CaptureSet


@pytest.fixture
def two(folder: Path) -> list[str]:
    ids = []
    for lr, loss in ((0.1, 0.5), (0.01, 0.25)):
        params = {"lr": lr, "same": "yes", "text": "1" if lr == 0.1 else 1}
        with lineal.init("e", f"lr-{lr}", params=params, tags={"team": "x"}, url=folder) as run:
            run.define_metric("score", goal="min")
            run.log({"val/loss": loss, "score": loss, "val/acc": loss})
        ids.append(run.run_id)
    with lineal.init("e", "third", tags={"team": "y"}, url=folder) as run:
        pass
    return [*ids, run.run_id]


def line_of(text: str, name: str) -> list[str]:
    [line] = [line.split() for line in text.splitlines() if line.split()[:1] == [name]]
    return line


def test_differences_and_the_best(invoke, two: list[str]) -> None:
    text = invoke("runs", "diff", *two[:2]).stdout
    assert line_of(text, "run")[1:] == [run_id[:8] for run_id in two[:2]]
    assert line_of(text, "lr") == ["lr", "0.1", "0.01"]
    assert line_of(text, "text") == ["text", '"1"', "1"]
    assert line_of(text, "val/loss") == ["val/loss", "0.5000", "0.2500", "*"]
    assert line_of(text, "score") == ["score", "0.5000", "0.2500", "*"], "as define_metric says"
    assert line_of(text, "val/acc") == ["val/acc", "0.5000", "*", "0.2500"]
    assert "same" not in text and "team" not in text
    assert "equal; --all shows them" in text
    assert text.isascii()


def test_all_shows_equal_lines_behind_the_differing(invoke, two: list[str]) -> None:
    text = invoke("runs", "diff", "--all", *two[:2]).stdout
    assert line_of(text, "same") == ["same", "yes", "yes"]
    assert text.index("lr") < text.index("same")


def test_what_a_run_lacks_is_a_dash(invoke, two: list[str]) -> None:
    text = invoke("runs", "diff", two[0], two[2]).stdout
    assert line_of(text, "lr") == ["lr", "0.1", "-"]
    assert line_of(text, "val/loss") == ["val/loss", "0.5000", "-"]
    assert "*" not in text, "one value is best at nothing"


def test_packages_of_large_environments(invoke, ask, folder: Path) -> None:
    run_ids = []
    for number in (1, 2):
        with lineal.init("e", url=folder) as run:
            said = {
                "packages": {"a": "1", "b": str(number)},
                "packages_left_out": 2_000,
                "lock": {"digest": str(number)},
            }
            run._say(CaptureSet(run._journal.identity.attempt, "environment", {"python": {"version": "3.12"}} | said))
        run_ids.append(run.run_id)
    text = " ".join(invoke("runs", "diff", *run_ids).stdout.split())
    assert "b 1 2 Packages after b are not compared" in text
    answer = ask("runs", "diff", *run_ids)
    assert answer["packages_unknown"].startswith("Packages after b") and not answer["is_empty"]
    page = " ".join(invoke("runs", "show", run_ids[0]).stdout.split())
    assert "2 packages by name and 2,000 more in its lock file" in page


def test_json_has_stable_fields(ask, two: list[str]) -> None:
    answer = ask("runs", "diff", *[run_id[:10] for run_id in two[:2]])
    assert set(answer) == {
        *("runs", "comparable", "attributes", "params", "metrics", "tags", "code", "packages", "datasets", "execution"),
        "packages_unknown",
        *("environment", "hardware", "parts", "parts_left_out", "equal_count", "is_empty"),
    }
    parting = {"metric": "val/loss", "labels": {}, "step": 0, "values": {two[0]: 0.5, two[1]: 0.25}}
    assert answer["parts"][-1] == parting and len(answer["parts"]) == 3
    assert answer["runs"][0] == {"run_id": two[0], "name": "lr-0.1", "experiment": "e", "status": "finished"}
    assert answer["params"][0] == {"name": "lr", "values": {two[0]: 0.1, two[1]: 0.01}, "differs": True}
    assert answer["params"][1]["values"] == {two[0]: "1", two[1]: 1}
    [loss] = [row for row in answer["metrics"] if row["name"] == "val/loss"]
    assert (loss["goal"], loss["best_run_ids"], loss["values"][two[1]]) == ("min", [two[1]], 0.25)
    attributes = {row["name"]: row["values"] for row in answer["attributes"]}
    assert attributes["start_time"][two[0]].endswith("Z")
    assert isinstance(attributes["duration_seconds"][two[0]], float)
    assert answer["tags"] == []
    whole = ask("runs", "diff", "--all", *two[:2])
    assert [row["name"] for row in whole["tags"]] == ["team"]
    assert {row["name"] for row in whole["params"]} == {"lr", "text", "same"}


def test_no_difference_is_said(invoke, folder: Path) -> None:
    ids = []
    for _ in range(2):
        with lineal.init("e", "twin", params={"lr": 1}, url=folder) as run:
            pass
        ids.append(run.run_id)
    text = invoke("runs", "diff", *ids).stdout
    assert "lr" not in text and "Params" not in text


@pytest.mark.parametrize(("take", "said"), [([0], "got 1"), ([0, 0], "got 1")])
def test_it_takes_two_to_ten(invoke, two: list[str], take: list[int], said: str) -> None:
    result = invoke("runs", "diff", *[two[index] for index in take])
    assert result.exit_code == 2
    assert "2 to 10" in result.stderr and said in result.stderr


def test_eleven_are_too_many(invoke, folder: Path) -> None:
    ids = []
    for _ in range(11):
        with lineal.init("e", url=folder) as run:
            pass
        ids.append(run.run_id)
    assert invoke("runs", "diff", *ids[:10]).exit_code == 0
    assert invoke("runs", "diff", *ids).exit_code == 2


def test_a_run_that_is_not_there(invoke, two: list[str]) -> None:
    assert invoke("runs", "diff", two[0], "nobody").exit_code == 3


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_it_fits_the_terminal_block_by_block(terminal, sweep: list[str], columns: int) -> None:
    raw, plain, status = terminal(columns, "runs", "diff", *sweep)
    assert status == 0
    assert max(map(len, plain.splitlines())) <= columns
    heads = [line for line in plain.splitlines() if line.startswith("run ")]
    assert [word for line in heads for word in line.split()[1:]] == [run_id[:8] for run_id in sweep]
    assert (len(heads) == 1) == (columns == 120)
    assert "\x1b[" in raw and "*" in plain


def test_names_are_text(terminal, invoke, folder: Path) -> None:
    ids = []
    for number in range(2):
        with lineal.init(
            "e",
            f"\x1b[2J[red]{number}",
            params={"\x07p": f"\u202e{number}"},
            tags={"t": f"\x1b]0;{number}"},
            url=folder,
        ) as run:
            pass
        ids.append(run.run_id)
    text = invoke("runs", "diff", *ids).stdout
    assert "[red]" in text
    assert not [character for character in text if not character.isprintable() and character != "\n"]
    raw, _, _ = terminal(100, "runs", "diff", *ids)
    assert "\x1b[2J" not in raw and "\x07" not in raw and "\u202e" not in raw
