"""How routes speak of users and their like: in the name of whoever asks, and so that it counts from the next request on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lineal.ingest.desk import Desk, Said
from lineal.model.entities import Stamp
from lineal.model.ids import DEFAULT_TENANT
from lineal.server.errors import Refused

if TYPE_CHECKING:
    from lineal.server.context import Context
    from lineal.server.gate import Gate
    from lineal.store.people import PeopleWriter


def gate_of(context: Context) -> Gate:
    """Refused (404) where nobody signs in."""
    if context.gate is None or not context.gate.asks:
        raise Refused(404, "no_sign_in", "nobody signs in here: this server was started without --auth")
    return context.gate


def say_of_people(context: Context, work: Callable[[PeopleWriter, Stamp], None], by: str | None = None) -> None:
    """Done and on disk when it returns. Raises what `work` does, Busy, NotWritable."""
    gate = gate_of(context)

    def do(desk: Desk) -> Said:
        work(desk.people, Stamp(desk.time_ms, by or context.principal.name, 0))
        return Said(200, b"")

    try:
        context.source.submit(DEFAULT_TENANT, do).result()
    finally:
        gate.forget_known()
