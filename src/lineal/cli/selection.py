"""Which runs a command is about: those named, or those that a filter finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.local import LocalStore
    from lineal.model.entities import Run
    from lineal.model.vocabulary import Lifecycle

_PAGE_COUNT = 1_000


def chosen(
    store: LocalStore, run_ids: Sequence[str], filter: str | None, *, lifecycle: Lifecycle | None = "active"
) -> list[Run]:
    """The runs named, whatever their lifecycle, or all of that lifecycle that match. Raises InvalidInput for both or neither."""
    if bool(run_ids) == (filter is not None):
        raise InvalidInput("name the runs, or give --filter for all that match; not both", field="run_ids")
    if filter is None:
        return [run.details.run for run in store.get_runs(run_ids)]
    return list(matching(store, filter, lifecycle=lifecycle))


def matching(
    store: LocalStore,
    filter: str,
    *,
    order_by: Sequence[str] = (),
    lifecycle: Lifecycle | None = "active",
    experiments: Sequence[str] | None = None,
) -> Iterator[Run]:
    """Every run that the filter finds, newest first or in that order, a page at a time: one that arrives meanwhile shifts
    nothing."""
    from lineal.query.parser import parse, parse_orders
    from lineal.store.contracts import RunQuery

    names = None if experiments is None else tuple(experiments)
    query = RunQuery(parse(filter), parse_orders(order_by), lifecycle, _PAGE_COUNT, 0, names)
    store.refresh()
    reader = store.reader()
    while True:
        page = reader.list_runs(query)
        yield from page.runs
        if page.next_token is None:
            return
        query = replace(query, after=page.next_token)


def confirmed(question: str, *, yes: bool) -> bool:
    """Asks on a terminal; whoever scripts has decided already."""
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(question, default=False, err=True)
