"""Real trainings in real repositories, with captures said of them as `lineal.init` says them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import lineal
from lineal.api import say_outside
from lineal.cli.main import lineal as command
from lineal.journal import blobs
from lineal.journal.layout import Folder
from lineal.record.records import ArtifactLogged, CaptureSet, DatasetUsed
from lineal.reproduce.captured import Kept
from lineal.reproduce.python import find_uv

SRC = Path(__file__).resolve().parents[3] / "src"

SEEDED = """
import sys
import numpy as np
import lineal

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
random = np.random.default_rng(seed)
with lineal.init(experiment="walk", name=f"seed-{seed}", params={"seed": seed, "lr": 0.5}) as run:
    weights = random.normal(size=8)
    for step in range(20):
        weights -= 0.5 * (weights - random.normal(size=8))
        run.log({"loss": float((weights ** 2).sum()), "count": step}, step=step)
"""
UNSEEDED = SEEDED.replace("default_rng(seed)", "default_rng()")


def git(folder: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit: train.py, a module beside it, and something binary."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "train.py").write_text(SEEDED)
    (root / "rates.py").write_text("RATE = 1\n")
    (root / "weights.bin").write_bytes(bytes(range(256)))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


class Recorder:
    """Records in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, bytes] = {}

    def train(self, root: Path, *words: str, **variables: str) -> str:
        """Runs `python WORDS` there; returns the id of the run that it made."""
        before = {run.run_id for run in lineal.runs(url=self.folder)}
        environment = os.environ | {"LINEAL_URL": str(self.folder), "PYTHONPATH": str(SRC)} | variables
        subprocess.run([sys.executable, *words], cwd=root, env=environment, check=False, capture_output=True)
        (made,) = {run.run_id for run in lineal.runs(url=self.folder)} - before
        return made

    def keep(self, run_id: str, path: str, content: bytes) -> dict[str, Any]:
        place = Folder(self.folder)
        place.ensure()
        blob = blobs.add_bytes(place, "default", content)
        self.kept[path] = content
        say_outside(run_id, ArtifactLogged(path, blob.size_bytes, blob.digest), str(self.folder), None)
        return {"path": path, "digest": blob.digest, "size_bytes": blob.size_bytes}

    def say(self, run_id: str, part: str, content: dict[str, Any]) -> None:
        attempt = lineal.get_run(run_id, url=self.folder).attempts[-1].attempt_id
        say_outside(run_id, CaptureSet(attempt, part, content), str(self.folder), None)

    def use_data(self, run_id: str, name: str, source: str, digest: str) -> None:
        said = DatasetUsed(name, digest, source_type="local", source=source, context="train")
        say_outside(run_id, said, str(self.folder), None)

    def code_of(self, run_id: str, root: Path) -> dict[str, Any]:
        """What is captured of a repository: its commit, the patch, the files that git does not know."""
        commit = git(root, "rev-parse", "HEAD").strip()
        patch = subprocess.run(
            ["git", "diff", "--binary", "--no-color", "--no-ext-diff", "HEAD"],
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        others = git(root, "ls-files", "--others", "--exclude-standard").split()
        content: dict[str, Any] = {
            "kind": "git",
            "commit": commit,
            "root": str(root),
            "folder": ".",
            "entry": "train.py",
        }
        if patch:
            content |= {"is_dirty": True, "patch": self.keep(run_id, ".lineal/code/patch.diff", patch)}
        if others:
            archive = zipped({name: (root / name).read_bytes() for name in others})
            content["untracked"] = {"archive": self.keep(run_id, ".lineal/code/source.zip", archive)}
        return content

    def capture(self, run_id: str, root: Path, *words: str, **other: Any) -> None:
        """All parts that it takes."""
        execution: dict[str, Any] = {
            "command": [sys.executable, *words],
            "entry_point": {"kind": "script", "name": "train.py"},
            "folder": str(root),
            "variables": {},
        }
        self.say(run_id, "execution", execution | other.get("execution", {}))
        self.say(run_id, "code", self.code_of(run_id, root) | other.get("code", {}))
        version = ".".join(map(str, sys.version_info[:3]))
        environment: dict[str, Any] = {"python": {"version": version, "implementation": "CPython"}, "packages": {}}
        self.say(run_id, "environment", environment | other.get("environment", {}))


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "notebook")


@pytest.fixture
def reproduce(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`lineal reproduce ... --json`: the exit status and the answer. With the interpreter of the tests, unless asked otherwise."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("LINEAL_URL", str(recorder.folder))
    monkeypatch.setenv("PYTHONPATH", str(SRC))
    monkeypatch.setattr("tempfile.tempdir", None)

    def call(*words: str, environment: str = "current") -> tuple[int, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "lineal.cli.main", "reproduce", *words, "--environment", environment, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    return call


@pytest.fixture
def page(recorder: Recorder, reproduce: Callable[..., Any]) -> Callable[..., Result]:
    """The same for people, within this process."""

    def call(*words: str) -> Result:
        result = CliRunner().invoke(command, ["reproduce", *words, "--environment", "current"], prog_name="lineal")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return call


@pytest.fixture
def show(recorder: Recorder, reproduce: Callable[..., Any]) -> Callable[[str], str]:
    """The page of `lineal runs show`, with single blanks."""

    def call(run_id: str) -> str:
        result = CliRunner().invoke(command, ["runs", "show", run_id], prog_name="lineal")
        assert result.exit_code == 0
        return "\n".join(" ".join(line.split()) for line in result.stdout.splitlines())

    return call


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Shelf:
    """Files of a run, without one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def put(self, path: str, content: bytes) -> Kept:
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / digest).write_bytes(content)
        return Kept(path, digest)

    def find(self, kept: Kept) -> Path:
        path = self.folder / kept.digest
        if not path.exists():
            raise LookupError("it is not on the shelf")
        return path


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both programs that may install; nothing of an index is asked."""
    if request.param == "pip":
        monkeypatch.setattr("lineal.reproduce.environment.find_uv", lambda: None)
    elif shutil.which("uv") is None and not (Path(sys.executable).parent / "uv").exists():
        pytest.importorskip("uv")
    return str(request.param)


def wheel(folder: Path, name: str, version: str, body: str) -> None:
    """A package of one module, as a wheel (packaging.python.org, "Binary distribution format")."""
    folder.mkdir(exist_ok=True)
    information = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": body,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{information}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{information}/RECORD"])
    archive = zipped({path: text.encode() for path, text in files.items()})
    (folder / f"{name}-{version}-py3-none-any.whl").write_bytes(archive)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that packages come from."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def own_environment(folder: Path, packages: list[str]) -> str:
    """An environment of its own, with Lineal; its interpreter."""
    uv = find_uv()
    assert uv is not None
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    place = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(place.stdout.strip()) / "lineal_of_the_tests.pth").write_text(f"{SRC}\n")
    return python
