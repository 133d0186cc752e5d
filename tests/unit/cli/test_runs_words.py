"""`lineal runs note` and `rename`."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from lineal.cli.main import lineal as command


def test_a_note_is_printed_and_written(invoke, ask, sweep: list[str]) -> None:
    assert invoke("runs", "note", sweep[0]).stdout == ""
    result = invoke("runs", "note", sweep[0][:9], "# Good\n\nIt *works*.")
    assert result.stdout == f"Wrote the note of run {sweep[0][:8]}.\n"
    assert invoke("runs", "note", sweep[0]).stdout == "# Good\n\nIt *works*.\n"
    assert ask("runs", "note", sweep[0]) == {"run_id": sweep[0], "note": "# Good\n\nIt *works*.", "changed": False}
    assert ask("runs", "note", sweep[0], "")["note"] == ""


def test_a_note_from_standard_input(invoke, sweep: list[str]) -> None:
    invoke("runs", "list")
    done = CliRunner().invoke(command, ["runs", "note", sweep[0], "-"], input="from a pipe\n", prog_name="lineal")
    assert done.exit_code == 0
    assert invoke("runs", "note", sweep[0]).stdout == "from a pipe\n"


def test_a_note_in_an_editor(invoke, ask, sweep: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsleep 0.01\nprintf " and more" >> "$1"\ntouch -d "+10 seconds" "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", str(editor))
    invoke("runs", "note", sweep[0], "first")
    assert invoke("runs", "note", sweep[0], "--edit").exit_code == 0
    assert ask("runs", "note", sweep[0])["note"].split() == ["first", "and", "more"]
    monkeypatch.setenv("VISUAL", "true")
    assert ask("runs", "note", sweep[0], "--edit")["changed"] is False


def test_a_run_gets_another_name(invoke, ask, sweep: list[str]) -> None:
    assert ask("runs", "rename", sweep[0][:9], "the chosen one") == {"run_id": sweep[0], "name": "the chosen one"}
    assert ask("runs", "show", sweep[0])["name"] == "the chosen one"
    text = invoke("runs", "rename", sweep[0], "\x1b[2Jevil").stdout
    assert "\x1b" not in text and "evil" in text


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["note", "nobody"], 3),
        (["note", "nobody", "text"], 3),
        (["rename", "nobody", "name"], 3),
        (["rename", "RUN", ""], 2),
        (["rename", "RUN", "x" * 2_000], 2),
        (["note", "RUN", "x" * (2**20 + 1)], 2),
        (["note", "RUN", "text", "--edit"], 2),
    ],
)
def test_what_cannot_be_said(invoke, ask, sweep: list[str], arguments: list[str], status: int) -> None:
    result = invoke("runs", *[sweep[0] if text == "RUN" else text for text in arguments])
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.strip()
    run = ask("runs", "show", sweep[0])
    assert (run["name"], run["note"]) == ("sgd-0.1-0", "")
