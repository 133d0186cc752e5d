"""Whether the folder, its database and the files in it are whole."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from lineal.cli.check import Check
from lineal.cli.wording import bytes_text, count_text
from lineal.journal.blobs import find_blob
from lineal.journal.layout import FOLDER_VERSION, Folder
from lineal.model.errors import LinealError, NewerFormat
from lineal.store.contracts import RunQuery, Store
from lineal.store.open import open_store, sqlite_url

_PAGE_COUNT = 1_000
_NAMED_MAX_COUNT = 3
_PROBLEMS_MAX_COUNT = 3


def check_folder(folder: Folder) -> Check:
    """Raises what `Folder.check` raises."""
    folder.check()
    version = Path(folder.version)
    size = sum(file.stat().st_size for file in _files(folder.root))
    if not version.exists():
        return Check("folder", "look", f"{bytes_text(size)}, without a VERSION file", "The next run makes it again.")
    return Check("folder", "good", f"version {FOLDER_VERSION}, {bytes_text(size)}")


def check_database(folder: Folder) -> Iterator[Check]:
    """Opens it as a reader does, asks SQLite to verify it, and looks for the bytes of every artifact it names."""
    path = Path(folder.database)
    if not path.exists():
        yield Check("database", "good", "not made yet: the first read makes it")
        return
    try:
        store = open_store(sqlite_url(path), read_only=True)
    except NewerFormat as error:
        yield Check("database", "bad", error.message, "Upgrade Lineal; nothing was changed.")
        return
    except LinealError as error:
        yield _unreadable(error.message)
        return
    try:
        problems = _integrity_problems(path)
        if problems:
            yield _unreadable("; ".join(problems))
            return
        tenants = store.list_tenants()
        runs = sum(store.tenant(name).list_runs(RunQuery(lifecycle=None, limit=0)).total for name in tenants)
        yield Check("database", "good", f"whole, {bytes_text(path.stat().st_size)}, {count_text(runs, 'run')}")
        yield _check_artifacts(folder, store, tenants)
    finally:
        store.close()


def _unreadable(why: str) -> Check:
    return Check(
        "database",
        "bad",
        why,
        "Put lineal.db (and lineal.db-wal) aside and restore it from a backup. Journals that wait are not touched by this.",
    )


def _integrity_problems(path: Path) -> list[str]:
    """SQLite's own verdict; [] if all is well."""
    name = quote(str(path.absolute()))
    try:
        try:
            return _ask_integrity(f"file:{name}?mode=ro")
        except sqlite3.OperationalError:
            # A read-only folder has no room for the -shm file; nobody can write there, so it may be read as it is.
            return _ask_integrity(f"file:{name}?mode=ro&immutable=1")
    except sqlite3.DatabaseError as error:
        return [str(error)]


def _ask_integrity(uri: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        rows = connection.execute(f"PRAGMA integrity_check({_PROBLEMS_MAX_COUNT})").fetchall()
    return [str(row[0]) for row in rows if row[0] != "ok"]


def _check_artifacts(folder: Folder, store: Store, tenants: list[str]) -> Check:
    count, missing = 0, []
    for tenant in tenants:
        digests = store.tenant(tenant).list_digests()
        count += len(digests)
        problems = {
            digest: problem for digest in digests if (problem := _problem_of(folder, tenant, digest, digests[digest]))
        }
        missing += _named(store, tenant, problems)
    drafts = sum(1 for _ in Path(folder.blobs).glob("*/draft-*"))
    left = f"; {count_text(drafts, 'unfinished copy', 'unfinished copies')}" if drafts else ""
    if missing:
        named = ", ".join(missing[:_NAMED_MAX_COUNT])
        more = f" and {len(missing) - _NAMED_MAX_COUNT} more" if len(missing) > _NAMED_MAX_COUNT else ""
        return Check(
            "artifacts",
            "bad",
            f"{len(missing)} of {count_text(count, 'file')} {'is' if len(missing) == 1 else 'are'} not whole: {named}{more}",
            f"Restore {folder.blobs} from a backup, or log the files again.",
        )
    return Check("artifacts", "good", f"all {count_text(count, 'file')} here{left}" if count else f"none{left}")


def _problem_of(folder: Folder, tenant: str, digest: str, size_bytes: int | None) -> str:
    path = find_blob(folder, tenant, digest)
    if path is None:
        return "is missing"
    size = Path(path).stat().st_size
    if size_bytes is not None and size != size_bytes:
        return f"has {size:,} bytes instead of {size_bytes:,}"
    return ""


def _named(store: Store, tenant: str, problems: dict[str, str]) -> list[str]:
    """Each by the first run, from the newest, that has it: nobody knows a file by its digest."""
    waiting = dict(problems)
    named = []
    query = RunQuery(lifecycle=None, limit=_PAGE_COUNT)
    reader = store.tenant(tenant)
    while waiting:
        page = reader.list_runs(query)
        for details in reader.get_details_of([run.run_id for run in page.runs]):
            for artifact in details.artifacts:
                problem = waiting.pop(artifact.digest or "", None) if artifact.uri is None else None
                if problem:
                    named.append(f"{artifact.path} of run {details.run.run_id[:8]} {problem}")
        if page.next_token is None:
            break
        query = replace(query, after=page.next_token)
    return named + [f"sha256 {digest[:12]} {problem}" for digest, problem in waiting.items()]


def _files(root: str) -> Iterator[Path]:
    for place, _, names in os.walk(root):
        for name in names:
            path = Path(place, name)
            if path.is_file():
                yield path
