"""`lineal experiments` on real folders."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineal

FIELDS = {
    "id",
    "name",
    "description",
    "artifact_location",
    "lifecycle_stage",
    "created_at",
    "last_updated",
    "tags",
}


@pytest.fixture
def three(folder: Path, sweep: list[str]) -> list[str]:
    """sweep with six runs, one of them deleted; other with a failed run; empty without any."""
    run = lineal.init("other", url=folder)
    run.finish("failed")
    lineal.set_experiment("empty", description="none yet", tags={"team": "vision"}, url=folder)
    lineal.delete_run(sweep[0], url=folder)
    return sweep


def names(ask, *arguments: str) -> list[str]:
    return [one["name"] for one in ask("experiments", "list", *arguments)["experiments"]]


def test_no_folder_says_the_next_step(invoke, ask, folder: Path) -> None:
    assert "lineal experiments set NAME" in invoke("experiments", "list").stdout
    assert ask("experiments", "list") == {"experiments": [], "total": 0}
    assert not folder.exists()


def test_list_by_name_with_counts(invoke, ask, three: list[str]) -> None:
    lines = [line.split() for line in invoke("experiments", "list").stdout.splitlines()]
    assert lines[0] == ["experiment", "runs", "last", "run", "about", "tags"]
    assert lines[1] == ["empty", "0", "none", "yet", "team=vision"]
    assert [line[:2] for line in lines[2:4]] == [["other", "1"], ["sweep", "5"]]
    assert lines[-1] == ["3", "experiments"]
    answer = ask("experiments", "list")
    assert answer["total"] == 3
    assert all(set(one) == FIELDS | {"run_count", "latest_start_time"} for one in answer["experiments"])
    assert [(one["run_count"], bool(one["latest_start_time"])) for one in answer["experiments"]] == [
        (0, False),
        (1, True),
        (5, True),
    ]


def test_list_searches_and_pages(invoke, ask, three: list[str]) -> None:
    assert names(ask, "E") == ["empty", "other", "sweep"]
    assert names(ask, "WEE") == ["sweep"]
    assert names(ask, "--limit", "1", "--offset", "1") == ["other"]
    assert invoke("experiments", "list", "--limit", "1").stdout.splitlines()[-1] == "1 of 3 experiments"
    assert "lineal experiments list" in invoke("experiments", "list", "nothing").stdout


def test_show_by_name_or_id(invoke, ask, three: list[str]) -> None:
    seen = ask("experiments", "show", "sweep")
    assert set(seen) == FIELDS | {"run_count", "latest_start_time", "deleted_run_count", "status_counts"}
    assert (seen["run_count"], seen["deleted_run_count"]) == (5, 1)
    assert seen["status_counts"] == {"running": 0, "finished": 5, "failed": 0, "killed": 0, "lost": 0}
    assert ask("experiments", "show", seen["id"]) == seen
    text = invoke("experiments", "show", "sweep").stdout
    assert text.splitlines()[0] == "sweep"
    assert "5 (5 finished), and 1 deleted" in text
    assert "lineal runs list --experiment sweep" in text
    assert "1 (1 failed)" in invoke("experiments", "show", "other").stdout


def test_set_describes_tags_and_makes(ask, invoke, folder: Path) -> None:
    made = ask("experiments", "set", "new", "a=1", "b=x=y", "--description", "something")
    assert set(made) == FIELDS
    assert (made["description"], made["tags"]) == ("something", {"a": "1", "b": "x=y"})
    again = ask("experiments", "set", "new", "c=", "--remove", "a")
    assert (again["id"], again["description"], again["tags"]) == (made["id"], "something", {"b": "x=y", "c": ""})
    assert invoke("experiments", "set", "new").stdout == "Set experiment new.\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["show", "nobody"], 3),
        (["delete", "nobody"], 3),
        (["restore", "nobody"], 3),
        (["set", "x", "no tag"], 2),
        (["set", ""], 2),
        (["set", "x" * 256], 2),
        (["set", "x", "--description", "x" * 1_001], 2),
        (["set", "x", "a=b", "--remove", "a"], 2),
        (["list", "--limit", "-1"], 2),
    ],
)
def test_what_cannot_be_done(invoke, ask, sweep: list[str], arguments: list[str], status: int) -> None:
    result = invoke("experiments", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.strip()
    assert names(ask) == ["sweep"]


def test_delete_leaves_the_runs_and_restore_undoes_it(invoke, ask, three: list[str]) -> None:
    result = invoke("experiments", "delete", "sweep")
    assert result.stdout == "Deleted experiment sweep. To bring it back: lineal experiments restore sweep\n"
    assert (names(ask), names(ask, "--deleted")) == (["empty", "other"], ["sweep"])
    assert ask("runs", "list", "--experiment", "sweep")["total"] == 5
    assert "deleted" in invoke("experiments", "show", "sweep").stdout.splitlines()[0]
    assert invoke("experiments", "delete", "sweep").stdout.startswith("Nothing to do")
    back = ask("experiments", "restore", "sweep")
    assert (back["lifecycle_stage"], back["run_ids"]) == ("active", [])
    assert names(ask) == ["empty", "other", "sweep"]


def test_delete_and_restore_with_runs(invoke, ask, three: list[str]) -> None:
    answer = ask("experiments", "delete", "sweep", "--with-runs")
    assert (answer["lifecycle_stage"], set(answer["run_ids"])) == ("deleted", set(three[1:]))
    assert ask("runs", "list")["total"] == 1
    result = invoke("experiments", "restore", "sweep", "--with-runs")
    assert result.stdout == "Restored experiment sweep and 6 runs.\n"
    assert ask("runs", "list", "--experiment", "sweep")["total"] == 6
    assert "restore --with-runs sweep" in invoke("experiments", "delete", "--with-runs", "sweep").stdout


def test_all_deleted_is_not_none_yet(invoke, folder: Path) -> None:
    lineal.set_experiment("only", url=folder)
    invoke("experiments", "delete", "only")
    assert "lineal experiments list --deleted" in invoke("experiments", "list").stdout


def test_names_are_text_and_fit(terminal, invoke, folder: Path) -> None:
    lineal.set_experiment("\x1b[2J[red] it's {} 😀 日本" + "x" * 100, description="\u202e" + "y" * 300, url=folder)
    for arguments in (["list"], ["show", "\x1b[2J[red] it's {} 😀 日本" + "x" * 100]):
        raw, plain, status = terminal(80, "experiments", *arguments)
        assert status == 0
        assert "\x1b[2J" not in raw and "\u202e" not in raw and "[red]" in plain
    listed = terminal(80, "experiments", "list")[1]
    from rich.cells import cell_len

    assert max(map(cell_len, listed.splitlines())) <= 80


def test_an_experiment_is_renamed(ask, invoke, sweep: list[str], folder: Path) -> None:
    name = ask("experiments", "list")["experiments"][0]["name"]
    with lineal.init("other", url=folder):
        pass
    assert "is now called scans" in invoke("experiments", "rename", name, "scans").stdout
    assert (
        ask("runs", "list", "--experiment", name)["total"] == ask("runs", "list", "--experiment", "scans")["total"] > 0
    )
    with lineal.init(name, url=folder) as run:  # a script that does not know
        pass
    assert lineal.get_run(run.run_id, url=folder).experiment == "scans"
    assert ask("experiments", "show", name)["name"] == "scans"
    refused = invoke("experiments", "rename", "other", name)
    assert refused.exit_code == 4 and "former name" in refused.stderr
    assert invoke("experiments", "rename", "other", "scans").exit_code == 4
    assert invoke("experiments", "rename", "nobody", "x").exit_code == 3
    assert ask("experiments", "rename", "scans", name)["name"] == name
    assert lineal.get_run(run.run_id, url=folder).experiment == name
