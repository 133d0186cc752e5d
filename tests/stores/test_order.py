"""State is a function of the set of statements: any order, with duplicates, in any cut into transactions."""

from __future__ import annotations

from itertools import count
from operator import methodcaller as call
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineal.store.contracts import Store
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.testing import strategies
from lineal.testing.same_answers import assert_same_answers
from lineal.testing.strategies import ATTEMPTS, RUN_IDS, WRITERS
from lineal.testing.suite_base import Said


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Said], list[Said]]:
    """The same statements twice, in different orders; in the second some are said again. Points are said once."""
    numbers = count(1)
    said: list[Said] = [
        draw(strategies.statements(lambda: next(numbers))).apply for _ in range(draw(st.integers(1, 12)))
    ]
    points: list[Said] = []
    for _ in range(draw(st.integers(0, 4))):
        rows = draw(st.sampled_from((1, 5, 40, 1_100)))
        first = next(numbers) * 10_000
        block = draw(strategies.blocks(first, rows))
        who = draw(st.tuples(st.sampled_from(RUN_IDS), st.sampled_from(WRITERS), st.sampled_from(ATTEMPTS)))
        points.append(call("append_points", *who, [block]))
    compactions = [call("compact", run_id) for run_id in draw(st.lists(strategies.run_ids, max_size=3))]
    repeated = draw(st.lists(st.sampled_from(said), max_size=6))
    return [*said, *points], draw(st.permutations([*said, *points, *repeated, *compactions]))


def tell(store: Store, statements: list[Said], cut: int) -> None:
    for first in range(0, len(statements), cut):
        with store.begin() as transaction:
            for statement in statements[first : first + cut]:
                statement(transaction.tenant("default"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(histories=histories(), cut=st.integers(1, 20), asked=st.lists(strategies.queries, max_size=4))
def test_order_and_duplicates_change_nothing(tmp_path_factory, postgres_folders, histories, cut, asked) -> None:
    folder: Path = tmp_path_factory.mktemp("order")
    first, second = histories
    reference = MemoryStore()
    tell(reference, first, len(first))
    others = [MemoryStore(), open_store(sqlite_url(folder / "lineal.db")), postgres_folders(folder)]
    for store in others:
        tell(store, second, cut)
        assert_same_answers(
            reference.tenant("default"), store.tenant("default"), queries=asked, writers=WRITERS, with_audit=False
        )
        store.close()
