"""Connections as they behave: how many, how large the head of a request, how long it may take, and readers that do not read.

(How long a body may take is seen where it is awaited: `slow_bodies.py`.)"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from lineal.server.bounds import Bounds
    from lineal.server.observed import Observed

_PROBLEM = (
    '{{"type":"urn:lineal:problem:{code}","title":"{title}","status":{status},"detail":"{detail}","code":"{code}"}}'
)


def protocol_within(bounds: Bounds, observed: Observed) -> type[asyncio.Protocol]:
    """uvicorn's protocol, which ends connections that go beyond the bounds. For one event loop."""

    class Within(_Within):
        _bounds = bounds
        _observed = observed

    return Within


class _Within(HttpToolsProtocol):
    _bounds: Bounds
    _observed: Observed

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._is_counted = False
        self._is_over = False  # nothing more is heard
        self._in_body = False  # of a request whose head has come
        self._unasked_bytes = 0  # since there is nothing to answer
        self._head_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._observed.connections += 1
        self._is_counted = True
        if self._observed.connections > self._bounds.connections:
            self._turn_away(503, "Service Unavailable", "busy", "too many connections are open", "connections")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget(self._head_timer)
        self._forget(self._reader_timer)
        if self._is_counted:
            self._is_counted = False
            self._observed.connections -= 1

    # -- requests ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        was_in_body = self._in_body
        super().data_received(data)
        if self._head_timer is None or self.transport.is_closing():
            return
        if self._is_answering():
            self._forget(self._head_timer)
            self._head_timer = None
            return
        if was_in_body and not self._in_body:
            self._await_head()  # the rest of what was refused has come
            return
        self._unasked_bytes += len(data)
        if self._in_body:
            if self._unasked_bytes > self._bounds.unread_bytes:
                self._end("unread_body")  # of a request that was refused: the answer has gone out
        elif self._unasked_bytes > self._bounds.head_bytes:
            detail = f"the head of a request has at most {self._bounds.head_bytes:,} bytes"
            self._turn_away(431, "Request Header Fields Too Large", "over_limit", detail, "large_head")

    def on_headers_complete(self) -> None:
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """As uvicorn's, with one copy of large bodies instead of three: what comes alone is handed on as it is."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body = cycle.body + body if cycle.body else body  # type: ignore[assignment]
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and not self._is_answering():
            self._await_head()

    def _is_answering(self) -> bool:
        last = self._last
        return last is not None and not last.response_complete

    @property
    def _last(self) -> RequestResponseCycle | None:
        return self.cycle  # None before the first request, whatever its type says

    def _await_head(self) -> None:
        self._forget(self._head_timer)
        self._unasked_bytes = 0
        self._head_timer = self.loop.call_later(self._bounds.head_s, self._end, "slow_head")

    # -- readers -------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reader_timer is None:
            self._reader_timer = self.loop.call_later(self._bounds.reader_s, self._abort, "slow_reader")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget(self._reader_timer)
        self._reader_timer = None

    # -- ends ----------------------------------------------------------------------------------

    def _turn_away(self, status: int, title: str, code: str, detail: str, reason: str) -> None:
        body = _PROBLEM.format(status=status, title=title, code=code, detail=detail)
        head = f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        head += "retry-after: 5\r\n" if status == 503 else ""
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(f"{head}{body}".encode())
        self._end(reason)

    def _end(self, reason: str) -> None:
        self._is_over = True
        self._observed.turned_away(reason)
        self.transport.close()

    def _abort(self, reason: str) -> None:
        """What waits to be read is thrown away: to close would wait for the reader."""
        self._is_over = True
        self._observed.turned_away(reason)
        self.transport.abort()

    @staticmethod
    def _forget(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
