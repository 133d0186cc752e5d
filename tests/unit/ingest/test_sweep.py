"""Which files a sweep takes, on real folders, and that no run loses one to it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import lineal
from lineal.ingest.follow import Follower
from lineal.ingest.lock import ingest_lock
from lineal.ingest.sweep import Sweep, sweep
from lineal.journal import blobs
from lineal.journal.layout import Folder
from lineal.model.errors import Busy, NewerFormat
from lineal.store.open import open_store

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "notebook")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def path_of(folder: Folder, content: bytes, tenant: str = "default") -> Path:
    digest = digest_of(content)
    return Path(folder.blobs, tenant, digest[:2], digest)


def log(folder: Folder, content: str, run_id: str | None = None, tenant: str = "default") -> str:
    with lineal.init("e", run_id=run_id, url=folder.root, tenant=tenant) as run:
        run.log_text(content, "out.txt")
    return run.run_id


def age(*paths: Path, days: float = 2) -> None:
    then = time.time() - days * DAY_S
    for path in paths:
        os.utime(path, (then, then))


def age_all(folder: Folder, days: float = 2) -> None:
    age(*(path for path in Path(folder.blobs).rglob("*") if path.is_file()), days=days)


def orphan(folder: Folder, content: bytes, tenant: str = "default") -> Path:
    """Bytes whose record was never written: the process was killed in between."""
    folder.ensure()
    blobs.add_bytes(folder, tenant, content)
    path = path_of(folder, content, tenant)
    age(path)
    return path


def taken(done: Sweep) -> list[str]:
    return [blob.digest for tenant in done.tenants for blob in tenant.taken]


def test_no_folder_is_nothing_to_do(folder: Folder) -> None:
    assert sweep(folder).tenants == []
    assert not os.path.exists(folder.root)


def test_what_no_run_has_goes_and_the_rest_stays(folder: Folder) -> None:
    log(folder, "kept")
    age_all(folder)
    lost = orphan(folder, b"lost")
    done = sweep(folder)
    assert taken(done) == [digest_of(b"lost")]
    assert (done.taken_bytes, done.tenants[0].kept_count, done.tenants[0].kept_bytes) == (4, 1, 4)
    assert not lost.exists() and path_of(folder, b"kept").read_bytes() == b"kept"
    assert taken(sweep(folder)) == []


def test_a_dry_run_says_the_same_and_changes_nothing(folder: Folder) -> None:
    log(folder, "kept")
    lost = orphan(folder, b"lost")
    said = sweep(folder, dry_run=True)
    assert (taken(said), said.taken_bytes) == ([digest_of(b"lost")], 4)
    assert lost.exists()
    assert taken(sweep(folder)) == taken(said)


def test_what_is_young_waits(folder: Folder) -> None:
    lost = orphan(folder, b"lost")
    age(lost, days=0.9)
    done = sweep(folder)
    assert (taken(done), done.tenants[0].young_count) == ([], 1)
    age(lost, days=1.1)
    assert len(taken(sweep(folder))) == 1


def test_deleted_runs_and_older_versions_keep_their_files(folder: Folder) -> None:
    run_id = log(folder, "first")
    with lineal.init("e", run_id=run_id, resume="must", url=folder.root) as run:
        run.log_text("second", "out.txt")
    lineal.delete_run(run_id, url=folder.root)
    age_all(folder)
    assert taken(sweep(folder)) == []
    lineal.restore_run(run_id, url=folder.root)
    logged = lineal.get_run(run_id, url=folder.root)
    assert [logged.artifact_path("out.txt", version).read_text() for version in (1, 2)] == ["first", "second"]


def test_what_a_disk_has_of_its_own_is_no_tenants(folder: Folder) -> None:
    lost = orphan(folder, b"lost")
    for name in ("lost+found", ".snapshot"):
        (Path(folder.blobs) / name / lost.parent.name).mkdir(parents=True)
        age(Path(shutil.copy(lost, Path(folder.blobs) / name / lost.parent.name)))
    assert blobs.list_blob_tenants(folder) == ["default"]
    assert len(taken(sweep(folder))) == 1 and len(list(Path(folder.blobs).rglob(lost.name))) == 2


def test_tenants_are_apart(folder: Folder) -> None:
    log(folder, "same", tenant="one")
    age_all(folder)
    theirs = orphan(folder, b"same", tenant="two")
    other = orphan(folder, b"other", tenant="three")
    done = sweep(folder, tenant="two")
    assert [one.tenant for one in done.tenants] == ["two"]
    assert not theirs.exists() and other.exists() and path_of(folder, b"same", "one").exists()
    sweep(folder)
    assert not other.exists() and path_of(folder, b"same", "one").exists()


def test_a_run_that_logs_right_now_keeps_what_it_logged(folder: Folder) -> None:
    run = lineal.init("e", url=folder.root)
    run.log_text("mine", "out.txt")
    age_all(folder)
    assert taken(sweep(folder)) == []
    run.log_text("later", "out.txt")
    age_all(folder)
    assert taken(sweep(folder)) == []
    run.finish()
    age_all(folder)
    assert taken(sweep(folder)) == []
    assert lineal.get_run(run.run_id, url=folder.root).artifact_path("out.txt").read_text() == "later"


def test_what_a_journal_names_stays_also_where_no_frame_can_be_read(folder: Folder) -> None:
    """A newer Lineal's segments, damaged ones, and those put aside: the digest is found by its looks."""
    lost = [orphan(folder, text) for text in (b"newer", b"aside", b"long")]
    Path(folder.journals, "0123456789abcde-000000.seg").write_bytes(b"LNJ9" + digest_of(b"newer").encode() + b"}")
    Path(folder.kept).mkdir()
    Path(folder.kept, "0123456789abcdf-000000.seg").write_bytes(b"??" + digest_of(b"aside").encode())
    Path(folder.kept, "0123456789abcdd-000000.seg").write_bytes(b"abc" + digest_of(b"long").encode() + b"def")
    assert taken(sweep(folder)) == []
    assert all(path.exists() for path in lost)


