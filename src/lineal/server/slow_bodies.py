"""A body must arrive: who sends it byte by byte holds a place that others could have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lineal.server.errors import Refused

if TYPE_CHECKING:
    from lineal.server.bounds import Bounds
    from lineal.server.observed import Observed


class SlowBodies:
    """Middleware: refuses (408) what comes too slowly. Counted is only the time in which somebody waits for it, so that a
    slow disk of ours is nobody's fault."""

    def __init__(self, app: ASGIApp, bounds: Bounds, observed: Observed) -> None:
        self._app = app
        self._bounds = bounds
        self._observed = observed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        now_s = asyncio.get_running_loop().time
        waited_s = 0.0
        received_bytes = 0
        is_whole = False

        async def timed() -> Message:
            nonlocal waited_s, received_bytes, is_whole
            if is_whole:  # what comes now is only that the client has left
                return await receive()
            began_s = now_s()
            left_s = self._bounds.body_grace_s + received_bytes / self._bounds.body_second_bytes - waited_s
            try:
                async with asyncio.timeout(left_s):
                    message = await receive()
            except TimeoutError:
                self._observed.turned_away("slow_body")
                raise too_slow(self._bounds.body_second_bytes) from None
            waited_s += now_s() - began_s
            received_bytes += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, timed, send)


def too_slow(rate_bytes_s: int) -> Refused:
    refused = Refused(408, "slow", f"the body comes at less than {rate_bytes_s:,} bytes a second", field="body")
    refused.headers["connection"] = "close"
    return refused
