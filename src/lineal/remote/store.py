"""A server's runs, for reading, with the questions of a local folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from lineal.client.address import ServerAddress
from lineal.client.login import find_token
from lineal.client.transport import Transport, error_of, path_of
from lineal.ingest.follow import CaughtUp
from lineal.journal.layout import Folder
from lineal.local import LocalStore
from lineal.model.errors import NotFound, Unreachable
from lineal.model.ids import DEFAULT_TENANT
from lineal.remote.fetched import Fetched, Keep, OtherBytes
from lineal.remote.reader import RestReader
from lineal.store.contracts import Store, TenantReader


class RemoteStore(LocalStore):
    """`folder` is where this machine's own journals for the server wait. `named_tenant` None: the token's own one."""

    def __init__(
        self,
        address: ServerAddress,
        folder: Folder,
        named_tenant: str | None = None,
        *,
        host: str = "",
        boot: str = "",
    ) -> None:
        super().__init__(folder.root, named_tenant or DEFAULT_TENANT, host=host, boot=boot)
        self._address = address
        self._named_tenant = named_tenant
        self._own = threading.local()
        self._transports: list[Transport] = []
        self._fetched = Fetched(folder, self.tenant)

    @property
    def place(self) -> str:
        return self._address.url

    @property
    def named_tenant(self) -> str | None:
        return self._named_tenant

    def close(self) -> None:
        for transport in self._transports:
            transport.close()

    def refresh(self) -> CaughtUp:
        """Nothing is to be taken in: the server answers as of the question."""
        return CaughtUp()

    def reader(self) -> TenantReader:
        return cast(TenantReader, self._reader())

    def _reader(self) -> RestReader:
        """One a thread: a connection asks one question at a time."""
        known = getattr(self._own, "reader", None)
        if known is None:
            transport = self.transport()
            self._transports.append(transport)
            self._own.transport = transport
            known = self._own.reader = RestReader(transport)
        return cast(RestReader, known)

    def transport(self) -> Transport:
        """Another connection to the server, as whom its runs are read."""
        return Transport(self._address, token=lambda: find_token(self._address), tenant=self._named_tenant)

    def ask(
        self,
        method: str,
        parts: Sequence[str],
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """A change that a server must be asked for: the answer's JSON."""
        self._reader()
        transport: Transport = self._own.transport
        return transport.ask(method, parts, query=query, body=body)

    def store(self) -> Store:
        return cast(Store, _RestStore(self._reader(), self.tenant))

    @contextmanager
    def lend(self) -> Iterator[Store]:
        yield self.store()

    def of_tenant(self, tenant: str) -> RemoteStore:
        return RemoteStore(self._address, self.folder, tenant, host=self._host, boot=self._boot)

    def tenants(self) -> list[str]:
        """The one that is read: a server does not say which others there are."""
        return [self.tenant]

    def find_blob(self, digest: str, size_bytes: int | None = None) -> str | None:
        """Fetches it, once, if the server has it."""
        path = self._fetched.find(digest, size_bytes)
        return self._fetch(digest) if path is None else path

    def drop_fetched(self, digest: str) -> None:
        self._fetched.drop(digest)

    def _fetch(self, digest: str) -> str | None:
        self._reader()
        transport: Transport = self._own.transport

        def send(keep: Keep) -> bool:
            reply = transport.send("GET", path_of(("blobs", digest)), into=keep)
            if reply.status != 404 and not reply.is_good:
                raise error_of(reply, self._address)
            return reply.is_good

        try:
            return self._fetched.fetch(digest, send)
        except NotFound:
            return None
        except OtherBytes:
            raise Unreachable(f"{self.place} sent other bytes than those of {digest}", field="url") from None


class _RestStore:
    """What is asked of a store beside its readers."""

    def __init__(self, reader: RestReader, tenant: str) -> None:
        self._reader = reader
        self._tenant = tenant

    def change_number(self) -> int:
        return self._reader.change_number()

    def list_tenants(self) -> list[str]:
        return [self._tenant]

    def tenant(self, name: str) -> TenantReader:
        return cast(TenantReader, self._reader)
