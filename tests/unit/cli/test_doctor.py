"""`lineal doctor` on folders that are well, and on folders that are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.cli import check_machine

SRC = Path(__file__).resolve().parents[3] / "src"


@pytest.fixture
def checks(ask: Callable[..., Any]) -> Callable[[], dict[str, dict[str, str]]]:
    """Verdicts by name."""

    def call() -> dict[str, dict[str, str]]:
        return {check["name"]: check for check in ask("doctor")["checks"]}

    return call


def die(folder: Path, last_words: str = "") -> None:
    """A process that logs and is killed."""
    program = (
        "import lineal, os, signal\n"
        f"run = lineal.init('e', run_id='victim', url={str(folder)!r})\n"
        "for step in range(100): run.log({'loss': step}, step=step)\n"
        f"{last_words}\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(SRC)})
    assert died.returncode == -signal.SIGKILL


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_is_not_there_is_no_trouble(invoke, checks, folder: Path) -> None:
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "the first run makes it" in result.stdout and "All good." in result.stdout
    assert not folder.exists()


def test_a_healthy_folder(invoke, checks, folder: Path, sweep) -> None:
    with lineal.init("files", url=folder) as run:
        run.log_text("hello", "a.txt")
    invoke("runs", "list")
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "All good." in result.stdout
    found = checks()
    assert {check["verdict"] for check in found.values()} <= {"good", "look"}
    assert "7 runs" in found["database"]["detail"]
    assert found["artifacts"]["detail"] == "all 1 file here"
    assert found["journals"]["detail"] == "nothing waits, nobody writes"
    assert found["locks"]["verdict"] == "good"


def test_it_changes_nothing(invoke, folder: Path, sweep) -> None:
    before = snapshot(folder)
    assert invoke("doctor").exit_code == 0
    assert snapshot(folder) == before


def test_who_writes_and_what_waits(checks, folder: Path) -> None:
    run = lineal.init("e", run_id="alive", url=folder)
    with lineal.init("e", url=folder):
        pass
    try:
        run.log({"loss": 1.0})
        detail = checks()["journals"]["detail"]
        assert "1 writer alive: run alive" in detail and f"pid {os.getpid()}" in detail
        assert "1 journal (" in detail and "of ended writers" in detail
        assert "dead writers" not in checks()
    finally:
        run.finish()


def test_a_dead_writer_is_named_until_it_is_taken_in(invoke, checks, folder: Path) -> None:
    die(folder)
    check = checks()["dead writers"]
    assert check["verdict"] == "look"
    assert "run victim" in check["detail"]
    assert invoke("doctor").exit_code == 0
    invoke("runs", "list")
    assert "dead writers" not in checks()


def test_damage_in_a_journal_is_counted(invoke, checks, ask, folder: Path) -> None:
    die(folder)
    [segment] = (folder / "journals").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[len(bytes(data).rstrip(b"\0")) // 2] ^= 0xFF
    segment.write_bytes(data)
    assert checks()["damage"]["verdict"] == "look"
    assert "run victim" in checks()["damage"]["detail"]
    assert sum(ask("runs", "show", "victim")["losses"].values()) >= 1


def test_a_missing_file_is_bad(invoke, checks, folder: Path) -> None:
    with lineal.init("files", url=folder) as run:
        run.log_text("hello", "a.txt")
        run.log_text("world!", "b.txt")
        run.log_artifact("s3://bucket/far.bin", mode="reference")
    invoke("runs", "list")
    first, second = sorted(
        (path for path in (folder / "blobs").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    first.unlink()
    second.write_bytes(b"short")
    result = invoke("doctor")
    assert result.exit_code == 1
    detail = checks()["artifacts"]["detail"]
    assert detail.startswith("2 of 2 files are not whole")
    assert "a.txt" in detail and "b.txt of run" in detail and "5 bytes instead of 6" in detail


@pytest.mark.parametrize("damage", ["noise", "header", "page"])
def test_a_damaged_database_is_bad(invoke, checks, folder: Path, sweep, damage: str) -> None:
    invoke("runs", "list")
    database = folder / "lineal.db"
    data = bytearray(database.read_bytes())
    if damage == "noise":
        data[:] = os.urandom(len(data))
    elif damage == "header":
        data[:16] = b"not a database!!"
    else:
        for start in range(4_096, len(data), 4_096):
            data[start : start + 8] = b"\xff" * 8
    for leftover in folder.glob("lineal.db-*"):
        leftover.unlink()
    database.write_bytes(data)
    result = invoke("doctor")
    assert result.exit_code == 1
    assert checks()["database"]["verdict"] == "bad"
    assert "backup" in checks()["database"]["advice"]


def test_a_check_that_fails_is_an_answer_too(invoke, checks, sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.cli.check_store._integrity_problems", lambda path: 1 / 0)
    invoke("runs", "list")
    assert invoke("doctor").exit_code == 1
    assert "ZeroDivisionError" in checks()["database"]["detail"]


def test_a_newer_folder_is_bad(invoke, checks, folder: Path, sweep) -> None:
    (folder / "VERSION").write_text("99\n")
    assert invoke("doctor").exit_code == 1
    assert "upgrade" in checks()["folder"]["detail"]


def test_kept_segments_are_named(checks, folder: Path, sweep) -> None:
    (folder / "journals" / "kept").mkdir()
    (folder / "journals" / "kept" / "0123456789abcde-000001.seg").write_bytes(b"from the future")
    assert "1 segment" in checks()["kept segments"]["detail"]


def test_a_misspelt_setting_is_named(checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_EXPERIMNT", "x")
    assert checks()["settings"]["verdict"] == "look"
    assert "LINEAL_EXPERIMNT" in checks()["settings"]["detail"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_refuses_is_bad(invoke, checks, folder: Path, sweep) -> None:
    invoke("runs", "list")
    folder.chmod(0o500)
    try:
        assert invoke("doctor").exit_code == 1
        assert checks()["writable"]["verdict"] == "bad"
    finally:
        folder.chmod(0o700)


def test_a_disk_that_refuses_is_bad(invoke, checks, folder: Path, sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above for those who are root: the system call itself refuses."""
    real = os.open

    def refuse(path, flags, *rest, **named):
        if ".doctor-" in str(path):
            raise OSError(28, "No space left on device")
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    assert invoke("doctor").exit_code == 1
    assert "No space left" in checks()["writable"]["detail"]


