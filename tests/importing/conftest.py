"""Stores that real MLflows made: a 3.x, the last 2.x, and the newest where its whole environment has been built."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environments import NotInstalled, python_of

MAKER = Path(__file__).with_name("make_mlflow_store.py")
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_ALLOW_FILE_STORE": "true"}


@dataclass(frozen=True)
class Made:
    """A store of MLflow's, and what MLflow's own client reads in it."""

    source: str
    said: dict[str, Any]
    more: Callable[[], dict[str, Any]]
    """Goes on as a team would after an import, and reads again."""


# Small ones, which are built where they are not there; others are used where somebody has built them.
SMALL = ("mlflow3_store", "mlflow2_store")


def python_with(environment: str) -> Path:
    try:
        return python_of(environment, build=environment in SMALL)
    except (NotInstalled, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no environment {environment}: {error}")


def make(environment: str, uri: str, folder: Path, source: str | None = None, also: str = "") -> Made:
    said = run_maker(environment, uri, folder, also=also)
    return Made(source or uri, said, lambda: run_maker(environment, uri, folder, "more", also=also))


def run_maker(environment: str, uri: str, folder: Path, *more: str, also: str = "") -> dict[str, Any]:
    python = python_with(environment)
    folder.mkdir(exist_ok=True)
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), str(MAKER), uri, str(folder), *more],
        cwd=folder,
        env={**inherited, **QUIET, "PYTHONPATH": also},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def only(folder: Path, *packages: str) -> str:
    """A place with those of our own packages and no others, for a Python of the same release that lacks them."""
    folder.mkdir()
    for name in packages:
        spec = find_spec(name)
        assert spec is not None and spec.submodule_search_locations, name
        (folder / name).symlink_to(Path(spec.submodule_search_locations[0]))
        for beside in Path(spec.submodule_search_locations[0]).parent.glob(
            f"{name}[.-]*"
        ):  # its libraries and its version
            (folder / beside.name).symlink_to(beside)
    return str(folder)
