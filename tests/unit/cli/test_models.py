"""`lineal models` on real folders."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lineal
from tests.unit.cli.conftest import SRC

STAMPED = ("lineal.version_id", "lineal.run_id")


@pytest.fixture
def two(folder: Path) -> list[str]:
    """Two runs, each of which made a version of `digits`; their ids."""
    ids = []
    for number in (1, 2):
        with lineal.init("exp", f"run {number}", params={"lr": number / 10}, url=folder) as run:
            run.log({"val/acc": number / 10, "train/loss": 1.0})
            run.log_model(
                "digits", {"w": np.zeros(number)}, input_example=np.zeros((1, 2)), description=f"note {number}"
            )
        ids.append(run.run_id)
    return ids


def test_no_folder_says_the_next_step(invoke, ask, folder: Path) -> None:
    assert "run.log_model" in invoke("models", "list").stdout
    assert ask("models", "list") == {"models": [], "total": 0}
    assert not folder.exists()


def test_list(invoke, ask, two: list[str]) -> None:
    invoke("models", "set", "other", "--description", "about that")
    invoke("models", "promote", "digits", "1", "--alias", "champion")
    lines = [line.split() for line in invoke("models", "list").stdout.splitlines()]
    assert lines[1][:2] == ["digits", "2"] and lines[1][-1] == "@champion=1"
    assert lines[2][:2] == ["other", "0"] and lines[2][-2:] == ["about", "that"]
    assert lines[-1] == ["2", "models"]
    answer = ask("models", "list", "--limit", "1")
    assert answer["total"] == 2 and [one["name"] for one in answer["models"]] == ["digits"]
    assert answer["models"][0]["aliases"] == {"champion": 1}
    assert "1 of 2 models" in invoke("models", "list", "--limit", "1").stdout
    assert ask("models", "list", "OTH")["total"] == 1
    assert "No model has 'x' in its name" in invoke("models", "list", "x").stdout


def test_show_a_model_and_a_version(invoke, ask, two: list[str]) -> None:
    page = invoke("models", "show", "digits").stdout
    assert "note 1" in page and two[1][:8] in page and "lineal models why digits/2" in page
    answer = ask("models", "show", "digits")
    assert [one["version"] for one in answer["versions"]] == [2, 1] and answer["version_count"] == 2
    page = invoke("models", "show", "digits/2").stdout
    assert "models/digits/model.safetensors" in page and "sha256" in page and '"float64"' in page and two[1] in page
    one = ask("models", "show", two[0])
    assert (one["name"], one["version"], one["run_id"], one["format"]) == ("digits", 1, two[0], "safetensors")
    assert one["signature"] == {"inputs": [{"name": None, "dtype": "float64", "shape": [None, 2]}]}


def test_promote_locks_the_run_and_why_tells_it(invoke, ask, two: list[str]) -> None:
    done = invoke(
        "models", "promote", "digits", "2", "--to", "production", "--alias", "champion", "--why", "best by far"
    )
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "digits/2 is now in stage production and @champion.",
        f"Its run {two[1]} is locked; `lineal runs unlock` opens it.",
    ]
    assert lineal.get_run(two[1]).locked
    text = invoke("models", "why", "digits@champion").stdout
    for said in (
        "digits@champion is digits/2",
        two[1],
        "best by far",
        "Compared by val/acc",
        "run 1",
        "stage none -> production",
    ):
        assert said in text
    markdown = invoke("models", "why", "digits@champion", "--markdown").stdout
    assert markdown.startswith("# Why digits@champion is digits/2\n") and "| best by far |" in markdown
    answer = ask("models", "why", "digits@champion", "--metric", "train/loss")
    assert answer["choice"]["rule"] == "asked" and answer["transitions"][0]["why"] == "best by far"
    assert answer["before"]["version"]["version"] == 1


def test_why_takes_ids_that_were_stamped(ask, two: list[str]) -> None:
    tags = lineal.serving_tags("digits/1")
    for name in STAMPED:
        assert ask("models", "why", tags[name])["version"]["version"] == 1


def test_version_may_be_an_alias_or_left_out(ask, two: list[str]) -> None:
    ask("models", "promote", "digits", "1", "--alias", "champion", "--no-lock")
    assert ask("models", "promote", "digits", "@champion", "--to", "staging", "--no-lock")["stage"] == "staging"
    assert ask("models", "promote", "digits@champion", "--to", "archived")["stage"] == "archived"
    assert not lineal.get_run(two[0]).locked


def test_exit_statuses(invoke, two: list[str], folder: Path) -> None:
    assert invoke("models", "show", "nope").exit_code == 3
    assert invoke("models", "why", "digits").exit_code == 2
    assert invoke("models", "why", "digits@nobody").exit_code == 3
    assert invoke("models", "why", "digits/1", "--metric", "nope").exit_code == 3
    assert invoke("models", "promote", "digits", "1").exit_code == 2
    assert invoke("models", "promote", "digits", "9", "--to", "staging").exit_code == 3
    assert invoke("models", "tag", "digits/1").exit_code == 2
    with lineal.init("exp", url=folder) as run:
        run.log_model("digits", {"w": np.zeros(1)})
        assert invoke("models", "promote", run.run_id, "--to", "production").exit_code == 4
        assert invoke("models", "promote", run.run_id, "--to", "production", "--no-lock").exit_code == 0
    assert invoke("models", "show", "digits/3").stdout.startswith("digits/3  production")


def test_what_is_set(invoke, ask, two: list[str]) -> None:
    assert (
        invoke("models", "set", "digits", "team=vision", "--description", "reads digits").stdout
        == "Set model digits.\n"
    )
    assert ask("models", "set", "digits", "--remove", "team")["tags"] == {}
    assert invoke("models", "tag", "digits/1", "checked=yes").stdout == "Set digits/1.\n"
    assert ask("models", "tag", "digits/1", "--remove", "checked")["tags"] == {}
    assert ask("models", "describe", "digits/1", "better")["description"] == "better"
    invoke("models", "promote", "digits", "1", "--alias", "champion")
    assert invoke("models", "unalias", "digits", "@champion").stdout == "Removed @champion of model digits.\n"
    assert ask("models", "show", "digits")["aliases"] == {}


def test_terminals_get_no_escape_of_a_name(terminal, folder: Path) -> None:
    lineal.set_model("evil\x1b[31m", description="\x07bell", url=folder)
    raw, _, status = terminal(80, "models", "list")
    assert status == 0 and "\x07" not in raw and "evil\x1b[31m" not in raw


def test_json_has_no_nan(ask, folder: Path) -> None:
    with lineal.init("exp", url=folder) as run:
        run.log({"acc": float("nan"), "val/acc": float("inf")})
        run.log_model("digits", {"w": np.zeros(1)})
    assert json.dumps(ask("models", "why", "digits/1"), allow_nan=False)
    assert ask("models", "why", "digits/1")["choice"]["value"] == "Infinity"


def test_rename(invoke, ask, two: list[str]) -> None:
    assert invoke("models", "rename", "digits", "numbers").stdout == "Model digits is now called numbers.\n"
    assert ask("models", "rename", "numbers", "digits")["name"] == "digits"
    invoke("models", "set", "other")
    assert invoke("models", "rename", "digits", "other").exit_code == 4
    assert invoke("models", "rename", "nobody", "other").exit_code == 3
    assert invoke("models", "rename", "digits", "a/b").exit_code == 2


@pytest.mark.parametrize("command", [("show", "digits"), ("show", "digits/1"), ("why", "digits"), ("why", "digits/1")])
def test_a_former_name_leads_to_the_one_of_today(invoke, two: list[str], command: tuple[str, str]) -> None:
    invoke("models", "rename", "digits", "numbers")
    refused = invoke("models", *command)
    assert (refused.exit_code, "it was renamed to 'numbers'" in refused.stderr) == (3, True)
    assert json.loads(invoke("models", *command, "--json").stdout)["error"]["renamed_to"] == "numbers"


def test_delete_and_restore_a_model(invoke, ask, two: list[str]) -> None:
    done = invoke("models", "delete", "digits")
    assert done.stdout == "Deleted model digits. To bring it back: lineal models restore digits\n"
    assert ask("models", "list")["total"] == 0 and ask("models", "list", "--deleted")["total"] == 1
    assert "deleted" in invoke("models", "show", "digits").stdout.splitlines()[0]
    assert invoke("models", "delete", "digits").stdout == "Nothing to do: model digits is deleted already.\n"
    assert invoke("models", "restore", "digits/1").exit_code == 4
    assert ask("models", "restore", "digits")["lifecycle_stage"] == "active"
    assert invoke("models", "restore", "digits").stdout == "Nothing to do: model digits is not deleted.\n"
    assert invoke("models", "delete", "digits", "--why", "x").exit_code == 2
    assert invoke("models", "delete", "nobody").exit_code == 3


def test_delete_and_restore_a_version(invoke, ask, two: list[str]) -> None:
    assert "No version of it is deleted" in invoke("models", "show", "digits", "--deleted").stdout
    invoke("models", "promote", "digits", "2", "--alias", "champion")
    done = invoke("models", "delete", "digits@champion", "--why", "leaked")
    assert done.stdout == "Deleted model version digits/2. To bring it back: lineal models restore digits/2\n"
    assert [one["version"] for one in ask("models", "show", "digits")["versions"]] == [1]
    assert [one["version"] for one in ask("models", "show", "digits", "--deleted")["versions"]] == [2]
    assert "note 2" in invoke("models", "show", "digits", "--deleted").stdout
    assert ask("models", "why", "digits/2")["transitions"][-1]["why"] == "leaked"
    assert invoke("models", "restore", "digits/2").stdout == "Restored model version digits/2.\n"
    assert ask("models", "delete", two[0])["lifecycle_stage"] == "deleted"  # the id of a run will do


@pytest.mark.parametrize(("typed", "status"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_a_terminal_is_asked_before_anything_is_deleted(
    folder: Path, ask, two: list[str], typed: str, status: int
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", "models", "delete", "digits"],
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
    assert "Delete model digits with 2 versions?" in seen
    assert done.returncode == status
    assert ask("models", "list")["total"] == (1 if status else 0)