@pytest.mark.parametrize(("free_mib", "verdict"), [(1, "bad"), (100, "look"), (5_000, "good")])
def test_room_on_the_disk(free_mib: int, verdict: str) -> None:
    assert check_machine._check_free(free_mib * 1_024 * 1_024).verdict == verdict


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 51, 3), (4, 0, 0)])
def test_the_trap_of_sqlite_is_named_where_it_is(version: tuple[int, ...]) -> None:
    assert ("two connections" in check_machine._check_sqlite(version).detail) == (version < (3, 51, 3))


def test_the_file_system_is_found_by_the_deepest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    inside = tmp_path / "a b" / "c"
    inside.mkdir(parents=True)
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/x rw\n"
        f"2 1 0:9 / {str(tmp_path).replace(' ', chr(92) + '040')}/a\\040b rw,x shared:1 - nfs4 host:/ rw\n"
        "3 1 0:8 / /elsewhere rw - tmpfs tmpfs rw\n"
    )
    assert check_machine.file_system_of(str(inside), str(mounts)) == "nfs4"
    assert check_machine.file_system_of(str(tmp_path), str(mounts)) == "ext4"
    assert check_machine.file_system_of(str(tmp_path), str(tmp_path / "missing")) is None


@pytest.mark.parametrize("columns", [80, 140])
def test_it_fits_the_terminal(terminal, folder: Path, sweep, columns: int) -> None:
    raw, plain, status = terminal(columns, "doctor")
    assert status == 0
    long = [line for line in plain.splitlines() if len(line) > columns and str(folder) not in line]
    assert not long
    assert "\x1b[" in raw
