"""The sweep of a server's blobs, beside its uploads and, where servers share a database, beside theirs.

The same mark and the same care as in a local folder (`sweep.py`): blobs are listed before references are read, and taken is what
nothing refers to and what is older than the grace when it is looked at last. Whoever is about to refer to a blob makes
it young first: by placing it, by asking whether it is here (HEAD), by naming it (log-artifact).

What a server must fear more than a race is the wrong database: an empty one, another one, an older one from a backup, to which most
files seem to belong to nobody. So the folder remembers how far each tenant's chain of audit rows had come when it was swept
last, and a database without just those rows takes nothing (docs/adr/0026-sweeping-a-servers-files.md)."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator

from lineal.ingest.lock import ingest_lock
from lineal.ingest.sweep import Sweep, TenantSweep, sweep_blobs
from lineal.journal.blobs import list_blob_tenants, list_blobs, list_drafts
from lineal.journal.layout import Folder, sync_folder
from lineal.journal.parts import remove_part
from lineal.model.errors import Busy, Conflict
from lineal.model.limits import SWEEP_GRACE_S
from lineal.store.contracts import Store

SWEPT_NAME, LOCK_NAME = "swept.json", "sweep.lock"
_HOW = "nothing is freed until `lineal gc --store ... --blobs ... --adopt` says that they are this one's"
_KNOWN_SHARE = 0.9
_BEGINNINGS = "0123456789abcdef"  # a sixteenth of the digests is in memory at a time


def sweep_hosted(
    store: Store,
    folder: Folder,
    *,
    tenant: str | None = None,
    dry_run: bool = False,
    adopt: bool = False,
    grace_s: float = SWEEP_GRACE_S,
    wait_s: float = 0.0,
) -> Sweep:
    """Frees what nothing refers to, of one tenant or of all. Raises Conflict for files that are not known to be this database's
    (with `adopt` they are taken for that), Busy while another one sweeps them (for `wait_s`), what the store raises."""
    done = Sweep(dry_run)
    _refuse_local(folder)
    with _alone(folder, wait_s):
        if not adopt:
            check_belongs(store, folder)
        heads = _heads(store)
        older_than_s = time.time() - grace_s
        for name in list_blob_tenants(folder):
            if tenant not in (None, name):
                continue
            swept = TenantSweep(name)
            for beginning in _BEGINNINGS:
                blobs = list(list_blobs(folder, name, beginning))
                if blobs:
                    marked = store.tenant(name).list_digests(beginning)
                    sweep_blobs(swept, blobs, marked, older_than_s, dry_run=dry_run)
            done.tenants.append(swept)
            for left in list_drafts(folder, name):
                if left.changed_s <= older_than_s and (dry_run or remove_part(left.path, older_than_s)):
                    done.leftovers.append(left)
        if not dry_run and tenant is None:
            _remember(folder, heads)
    return done


def bind(store: Store, folder: Folder, *, wait_s: float = 0.0) -> None:
    """A folder that was never swept is this database's from now on, if it is plain that it is: `check_belongs`. Raises Conflict
    for one that is not, Busy."""
    _refuse_local(folder)
    with _alone(folder, wait_s):
        check_belongs(store, folder)
        if not _remembered(folder):
            _remember(folder, _heads(store), last_swept_s(folder))


def last_swept_s(folder: Folder) -> float:
    """When; 0 for never."""
    try:
        return os.stat(os.path.join(folder.root, SWEPT_NAME)).st_mtime
    except FileNotFoundError:
        return 0.0


def check_belongs(store: Store, folder: Folder) -> None:
    """Raises Conflict unless the files there are known to be this database's, as it is now: it has the audit rows that were
    remembered or, where nothing is, nearly all files are of its runs."""
    heads = _remembered(folder)
    for tenant, (number, linked) in heads.items():
        rows = store.tenant(tenant).list_audit(after=number - 1, limit=1)
        if not rows or (rows[0].number, rows[0].hash) != (number, linked):
            raise Conflict(
                f"the files in {folder.root} were last swept for another database, or for a later state of this one: {_HOW}",
                field="blobs",
            )
    if not heads and not _has_most(store, folder):
        raise Conflict(f"most files in {folder.root} are of no run of this database: {_HOW}", field="blobs")


def _refuse_local(folder: Folder) -> None:
    """The journals of a local folder refer to files, too, and are not looked at here."""
    if os.path.isdir(Folder(os.path.dirname(folder.root)).journals):
        raise Conflict(f"{folder.root} is a local folder's: nothing is freed; `lineal gc` does it there", field="blobs")


def _has_most(store: Store, folder: Folder) -> bool:
    known_count = count = 0
    for tenant in list_blob_tenants(folder):
        for beginning in _BEGINNINGS:
            here = {blob.digest for blob in list_blobs(folder, tenant, beginning)}
            if here:
                count += len(here)
                known_count += len(here & store.tenant(tenant).list_digests(beginning).keys())
    return known_count >= _KNOWN_SHARE * count


def _heads(store: Store) -> dict[str, tuple[int, str]]:
    found = [store.tenant(tenant).find_chain_head() for tenant in store.list_tenants()]
    return {head.tenant: (head.number, head.hash) for head in found if head is not None}


@contextlib.contextmanager
def _alone(folder: Folder, wait_s: float) -> Iterator[None]:
    """One sweep at a time: what one holds aside, another must not touch."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(ingest_lock(os.path.join(folder.root, LOCK_NAME), wait_s))
        except Busy:
            raise Busy("another process is sweeping these files; it frees what can be freed") from None
        yield


def _remembered(folder: Folder) -> dict[str, tuple[int, str]]:
    """Nothing, for a folder that was never swept. Raises Conflict for what cannot be read."""
    try:
        with open(os.path.join(folder.root, SWEPT_NAME), encoding="utf-8") as file:
            return {tenant: (int(number), str(linked)) for tenant, (number, linked) in json.load(file)["heads"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Conflict(f"{SWEPT_NAME} in {folder.root} cannot be read: {_HOW}", field="blobs") from None


def _remember(folder: Folder, heads: dict[str, tuple[int, str]], time_s: float | None = None) -> None:
    path = os.path.join(folder.root, SWEPT_NAME)
    draft = f"{path}.{os.urandom(8).hex()}"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"heads": heads}, file)
            file.flush()
            os.fsync(file.fileno())
        if time_s is not None:
            os.utime(draft, (time_s, time_s))
        os.replace(draft, path)
        sync_folder(folder.root)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
