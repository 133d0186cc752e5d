"""The lock is what pip itself would say, and can be installed."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lineal.client.capture.packages import Package, installed_packages, lock_text


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _dist(folder: Path, name: str, version: str, direct: object = None) -> None:
    made = folder / f"{name}-{version}.dist-info"
    made.mkdir(parents=True)
    if direct is not None:
        (made / "direct_url.json").write_text(direct if isinstance(direct, str) else json.dumps(direct))


def test_it_finds_what_importlib_metadata_finds() -> None:
    expected: dict[str, str] = {}
    for one in metadata.distributions():
        expected.setdefault(_normal(one.metadata["Name"]), one.version)
    assert {one.name: one.version for one in installed_packages().packages} == expected


def test_the_folder_that_python_looks_into_first_wins(tmp_path: Path) -> None:
    _dist(tmp_path / "first", "Some_Package", "2.0")
    _dist(tmp_path / "second", "some.package", "1.0")
    found = installed_packages([str(tmp_path / "missing"), str(tmp_path / "first"), str(tmp_path / "second")])
    assert found.left_out == 0 and found.packages == [Package("some-package", "2.0")]


def test_where_a_package_came_from(tmp_path: Path) -> None:
    _dist(
        tmp_path,
        "a",
        "1",
        {"url": "https://example.com/r.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}, "subdirectory": "py"},
    )
    _dist(tmp_path, "b", "2", {"url": "file:///home/me/b", "dir_info": {"editable": True}})
    _dist(tmp_path, "c", "3", {"url": "https://example.com/c-3-py3-none-any.whl", "archive_info": {}})
    _dist(
        tmp_path,
        "d",
        "4",
        {"url": "https://me:hunter2secret@example.com/d.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
    )
    _dist(tmp_path, "e", "5", "not JSON")
    _dist(tmp_path, "torch", "2.5.1+cpu")
    found, _ = installed_packages([str(tmp_path)])
    assert {one.name: one.direct() for one in found if one.name in "abe"} == {
        "a": {"url": "https://example.com/r.git", "vcs": "git", "commit": "c0ffee", "subdirectory": "py"},
        "b": {"url": "file:///home/me/b", "editable": True},
        "e": None,
    }
    text = lock_text(found, "3.12.1")
    assert "hunter2secret" not in text
    assert text.splitlines()[:5] == [
        "# Python 3.12.1",
        "--extra-index-url https://download.pytorch.org/whl/cpu",
        "a @ git+https://example.com/r.git@c0ffee#subdirectory=py",
        "# editable: b==2 from file:///home/me/b",
        "c @ https://example.com/c-3-py3-none-any.whl",
    ]
    assert text.splitlines()[-2:] == ["e==5", "torch==2.5.1+cpu"]


def test_packages_of_the_old_kind(tmp_path: Path) -> None:
    (tmp_path / "old-1.0-py3.11.egg-info").write_text(
        "Metadata-Version: 1.0\nName: old\nVersion: 1.0\n\nName: not me\n"
    )
    (tmp_path / "older.egg-info").mkdir()
    (tmp_path / "older.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: Older\nVersion: 0.1\n")
    (tmp_path / "broken.egg-info").mkdir()
    assert installed_packages([str(tmp_path)]).packages == [Package("old", "1.0"), Package("older", "0.1")]


def test_more_than_are_looked_at_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.capture.packages.PACKAGES_READ_MAX_COUNT", 3)
    for number in range(5):
        _dist(tmp_path, f"p{number}", "1")
    found = installed_packages([str(tmp_path)])
    assert len(found.packages) == 3 and found.left_out == 2


def test_pip_takes_the_lock(tmp_path: Path) -> None:
    """Everything that it names is there already, so that nothing is fetched."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this Python has no pip")
    direct = [one for one in installed_packages().packages if one.url is None and one.name != "lineal"]
    lock = tmp_path / "requirements.txt"
    lock.write_text(lock_text(direct, "3"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--no-deps",
        "--no-index",
        "--quiet",
        "-r",
        str(lock),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
