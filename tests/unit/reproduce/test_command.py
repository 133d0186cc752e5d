"""Commands, given again elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lineal.client.capture.secret_shapes import MASK
from lineal.reproduce.captured import Captured, read_captured
from lineal.reproduce.command import make_command
from lineal.reproduce.workspace import CELLS_NAME

NEW = "/new/bin/python"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old", tmp_path / "new"
    for root in (old, new):
        (root / "sub").mkdir(parents=True)
        (root / "train.py").touch()
    return old, new


def captured(old: Path, *words: str, kind: str = "script", folder: str | None = None, **execution: object) -> Captured:
    return read_captured(
        {
            "execution": {
                "command": list(words),
                "entry_point": {"kind": kind, "name": "x"},
                "folder": folder or str(old),
            }
            | execution,
            "code": {"kind": "git", "root": str(old), "commit": "1" * 40},
            "environment": {"python": {"version": "3.11.7", "executable": "/old/bin/python"}},
        }
    )


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        (("/old/bin/python3.11", "-O", "train.py", "--lr", "1"), "script", [NEW, "-O", "train.py", "--lr", "1"]),
        (("python", "-m", "pkg.train"), "module", [NEW, "-m", "pkg.train"]),
        (("train.py", "1"), "script", [NEW, "train.py", "1"]),
        (("/old/bin/python", "/old/bin/fit", "x"), "program", [NEW, "/new/bin/fit", "x"]),
        (("./fit.sh",), "program", ["./fit.sh"]),
    ],
)
def test_words(words: tuple[str, ...], kind: str, expected: list[str], places: tuple[Path, Path]) -> None:
    old, new = places
    command = make_command(captured(old, *words, kind=kind), NEW, new)
    assert list(command.words) == expected and not command.problems and command.folder == new


def test_paths_into_the_old_tree(places: tuple[Path, Path]) -> None:
    old, new = places
    words = ("python", f"{old}/train.py", f"--out={old}/sub", f"{old}/absent", "/etc/hosts", f"{old}")
    command = make_command(captured(old, *words, folder=f"{old}/sub"), NEW, new)
    assert list(command.words[1:]) == [f"{new}/train.py", f"--out={new}/sub", f"{old}/absent", "/etc/hosts", f"{new}"]
    assert command.folder == new / "sub"


def test_a_command_is_given_where_it_was_given(places: tuple[Path, Path]) -> None:
    """And not where the program was when its run began."""
    old, new = places
    command = make_command(captured(old, "python", "train.py", folder=f"{old}/sub", started_in=str(old)), NEW, new)
    assert (command.folder, list(command.words)) == (new, [NEW, "train.py"])


def test_paths_that_lead_out_of_the_old_tree_and_back(places: tuple[Path, Path]) -> None:
    old, new = places
    words = ("../train.py", "../../old/train.py", "../../else/train.py", "../../old")
    command = make_command(captured(old, "python", *words, folder=f"{old}/sub"), NEW, new)
    assert list(command.words)[1:] == ["../train.py", f"{new}/train.py", "../../else/train.py", str(new)]


def test_a_folder_outside_of_the_tree(places: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = places
    command = make_command(captured(old, "python", "x.py", folder=str(tmp_path)), NEW, new)
    assert command.folder == tmp_path and [problem.blocks for problem in command.problems] == [False]
    gone = make_command(captured(old, "python", "x.py", folder=str(tmp_path / "gone")), NEW, new)
    assert [problem.is_final for problem in gone.problems] == [True]


@pytest.mark.parametrize("inner", ["link", "link/deep", "link/deep/er", ".git/hooks", "train.py/x"])
def test_a_folder_is_never_made_through_a_link(inner: str, places: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = places
    outside = tmp_path / "outside"
    outside.mkdir()
    (new / "link").symlink_to(outside, target_is_directory=True)
    command = make_command(captured(old, "python", "x.py", folder=f"{old}/{inner}"), NEW, new)
    assert command.folder == new and [problem.is_final for problem in command.problems] == [True]
    assert not list(outside.iterdir()) and not (new / ".git").exists()
    made = make_command(captured(old, "python", "x.py", folder=f"{old}/runs/1"), NEW, new)
    assert made.folder == new / "runs" / "1" and made.folder.is_dir() and not made.problems


def test_nothing_is_made_in_the_tree_as_it_is_now(places: tuple[Path, Path]) -> None:
    old, _ = places
    (gone,) = make_command(captured(old, "python", "x.py", folder=f"{old}/gone"), NEW, old).problems
    assert gone.is_final and not (old / "gone").exists()
    assert make_command(captured(old, "python", "x.py", folder=f"{old}/sub"), NEW, old).folder == old / "sub"


def test_what_cannot_be_given_again(places: tuple[Path, Path]) -> None:
    old, new = places
    for execution in ({}, {"execution": {"command": [1]}}, {"execution": "nonsense"}):
        (problem,) = make_command(read_captured(execution), NEW, new).problems
        assert problem.is_final
    (typed,) = make_command(captured(old, "python", kind="interactive"), NEW, new).problems
    assert typed.is_final and "typed" in typed.text
    (masked,) = make_command(captured(old, "python", "x.py", f"--token={MASK}"), NEW, new).problems
    assert masked.is_final and "--token=" in masked.text
    launcher = {"name": "torchrun", "world_size": 4}
    (ranks,) = make_command(captured(old, "python", "x.py", launcher=launcher), NEW, new).problems
    assert not ranks.is_final and ranks.blocks and "4 processes (torchrun)" in ranks.text


def test_variables(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = places
    monkeypatch.setenv("KNOWN_KEY", "secret")
    said = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{old}/sub:/other",
        "KNOWN_KEY": MASK,
        "LOST_KEY": MASK,
        "LINEAL_URL": "x",
        "PATH": "x",
        "RANK": "3",
        "MASTER_ADDR": "x",
        "A=B": "x",
        "NUL": "a\0b",
    }
    command = make_command(captured(old, "python", "x.py", variables=said), NEW, new)
    assert command.variables == {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{new}/sub:/other"}
    assert command.taken == ("KNOWN_KEY",)
    assert [(problem.name, problem.blocks) for problem in command.problems] == [("LOST_KEY", False)]


def test_variables_that_load_code(places: tuple[Path, Path]) -> None:
    old, new = places
    never = ["LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "PYTHONSTARTUP", "PYTHONHOME"]
    said = dict.fromkeys([*never, "LD_LIBRARY_PATH", "OMP_NUM_THREADS"], "/evil") | {"PYTHONPATH": f"{old}/sub"}
    command = make_command(captured(old, "python", "x.py", variables=said), NEW, new)
    assert sorted(command.variables) == ["LD_LIBRARY_PATH", "OMP_NUM_THREADS", "PYTHONPATH"]
    assert sorted(problem.name for problem in command.problems) == sorted(never)
    assert all("/evil" in problem.text and not problem.blocks for problem in command.problems)
    assert command.marked == ("LD_LIBRARY_PATH",)
    elsewhere = make_command(captured(old, "python", variables={"PYTHONPATH": f"{old}/sub:/evil"}), NEW, new)
    assert elsewhere.marked == ("PYTHONPATH",)
    assert make_command(captured(old, "python", variables={"PYTHONPATH": "src"}), NEW, new).marked == ()
    assert make_command(captured(old, "python", variables={"PYTHONPATH": "../up"}), NEW, new).marked == ("PYTHONPATH",)


def test_cells(places: tuple[Path, Path]) -> None:
    new = places[1]
    code = {"kind": "notebook", "folder": "sub", "cells": {"path": ".lineal/code/cells.py", "digest": "0"}}
    command = make_command(read_captured({"code": code}), sys.executable, new)
    assert list(command.words) == [sys.executable, CELLS_NAME] and command.folder == new / "sub"
    shell = {"packages": {"ipython": "9"}}
    command = make_command(read_captured({"code": code | {"folder": "../up"}, "environment": shell}), NEW, new)
    assert list(command.words) == [NEW, "-m", "IPython", CELLS_NAME] and command.folder == new
    (new / "link").symlink_to(places[0], target_is_directory=True)
    for folder in (str(places[0]), "../old", "link/sub", "link"):
        assert make_command(read_captured({"code": code | {"folder": folder}}), NEW, new).folder == new


def test_what_is_nonsense_is_as_if_it_had_not_been_said() -> None:
    assert read_captured({"code": [], "environment": None, "hardware": 3}) == Captured()
    read = read_captured(
        {
            "code": {
                "kind": "odd",
                "commit": 7,
                "patch": {"path": "x"},
                "submodules": [1, {"path": "a"}],
                "left_out": 3,
            },
            "environment": {"python": "3", "packages": {"a": 1, "b": "2"}, "lock": []},
            "hardware": {"gpus": [3, {"name": "H100"}], "cpu": []},
        }
    )
    assert read.code is not None and (read.code.kind, read.code.commit, read.code.patch) == ("none", None, None)
    assert read.environment is not None and read.environment.packages == {"b": "2"}
    assert read.hardware is not None and read.hardware.gpus == ("H100",)


def test_variables_that_were_not_set_then(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("PYTHONPATH", "/x")
    monkeypatch.setenv("HARMLESS", "7")
    old, new = places
    execution = {"command": ["python", "x.py"]}
    parts = {"execution": execution, "environment": {"variables": {"PYTHONHASHSEED": "1"}}}
    assert "OMP_NUM_THREADS" in make_command(read_captured(parts), NEW, new).unset
    assert not {"PYTHONPATH", "HARMLESS", "PYTHONHASHSEED"} & set(make_command(read_captured(parts), NEW, new).unset)
    assert "PYTHONPATH" in make_command(read_captured(parts), NEW, new, is_rebuilt=True).unset
    assert make_command(captured(old, "python"), NEW, new).unset == ()
