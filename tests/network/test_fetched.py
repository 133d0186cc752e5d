"""What was read from a server and lies on this machine is whole whenever it is handed on, whatever became of the machine meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.journal.layout import Folder, sync_folder
from lineal.remote import fetched
from lineal.remote.fetched import Fetched, OtherBytes
from tests.network.conftest import url_of

CONTENT = b"0123456789abcdef" * 1_000


@pytest.fixture
def read(server: httpx.Client) -> Callable[[], Path]:
    """Each call as another process asks: nothing is known of what lies there."""
    url = url_of(server)
    with lineal.init("e", run_id="made", url=url) as run:
        run.log_text(CONTENT.decode(), "data.bin")

    def ask() -> Path:
        with lineal.open_store(url) as store:
            return store.get_run("made").artifact_path("data.bin")

    return ask


def _cut(path: Path) -> None:
    os.truncate(path, 4_096)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _zeros(path: Path) -> None:
    """As a file system that wrote the length before the bytes."""
    path.write_bytes(bytes(len(CONTENT)))


@pytest.mark.parametrize("damage", [_cut, _empty, _zeros])
def test_what_a_power_cut_damaged_is_fetched_again(read: Callable[[], Path], damage: Callable[[Path], None]) -> None:
    path = read()
    assert path.read_bytes() == CONTENT
    damage(path)
    assert read().read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_what_is_whole_is_not_fetched_again(read: Callable[[], Path]) -> None:
    before = read().stat()
    assert read().stat().st_ino == before.st_ino


def test_a_deleted_one_is_fetched_again(read: Callable[[], Path]) -> None:
    read().unlink()
    assert read().read_bytes() == CONTENT


DIGEST = "0c7cdca23b2eaad05f07c63161c741609a847b8a87a32accee995ec9cf546856"  # of CONTENT


def test_bytes_are_on_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(fd: int) -> None:
        said.append(f"fsync {os.fstat(fd).st_size}")
        fsync(fd)

    def note_replace(draft: str, path: str) -> None:
        said.append("rename")
        replace(draft, path)

    def note_folder(path: str) -> None:
        said.append("folder")
        sync_folder(path)

    kept = Fetched(Folder(str(tmp_path)), "default")
    kept.fetch(DIGEST, lambda keep: bool(keep(CONTENT)) or True)
    os.unlink(kept.find(DIGEST) or "")
    with monkeypatch.context() as patched:
        patched.setattr("lineal.remote.fetched.os.fsync", note_fsync)
        patched.setattr("lineal.remote.fetched.os.replace", note_replace)
        patched.setattr(fetched, "sync_folder", note_folder)
        kept.fetch(DIGEST, lambda keep: bool(keep(CONTENT)) or True)
    assert said[:3] == [f"fsync {len(CONTENT)}", "rename", "folder"]


def test_nothing_is_left_of_what_did_not_come(tmp_path: Path) -> None:
    kept = Fetched(Folder(str(tmp_path)), "default")

    def break_off(keep: Callable[[bytes], object]) -> bool:
        keep(CONTENT[:100])
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        kept.fetch(DIGEST, break_off)
    with pytest.raises(OtherBytes):
        kept.fetch(DIGEST, lambda keep: bool(keep(b"others")) or True)
    assert kept.fetch(DIGEST, lambda keep: False) is None
    assert list((tmp_path / "fetched" / "default").iterdir()) == []
    assert kept.find(DIGEST) is None


def test_a_large_file_is_known_by_its_size_where_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "fetched" / "default"
    place.mkdir(parents=True)
    (place / DIGEST).write_bytes(bytes(len(CONTENT)))
    monkeypatch.setattr(fetched, "FETCHED_COMPARED_MAX_BYTES", 1_000)
    kept = Fetched(Folder(str(tmp_path)), "default")
    assert kept.find(DIGEST) is None  # its size is not known: it is read
    assert kept.find(DIGEST, len(CONTENT) + 1) is None
    assert kept.find(DIGEST, len(CONTENT)) == str(place / DIGEST)  # whoever reads it as a model compares it then


def test_drafts_of_killed_processes_go(tmp_path: Path) -> None:
    place = tmp_path / "fetched" / "default"
    place.mkdir(parents=True)
    for name, mtime in ((f"{DIGEST}.0011223344556677", 1.0), (f"{DIGEST}.8899aabbccddeeff", None), ("0" * 64, 1.0)):
        (place / name).write_bytes(b"part")
        if mtime is not None:
            os.utime(place / name, (mtime, mtime))
    Fetched(Folder(str(tmp_path)), "default").fetch(DIGEST, lambda keep: bool(keep(CONTENT)) or True)
    assert sorted(one.name for one in place.iterdir()) == ["0" * 64, DIGEST, f"{DIGEST}.8899aabbccddeeff"]
