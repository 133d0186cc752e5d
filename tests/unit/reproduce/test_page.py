"""What a person sees of a plan before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineal.cli.reproduce_page import print_plan
from lineal.reproduce.captured import Captured
from lineal.reproduce.command import Command
from lineal.reproduce.environment import EnvironmentPlan
from lineal.reproduce.packages import read_lock
from lineal.reproduce.plan import Plan
from lineal.reproduce.problems import Problem


def page_of(
    capsys: pytest.CaptureFixture[str], command: Command, lock: str = "", problems: tuple[Problem, ...] = ()
) -> str:
    """Without blanks: where a line is folded does not matter."""
    requirements = tuple(read_lock(lock)[0])
    environment = EnvironmentPlan("rebuild", "/new/python", "3.11.7", "uv", requirements, ("/tree/lib",))
    print_plan(Plan("r1", Path("/tree"), "/old", command, environment, (), problems, Captured()), starts=False)
    return "".join(capsys.readouterr().out.split())


def command_of(*words: str, **variables: str) -> Command:
    return Command(
        words, Path("/tree"), variables, (), (), (), tuple(name for name in variables if name == "LD_LIBRARY_PATH")
    )


def test_the_command_is_shown_as_it_will_run(capsys: pytest.CaptureFixture[str]) -> None:
    tail = "x" * 500 + "END"
    said = page_of(capsys, command_of("/bin/rm", "-rf", "a b", tail))
    assert f"/bin/rm-rf'ab'{tail}" in said and "python-rf" not in said


def test_variables_are_shown_and_dangerous_ones_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    said = page_of(capsys, command_of("x", OMP_NUM_THREADS="1 2", LD_LIBRARY_PATH="/evil"))
    assert "setsOMP_NUM_THREADS='12'" in said and "LD_LIBRARY_PATH=/evil(mayloadcodefromelsewhere)" in said
    assert said.count("elsewhere") == 1


def test_what_comes_from_addresses_is_named_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    lock = "".join(f"evil{number} @ https://evil.example/{number}.zip\n" for number in range(50)) + "good==1\n"
    said = page_of(capsys, command_of("x"), lock)
    assert all(f"evil{number}@https://evil.example/{number}.zip" in said for number in range(50))
    assert "good" not in said and "fromfolder/tree/lib" in said


def test_many_files_do_not_hide_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    files = tuple(Problem("code", f"f{number}", f"file{number}.", blocks=False) for number in range(100))
    source = Problem("environment", "evil", "installing evil runs its code", blocks=False)
    said = page_of(capsys, command_of("x"), problems=(*files, source))
    assert "installingevilrunsitscode" in said and "file19." in said and "file20." not in said and "and80more" in said
