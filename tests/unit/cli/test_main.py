"""The top of the command: what it loads, what it says, with which status it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import lineal
from lineal.cli import exits
from lineal.cli.main import Commands
from lineal.model import errors

SRC = Path(__file__).resolve().parents[3] / "src"
HEAVY = {"numpy", "rich", "pcodec", "sqlite3", "sklearn", "matplotlib", "lineal.local", "lineal.store", "lineal.ingest"}


def fresh(*arguments: str, encoding: str = "utf-8", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lineal", *arguments],
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
        capture_output=True,
        encoding=encoding,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["runs", "--help"], ["runs", "list", "--help"], ["doctor", "-h"]]
)
def test_asking_what_it_can_do_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from lineal.cli.main import lineal\n"
        f"try: lineal({arguments!r}, prog_name='lineal')\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_version() -> None:
    done = fresh("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"lineal {lineal.__version__}\n", "")


def test_without_a_command_it_says_what_there_is(invoke) -> None:
    result = invoke()
    assert result.exit_code == 0
    for name in ("demo", "doctor", "runs"):
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nonsense"], 2),
        (["runs", "nonsense"], 2),
        (["runs", "list", "--limit", "-1"], 2),
        (["runs", "list", "params.lr >"], 2),
        (["runs", "list", "--order-by", "nonsense"], 2),
        (["runs", "list", "--tenant", "No Tenant"], 2),
        (["runs", "list", "--url", "s3://bucket"], 2),
        (["runs", "show", "nobody"], 3),
    ],
)
def test_what_cannot_be_done_ends_with_its_status_and_a_line(invoke, sweep, arguments: list[str], status: int) -> None:
    result = invoke(*arguments)
    assert result.exit_code == status
    assert result.stdout == ""
    assert result.stderr.strip()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 2),
        (errors.OverLimit("x"), 2),
        (errors.NotFound("x"), 3),
        (errors.Conflict("x"), 4),
        (errors.NotWritable("x"), 5),
        (errors.NewerFormat("x"), 5),
        (errors.Busy("x"), 5),
        (errors.Damaged("x"), 5),
        (errors.LinealError("x"), 1),
        (exits.Refusal("x", 2, "demo_needs_more"), 2),
        (PermissionError(13, "Permission denied", "/somewhere"), 5),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_error_has_its_status(error: BaseException, status: int) -> None:
    class Failing(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            def fail() -> None:
                raise error

            return click.Command("fail", callback=fail)

    with pytest.raises(SystemExit) as end:
        Failing("lineal")(["fail"])
    assert end.value.code == status


def test_an_error_is_the_answer_under_json(invoke) -> None:
    result = invoke("runs", "show", "nobody", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["error"]["code"], answer["error"]["field"]) == (3, "not_found", "run_id")
    assert answer["error"]["message"] in result.stderr


def test_a_folder_of_a_newer_lineal_is_unreachable_and_untouched(invoke, folder: Path, sweep) -> None:
    (folder / "VERSION").write_text("99\n")
    before = sorted(path.name for path in folder.rglob("*"))
    result = invoke("runs", "list")
    assert result.exit_code == 5
    assert "upgrade" in result.stderr
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_file_where_the_folder_should_be(invoke, folder: Path) -> None:
    folder.write_text("not a folder")
    assert invoke("runs", "list").exit_code == 5
    assert invoke("demo", "--epochs", "1").exit_code == 5


def test_a_terminal_that_cannot_show_a_character_gets_another(folder: Path) -> None:
    with lineal.init("e", "Zürich 日本 😀", url=folder) as run:
        run.log({"loss": 1.0})
        run.log({"loss": 2.0})
    for arguments in (["runs", "list"], ["runs", "show", run.run_id], ["runs", "list", "--json"]):
        done = fresh(*arguments, "--url", str(folder), PYTHONIOENCODING="latin-1", PYTHONUTF8="0", encoding="latin-1")
        assert done.returncode == 0, done.stderr
        if "--json" in arguments:
            assert json.loads(done.stdout)["runs"][0]["name"] == "Zürich 日本 😀"
        else:
            assert "Zürich ?? ?" in done.stdout


def test_a_reader_that_goes_away_is_no_crash(folder: Path, sweep) -> None:
    program = f"{sys.executable} -m lineal.cli.main runs list | head -n 1"
    done = subprocess.run(
        ["sh", "-c", program],
        env={**os.environ, "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("run ")
    assert "Traceback" not in done.stderr


def test_what_each_command_does_fits_its_line() -> None:
    said = fresh("--help", COLUMNS="80").stdout.partition("Commands:")[2].partition("Exit status")[0]
    assert "login" in said and "..." not in said
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) == len(Commands(name="lineal").list_commands(click.Context(Commands(name="lineal"))))
