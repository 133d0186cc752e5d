"""Where audit rows are read from: a local folder, a store by its address, or a server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from lineal.model.errors import Busy, NotAllowed, NotWritable, Unreachable
from lineal.model.limits import INGEST_LOCK_WAIT_S
from lineal.store.contracts import AuditQuery, AuditRow, ChainHead
from lineal.store.heads import SignedHead

if TYPE_CHECKING:
    from lineal.client.transport import Transport
    from lineal.local import LocalStore
    from lineal.store.contracts import Store

_STORE_SCHEMES = ("sqlite:///", "postgresql://", "postgres://")


class AuditReader(Protocol):
    """One tenant's rows; as `contracts.TenantReader`."""

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]: ...

    def find_audit(self, query: AuditQuery) -> list[AuditRow]: ...

    def find_chain_head(self) -> ChainHead | None: ...


class AuditSource(Protocol):
    """`tenant`: the one that is asked for."""

    tenant: str

    def reader(self, tenant: str) -> AuditReader: ...

    def list_tenants(self) -> list[str]:
        """All that can be read here."""
        ...

    def find_head(self, tenant: str) -> SignedHead | None:
        """Signed, if whoever keeps the rows signs."""
        ...


@contextmanager
def opened_source(url: str | None, tenant: str | None) -> Iterator[AuditSource]:
    from lineal.client.address import is_address
    from lineal.model.ids import DEFAULT_TENANT, check_tenant

    text = url if url is not None else os.environ.get("LINEAL_URL", "")
    name = tenant or os.environ.get("LINEAL_TENANT")
    if name is not None:
        check_tenant(name)
    if is_address(text):
        from lineal.client.address import parse_address
        from lineal.client.login import find_token
        from lineal.client.transport import Transport

        address = parse_address(text)
        transport = Transport(address, token=find_token(address), tenant=name)
        try:
            yield _Served(transport)
        finally:
            transport.close()
    elif text.startswith(_STORE_SCHEMES):
        from lineal.store.open import open_store

        store = open_store(text, read_only=True)
        try:
            yield _Stored(store, name or DEFAULT_TENANT)
        finally:
            store.close()
    else:
        from lineal.cli.opening import opened

        with opened(url, tenant) as local:
            local.refresh()
            _link_what_waits(local)
            yield _Stored(local.store(), local.tenant)


def _link_what_waits(local: LocalStore) -> None:
    """An older Lineal left rows without links. Where the folder cannot be written they stay so, and are counted."""
    if not _waits(local):
        return
    from lineal.ingest.chainer import link_all
    from lineal.ingest.lock import ingest_lock
    from lineal.store.open import open_store

    with contextlib.suppress(Busy, NotWritable), ingest_lock(local.folder.ingest_lock, INGEST_LOCK_WAIT_S):
        store = open_store(f"sqlite:///{local.folder.database}")
        try:
            link_all(store)
        finally:
            store.close()


def _waits(local: LocalStore) -> bool:
    store = local.store()
    newest = (store.tenant(name).find_audit(AuditQuery(limit=1)) for name in store.list_tenants())
    return any(rows and rows[0].hash is None for rows in newest)


class _Stored:
    def __init__(self, store: Store, tenant: str) -> None:
        self.tenant = tenant
        self._store = store

    def reader(self, tenant: str) -> AuditReader:
        return self._store.tenant(tenant)

    def list_tenants(self) -> list[str]:
        from lineal.store.people import SERVER

        has_own = bool(self._store.tenant(SERVER).find_audit(AuditQuery(limit=1)))
        return [*([SERVER] if has_own else []), *self._store.list_tenants()]

    def find_head(self, tenant: str) -> SignedHead | None:
        head = self._store.tenant(tenant).find_chain_head()
        return None if head is None else SignedHead(*head)


class _Served:
    """Through a server, row by row: nothing is taken on its word but the rows themselves."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        head = self.find_head(None)
        self.tenant = head.tenant if head is not None else "default"

    def reader(self, tenant: str) -> AuditReader:
        from lineal.store.people import SERVER

        return _ServedReader(self._transport, is_server=tenant == SERVER)

    def list_tenants(self) -> list[str]:
        """The one that the token is for; and what belongs to none, for those who may see it."""
        from lineal.store.people import SERVER

        try:
            own = self.find_head(SERVER)
        except NotAllowed:
            own = None
        return [*([SERVER] if own is not None else []), self.tenant]

    def find_head(self, tenant: str | None) -> SignedHead | None:
        from lineal.store.people import SERVER

        query = {"server": "true"} if tenant == SERVER else None
        head = self._transport.ask("GET", ("audit", "head"), query=query)["head"]
        return None if head is None else _head(head)


class _ServedReader:
    def __init__(self, transport: Transport, *, is_server: bool) -> None:
        self._transport = transport
        self._extra = {"server": "true"} if is_server else {}

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]:
        return self._rows({"after": after, "limit": limit})

    def find_audit(self, query: AuditQuery) -> list[AuditRow]:
        asked: dict[str, Any] = {
            "subject": query.subject,
            "actor": query.actor,
            "action": query.action,
            "from_time": query.from_ms,
            "to_time": query.to_ms,
            "before": query.before,
            "limit": query.limit,
        }
        return self._rows({name: value for name, value in asked.items() if value is not None})

    def find_chain_head(self) -> ChainHead | None:
        head = self._transport.ask("GET", ("audit", "head"), query=self._extra or None)["head"]
        return None if head is None else _head(head).head

    def _rows(self, query: Mapping[str, Any]) -> list[AuditRow]:
        answer = self._transport.ask("GET", ("audit",), query={**query, **self._extra})
        rows: Sequence[Mapping[str, Any]] = answer["rows"]
        try:
            return [AuditRow(*(row[name] for name in AuditRow._fields)) for row in rows]
        except (KeyError, TypeError):
            raise Unreachable("the answer has no audit rows that make sense", field="url") from None


def _head(value: Mapping[str, Any]) -> SignedHead:
    try:
        return SignedHead(*(value[name] for name in SignedHead._fields))
    except (KeyError, TypeError):
        raise Unreachable("the answer has no head that makes sense", field="url") from None
