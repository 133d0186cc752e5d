"""`lineal sync --to URL`: runs that were recorded without a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lineal.model.errors import InvalidInput, NotFound
from lineal.model.ids import DEFAULT_TENANT

if TYPE_CHECKING:
    from lineal.client.address import ServerAddress
    from lineal.client.sync import SyncedRun
    from lineal.client.transport import Transport
    from lineal.ingest.retell import Retold, ToldVersion
    from lineal.journal.layout import Folder


def outbox_of(root: Folder, server: ServerAddress) -> Folder:
    """Where what is told to that server waits. Raises NotFound, InvalidInput for what is no folder of runs of its own."""
    from pathlib import Path

    from lineal.client.outbox import find_server, prepare
    from lineal.journal.layout import SERVERS_NAME, Folder

    if not root.check():
        raise NotFound(f"{root.root} is no Lineal folder", field="path")
    if find_server(root) is not None:
        raise InvalidInput(f"{root.root} holds what is on its way to a server: --url sends it to another", field="to")
    outbox = Folder(Path(root.root) / SERVERS_NAME / server.digest)
    prepare(outbox, server)
    return outbox


def retell(
    root: Folder, outbox: Folder, transport_for: Callable[[str], Transport], tenant: str | None
) -> tuple[list[Retold], list[ToldVersion]]:
    """Says into `outbox` what is new of the folder's runs and registered models; with `tenant`, what was recorded without one goes
    to that one. Raises Unreachable, Busy, InvalidInput."""
    from lineal.api import open_store
    from lineal.ingest.lock import ingest_lock
    from lineal.ingest.retell import Retelling
    from lineal.model.limits import INGEST_LOCK_WAIT_S

    outbox.ensure()
    with open_store(root.root) as local, ingest_lock(outbox.ingest_lock, INGEST_LOCK_WAIT_S):
        local.refresh()
        with local.lend() as store:
            moves = _moves(store.list_tenants(), tenant)
            asked = _Asked(transport_for)
            retelling = Retelling(store, root, outbox, asked.is_there, int(time.time() * 1_000), moves)
            try:
                return list(retelling.run()), retelling.versions
            finally:
                asked.close()


def _moves(tenants: Sequence[str], tenant: str | None) -> dict[str, str]:
    if tenant is None or tenant == DEFAULT_TENANT:
        return {}
    if tenant in tenants:
        raise InvalidInput(
            f"the folder has runs of a tenant {tenant!r} of its own: send both apart, or these without --tenant",
            field="tenant",
        )
    return {DEFAULT_TENANT: tenant}


def lock(outbox: Folder, retold: list[Retold]) -> None:
    """The locks of runs that are there, which come last."""
    from lineal.ingest.lock import ingest_lock
    from lineal.ingest.retell import tell_lock
    from lineal.model.limits import INGEST_LOCK_WAIT_S

    with ingest_lock(outbox.ingest_lock, INGEST_LOCK_WAIT_S):
        for one in retold:
            tell_lock(outbox, one, int(time.time() * 1_000))


def judged(runs: list[SyncedRun], retold: list[Retold]) -> Iterator[SyncedRun]:
    """What was sent, held against what this folder has; then what was not told at all."""
    from lineal.client.sync import SyncedRun

    here = {(one.tenant, one.run_id): one for one in retold}
    for run in runs:
        one = here.get((run.tenant, run.run_id or ""))
        if one is not None and run.state == "whole":
            run.points = one.points
            if (run.points_there or 0) < one.points:
                run.state, run.why = "left", f"the server has {run.points_there or 0:,} points of {one.points:,}"
            elif one.why:
                run.state, run.why = "damaged", one.why
        yield run
    for one in retold:
        if one.state == "runs":
            yield SyncedRun(one.tenant, one.run_id, "waits", one.why, points=one.points)
        elif one.state == "refused":
            yield SyncedRun(one.tenant, one.run_id, "refused", one.why, points=one.points)


def numbers_there(
    versions: list[ToldVersion], transport_for: Callable[[str], Transport]
) -> Iterator[tuple[ToldVersion, str]]:
    """What the server calls those that were sent now: NAME/NUMBER, or nothing where it does not have one. Raises Unreachable."""
    known: dict[str, Transport] = {}
    for version in versions:
        transport = known.get(version.tenant) or known.setdefault(version.tenant, transport_for(version.tenant))
        try:
            asked = {"version_id": version.version_id}
            [there] = transport.ask("GET", ["model-versions", "find"], query=asked)["versions"]
            yield version, f"{there['name']}/{there['version']}"
        except NotFound:
            yield version, ""
    for transport in known.values():
        transport.close()


class _Asked:
    """Asks a server which runs it has."""

    def __init__(self, transport_for: Callable[[str], Transport]) -> None:
        self._transport_for = transport_for
        self._known: dict[str, Transport] = {}

    def is_there(self, tenant: str, run_id: str) -> bool:
        """Raises Unreachable, and what a refusal means."""
        transport = self._known.get(tenant) or self._known.setdefault(tenant, self._transport_for(tenant))
        try:
            transport.ask("GET", ["runs", run_id])
        except NotFound:
            return False
        return True

    def close(self) -> None:
        for transport in self._known.values():
            transport.close()
