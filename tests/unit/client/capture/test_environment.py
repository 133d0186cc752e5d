"""What a run says of where it ran, against what the system's own tools say."""

import json
import os
import platform
import stat
import sys
from pathlib import Path

import pytest

from lineal.client.capture import environment as module
from lineal.client.capture.environment import (
    CONDA_PATH,
    LOCK_PATH,
    environment,
    find_container,
    known_environment,
    operating_system,
    whole_environment,
)


def test_two_looks_are_equal_and_fit_into_json() -> None:
    first, second = environment(os.environ), environment(os.environ)
    assert first == second
    assert json.loads(json.dumps(first.content)) == first.content


def test_python_packages_and_lock() -> None:
    content, files = environment({"OMP_NUM_THREADS": "4", "HOME": "/x"})
    assert content["python"]["version"] == platform.python_version()
    assert content["python"]["implementation"] == platform.python_implementation()
    assert content["packages"]["pytest"] == pytest.__version__
    assert content["variables"] == {"OMP_NUM_THREADS": "4"}
    path, lock = files["lock"]
    assert path == LOCK_PATH
    assert f"pytest=={pytest.__version__}" in lock.decode().splitlines()


def test_what_is_installed_meanwhile_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert "brand-new" not in environment({}).content["packages"]
    (tmp_path / "brand_new-1.0.dist-info").mkdir()
    os.utime(tmp_path, ns=(1, 1))  # clocks of file systems are coarse
    assert environment({}).content["packages"]["brand-new"] == "1.0"


def test_what_is_known_is_known_until_something_is_installed_or_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "_seen", None)
    assert known_environment({}) is None
    seen = environment({})
    known = known_environment({})
    assert known is not None and known[0] is seen and known[1]  # the very same: its JSON is made once
    assert known_environment({"OMP_NUM_THREADS": "4"}) is None
    os.utime(tmp_path, ns=(1, 1))
    assert known_environment({}) is None


def test_a_large_environment_says_what_it_does_not_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES_MAX_COUNT", 3)
    monkeypatch.setattr(module, "_seen", None)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in "edcba":
        (tmp_path / f"{name}-1.0.dist-info").mkdir()
    (tmp_path / "e-1.0.dist-info" / "direct_url.json").write_text('{"url": "https://x.org/e"}')
    content, files = environment({})
    assert content["packages"] == dict.fromkeys("abc", "1.0") and content["packages_left_out"] == 2
    assert files["lock"][1].decode().splitlines()[1:] == [*(f"{name}==1.0" for name in "abcd"), "e @ https://x.org/e"]
    monkeypatch.setattr(module, "PACKAGES_MAX_COUNT", 5)
    monkeypatch.setattr(module, "_seen", None)
    assert "packages_left_out" not in environment({}).content


def test_the_operating_system() -> None:
    said = operating_system()
    assert (said["kernel"], said["machine"]) == (platform.release(), platform.machine())
    if platform.libc_ver()[0] == "glibc":
        assert said["libc"] == " ".join(platform.libc_ver())


def test_release_files(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text('NAME="Debian GNU/Linux"\nVERSION_ID="12"\n# NAME=no\n')
    said = operating_system(str(tmp_path / "os-release"))
    assert (said["name"], said["version"]) == ("Debian GNU/Linux", "12")


def test_containers(tmp_path: Path) -> None:
    root = str(tmp_path)
    assert find_container({}, root) == {}
    (tmp_path / ".dockerenv").touch()
    assert find_container({}, root) == {"kind": "docker"}
    assert find_container({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, root) == {"kind": "kubernetes"}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".containerenv").write_text('engine="podman-4"\nimage="docker.io/library/python:3.12"\n')
    assert find_container({}, root) == {"kind": "podman", "image": "docker.io/library/python:3.12"}
    assert find_container({"APPTAINER_CONTAINER": "/images/x.sif"}, root) == {
        "kind": "apptainer",
        "image": "/images/x.sif",
    }


@pytest.fixture(autouse=True)
def looks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_seen", None)


def test_conda_is_asked_for_this_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that answers as conda does, with what it was asked: conda itself is not installed here."""
    prefix = tmp_path / "env"
    (prefix / "conda-meta").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    program = tmp_path / "conda"
    program.write_text('#!/bin/sh\necho "name: $*"\necho "token: ghp_abcdefghijklmnopqrstuvwxyz0123456789"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environ = {"CONDA_EXE": str(program), "CONDA_DEFAULT_ENV": "mine"}
    assert "conda_export" not in environment(environ).files  # which asks nobody
    known = known_environment(environ)
    assert known is not None and not known[1]
    whole = whole_environment(environ)
    assert whole is not None
    content, files = whole
    assert content["python"]["kind"] == "conda"
    assert content["conda"] == {"prefix": str(prefix), "name": "mine"}
    path, text = files["conda_export"]
    assert path == CONDA_PATH
    assert text.decode().splitlines()[0] == f"name: env export --prefix {prefix}"
    assert b"ghp_" not in text
    program.unlink()
    assert environment(environ) == whole == whole_environment(environ)  # it is known by now
    assert known_environment(environ) == (whole, True)


@pytest.mark.parametrize("script", ["exit 3", "true", "kill -9 $$"], ids=["refuses", "says nothing", "dies"])
def test_a_conda_that_fails_is_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    program = tmp_path / "conda"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    for environ in ({"CONDA_EXE": str(program)}, {"PATH": str(tmp_path / "nowhere")}):
        monkeypatch.setattr(module, "_seen", None)
        whole = whole_environment(environ)
        assert whole is not None and "conda_export" not in whole.files
        assert "conda_export" not in environment(environ).files


def test_a_conda_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "conda"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "CONDA_TIMEOUT_S", 0.1)
    assert module.conda_export({"CONDA_EXE": str(program)}) is None
