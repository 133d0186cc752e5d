"""A port on which servers come and go while nobody else is given it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """One of this machine's that is free. A port that is only looked up may be handed to any other test before a server is there."""
    with socket.socket() as keeper:
        # Bound, and never listening: Linux gives it to nobody, and lets everybody listen there who names it and reuses addresses.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port: int = keeper.getsockname()[1]
        if sys.platform != "linux":
            keeper.close()
        yield port
