"""Hears of commits, of whichever process: a connection of its own that listens, and a thread."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg

from lineal.store.sql.postgres.connection import PostgresConnection
from lineal.store.sql.postgres.dialect import CHANNEL

LOG = logging.getLogger("lineal.store")
RETRY_S = 1.0  # after the connection was lost; until then who waits looks by himself, once a second


@contextmanager
def listening(connect: Callable[[], PostgresConnection], heard: Callable[[], None]) -> Iterator[None]:
    listener = _Listener(connect, heard)
    try:
        yield
    finally:
        listener.close()


class _Listener:
    def __init__(self, connect: Callable[[], PostgresConnection], heard: Callable[[], None]) -> None:
        self._connect = connect
        self._heard = heard
        self._awake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="lineal-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.close(self._waker)  # which makes the other end readable
        self._thread.join()
        os.close(self._awake)

    def _run(self) -> None:
        while True:
            try:
                with closing(self._connect()) as connection:
                    [schema] = connection.execute("SELECT current_schema()").fetchone()
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._heard()  # of what was said before
                    while not self._is_over(connection, None):
                        if schema in connection.take_notices():
                            self._heard()
                    return
            except psycopg.Error as error:
                LOG.warning("other servers' commits are not heard of for the moment: %s", error)
            if self._is_over(None, RETRY_S):
                return

    def _is_over(self, other: PostgresConnection | None, timeout_s: float | None) -> bool:
        """Waits for the connection to say something, for the end, or for the time."""
        poll = select.poll()
        for awaited in (self._awake, *(() if other is None else (other.raw.fileno(),))):
            poll.register(awaited, select.POLLIN)
        found = poll.poll(None if timeout_s is None else timeout_s * 1000)
        return self._awake in [number for number, _ in found]
