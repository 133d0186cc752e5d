"""A server frees what nothing refers to, and nothing else: whatever is uploaded, named or restored in between."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from lineal.cli.main import lineal as lineal_command
from lineal.ingest import sweep_hosted as sweeping
from lineal.ingest.lock import ingest_lock
from lineal.ingest.sweep import Sweep, sweep_blobs
from lineal.ingest.sweep_hosted import bind, last_swept_s, sweep_hosted
from lineal.journal import blobs
from lineal.journal.layout import Folder
from lineal.model.errors import Busy, Conflict
from lineal.server.hosted import HostedSource
from lineal.server.leftovers import Leftovers
from lineal.store.contracts import Store
from tests.server.conftest import json_of
from tests.server.hosting import hosted, hosting, new_run, source  # noqa: F401 (fixtures)

OCTETS = {"content-type": "application/octet-stream"}
RUN = "/experiments/runs"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def folder_of(place: Path) -> Folder:
    folder = Folder(place)
    folder.blobs = folder.root
    return folder


def sweep(source: HostedSource, place: Path, **more: Any) -> list[str]:  # noqa: F811
    with source.opened() as store:
        return taken(sweep_hosted(store, folder_of(place), **{"wait_s": 60.0, **more}))


def taken(done: Sweep) -> list[str]:
    return sorted(blob.digest for tenant in done.tenants for blob in tenant.taken)


def files(place: Path) -> list[str]:
    return sorted(path.name for path in place.rglob("*") if path.is_file() and len(path.name) >= 64)


def age(place: Path, leaving: frozenset[str] = frozenset()) -> None:
    then = time.time() - 2 * 86_400
    for path in place.rglob("*"):
        if path.is_file() and path.parent != place and path.name not in leaving:
            os.utime(path, (then, then))


def put(client: httpx.Client, content: bytes) -> str:
    json_of(client.put(f"/blobs/{digest_of(content)}", content=content, headers=OCTETS))
    return digest_of(content)


def log(client: httpx.Client, run_id: str, path: str, content: bytes) -> str:
    json_of(client.post(f"{RUN}/{run_id}/log-artifact", files={"file": (path, content)}))
    return digest_of(content)


def name(client: httpx.Client, run_id: str, path: str, digest: str) -> int:
    form = {"artifact_path": (None, path), "digest": (None, digest)}
    return client.post(f"{RUN}/{run_id}/log-artifact", files=form).status_code


def bound(source: HostedSource, place: Path) -> None:  # noqa: F811
    """As a server is, an hour after the first file came."""
    with source.opened() as store:
        until_linked(store)
        until(lambda: last_swept_s(folder_of(place)) > 0)  # its own first look is over
        bind(store, folder_of(place), wait_s=60)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "blobs"


def test_what_no_run_has_goes_and_the_rest_stays(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
) -> None:
    run_id, deleted = new_run(hosted), new_run(hosted)
    kept = [log(hosted, run_id, "a.txt", content) for content in (b"one", b"two")]  # both versions
    bound(source, place)
    kept.append(log(hosted, deleted, "b.txt", b"three"))
    json_of(hosted.post("/runs/delete", json={"run_ids": [deleted]}))
    lost = put(hosted, b"lost")
    other = hosted.put(f"/blobs/{digest_of(b'one')}", content=b"one", headers={**OCTETS, "X-Tenant-ID": "acme"})
    assert other.status_code == 201 or other.status_code == 200
    assert sweep(source, place) == []  # all of it is young
    age(place)
    assert sweep(source, place, dry_run=True) == sorted([lost, digest_of(b"one")])
    assert sweep(source, place, tenant="acme") == [digest_of(b"one")]
    assert sweep(source, place) == [lost] and files(place) == sorted(kept)
    assert hosted.get(f"{RUN}/{run_id}/artifacts/a.txt", params={"version": 1}).content == b"one"
    assert hosted.head(f"/blobs/{lost}").status_code == 404


@pytest.mark.parametrize("how", ["asked for", "put again", "sent as a form", "named"])
def test_what_somebody_relies_on_is_young_again(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
    how: str,
) -> None:
    """It is old, and no run has it. From the moment that a client is told "it is here" on, no sweep takes it."""
    run_id = new_run(hosted)
    log(hosted, run_id, "known", b"known")
    bound(source, place)
    digest = put(hosted, b"content")
    age(place)
    relies: dict[str, Callable[[], Any]] = {
        "asked for": lambda: hosted.head(f"/blobs/{digest}"),
        "put again": lambda: put(hosted, b"content"),
        "sent as a form": lambda: log(hosted, run_id, "a", b"content"),
        "named": lambda: name(hosted, run_id, "a", digest),
    }
    relies[how]()
    assert sweep(source, place) == [] and digest in files(place)


# -- between mark and sweep ----------------------------------------------------------------------


@contextmanager
def stepping(monkeypatch: pytest.MonkeyPatch, step: Callable[[str], None]) -> Iterator[None]:
    """Calls `step(what comes next)` before each thing that this thread's sweep asks of disk or database."""
    me = threading.get_ident()
    is_inside = False

    def before(what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **more: Any) -> Any:
            nonlocal is_inside
            if threading.get_ident() == me and not is_inside:
                is_inside = True
                try:
                    step(what)
                finally:
                    is_inside = False
            return call(*arguments, **more)

        return stepped

    class Os:
        def __getattr__(self, attribute: str) -> Any:
            found = getattr(os, attribute)
            return before(attribute, found) if attribute in ("stat", "rename", "unlink", "replace") else found

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "os", Os())
        patched.setattr(sweeping, "sweep_blobs", before("sweep", sweep_blobs))
        patched.setattr(sweeping, "list_blobs", before("list", blobs.list_blobs))
        patched.setattr(blobs, "_LOOK_S", 0.0)
        yield


