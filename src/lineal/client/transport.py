"""Requests to a server, one after another over one connection. Everything that is sent through here may be sent twice."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlencode

from lineal._version import __version__
from lineal.client.address import ServerAddress
from lineal.client.connecting import Connecting, Proxy, connect, find_proxy, words_of
from lineal.model.errors import Busy, Conflict, InvalidInput, LinealError, Locked, NotAllowed, NotFound, Unreachable
from lineal.model.limits import REPLY_MAX_BYTES, REQUEST_TIMEOUT_S, RETRY_AFTER_MAX_S

OCTETS = "application/octet-stream"
API = "/api/v1"
_FAULTS = (OSError, http.client.HTTPException)


class Reply(NamedTuple):
    """What a server answered. `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Raises Unreachable for what no Lineal server says: a proxy's page, say, or half an answer."""
        if "json" in self.headers.get("content-type", ""):
            try:
                return json.loads(self.body)
            except ValueError:
                pass
        raise Unreachable(f"the answer is not a Lineal server's (status {self.status}, no JSON)", field="url")

    @property
    def problem(self) -> Mapping[str, Any]:
        """The problem JSON of a refusal; {} if it is none."""
        try:
            said = self.json()
        except Unreachable:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """What the server asked for, within bounds. (A date instead of seconds is not understood.)"""
        said = self.headers.get("retry-after", "")
        return min(float(said), RETRY_AFTER_MAX_S) if said.isdigit() else None


class Transport:
    """For one thread at a time. `tenant` None: whichever the token is for. A `token` that is called is asked for again after
    the server did not take it."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        token: str | Callable[[], str | None] | None = None,
        tenant: str | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._connecting: Connecting | None = None
        self._proxy: Proxy | None = None
        self.address = address
        self.timeout_s = timeout_s
        self.has_reached = False  # whether there ever was a connection: it says nothing of what answered, or how fast
        self.unreached_since_s: float | None = None  # the first try, of those without a connection that were made last
        self._headers = {"User-Agent": f"lineal/{__version__}", "Accept": "application/json"}
        self._given_token = token
        self._say_token()
        if tenant is not None:
            self._headers["X-Tenant-ID"] = tenant

    def close(self) -> None:
        """The next request opens a connection anew."""
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.connection.close()

    @property
    def is_connected(self) -> bool:
        """Now. Anybody may ask."""
        connecting = self._connecting
        return connecting is not None and connecting.connection.sock is not None

    def _note_reached(self) -> None:
        self.has_reached, self.unreached_since_s = True, None

    def _say_token(self) -> None:
        token = self._given_token() if callable(self._given_token) else self._given_token
        self._headers.pop("Authorization", None)
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def __del__(self) -> None:
        self.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        file: IO[bytes] | None = None,
        start: int = 0,
        headers: Mapping[str, str] | None = None,
        into: Callable[[bytes], object] | None = None,
    ) -> Reply:
        """The answer, whatever its status; `path` follows the API's base. The body is `body`, or a file from `start` on. With
        `into`, a good answer's body goes there piece by piece. Raises Unreachable if there is none, or none whole."""
        reply = self._send_anew(method, path, query, body, file, start, headers, into)
        before = self._headers.get("Authorization")
        if reply.status != 401 or not callable(self._given_token):
            return reply
        self._say_token()
        if self._headers.get("Authorization") == before:
            return reply
        # Somebody has signed in anew meanwhile.
        return self._send_anew(method, path, query, body, file, start, headers, into)

    def _send_anew(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: bytes | None,
        file: IO[bytes] | None,
        start: int,
        headers: Mapping[str, str] | None,
        into: Callable[[bytes], object] | None,
    ) -> Reply:
        """Over a new connection if the one there is was closed by the server."""
        address = f"{self.address.path}{API}{path}"
        if query:
            address += "?" + urlencode(query)
        all_headers = {**self._headers, **(headers or {})}
        reused = self._connecting is not None
        if file is not None:
            file.seek(start)
        try:
            return self._send(method, address, body if file is None else file, all_headers, into)
        except _FAULTS as error:
            self._give_up()
            # A server closes a connection that was idle; the request itself may well be good.
            if not reused or isinstance(error, TimeoutError):
                raise self._unreachable(error) from None
        if file is not None:
            file.seek(start)
        try:
            return self._send(method, address, body if file is None else file, all_headers, into)
        except _FAULTS as error:
            self._give_up()
            raise self._unreachable(error) from None

    def _send(
        self,
        method: str,
        address: str,
        body: bytes | IO[bytes] | None,
        headers: Mapping[str, str],
        into: Callable[[bytes], object] | None,
    ) -> Reply:
        if self._connecting is None:
            self._connecting = self._connect()
        connection, base, more = self._connecting
        if connection.sock is None:
            if self.unreached_since_s is None:
                self.unreached_since_s = time.monotonic()
            connection.connect()
        self._note_reached()
        connection.request(method, f"{base}{address}", body=body, headers={**headers, **more})
        response = connection.getresponse()
        said = {name.lower(): value for name, value in response.getheaders()}
        if into is not None and response.status < 300:
            while piece := response.read(1 << 20):
                into(piece)
            return Reply(response.status, said, b"")
        content = response.read(REPLY_MAX_BYTES + 1)
        if len(content) > REPLY_MAX_BYTES:
            self.close()
            raise http.client.HTTPException(f"an answer of more than {REPLY_MAX_BYTES:,} bytes")
        if response.will_close:
            self.close()
        return Reply(response.status, said, content)

    def _give_up(self) -> None:
        if self.is_connected:
            self._note_reached()
        self.close()

    def _connect(self) -> Connecting:
        self._proxy = find_proxy(self.address)
        return connect(self.address, self._proxy, self.timeout_s)

    def _unreachable(self, error: BaseException) -> Unreachable:
        return Unreachable(f"{self.address.url} does not answer: {words_of(error, self._proxy)}", field="url")

    # -- questions whose answer is needed -------------------------------------------------------

    def ask(
        self,
        method: str,
        parts: Iterable[str],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        """The answer's JSON. `parts` of the path are escaped. Raises what a refusal means, Unreachable."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        reply = self.send(method, path_of(parts), query=query, body=content, headers=headers)
        if not reply.is_good:
            raise error_of(reply, self.address)
        return reply.json()


def path_of(parts: Iterable[str]) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def error_of(reply: Reply, address: ServerAddress) -> LinealError:
    """What a refusal means for whoever asked."""
    problem = reply.problem
    said, field = str(problem.get("detail") or problem.get("title") or ""), problem.get("field")
    if reply.status == 407:
        return Unreachable(
            f"{address.url}: the proxy before it asks who comes (407): HTTP_PROXY may be http://NAME:PASSWORD@HOST:PORT",
            field="url",
        )
    if not problem:
        return Unreachable(
            f"{address.url} answers with status {reply.status} and no word of a Lineal server", field="url"
        )
    if reply.status in (401, 403):
        return NotAllowed(said, field=field)
    if reply.status == 404:
        return NotFound(said, field=field, renamed_to=problem.get("renamed_to"))
    if reply.status == 409:
        return Locked(said, field=field) if problem.get("code") == Locked.code else Conflict(said, field=field)
    if reply.status in (429, 503):
        return Busy(said, field=field)
    if 400 <= reply.status < 500:
        return InvalidInput(said, field=field, position=problem.get("position"), expected=problem.get("expected"))
    return Unreachable(f"{address.url}: {said}", field="url")
