"""`lineal runs tag`, `delete` and `restore` on real folders."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import lineal

SRC = Path(__file__).resolve().parents[3] / "src"


def listed(ask, *arguments: str) -> set[str]:
    return {run["run_id"] for run in ask("runs", "list", *arguments)["runs"]}


# -- tag ----------------------------------------------------------------------------------------


def test_tags_are_set_and_removed_by_prefix(invoke, ask, sweep: list[str]) -> None:
    result = invoke("runs", "tag", sweep[0][:10], sweep[1], "stage=candidate", "formula=a=b", "empty=")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Tagged 2 runs."
    for run_id in sweep[:2]:
        assert ask("runs", "show", run_id)["tags"] == {
            "setting": "lr 0.1",
            "stage": "candidate",
            "formula": "a=b",
            "empty": "",
        }
    assert "stage" not in ask("runs", "show", sweep[2])["tags"]
    answer = ask("runs", "tag", sweep[0], "stage=chosen", "--remove", "empty", "--remove", "formula")
    assert answer == {"run_ids": [sweep[0]], "count": 1, "tags": {"stage": "chosen"}, "removed": ["empty", "formula"]}
    assert ask("runs", "show", sweep[0])["tags"] == {"setting": "lr 0.1", "stage": "chosen"}


def test_a_filter_tags_all_that_match(ask, sweep: list[str]) -> None:
    assert ask("runs", "tag", "--filter", "params.seed = 1", "one=yes")["count"] == 2
    assert listed(ask, "tags.one = 'yes'") == {sweep[1], sweep[4]}
    assert ask("runs", "tag", "--filter", "params.seed = 99", "one=yes")["count"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["RUN"], "KEY=VALUE"),
        (["a=b"], "--filter"),
        (["RUN", "a=b", "--filter", "params.seed = 1"], "not both"),
        (["RUN", "=b"], "not KEY=VALUE"),
        (["RUN", "a=b", "--remove", "a"], "both set and removed"),
        (["RUN", f"a={'x' * 70_000}"], "bytes"),
        (["--filter", "params.seed >", "a=b"], ""),
    ],
)
def test_what_cannot_be_tagged(invoke, ask, sweep: list[str], arguments: list[str], said: str) -> None:
    result = invoke("runs", "tag", *[sweep[0] if text == "RUN" else text for text in arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert ask("runs", "show", sweep[0])["tags"] == {"setting": "lr 0.1"}


def test_an_unknown_run_leaves_all_as_they_were(invoke, ask, sweep: list[str]) -> None:
    for command in (["tag", sweep[0], "nobody", "a=b"], ["delete", sweep[0], "nobody"], ["restore", "nobody"]):
        assert invoke("runs", *command).exit_code == 3
    assert "a" not in ask("runs", "show", sweep[0])["tags"]
    assert listed(ask) == set(sweep)


# -- delete and restore -------------------------------------------------------------------------


def test_delete_says_the_way_back_and_it_works(invoke, ask, sweep: list[str]) -> None:
    result = invoke("runs", "delete", sweep[0][:9], sweep[3])
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last == f"Deleted 2 runs. To bring them back: lineal runs restore {sweep[0][:8]} {sweep[3][:8]}"
    assert listed(ask) == set(sweep) - {sweep[0], sweep[3]}
    assert listed(ask, "--deleted") == {sweep[0], sweep[3]}
    assert listed(ask, "params.seed = 0 and params.optimizer/lr = 0.1", "--deleted") == {sweep[0]}
    back = invoke(*last.partition("lineal ")[2].split())
    assert back.stdout.splitlines()[-1] == "Restored 2 runs."
    assert listed(ask) == set(sweep)


def test_a_filter_deletes_and_restores(ask, invoke, sweep: list[str]) -> None:
    answer = ask("runs", "delete", "--filter", "params.optimizer/lr = 0.1")
    assert (answer["count"], set(answer["run_ids"])) == (3, set(sweep[:3]))
    assert listed(ask) == set(sweep[3:])
    assert ask("runs", "delete", "--filter", "params.optimizer/lr = 0.1")["count"] == 0
    assert ask("runs", "restore", "--filter", "params.seed = 0")["run_ids"] == [sweep[0]]
    assert ask("runs", "restore", "--filter", "")["count"] == 2
    assert listed(ask) == set(sweep)


def test_twice_is_said(invoke, ask, sweep: list[str]) -> None:
    assert invoke("runs", "delete", sweep[0]).exit_code == 0
    again = invoke("runs", "delete", sweep[0])
    assert (again.exit_code, again.stdout) == (0, "Nothing to do: 1 run deleted already.\n")
    assert ask("runs", "delete", sweep[0]) == {"run_ids": [], "count": 0, "unchanged_run_ids": [sweep[0]]}
    assert invoke("runs", "restore", sweep[1]).stdout == "Nothing to do: 1 run not deleted.\n"


def test_neither_runs_nor_filter_is_wrong_usage(invoke, ask, sweep: list[str]) -> None:
    for command in ("delete", "restore"):
        result = invoke("runs", command)
        assert (result.exit_code, "--filter" in result.stderr) == (2, True)
    assert listed(ask) == set(sweep)


def test_of_another_tenant(invoke, ask, folder: Path, sweep: list[str]) -> None:
    with lineal.init("e", "theirs", run_id="theirs", url=folder, tenant="other"):
        pass
    assert invoke("runs", "delete", "theirs").exit_code == 3
    assert ask("runs", "delete", "theirs", "--tenant", "other")["count"] == 1
    assert listed(ask, "--tenant", "other") == set()


@pytest.mark.parametrize(("typed", "status", "is_deleted"), [("n\n", 1, False), ("\n", 1, False), ("y\n", 0, True)])
def test_a_terminal_is_asked(folder: Path, ask, sweep: list[str], typed: str, status: int, is_deleted: bool) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", "runs", "delete", sweep[0]],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder)},
        timeout=60,
    )
    os.close(theirs)
    seen = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "Delete run" in seen and "sgd-0.1-0" in seen
    assert done.returncode == status
    assert (sweep[0] not in listed(ask)) is is_deleted


def test_yes_does_not_ask(terminal, ask, sweep: list[str]) -> None:
    _, plain, status = terminal(80, "runs", "delete", "--yes", sweep[0])
    assert status == 0 and "?" not in plain
    assert sweep[0] not in listed(ask)


def test_a_folder_that_refuses_writes_is_unreachable(invoke, folder: Path, sweep: list[str], monkeypatch) -> None:
    from lineal import api
    from lineal.model.errors import NotWritable

    def refuse(*_: object) -> None:
        raise NotWritable("the disk refuses writes", field="url")

    monkeypatch.setattr(api, "say_outside", refuse)
    for command in (["delete", sweep[0]], ["tag", sweep[0], "a=b"]):
        assert invoke("runs", *command).exit_code == 5


def test_locked_runs_refuse_until_they_are_unlocked(ask, invoke, sweep: list[str]) -> None:
    two = sweep[:2]
    assert ask("runs", "lock", *two) == {"run_ids": two, "count": 2, "unchanged_run_ids": []}
    assert ask("runs", "lock", *two)["unchanged_run_ids"] == two
    assert invoke("runs", "lock", *two).stdout == "Nothing to do: 2 runs locked already.\n"
    assert ask("runs", "show", two[0])["locked"] is True and "locked" in invoke("runs", "show", two[0]).stdout
    for command in (
        ("tag", two[0], "k=v"),
        ("note", two[0], "x"),
        ("rename", two[0], "x"),
        ("delete", two[0], "--yes"),
    ):
        refused = invoke("runs", *command)
        assert refused.exit_code == 4 and "locked" in refused.stderr, command
    assert ask("runs", "tag", two[0], "k=v")["error"]["code"] == "locked"
    assert invoke("runs", "unlock", *two).stdout == "Unlocked 2 runs.\n"
    assert ask("runs", "tag", two[0], "k=v")["count"] == 1
    assert invoke("runs", "lock", "nobody").exit_code == 3