@pytest.mark.parametrize("moment", ["list", "sweep", "stat", "rename", "unlink"])
@pytest.mark.parametrize("how", ["named", "put and named", "sent as a form"])
@pytest.mark.parametrize("source", ["sqlite"], indirect=True)
def test_bytes_that_a_run_gets_during_a_sweep_are_not_lost(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    how: str,
) -> None:
    """The one that would embarrass us: old bytes of nobody, in the hand of the sweep, become a run's artifact. Whoever is told
    that it is logged finds the bytes."""
    run_id = new_run(hosted)
    log(hosted, run_id, "known", b"known")
    bound(source, place)
    digest = put(hosted, b"content")
    age(place)
    said: list[int] = []

    def step(what: str) -> None:
        if what != moment or said:
            return
        if how == "sent as a form":
            log(hosted, run_id, "a", b"content")
            said.append(200)
            return
        if how == "put and named" and hosted.head(f"/blobs/{digest}").status_code == 404:
            put(hosted, b"content")
        said.append(name(hosted, run_id, "a", digest))

    with stepping(monkeypatch, step):
        sweep(source, place)
    assert said and (said[0] == 200 or how == "named")
    if said[0] == 200:
        assert hosted.get(f"{RUN}/{run_id}/artifacts/a").content == b"content"
    else:  # it was told, in time, that they are not here any more
        assert said[0] == 404 and moment == "unlink"
    assert hosted.get(f"{RUN}/{run_id}/artifacts/known").content == b"known"
    age(place)
    sweep(source, place)
    assert said[0] != 200 or hosted.get(f"{RUN}/{run_id}/artifacts/a").content == b"content"


