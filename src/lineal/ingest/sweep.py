"""Mark and sweep of a folder's blobs. Safe while runs are recorded; see `docs/reference/files.md`, "Deleting".

Marked is every digest that the store knows of any run, deleted ones included, and everything in a journal that looks like
one: whatever is not applied yet, damaged, or of a newer kind. Taken is what is unmarked and older than the grace: a
blob is placed, or made young again, before the record that refers to it is written."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from lineal.ingest.follow import Follower
from lineal.ingest.lock import ingest_lock
from lineal.journal.blobs import BlobFile, bring_back, list_blob_tenants, list_blobs, list_drafts, remove_blob
from lineal.journal.layout import Folder
from lineal.model.limits import INGEST_LOCK_WAIT_S, SWEEP_GRACE_S
from lineal.store.open import open_store

_DIGEST_CHARS = 64
_DIGESTS = re.compile(rb"[0-9a-f]{64,}")
# What a process that was killed may have left in the folder's root: `Folder.ensure`, and doctor's probes.
_LEFTOVER = re.compile(r"VERSION\.[0-9a-f]{16}|\.doctor-[0-9a-f]{8}")


@dataclass(slots=True)
class TenantSweep:
    """`taken`: removed, or with `dry_run` what would be. `kept`: marked. `young`: unmarked, within the grace."""

    tenant: str
    taken: list[BlobFile] = field(default_factory=list)
    kept_count: int = 0
    kept_bytes: int = 0
    young_count: int = 0
    young_bytes: int = 0

    @property
    def taken_bytes(self) -> int:
        return sum(blob.size_bytes for blob in self.taken)


@dataclass(slots=True)
class Sweep:
    """`leftovers` are unfinished copies and probes of processes that were killed; `problems` are the take-in's, for people."""

    dry_run: bool
    tenants: list[TenantSweep] = field(default_factory=list)
    leftovers: list[BlobFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def taken_bytes(self) -> int:
        return sum(tenant.taken_bytes for tenant in self.tenants) + sum(left.size_bytes for left in self.leftovers)


def sweep(
    folder: Folder,
    *,
    tenant: str | None = None,
    dry_run: bool = False,
    host: str = "",
    boot: str = "",
    grace_s: float = SWEEP_GRACE_S,
) -> Sweep:
    """Frees what nothing refers to, of one tenant or of all. Raises Busy while another process takes journals in, NotWritable
    where the folder refuses. With `dry_run` nothing is removed."""
    done = Sweep(dry_run)
    if not folder.check():
        return done
    with ingest_lock(folder.ingest_lock, INGEST_LOCK_WAIT_S):
        older_than_s = time.time() - grace_s
        # Listed before anything is marked: what is placed or renewed from now on is younger than the grace.
        blobs = {name: list(list_blobs(folder, name)) for name in list_blob_tenants(folder) if tenant in (None, name)}
        store = open_store(f"sqlite:///{folder.database}")
        try:
            done.problems += Follower(folder, store, host=host, boot=boot).catch_up().problems
            waiting = _digests_in_journals(folder)
            for name, found in blobs.items():
                swept = TenantSweep(name)
                marked = store.tenant(name).list_digests().keys() | waiting
                sweep_blobs(swept, found, marked, older_than_s, dry_run=dry_run)
                done.tenants.append(swept)
        finally:
            store.close()
        for left in _leftovers(folder, list(blobs), with_root=tenant is None):
            if left.changed_s <= older_than_s:
                done.leftovers.append(left)
                if not dry_run:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(left.path)
    return done


def sweep_blobs(
    done: TenantSweep, blobs: Iterable[BlobFile], marked: Container[str], older_than_s: float, *, dry_run: bool
) -> None:
    """Of those blobs, which were listed before anything was marked, removes what is neither marked nor young."""
    for blob in blobs:
        if blob.digest in marked:
            if blob.is_aside and not dry_run:
                bring_back(blob)
            done.kept_count += 1
            done.kept_bytes += blob.size_bytes
        elif blob.changed_s <= older_than_s and (dry_run or remove_blob(blob, older_than_s=older_than_s)):
            done.taken.append(blob)
        else:
            done.young_count += 1
            done.young_bytes += blob.size_bytes


def _digests_in_journals(folder: Folder) -> set[str]:
    """Everything that could be a digest in segments that are still there, by its looks: no frame needs to be readable."""
    found: set[str] = set()
    for path in _segment_paths(folder):
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            continue
        for match in _DIGESTS.findall(data):
            found.update(match[at : at + _DIGEST_CHARS].decode() for at in range(len(match) - _DIGEST_CHARS + 1))
    return found


def _segment_paths(folder: Folder) -> Iterator[str]:
    for segment in folder.list_segments():
        yield segment.path
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder.kept):
            yield os.path.join(folder.kept, name)


def _leftovers(folder: Folder, tenants: list[str], *, with_root: bool) -> Iterator[BlobFile]:
    for name in tenants:
        yield from list_drafts(folder, name)
    if not with_root:
        return
    with os.scandir(folder.root) as entries:
        for entry in entries:
            if _LEFTOVER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield BlobFile("", entry.path, status.st_size, status.st_mtime)
