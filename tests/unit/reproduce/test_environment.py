"""Environments made from lock files, by uv and by pip, out of a folder of wheels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lineal.reproduce.captured import Environment, Kept
from lineal.reproduce.environment import CannotInstall, EnvironmentPlan, current_environment, install, plan_rebuild
from lineal.reproduce.packages import changed, installed, read_lock
from lineal.reproduce.problems import Problem
from lineal.reproduce.python import find_interpreter
from tests.unit.reproduce.conftest import Shelf, wheel

VERSION = ".".join(map(str, sys.version_info[:3]))


def planned(lock: str, shelf: Shelf, tmp_path: Path, **said: object) -> EnvironmentPlan:
    kept = shelf.put(".lineal/environment/requirements.txt", lock.encode())
    environment = Environment(**({"python": VERSION, "lock": kept} | said))  # type: ignore[arg-type]
    return plan_rebuild(environment, shelf.find, tmp_path / "environment", str(tmp_path / "old"), tmp_path / "tree")


def output_of(python: str, program: str) -> str:
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_an_environment_is_made_with_lineal_in_it(installer: str, wheels: Path, shelf: Shelf, tmp_path: Path) -> None:
    wheel(wheels, "tinydep", "1.0", "X = 'old'")
    wheel(wheels, "tinydep", "2.0", "X = 'new'")
    plan = planned(f"# Python {VERSION}\nTinyDep==1.0\nlineal==99.9\n", shelf, tmp_path)
    assert not plan.problems and plan.tool == installer and plan.version == VERSION
    assert not (tmp_path / "environment" / "lib").is_dir() or "tinydep" not in installed(plan.python)
    install(plan)
    assert output_of(plan.python, "import tinydep; print(tinydep.X)") == "old"
    assert (
        output_of(plan.python, "import lineal, sys; print(lineal.__name__, 'numpy' in sys.modules)") == "lineal False"
    )
    assert installed(plan.python)["tinydep"] == "1.0" and "lineal" in installed(plan.python)


def test_packages_that_are_gone_are_named_before_anything(
    installer: str, wheels: Path, shelf: Shelf, tmp_path: Path
) -> None:
    wheel(wheels, "tinydep", "1.0", "")
    plan = planned("tinydep==1.1\ngone-entirely==2.0\nother.gone==3\n", shelf, tmp_path)
    assert {problem.name for problem in plan.problems} == {"tinydep", "gone-entirely", "other.gone"}
    assert all(problem.blocks and not problem.is_final for problem in plan.problems)
    assert plan.requirements == ()


def test_a_package_that_comes_as_source_is_named_and_not_built_by_a_plan(
    installer: str, wheels: Path, shelf: Shelf, tmp_path: Path
) -> None:
    marker = tmp_path / "built"
    source = tmp_path / "evil-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (source / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: evil\nVersion: 1.0\n")
    subprocess.run(["tar", "czf", str(wheels / "evil-1.0.tar.gz"), "-C", str(tmp_path), "evil-1.0"], check=True)
    plan = planned("evil==1.0\n", shelf, tmp_path)
    (problem,) = plan.problems
    assert "source only" in problem.text and not problem.blocks and not marker.exists()
    assert [item.name for item in plan.requirements] == ["evil"]
    with pytest.raises(CannotInstall):  # there is no setuptools among the wheels
        install(plan)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple",
        "--extra-index-url https://evil.example/whl",
        "-r /etc/passwd",
        "-e /somewhere",
        "evil @ file:///somewhere",
        "evil @ http://example.org/evil.whl",
        "evil>=1",
        "/somewhere/evil.whl",
        "evil==1 --config-settings=x=y",
    ],
)
def test_lines_that_decide_where_programs_come_from_are_not_followed(line: str) -> None:
    found, indexes, problems = read_lock(f"{line}\ngood==1.0  # why\n# editable: mine==1 from file:///x\n")
    assert [item.line for item in found] == ["good==1.0"]
    assert not indexes and len(problems) == 1


def test_what_a_lock_file_may_say() -> None:
    text = (
        "--extra-index-url https://download.pytorch.org/whl/cu121\n"
        "torch==2.4.0+cu121\nmine @ git+https://example.org/mine@0123abc\nnumpy==2.4.6 ; python_version > '3'\nlineal==1.0\n"
    )
    found, indexes, problems = read_lock(text)
    assert [(item.name, item.version) for item in found] == [
        ("torch", "2.4.0+cu121"),
        ("mine", None),
        ("numpy", "2.4.6"),
    ]
    assert indexes == ["https://download.pytorch.org/whl/cu121"] and not problems


def test_packages_that_changed() -> None:
    then = {"Tiny_Dep": "1.0", "gone": "1", "same": "3", "lineal": "0.0"}
    found = changed(then, {"tiny-dep": "2.0", "same": "3", "more": "1"})
    assert [(problem.name, problem.text) for problem in found] == [
        ("Tiny_Dep", "Tiny_Dep was 1.0, and is 2.0"),
        ("gone", "gone 1 is not installed"),
    ]


def test_the_environment_that_is_here() -> None:
    here = installed(sys.executable)
    assert not current_environment(Environment(python=VERSION, packages=here)).problems
    plan = current_environment(Environment(python="2.7.1", packages=here | {"numpy": "0.1"}))
    assert [problem.name for problem in plan.problems] == ["python", "numpy"]
    assert not any(problem.blocks for problem in plan.problems) and plan.python == sys.executable
    assert current_environment(None).problems == ()


def test_what_cannot_be_rebuilt_says_why(shelf: Shelf, tmp_path: Path) -> None:
    def names(environment: Environment | None) -> list[tuple[str, bool]]:
        plan = plan_rebuild(environment, shelf.find, tmp_path / "e", None, tmp_path)
        return [(problem.name, problem.is_final) for problem in plan.problems]

    assert names(None) == [("lock", True)]
    assert names(Environment(lock=Kept("x", "0"))) == [("lock", True)]
    lock = shelf.put("lock", b"")
    assert names(Environment(lock=lock, python="3.2.1")) == [("python", True)]
    assert names(Environment(lock=lock, python=VERSION, implementation="PyPy")) == [("python", True)]


@pytest.mark.parametrize("version", ["{program}", "-x", "3.11\n", "3", "3.11.7+x", "3.1/../x", "", "३.११"])
def test_what_is_no_version_is_never_run(
    version: str, tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "started"
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "evil"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    (folder / "python-x").symlink_to(program)
    asked = tmp_path / "asked"
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {asked}\necho {program}\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("lineal.reproduce.environment.find_uv", lambda: [str(uv)])
    said = version.format(program=program)
    assert isinstance(find_interpreter(said, "CPython", [str(uv)]), Problem)
    plan = plan_rebuild(
        Environment(python=said, lock=shelf.put("lock", b"")), shelf.find, tmp_path / "e", None, tmp_path
    )
    (problem,) = plan.problems
    assert problem.name == "python" and problem.is_final
    assert not marker.exists() and not asked.exists() and not (tmp_path / "e").exists()


def test_another_python_of_the_same_minor_is_taken_and_named(wheels: Path, shelf: Shelf, tmp_path: Path) -> None:
    minor = ".".join(map(str, sys.version_info[:2]))
    plan = planned("", shelf, tmp_path, python=f"{minor}.99", is_conda=True)
    assert [(problem.name, problem.blocks) for problem in plan.problems] == [("python", False), ("conda", False)]
    assert isinstance(find_interpreter("3.2", None, None), Problem)


def test_projects_that_were_installed_from_folders(wheels: Path, shelf: Shelf, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    direct = {
        "mine": {"url": f"file://{tmp_path}/old/lib", "editable": True},
        "other": {"url": f"file://{other}", "editable": True},
        "gone": {"url": f"file://{tmp_path}/gone"},
        "lineal": {"url": "file:///somewhere", "editable": True},
    }
    plan = planned("gone @ https://example.org/x.whl\nmine==1\n", shelf, tmp_path, direct=direct)
    assert plan.projects == (str(tmp_path / "tree" / "lib"), str(other))
    assert [(problem.name, problem.blocks) for problem in plan.problems] == [("other", False), ("gone", True)]
    assert "mine" not in [item.name for item in plan.requirements]


def test_wheels_that_were_installed_from_files(installer: str, wheels: Path, shelf: Shelf, tmp_path: Path) -> None:
    wheel(wheels, "tinydep", "1.0", "X = 'index'")
    kept = tmp_path / "kept"
    wheel(kept, "filed", "1.0", "X = 'file'")
    there = kept / "filed-1.0-py3-none-any.whl"
    direct = {"filed": {"url": f"file://{there}"}, "tinydep": {"url": f"file://{kept}/tinydep-1.0-py3-none-any.whl"}}
    lock = "".join(f"{name} @ {said['url']}\n" for name, said in direct.items())
    plan = planned(lock, shelf, tmp_path, direct=direct, packages={"filed": "1.0", "tinydep": "1.0"})
    assert [(problem.name, problem.blocks) for problem in plan.problems] == [("filed", False), ("tinydep", False)]
    install(plan)
    assert output_of(plan.python, "import tinydep, filed; print(tinydep.X, filed.X)") == "index file"