@pytest.mark.parametrize("seed", range(30 if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else 3))
@pytest.mark.parametrize("source", ["sqlite"], indirect=True)
def test_nothing_that_was_logged_is_ever_lost(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Clients, each between its two requests, at every step of sweeps that follow one another; all that no client has just been
    told of is two days old. The ledger is what was answered."""
    chance = random.Random(seed)
    run_id = new_run(hosted)
    log(hosted, run_id, "known", b"known")
    bound(source, place)
    contents = [chance.randbytes(20) for _ in range(20)]
    relied: list[bytes] = []  # told "it is here", not logged yet
    logged: dict[str, bytes] = {}

    def step(what: str) -> None:
        if chance.random() < 0.4:
            return
        if relied and chance.random() < 0.25:
            relied.pop(chance.randrange(len(relied)))  # a client is gone for good: what it sent is nobody's
        elif relied and chance.random() < 0.4:
            content = relied.pop(chance.randrange(len(relied)))
            path = f"{len(logged)}"
            assert name(hosted, run_id, path, digest_of(content)) == 200, f"seed {seed}: it was here a moment ago"
            logged[path] = content
        elif len(logged) < 25:
            content = chance.choice(contents) if chance.random() < 0.8 else chance.randbytes(9)
            if hosted.head(f"/blobs/{digest_of(content)}").status_code == 404:
                put(hosted, content)
            relied.append(content)

    for _ in range(20):
        age(place, frozenset(map(digest_of, relied)))
        with stepping(monkeypatch, step):
            sweep(source, place)
        for path, content in logged.items():
            assert hosted.get(f"{RUN}/{run_id}/artifacts/{path}").content == content, f"seed {seed}"
    assert len(logged) > 3


def test_a_sweep_that_was_killed_is_made_good(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
) -> None:
    run_id = new_run(hosted)
    kept = log(hosted, run_id, "a", b"kept")
    bound(source, place)
    lost = put(hosted, b"lost")
    for digest in (kept, lost):
        path = place / "default" / digest[:2] / digest
        path.rename(f"{path}.aside")
    age(place)
    assert sweep(source, place) == [lost] and files(place) == [kept]
    assert hosted.get(f"{RUN}/{run_id}/artifacts/a").content == b"kept"


def test_one_sweep_at_a_time(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    place: Path,
) -> None:
    log(hosted, new_run(hosted), "a", b"kept")
    put(hosted, b"lost")
    age(place)
    with ingest_lock(str(place / sweeping.LOCK_NAME), 10), pytest.raises(Busy, match="sweeping"):
        sweep(source, place, wait_s=0)
    assert len(files(place)) == 2


# -- the wrong database --------------------------------------------------------------------------


def filled(place: Path, count: int = 5) -> None:
    """A server's life: runs with files, all old by now."""
    with HostedSource(f"sqlite:///{place.parent}/lineal.db", place) as source, hosting(source) as client:  # noqa: F811
        run_id = new_run(client)
        for number in range(count):
            log(client, run_id, f"{number}", b"file %d" % number)
        with source.opened() as store:
            until_linked(store)
            sweep_hosted(store, folder_of(place), wait_s=60)
    age(place)


def until_linked(store: Store) -> None:
    def is_linked() -> bool:
        head = store.tenant("default").find_chain_head()
        return head is not None and not store.tenant("default").list_audit(after=head.number, limit=1)

    until(is_linked)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_empty_database_frees_nothing(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`--store` was forgotten, or misspelt: to a new database all files are nobody's."""
    filled(place)
    for known in (True, False):
        if not known:
            (place / sweeping.SWEPT_NAME).unlink()
        with HostedSource(f"sqlite:///{tmp_path}/new{known}/lineal.db", place) as source, hosting(source) as client:  # noqa: F811
            log(client, new_run(client), "its own", b"another file")
            with source.opened() as store:
                leftovers = Leftovers(folder_of(place), store)
                leftovers.close()
                leftovers.look()
                if known:
                    with pytest.raises(Conflict, match="another database"):
                        sweep_hosted(store, folder_of(place), wait_s=60)
        assert {digest_of(b"file %d" % number) for number in range(5)} <= set(files(place))
    assert "nothing is freed" in caplog.text


def test_a_database_that_knows_none_of_the_files_frees_nothing(place: Path, tmp_path: Path) -> None:
    filled(place)
    (place / sweeping.SWEPT_NAME).unlink()
    with (
        HostedSource(f"sqlite:///{tmp_path}/new/lineal.db", tmp_path / "elsewhere") as source,  # noqa: F811
        source.opened() as store,
    ):
        with pytest.raises(Conflict, match="most files in"):
            sweep_hosted(store, folder_of(place), wait_s=60)
        with pytest.raises(Conflict, match="most files in"):
            bind(store, folder_of(place), wait_s=60)
    assert len(files(place)) == 5 and not last_swept_s(folder_of(place))


def test_an_older_database_frees_nothing_until_somebody_says_so(place: Path, tmp_path: Path) -> None:
    """Restored from a backup: what was logged since is nobody's to it, and its clients are about to send it again."""
    filled(place, 3)
    shutil.copytree(place.parent, tmp_path / "backup")
    filled(place, 5)
    (place.parent / "lineal.db").unlink()
    for path in (tmp_path / "backup").glob("lineal.db*"):
        shutil.copy(path, place.parent / path.name)
    with (
        HostedSource(f"sqlite:///{place.parent}/lineal.db", place) as source,  # noqa: F811
        source.opened() as store,
    ):
        with pytest.raises(Conflict, match="later state"):
            sweep_hosted(store, folder_of(place), wait_s=60)
        assert len(files(place)) == 5
        assert len(taken(sweep_hosted(store, folder_of(place), adopt=True, wait_s=60))) == 2
        assert taken(sweep_hosted(store, folder_of(place), wait_s=60)) == []


def test_files_of_a_local_folder_are_not_a_servers(tmp_path: Path) -> None:
    import lineal

    with lineal.init("e", url=tmp_path / ".lineal") as run:
        run.log_text("waits in a journal", "a.txt")
    place = tmp_path / ".lineal" / "blobs"
    age(place)
    with (
        HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db", place) as source,  # noqa: F811
        source.opened() as store,
        pytest.raises(Conflict, match="local folder"),
    ):
        sweep_hosted(store, folder_of(place), adopt=True, wait_s=60)
    assert len(files(place)) == 1


def test_a_server_does_it_by_itself_and_servers_take_turns(place: Path) -> None:
    filled(place)
    lost = blobs.add_bytes(folder_of(place), "default", b"lost").digest
    age(place)
    long_ago = time.time() - 7 * 3_600
    os.utime(place / sweeping.SWEPT_NAME)
    for swept in (False, True):
        if swept:
            os.utime(place / sweeping.SWEPT_NAME, (long_ago, long_ago))
        with (
            HostedSource(f"sqlite:///{place.parent}/lineal.db", place) as source,  # noqa: F811
            source.opened() as store,
        ):
            leftovers = Leftovers(folder_of(place), store)
            leftovers.close()
            leftovers.look()
        assert (lost not in files(place)) == swept
    assert len(files(place)) == 5 and last_swept_s(folder_of(place)) > long_ago + 3_600


def test_by_hand(place: Path) -> None:
    """`lineal gc --store`, beside the server or without it."""
    filled(place)
    lost = blobs.add_bytes(folder_of(place), "default", b"lost").digest
    age(place)
    command = ["gc", "--store", f"sqlite:///{place.parent}/lineal.db"]

    def said(*more: str) -> Any:
        return CliRunner().invoke(lineal_command, [*command, *more])

    dry = json.loads(said("--dry-run", "--json").stdout)
    assert (dry["blob_count"], dry["folder"], dry["tenants"][0]["digests"]) == (1, str(place), [lost])
    assert "Freed 4 bytes: 1 file that no run refers to." in said().stdout and lost not in files(place)
    (place / sweeping.SWEPT_NAME).write_text('{"heads": {"default": [1, "00"]}}')
    refused = said()
    assert refused.exit_code == 4 and "--adopt" in refused.stderr
    assert said("--adopt").exit_code == 0 and said().exit_code == 0
    assert CliRunner().invoke(lineal_command, ["gc", "--adopt"]).exit_code == 2
    assert CliRunner().invoke(lineal_command, ["gc", "--store", "postgresql://localhost/x"]).exit_code == 2
    assert said("--blobs", str(place / "absent")).exit_code == 3
