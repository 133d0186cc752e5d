"""A state machine that tells a store and the memory store the same, in random order, with duplicates, commits and
rollbacks, reopening and compaction at random, and compares every answer.

    class TestMyStore(store_machine(open_my_store).TestCase): ...
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from operator import methodcaller as call
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from lineal.model.entities import Cursor, Layout
from lineal.series.columns import Block
from lineal.store.contracts import GroupQuery, RunQuery, Store, TenantWriter
from lineal.store.lineage import ModelQuery
from lineal.store.memory import MemoryStore
from lineal.store.registry import ModelsQuery, VersionsQuery
from lineal.testing import strategies
from lineal.testing.registry_statements import (
    assert_same_registry,
    models_queries,
    registry_statements,
    versions_queries,
)
from lineal.testing.same_answers import Steps, assert_same_answers
from lineal.testing.strategies import ATTEMPTS, RUN_IDS, WRITERS, Statement
from lineal.testing.suite_base import at

OpenStore = Callable[[Path], Store]
"""Opens the store of a folder, which is empty at first; again after it was closed."""
TENANTS = ("default", "other")
Change = Callable[[TenantWriter], object]


class _Undone(Exception):
    pass


class StoreMachine(RuleBasedStateMachine):
    open_store: OpenStore

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="lineal-store-"))
        self._store = type(self).open_store(self._folder)
        self._reference = MemoryStore()
        self._number = 0
        self._said: list[Statement] = []
        self._registered: list[Change] = []
        self._change_numbers = (0, 0)

    def teardown(self) -> None:
        try:
            self._compare()
        finally:
            self._store.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    # -- rules ---------------------------------------------------------------------------------------------

    @initialize(tenant=st.sampled_from(TENANTS))
    def first(self, tenant: str) -> None:
        self._change(tenant, [], undone=False)

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), undone=st.booleans(), count=st.integers(1, 6))
    def say(self, data: st.DataObject, tenant: str, undone: bool, count: int) -> None:
        new = [data.draw(strategies.statements(self._next)) for _ in range(count)]
        repeated = data.draw(st.lists(st.sampled_from(self._said), max_size=3)) if self._said else []
        self._said += new
        changes: list[Change] = [statement.apply for statement in data.draw(st.permutations([*new, *repeated]))]
        changes += [call("compact", run_id) for run_id in data.draw(st.lists(strategies.run_ids, max_size=2))]
        self._change(tenant, changes, undone)

    @rule(
        data=st.data(),
        run_id=strategies.run_ids,
        writer=st.sampled_from(WRITERS),
        attempt=st.sampled_from(ATTEMPTS),
        rows=st.sampled_from((1, 2, 3, 10, 70, 600, 1_100, 3_000)),
        late=st.booleans(),
        compacted=st.booleans(),
    )
    def append(
        self, data: st.DataObject, run_id: str, writer: str, attempt: str, rows: int, late: bool, compacted: bool
    ) -> None:
        count = data.draw(st.integers(1, 3))
        blocks = []
        # Layouts of one call are interleaved, as they are when a loop logs several sets of names in turn.
        first = self._reserve(rows * count)
        for place in range(count):
            blocks.append(data.draw(strategies.blocks(first + place, rows, every=count)))
        pieces = [blocks[:1], blocks[1:]] if late else [blocks]
        pieces.reverse()
        changes: list[Change] = [call("append_points", run_id, writer, attempt, piece) for piece in pieces]
        if compacted:
            changes.append(call("compact", run_id))
        for change in changes:
            self._change("default", [change], undone=False)

    @rule(data=st.data(), run_id=strategies.run_ids, writer=st.sampled_from(WRITERS))
    def drip(self, data: st.DataObject, run_id: str, writer: str) -> None:
        """More small batches than may stay fresh."""
        block = data.draw(strategies.blocks(self._reserve(40 * 3), 40 * 3))
        for start in range(0, 120, 3):
            rows = slice(start, start + 3)
            values = tuple(array[rows] for array in block.values)
            piece = Block(block.layout, block.seq[rows], block.step[rows], block.time_ms[rows], values)
            self._change("default", [call("append_points", run_id, writer, "a1", [piece])], undone=False)
        self._change("default", [call("compact", run_id)], undone=False)

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), undone=st.booleans(), count=st.integers(1, 6))
    def register(self, data: st.DataObject, tenant: str, undone: bool, count: int) -> None:
        new: list[Change] = [data.draw(registry_statements(self._next)) for _ in range(count)]
        repeated = data.draw(st.lists(st.sampled_from(self._registered), max_size=3)) if self._registered else []
        self._registered += new
        self._change(tenant, data.draw(st.permutations([*new, *repeated])), undone)

    @rule(models=st.lists(models_queries, max_size=5), versions=st.lists(versions_queries, max_size=5))
    def ask_registry(self, models: list[ModelsQuery], versions: list[VersionsQuery]) -> None:
        for tenant in TENANTS:
            readers = [store.tenant(tenant).registry() for store in (self._reference, self._store)]
            assert_same_registry(readers[0], readers[1], models, versions)

    @rule(tenant=st.sampled_from(TENANTS), run_id=strategies.run_ids, undone=st.booleans())
    def compact(self, tenant: str, run_id: str, undone: bool) -> None:
        self._change(tenant, [call("compact", run_id)], undone)

    @rule(
        tenant=st.sampled_from(TENANTS),
        limit=st.integers(0, 3),
        actor=st.sampled_from((None, "alice", "\0é")),
        run_id=strategies.run_ids,
        undone=st.booleans(),
    )
    def link(self, tenant: str, limit: int, actor: str | None, run_id: str, undone: bool) -> None:
        note: Change = call("set_note", run_id, "text", at(5, self._next()))
        self._change(tenant, [call("speak_for", actor), note], undone)
        for store in (self._reference, self._store):
            with store.begin() as transaction:
                transaction.link_audit(limit)

    @rule(
        writer=st.sampled_from(WRITERS),
        run_id=st.one_of(st.none(), strategies.run_ids),
        seq=st.integers(0, 2**40),
        undone=st.booleans(),
    )
    def move_cursor(self, writer: str, run_id: str | None, seq: int, undone: bool) -> None:
        cursor = Cursor(writer, run_id, seq, 1, 8)
        self._change("default", [call("set_cursor", cursor), _asks_cursor(writer)], undone)

    @rule(
        run_id=strategies.run_ids,
        writer=st.sampled_from(WRITERS),
        number=st.integers(0, 2),
        layout=strategies.layouts(),
        payloads=st.lists(st.binary(max_size=5), max_size=2),
        undone=st.booleans(),
    )
    def define_layout(
        self, run_id: str, writer: str, number: int, layout: Layout, payloads: Sequence[bytes], undone: bool
    ) -> None:
        changes: list[Change] = [call("keep_orphans", run_id, writer, number, payload, 1) for payload in payloads]
        changes.append(call("find_layout", writer, number))
        if len(payloads) != 1:
            changes.append(call("define_layout", run_id, writer, number, layout))
            changes.append(call("take_orphans", writer, number))
        changes.append(call("find_layout", writer, number))
        self._change("default", changes, undone)

    @rule()
    def reopen(self) -> None:
        self._store.close()
        self._store = type(self).open_store(self._folder)

    @rule(
        asked=st.lists(strategies.queries, min_size=3, max_size=8),
        grouped=st.lists(strategies.group_queries, max_size=3),
        models=st.lists(strategies.model_queries, max_size=4),
        low=strategies.step_bounds,
        high=strategies.step_bounds,
    )
    def ask(
        self,
        asked: list[RunQuery],
        grouped: list[GroupQuery],
        models: list[ModelQuery],
        low: float | None,
        high: float | None,
    ) -> None:
        self._compare(asked, ((None, None), (low, high)), grouped, models)

    # -- inside --------------------------------------------------------------------------------------------

    def _compare(
        self,
        asked: Sequence[RunQuery] = (),
        steps: Sequence[Steps] = ((None, None),),
        grouped: Sequence[GroupQuery] = (),
        models: Sequence[ModelQuery] = (),
    ) -> None:
        assert self._store.list_tenants() == self._reference.list_tenants()
        for tenant in (*TENANTS, "nobody"):
            assert_same_answers(
                self._reference.tenant(tenant),
                self._store.tenant(tenant),
                queries=asked,
                groups=grouped,
                models=models,
                steps=steps,
                writers=WRITERS,
            )
            assert_same_registry(self._reference.tenant(tenant).registry(), self._store.tenant(tenant).registry())

    def _change(self, tenant: str, changes: Sequence[Change], undone: bool) -> None:
        """The same to both stores; what a change answers within the transaction must agree, too."""
        before = self._store.change_number(), self._reference.change_number()
        answers = [self._tell(store, tenant, changes, undone) for store in (self._reference, self._store)]
        assert answers[0] == answers[1]
        after = self._store.change_number(), self._reference.change_number()
        if undone:
            assert after == before
        assert (after[0] > before[0]) or (after[1] == before[1]), "a change that the number does not show"

    def _tell(self, store: Store, tenant: str, changes: Sequence[Change], undone: bool) -> list[object]:
        answers: list[object] = []
        try:
            with store.begin() as transaction:
                writer = transaction.tenant(tenant)
                answers += [change(writer) for change in changes]
                if undone:
                    raise _Undone
        except _Undone:
            pass
        return answers

    def _next(self) -> int:
        return self._reserve(1)

    def _reserve(self, count: int) -> int:
        first = self._number
        self._number += count
        return first


def _asks_cursor(writer: str) -> Change:
    return call("find_cursor", writer)


def store_machine(open_store: OpenStore) -> type[StoreMachine]:
    """The machine for one kind of store."""
    return type("StoreMachineOfThis", (StoreMachine,), {"open_store": staticmethod(open_store)})


__all__ = ["RUN_IDS", "OpenStore", "StoreMachine", "store_machine"]
