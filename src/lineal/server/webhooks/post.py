"""One POST to a receiver: its name is resolved once, every address that it leads to is looked at, and the connection is made to one of
those very addresses. No redirect is followed, no proxy used, and neither the time nor the answer is without bound.

`http.client` speaks over a socket that was connected here, so there is no second look at the name."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, cast

from lineal.model.errors import InvalidInput
from lineal.model.limits import WEBHOOK_ANSWER_MAX_BYTES, WEBHOOK_CONNECT_S, WEBHOOK_NAMES_MAX_COUNT, WEBHOOK_TIMEOUT_S
from lineal.server.webhooks.addresses import Address, Place, Receivers, Refused, place_of

Resolve = Callable[[str, int], list[str]]
_SENT_BYTES = 64 * 1024
_READ_MAX_BYTES = 64 * 1024 + WEBHOOK_ANSWER_MAX_BYTES  # heads and body, answers before the answer among them


class Answer(NamedTuple):
    status: int
    body: bytes
    retry_after_s: float | None


class NoAnswer(Exception):
    """The receiver could not be asked, or did not answer: perhaps the next time. `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host, as the system has them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Post:
    """`tls` is what receivers' certificates are judged by; by default the system's authorities (SSL_CERT_FILE names others)."""

    def __init__(
        self,
        receivers: Receivers,
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = WEBHOOK_TIMEOUT_S,
    ) -> None:
        self._receivers = receivers
        self._resolve = resolve
        self._tls = tls
        self._timeout_s = timeout_s
        self._resolving = threading.BoundedSemaphore(WEBHOOK_NAMES_MAX_COUNT)

    def check(self, url: str) -> Place:
        """What can be said of an address without asking anybody. InvalidInput, Refused."""
        place = place_of(url)
        self._receivers.check(place)
        return place

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Refused, NoAnswer."""
        until_s = time.monotonic() + self._timeout_s
        try:
            place = self.check(url)
        except InvalidInput as error:
            raise Refused(error.message) from None
        try:
            connected = self._connected(place, until_s)
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise NoAnswer(f"its certificate or its TLS does not do: {_words(error)}") from None
        except OSError as error:
            raise NoAnswer(f"it cannot be reached: {_words(error)}") from None
        try:
            return _exchange(_Timed(connected, until_s), place, headers, body)
        except (OSError, ValueError, http.client.HTTPException) as error:  # a length that is no number, say
            raise NoAnswer(f"it did not answer: {_words(error)}") from None
        finally:
            connected.close()

    def _connected(self, place: Place, until_s: float) -> socket.socket:
        addresses = self._addresses(place, until_s)
        error: OSError | None = None
        for address in addresses:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            one = socket.socket(
                socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP
            )
            try:
                one.settimeout(min(left_s, WEBHOOK_CONNECT_S))
                one.connect((str(address), place.port))
                self._check_connected(place, address, one)
                if not place.is_tls:
                    return one
                one.settimeout(max(until_s - time.monotonic(), 0.001))
                return self._context().wrap_socket(one, server_hostname=place.host)
            except OSError as failed:
                one.close()
                error = failed
        raise error or TimeoutError("it took too long")

    def _addresses(self, place: Place, until_s: float) -> list[Address]:
        if place.address is not None:
            return [place.address]
        try:
            found = [ipaddress.ip_address(one) for one in self._resolved(place, until_s)]
        except ValueError:
            raise Refused("its name leads to what is no address") from None
        for address in found:
            self._receivers.check_address(place, address)
        return found

    def _resolved(self, place: Place, until_s: float) -> list[str]:
        """In a thread of its own, since nothing ends a look at a name that no server answers."""
        if not self._resolving.acquire(blocking=False):
            raise TimeoutError("too many names are being looked up")
        found: Future[list[str]] = Future()

        def look() -> None:
            try:
                found.set_result(self._resolve(place.host, place.port))
            except BaseException as error:
                found.set_exception(error)
            finally:
                self._resolving.release()

        threading.Thread(target=look, name="lineal-webhooks-name", daemon=True).start()
        return found.result(max(until_s - time.monotonic(), 0))

    def _check_connected(self, place: Place, address: Address, connected: socket.socket) -> None:
        """This machine is none of the public ones, whatever its address. Refused."""
        is_here = connected.getsockname()[0] == connected.getpeername()[0]
        if is_here and not (self._receivers.names(place) or self._receivers.has(address, place.port)):
            connected.close()
            raise Refused("its name leads to this machine")

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class _Timed:
    """A socket of which all that is read and written ends by one moment: to the parts of `http.client` that we use, a socket."""

    def __init__(self, inner: socket.socket, until_s: float) -> None:
        self._inner = inner
        self._until_s = until_s
        self._left_count = _READ_MAX_BYTES

    def sendall(self, data: Any) -> None:
        view = memoryview(data)
        for at in range(0, len(view), _SENT_BYTES):
            self._bound()
            self._inner.sendall(view[at : at + _SENT_BYTES])

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(_Read(self))

    def read_into(self, buffer: Any) -> int:
        self._bound()
        if self._left_count <= 0:
            raise http.client.HTTPException("it says more than an answer has")
        count = self._inner.recv_into(buffer)
        self._left_count -= count
        return count

    def close(self) -> None:
        """`http.client` closes it before it has read the answer; whoever connected it does so at the end."""

    def _bound(self) -> None:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("it took too long")
        self._inner.settimeout(left_s)


class _Read(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.read_into(buffer)


def _exchange(timed: _Timed, place: Place, headers: Mapping[str, str], body: bytes) -> Answer:
    connection = http.client.HTTPConnection(place.host, place.port)
    connection.sock = cast("socket.socket", timed)
    connection.auto_open = 0  # it never connects by itself
    connection.putrequest("POST", place.target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": place.host_header, "Connection": "close", **headers}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read(WEBHOOK_ANSWER_MAX_BYTES)
    return Answer(response.status, content, _seconds(response.getheader("Retry-After")))


def _seconds(text: str | None) -> float | None:
    """A date is taken for nothing said: its clock is not ours."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else None


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = "".join(one if one.isprintable() else " " for one in str(error)[:200])  # the receiver's words, in a log
    return said or type(error).__name__
