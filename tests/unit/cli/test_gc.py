"""`lineal gc`: what it says. What it takes is in tests/unit/ingest/test_sweep.py."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

import lineal
from lineal.journal.blobs import add_bytes
from lineal.journal.layout import Folder


@pytest.fixture
def orphans(folder: Path) -> list[str]:
    with lineal.init("e", url=folder) as run:
        run.log_text("kept", "out.txt")
    for number in range(25):
        add_bytes(Folder(folder), "default", f"orphan {number:03}".encode())
    then = time.time() - 2 * 86_400
    for path in (folder / "blobs").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))
    add_bytes(Folder(folder), "default", b"young")
    return [hashlib.sha256(f"orphan {number:03}".encode()).hexdigest() for number in range(25)]


def test_a_dry_run_lists_and_frees_nothing(invoke, orphans: list[str]) -> None:
    for _ in range(2):
        result = invoke("gc", "--dry-run")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert sum(line.startswith("default  sha256 ") for line in lines) == 20
        assert "... and 5 more; --json lists them all" in lines
        assert "Would free 250 bytes: 25 files that no run refers to." in lines
        assert "1 file of runs kept (4 bytes)." in lines
        assert "1 file (5 bytes) without a run, younger than 24 hours: kept until then." in lines


def test_it_frees_and_says_so(invoke, orphans: list[str]) -> None:
    assert invoke("gc").stdout.splitlines()[0] == "Freed 250 bytes: 25 files that no run refers to."
    assert invoke("gc").stdout.splitlines()[0] == "Nothing to free."
    assert invoke("doctor").exit_code == 0


def test_json(ask, folder: Path, orphans: list[str]) -> None:
    answer = ask("gc", "--dry-run")
    [tenant] = answer.pop("tenants")
    assert answer == {
        "folder": str(folder),
        "dry_run": True,
        "freed_bytes": 250,
        "blob_count": 25,
        "leftover_count": 0,
        "problems": [],
    }
    assert sorted(tenant.pop("digests")) == sorted(orphans)
    assert tenant == {
        "tenant": "default",
        "freed_bytes": 250,
        "kept_count": 1,
        "kept_bytes": 4,
        "young_count": 1,
        "young_bytes": 5,
    }
    assert ask("gc")["dry_run"] is False


def test_of_one_tenant(ask, invoke, orphans: list[str]) -> None:
    assert ask("gc", "--tenant", "other")["tenants"] == []
    assert ask("gc", "--tenant", "default")["blob_count"] == 25
    assert invoke("gc", "--tenant", "No Tenant").exit_code == 2


def test_no_folder(invoke, folder: Path) -> None:
    result = invoke("gc")
    assert (result.exit_code, result.stdout) == (0, "Nothing to free.\n")
    assert not folder.exists()
