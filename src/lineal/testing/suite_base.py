"""What the classes of the store suite share: an open store, a reader, and short ways to say things."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller as call
from typing import TypeAlias

import numpy as np
import pytest

from lineal.model.entities import Attempt, Layout, SeriesKey, Stamp
from lineal.query.parser import parse, parse_orders
from lineal.series.columns import Block
from lineal.store.contracts import RunQuery, RunStart, Store, TenantReader, TenantWriter

Opener: TypeAlias = Callable[[], Store]
Said: TypeAlias = Callable[[TenantWriter], object]
"""A statement: `operator.methodcaller`, imported as `call`, makes one of a method's name and its values."""
WRITER = "w" * 15
LOSS = SeriesKey("loss")
NOISE = np.random.default_rng(7)


def at(time_ms: int, seq: int = 0, writer: str = WRITER) -> Stamp:
    """A stamp. Give every statement of a test its own."""
    return Stamp(time_ms, writer, seq)


def starting(
    run_id: str,
    attempt_id: str = "a1",
    time_ms: int = 1_000,
    experiment: str = "digits",
    name: str | None = None,
) -> Said:
    """Opens an attempt that says little."""
    start = RunStart(experiment, name=name)
    return call("start_attempt", run_id, Attempt(attempt_id, time_ms), start, at(time_ms, time_ms))


def block_of(layout: Layout, rows: int, first_seq: int = 1, first_step: int = 0) -> Block:
    """Rows of noise."""
    steps = np.arange(first_step, first_step + rows).astype(layout.step_type)
    values = tuple(
        NOISE.normal(size=rows) if key.value_type == "float64" else NOISE.integers(-9, 9, rows) for key in layout.series
    )
    return Block(layout, np.arange(first_seq, first_seq + rows), steps, 10**12 + np.arange(rows), values)


def block_with(
    values: Sequence[float], first_seq: int = 1, key: SeriesKey = LOSS, step: Sequence[float] | None = None
) -> Block:
    """Rows of one series with these values, at steps 0, 1, 2 ... unless given."""
    dtype = np.dtype(key.value_type)
    steps = np.arange(len(values)) if step is None else np.array(step)
    layout = Layout("int64" if steps.dtype == np.int64 else "float64", (key,))
    return Block(
        layout,
        np.arange(first_seq, first_seq + len(values)),
        steps,
        10**12 + np.arange(len(values)),
        (np.array(values, dtype),),
    )


class SuiteBase:
    """`opener` opens the store under test; again, after it was closed, with the same content if `keeps_content`."""

    keeps_content = True
    tells_changes = True
    """False: `list_changes` never claims to be complete while anything has changed."""

    @pytest.fixture
    def opener(self) -> Opener:
        raise NotImplementedError("a subclass says how its store is opened")

    @pytest.fixture
    def store(self, opener: Opener) -> Iterator[Store]:
        store = opener()
        yield store
        store.close()

    @pytest.fixture
    def reader(self, store: Store) -> TenantReader:
        return store.tenant("default")

    def tell(self, store: Store, *statements: Said) -> None:
        """One transaction of the tenant "default"."""
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            for statement in statements:
                statement(writer)

    def ids(self, reader: TenantReader, text: str = "", order: str = "") -> list[str]:
        """Run ids that a filter finds, in order."""
        page = reader.list_runs(RunQuery(filter=parse(text), order=parse_orders(order)))
        assert page.total == len(page.runs)
        return [run.run_id for run in page.runs]
