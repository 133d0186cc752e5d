"""The house rules that a machine can hold."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "lineal"

MAX_MODULE_LINES = 600
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers"}

# Loading any of these at `import lineal` would break the promise of a cheap import, or that the training
# process knows nothing of state.
TOO_HEAVY = {"alembic", "click", "matplotlib", "numpy", "pandas", "pcodec", "re2", "rich", "sqlalchemy", "sqlite3"}
TOO_HEAVY |= {"anyio", "asyncio", "msgspec", "starlette", "uvicorn"}
SLOW = {
    "dataclasses",
    "inspect",
}  # a third of the time of the first `init`: `model/frozen.py` is why they can be absent
STATE = {
    f"lineal.{name}"
    for name in ("cli", "dashboard", "ingest", "local", "query", "registry", "series", "server", "store", "testing")
}


def modules() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def tracked_files() -> list[Path]:
    """What a commit would hold: tracked files, and new ones that are not ignored."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
    return [path for path in (ROOT / name for name in names) if path.is_file()]


def test_the_package_says_what_it_promises() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = config["project"]
    assert project["name"] == "lineal"
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "Apache-2.0"
    assert project["scripts"] == {"lineal": "lineal.cli.main:main"}
    assert {re.split(r"[<>=]", line)[0] for line in project["dependencies"]} == {
        "numpy",
        "pcodec",
        "click",
        "google-re2",
        "rich",
        "starlette",
        "httptools",
        "uvicorn",
        "msgspec",
    }
    # One place for the version.
    assert project["dynamic"] == ["version"]
    assert (ROOT / config["tool"]["hatch"]["version"]["path"]).is_file()


def test_rooms_are_small() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_MODULE_LINES
    }
    assert not too_long, f"split these by noun: {too_long}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    paths = [path.relative_to(SRC) for path in modules()]
    banned = [str(path) for path in paths if BANNED_NAMES & {*path.parent.parts, path.stem}]
    assert not banned, f"name these after the noun they hold: {banned}"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import lineal", id="import"),
        pytest.param("import lineal; lineal.init; lineal.log; lineal.runs", id="touch"),
        pytest.param("import lineal, tempfile; lineal.init(url=tempfile.mkdtemp(), capture='none')", id="init"),
    ],
)
def test_importing_lineal_is_cheap(program: str) -> None:
    if not (SRC / "__init__.py").is_file():
        pytest.skip("src/lineal/__init__.py is not there yet")
    if "init" in program and not (SRC / "api.py").is_file():
        pytest.skip("src/lineal/api.py is not there yet")
    fresh = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules, sep='\\n')"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert fresh.returncode == 0, fresh.stderr
    loaded = set(fresh.stdout.split())
    assert "lineal" in loaded
    heavy = {name for name in loaded if name.partition(".")[0] in TOO_HEAVY | SLOW}
    state = {name for name in loaded if ".".join(name.split(".")[:2]) in STATE}
    assert not heavy | state, f"loaded by `{program}`: {sorted(heavy | state)}"


def test_no_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    # Spelled so that this file does not hold one either.
    needle = re.compile(rb"(?<![\w.~-])/" + rb"(?:work|root)/")
    found = [str(path.relative_to(ROOT)) for path in tracked_files() if needle.search(path.read_bytes())]
    assert not found, f"a path of one machine in {found}"