def test_the_same_bytes_logged_again_are_young_again(folder: Folder) -> None:
    lost = orphan(folder, b"again")
    blobs.add_bytes(folder, "default", b"again")
    assert taken(sweep(folder)) == []
    age(lost)
    source = Path(folder.root).parent / "source.txt"
    source.write_bytes(b"again")
    blobs.add_file(folder, "default", str(source))
    assert taken(sweep(folder)) == []
    assert lost.read_bytes() == b"again"


@pytest.mark.parametrize("moment", ["before it is put aside", "while it is put aside"])
def test_bytes_logged_again_in_the_midst_of_a_sweep_are_there(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    lost = orphan(folder, b"again")
    real: Callable[[str, str], None] = os.rename
    calls: list[str] = []

    def rename(source: str, target: str) -> None:
        if Path(source) == lost and not calls:
            calls.append(source)
            if moment.startswith("before"):
                blobs.add_bytes(folder, "default", b"again")
                real(source, target)
            else:
                real(source, target)
                blobs.add_bytes(folder, "default", b"again")
            return
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    sweep(folder)
    assert calls and lost.read_bytes() == b"again"
    assert [path.name for path in lost.parent.iterdir()] == [lost.name]


def test_what_a_killed_sweep_put_aside_comes_back_or_goes(folder: Folder) -> None:
    log(folder, "kept")
    age_all(folder)
    for content, stays in ((b"kept", True), (b"lost", False)):
        path = path_of(folder, content) if stays else orphan(folder, content)
        path.rename(f"{path}.aside")
    done = sweep(folder, dry_run=True)
    assert taken(done) == [digest_of(b"lost")]
    assert not path_of(folder, b"kept").exists(), "a dry run changes nothing"
    assert taken(sweep(folder)) == [digest_of(b"lost")]
    assert path_of(folder, b"kept").read_bytes() == b"kept"
    assert not list(Path(folder.blobs).rglob("*.aside"))


def test_leftovers_of_killed_processes(folder: Folder) -> None:
    log(folder, "kept")
    old = [
        Path(folder.blobs, "default", "draft-0123456789abcdef"),
        Path(folder.root, "VERSION.0123456789abcdef"),
        Path(folder.root, ".doctor-01234567"),
    ]
    young = Path(folder.blobs, "default", "draft-fedcba9876543210")
    others = [Path(folder.root, "README"), Path(folder.root, "VERSION"), Path(folder.blobs, "default", "notes.txt")]
    for path in (*old, young, others[0], others[2]):
        path.write_text("12345")
    age(*old, *others)
    said = sweep(folder, dry_run=True)
    assert sorted(left.path for left in said.leftovers) == sorted(map(str, old))
    assert said.taken_bytes == 15
    sweep(folder)
    assert not any(path.exists() for path in old)
    assert young.exists() and all(path.exists() for path in others)


def test_names_that_are_no_digest_are_nobodys_to_remove(folder: Folder) -> None:
    lost = orphan(folder, b"lost")
    strangers = [lost.parent / "README", lost.parent / ("a" * 63), lost.parent.parent / "zz" / ("a" * 64)]
    strangers[2].parent.mkdir()
    for path in strangers:
        path.write_text("x")
    link = lost.parent / ("b" * 64)
    link.symlink_to(strangers[0])
    age(*strangers)
    assert taken(sweep(folder)) == [digest_of(b"lost")]
    assert all(path.exists() for path in (*strangers, link))


def test_who_takes_journals_in_goes_first(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = orphan(folder, b"lost")
    monkeypatch.setattr("lineal.ingest.sweep.INGEST_LOCK_WAIT_S", 0.05)
    with ingest_lock(folder.ingest_lock, 1), pytest.raises(Busy):
        sweep(folder)
    assert lost.exists()


def test_a_folder_of_a_newer_lineal_is_not_touched(folder: Folder) -> None:
    lost = orphan(folder, b"lost")
    Path(folder.version).write_text("99\n")
    with pytest.raises(NewerFormat):
        sweep(folder)
    assert lost.exists()


def test_records_taken_in_before_count(folder: Folder) -> None:
    log(folder, "kept")
    store = open_store(f"sqlite:///{folder.database}")
    try:
        with ingest_lock(folder.ingest_lock, 1):
            Follower(folder, store).catch_up()
    finally:
        store.close()
    assert not folder.list_segments()
    age_all(folder)
    assert taken(sweep(folder)) == []
