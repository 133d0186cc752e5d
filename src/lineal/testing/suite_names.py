"""What filters can be completed with, how many runs there are, and which have changed."""

from __future__ import annotations

import math
from operator import methodcaller as call

import pytest

from lineal.model.entities import SeriesKey
from lineal.model.errors import InvalidInput
from lineal.model.ids import experiment_id
from lineal.query.syntax import ATTRIBUTES, Field, Kind
from lineal.store.contracts import Counts, Store, TenantReader
from lineal.testing.suite_base import WRITER, SuiteBase, at, block_with, starting


class NameRules(SuiteBase):
    @pytest.fixture
    def told(self, store: Store, reader: TenantReader) -> TenantReader:
        rank = SeriesKey("ranked", (("rank", "0"),))
        self.tell(
            store,
            call("set_params", "r1", "a1", {"lr": 0.1, "layers/0": 64, "é": None}, at(1)),
            call("set_params", "r2", "a1", {"lr": 0.1, "Layers": True}, at(2)),
            call("set_params", "r3", "a1", {"lr": "0.10"}, at(3)),
            call("set_tags", "r1", {"team": "a", "gone": "x"}, at(4)),
            call("set_tags", "r1", {"gone": None}, at(5)),
            call("set_tags", "r2", {"team": "b"}, at(6)),
            call("set_tags", "r3", {"team": "b"}, at(7)),
            call("set_document", "r1", "review", '{"by":["ada","bob"],"score":3}', at(8)),
            call("append_points", "r1", WRITER, "a1", [block_with([1.0])]),
            call("append_points", "r2", WRITER, "a1", [block_with([1.0], 9, rank)]),
        )
        return reader

    @pytest.mark.parametrize(
        ("kind", "prefix", "expected"),
        [
            ("param", "", ["Layers", "layers/0", "lr", "é"]),
            ("param", "l", ["layers/0", "lr"]),
            ("param", "L", ["Layers"]),
            ("param", "none", []),
            ("tag", "t", ["team"]),
            ("metric", "", ["loss"]),
            ("json", "", ["review.by.0", "review.by.1", "review.score"]),
            ("json", "review.s", ["review.score"]),
            ("attribute", "", sorted(ATTRIBUTES)),
            ("attribute", "sta", ["start_time", "status"]),
            ("dataset", "", []),
            ("git", "", []),
        ],
    )
    def test_names(self, told: TenantReader, kind: Kind, prefix: str, expected: list[str]) -> None:
        assert told.list_names(kind, prefix) == expected

    def test_names_are_bounded(self, told: TenantReader) -> None:
        assert told.list_names("param", limit=2) == ["Layers", "layers/0"]
        assert told.list_names("param", limit=0) == []

    def test_names_of_metrics_after_compaction(self, store: Store, told: TenantReader) -> None:
        self.tell(store, call("end_attempt", "r1", "a1", "finished", None, at(20)), call("compact", "r1"))
        assert told.list_names("metric") == ["loss"]

    @pytest.mark.parametrize(
        ("field", "prefix", "expected"),
        [
            (Field("param", "lr"), "", ["0.1", "0.10"]),
            (Field("param", "lr"), "0.10", ["0.10"]),
            (Field("param", "Layers"), "", ["True"]),
            (Field("param", "é"), "", []),
            (Field("param", "none"), "", []),
            (Field("tag", "team"), "", ["b", "a"]),
            (Field("tag", "gone"), "", []),
            (Field("json", "review.by.0"), "a", ["ada"]),
            (Field("attribute", "run_id"), "r", ["r1", "r2", "r3"]),
            (Field("attribute", "status"), "", ["running"]),
            (Field("attribute", "start_time"), "", []),
            (Field("metric", "loss"), "", []),
            (Field("git", "commit"), "", []),
        ],
    )
    def test_values(self, told: TenantReader, field: Field, prefix: str, expected: list[str]) -> None:
        assert told.list_values(field, prefix) == expected
        assert told.list_values(field, prefix, 1) == expected[:1]

    def test_values_of_active_runs_only(self, store: Store, told: TenantReader) -> None:
        self.tell(store, call("set_lifecycle", "r3", "deleted", at(30)), call("set_lifecycle", "r2", "deleted", at(31)))
        assert told.list_values(Field("tag", "team")) == ["a"]
        self.tell(store, call("set_lifecycle", "r2", "active", at(32)), call("set_tags", "r2", {"team": "c"}, at(33)))
        assert told.list_values(Field("tag", "team")) == ["a", "c"]

    def test_nan_is_no_value(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("set_params", "r1", "a1", {"x": math.nan}, at(1)))
        self.tell(store, call("set_params", "r2", "a1", {"x": "nan"}, at(2)))
        assert reader.list_values(Field("param", "x")) == ["nan"]

    def test_values_of_an_unknown_attribute_are_refused(self, reader: TenantReader) -> None:
        with pytest.raises(InvalidInput):
            reader.list_values(Field("attribute", "nonsense"))

    # -- how many ------------------------------------------------------------------------------------------

    def test_counts(self, store: Store, reader: TenantReader) -> None:
        assert reader.count_runs() == Counts(0, 0, {})
        one, two, default = (experiment_id("default", name) for name in ("one", "two", "Default"))
        self.tell(store, *(starting(f"r{number}", time_ms=number, experiment="one") for number in range(3)))
        self.tell(store, starting("r3", experiment="two"), call("set_note", "r4", "", at(1)))
        assert reader.count_runs() == Counts(5, 0, {one: 3, two: 1, default: 1})
        self.tell(store, call("set_lifecycle", "r0", "deleted", at(50)), call("set_lifecycle", "r3", "deleted", at(51)))
        assert reader.count_runs() == Counts(3, 2, {one: 2, default: 1})
        # Said twice, and taken back; a run moves when its first attempt becomes known.
        self.tell(store, call("set_lifecycle", "r0", "deleted", at(52)), call("set_lifecycle", "r3", "active", at(53)))
        self.tell(store, starting("r4", time_ms=9, experiment="two"))
        assert reader.count_runs() == Counts(4, 1, {one: 2, two: 2})
        assert store.tenant("other").count_runs() == Counts(0, 0, {})

    def test_counts_of_a_transaction_undone(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        with pytest.raises(ZeroDivisionError), store.begin() as transaction:
            starting("r2")(transaction.tenant("default"))
            _ = 1 / 0
        assert reader.count_runs().active == 1

    # -- what changed --------------------------------------------------------------------------------------

    def test_changes(self, store: Store, reader: TenantReader) -> None:
        start = store.change_number()
        assert reader.list_changes(start) == (start, [], True)
        self.tell(store, starting("r1"))
        first = store.change_number()
        self.tell(store, starting("r2"), starting("r3", time_ms=1_001))
        second = store.change_number()
        assert reader.list_changes(second) == (second, [], True)
        if not self.tells_changes:
            assert not reader.list_changes(first).is_complete
            return
        assert reader.list_changes(start) == (second, ["r1", "r2", "r3"], True)
        assert reader.list_changes(first) == (second, ["r2", "r3"], True)
        self.tell(store, call("set_tags", "r1", {"k": "v"}, at(5)))
        third = store.change_number()
        self.tell(store, call("append_points", "r2", WRITER, "a1", [block_with([1.0])]))
        fourth = store.change_number()
        assert reader.list_changes(second) == (fourth, ["r1", "r2"], True)
        assert reader.list_changes(start) == (fourth, ["r3", "r1", "r2"], True)
        assert reader.list_changes(third) == (fourth, ["r2"], True)
        self.tell(store, call("set_lifecycle", "r3", "deleted", at(6)))
        assert reader.list_changes(fourth).run_ids == ["r3"]

    def test_changes_that_are_not_all(self, store: Store, reader: TenantReader) -> None:
        start = store.change_number()
        self.tell(store, *(call("set_note", f"r{number}", "", at(1, number)) for number in range(5)))
        found = reader.list_changes(start, 2)
        assert not found.is_complete and len(found.run_ids) <= 2
        ahead = reader.list_changes(store.change_number() + 1)
        assert not ahead.is_complete and ahead.change_number == store.change_number()

    def test_changes_of_others_are_not_told(self, store: Store) -> None:
        start = store.change_number()
        with store.begin() as transaction:
            starting("r1")(transaction.tenant("acme"))
        found = store.tenant("default").list_changes(start)
        assert found.run_ids == [] and (found.is_complete or not self.tells_changes)
