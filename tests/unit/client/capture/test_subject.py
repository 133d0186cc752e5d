from __future__ import annotations

from pathlib import Path

import pytest

from lineal.client.capture.subject import entry_of, script_of


@pytest.mark.parametrize(
    ("command", "kind", "name"),
    [
        ("python train.py --lr 1", "script", "train.py"),
        ("/usr/bin/python3.12 -W error -X dev -u src/train.py", "script", "train.py"),
        ("python -m pkg.train --lr 1", "module", "pkg.train"),
        ("python -mpkg", "module", "pkg"),
        ("python -c pass", "program", "-c"),
        ("python", "interactive", "python"),
        ("./train.sh x.py", "program", "train.sh"),
        ("torchrun --nproc 2 there.py --lr 1", "script", "there.py"),
        ("pythonic x", "program", "pythonic"),
    ],
)
def test_entry_points(command: str, kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there.py").touch()
    monkeypatch.chdir(tmp_path)
    assert entry_of(command.split()) == {"kind": kind, "name": name}


def test_the_script_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").touch()
    monkeypatch.chdir(tmp_path)
    assert script_of(["python", "missing.py", "train.py"]) == str(tmp_path / "train.py")
    assert script_of(["python", "-c", "pass"]) is None
