"""Filters, orders and pages of runs."""

from __future__ import annotations

import math
from operator import methodcaller as call

import pytest

from lineal.model.entities import SeriesKey
from lineal.model.errors import InvalidInput
from lineal.model.values import ParamValue
from lineal.query.parser import parse_orders
from lineal.query.syntax import Comparison, Field, Operator, Order
from lineal.store.contracts import RunQuery, Store, TenantReader
from lineal.testing.suite_base import WRITER, SuiteBase, at, block_with, starting

PARAMS: dict[str, ParamValue] = {
    "a-int": 2,
    "b-float": 10.0,
    "c-text": "apple",
    "d-number-text": "0.10",
    "e-true": True,
    "f-nan": math.nan,
    "g-none": None,
    "h-nan-text": "nan",
    "i-big": 2**53 + 1,
    "j-huge": 10**400,
    "k-minus": -math.inf,
    "l-other": "Zebra",
    "m-zero": -0.0,
}


class SearchRules(SuiteBase):
    @pytest.fixture
    def values(self, store: Store, reader: TenantReader) -> TenantReader:
        """A run for each kind of value of the param "x", and one without; named by what they hold."""
        for number, (name, value) in enumerate(PARAMS.items()):
            self.tell(store, call("set_params", name, "a1", {"x": value}, at(1, number)))
        self.tell(store, call("set_note", "z-without", "", at(1, 99)))
        return reader

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("params.x = 2", "a"),
            ("params.x = '2.0'", "a"),
            ("params.x = 1", "e"),
            ("params.x = 0.1", "d"),
            ("params.x = '0.10'", "d"),
            ("params.x > 1", "abij"),
            ("params.x >= 10", "bij"),
            ("params.x < 2", "dekm"),
            ("params.x <= -1e308", "k"),
            ("params.x = 9007199254740993", "i"),
            ("params.x > 9007199254740992", "ij"),
            ("params.x = 9007199254740992", ""),
            ("params.x != 2", "bcdehijklm"),
            ("params.x = 'apple'", "c"),
            ("params.x != 'apple'", "abdehijklm"),
            ("params.x = 'True'", "e"),
            ("params.x = 'nan'", "h"),
            ("params.x = 'NaN'", ""),
            ("params.x > 'apple'", "h"),
            ("params.x >= 'apple'", "ch"),
            ("params.x < 'Zebra'", "abdeijkm"),
            ("params.x < '-0.0.'", "m"),
            ("params.x = 0", "m"),
            ("params.x = 'APPLE'", ""),
            ("params.y = 1", ""),
            ("params.y != 1", ""),
            ("tags.x = 2", ""),
        ],
    )
    def test_params_compare_as_numbers_or_texts(self, values: TenantReader, condition: str, expected: str) -> None:
        assert "".join(sorted(run_id[0] for run_id in self.ids(values, condition))) == expected

    def test_order_puts_numbers_before_texts_and_the_rest_last(self, values: TenantReader) -> None:
        ascending = "".join(run_id[0] for run_id in self.ids(values, order="params.x asc"))
        assert ascending == "kmdeabij" + "lch" + "fgz"
        descending = "".join(run_id[0] for run_id in self.ids(values, order="params.x desc"))
        assert descending == "jibaedmk" + "hcl" + "fgz"

    def test_equal_numbers_are_equal_however_written(self, store: Store, reader: TenantReader) -> None:
        written: tuple[ParamValue, ...] = ("0.10", 0.1, "1e-1", "+.1")
        for number, value in enumerate(written):
            self.tell(
                store,
                starting(f"r{number}", time_ms=number),
                call("set_params", f"r{number}", "a1", {"x": value}, at(9, number)),
            )
        for direction in ("asc", "desc"):
            assert self.ids(reader, order=f"params.x {direction}") == ["r3", "r2", "r1", "r0"]

    def test_nan_on_the_right_satisfies_nothing(self, values: TenantReader) -> None:
        operators: tuple[Operator, ...] = ("=", "!=", "<", ">=")
        for operator in operators:
            said = Comparison(Field("param", "x"), operator, math.nan)
            assert values.list_runs(RunQuery(filter=said)).total == 0

    def test_tags_are_changed_and_removed_in_the_index_too(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("set_tags", "r1", {"k": "1", "é'": "x"}, at(1)))
        assert self.ids(reader, "tags.k < 2") == ["r1"] and self.ids(reader, "tags.`é'` = 'x'") == ["r1"]
        self.tell(store, call("set_tags", "r1", {"k": "three"}, at(2)))
        assert self.ids(reader, "tags.k < 2") == [] and self.ids(reader, "tags.k = 'three'") == ["r1"]
        self.tell(store, call("set_tags", "r1", {"k": None}, at(3)))
        assert self.ids(reader, "tags.k = 'three'") == [] and self.ids(reader, "tags.k != 'x'") == []

    def test_the_latest_attempts_param_is_found(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("set_params", "r1", "a2", {"x": 2}, at(1)),
            call("set_params", "r1", "a1", {"x": 1}, at(2)),
        )
        self.tell(store, starting("r1", "a1", 10))
        assert self.ids(reader, "params.x = 1") == ["r1"]
        self.tell(store, starting("r1", "a2", 20))
        assert self.ids(reader, "params.x = 2") == ["r1"] and self.ids(reader, "params.x = 1") == []

    # -- metrics -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("ended", [False, True])
    def test_metrics_are_found_before_and_after_compaction(
        self, store: Store, reader: TenantReader, ended: bool
    ) -> None:
        for number, value in enumerate((0.5, 0.9, math.nan)):
            self.tell(
                store,
                starting(f"r{number}", time_ms=10),
                call("append_points", f"r{number}", WRITER, "a1", [block_with([0.0, value])]),
            )
        self.tell(store, starting("r3", time_ms=10))
        for _ in range(2):
            assert self.ids(reader, "metrics.loss > 0.4") == ["r0", "r1"]
            assert self.ids(reader, "metrics.loss != 0.5") == ["r1"]
            assert self.ids(reader, order="metrics.loss desc") == ["r1", "r0", "r2", "r3"]
            assert self.ids(reader, "metrics.loss <= 0.9", "metrics.loss") == ["r0", "r1"]
            for number in range(4):
                if ended:
                    self.tell(store, call("end_attempt", f"r{number}", "a1", "finished", None, at(20, number)))
                self.tell(store, call("compact", f"r{number}"))

    @pytest.mark.parametrize("order", ["metrics.loss", "metrics.loss desc", "first(metrics.loss) desc"])
    def test_a_metric_that_is_nan_comes_before_one_that_is_missing(
        self, store: Store, reader: TenantReader, order: str
    ) -> None:
        def by_pages() -> list[str]:
            found, after = [], None
            while True:
                page = reader.list_runs(RunQuery(order=parse_orders(order), limit=1, after=after))
                found += [run.run_id for run in page.runs]
                after = page.next_token
                if after is None:
                    return found

        for name, value in (("a", None), ("b", math.nan), ("c", 1.0), ("d", math.nan)):
            self.tell(store, starting(name, time_ms=10))
            if value is not None:
                self.tell(store, call("append_points", name, WRITER, "a1", [block_with([value])]))
        assert self.ids(reader, order=order) == by_pages() == ["c", "b", "d", "a"]
        for name in "abcd":
            self.tell(store, call("compact", name))
        assert self.ids(reader, order=order) == by_pages() == ["c", "b", "d", "a"]
        self.tell(store, call("append_points", "a", WRITER, "a1", [block_with([math.nan], 1)]))
        assert self.ids(reader, order=order) == by_pages() == ["c", "a", "b", "d"]
        if not order.startswith("first"):
            self.tell(store, call("append_points", "b", WRITER, "a1", [block_with([1.0], 2)]))
            assert self.ids(reader, order=order) == by_pages() == ["b", "c", "a", "d"]

    @pytest.mark.parametrize("order", ["min(metrics.loss)", "mean(metrics.loss) desc"])
    def test_where_nan_is_left_out_nothing_is_left_of_it(self, store: Store, reader: TenantReader, order: str) -> None:
        self.tell(store, starting("a", time_ms=10), starting("b", time_ms=10))
        self.tell(store, call("append_points", "b", WRITER, "a1", [block_with([math.nan])]))
        assert self.ids(reader, order=order) == ["a", "b"]

    def test_newer_points_count_at_once(self, store: Store, reader: TenantReader) -> None:
        for number, value in enumerate((0.1, 0.8, math.nan, 0.3)):
            self.tell(
                store,
                call("append_points", "r1", WRITER, "a1", [block_with([value], number + 1)]),
                call("end_attempt", "r1", "a1", "finished", None, at(number, number)),
            )
            found = [] if math.isnan(value) else ["r1"]
            assert self.ids(reader, f"metrics.loss >= {0 if math.isnan(value) else value}") == found
            assert self.ids(reader, "metrics.loss < 0.05") == []
            self.tell(store, call("compact", "r1"))
            assert self.ids(reader, "metrics.loss > 0") == found

    def test_the_metric_of_the_latest_attempt_is_found(self, store: Store, reader: TenantReader) -> None:
        for attempt, value in (("a1", 1.0), ("a2", 2.0)):
            self.tell(store, call("append_points", "r1", WRITER, attempt, [block_with([value], int(value) * 10)]))
        self.tell(store, starting("r1", "a1", 10), call("end_attempt", "r1", "a1", "failed", None, at(11, 1)))
        self.tell(store, call("compact", "r1"))
        assert self.ids(reader, "metrics.loss = 1") == ["r1"]
        self.tell(store, starting("r1", "a2", 20), call("end_attempt", "r1", "a2", "failed", None, at(21, 2)))
        for _ in range(2):
            assert self.ids(reader, "metrics.loss = 2") == ["r1"] and self.ids(reader, "metrics.loss = 1") == []
            self.tell(store, call("compact", "r1"))

    def test_metrics_with_labels_are_other_series(self, store: Store, reader: TenantReader) -> None:
        key = SeriesKey("loss", (("rank", "1"),))
        self.tell(store, call("append_points", "r1", WRITER, "a1", [block_with([5.0], key=key)]))
        assert self.ids(reader, "metrics.loss > 0") == []

    def test_ints_and_floats_of_one_metric(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("append_points", "r1", WRITER, "a1", [block_with([2**53 + 1], 1, SeriesKey("loss", (), "int64"))]),
        )
        assert self.ids(reader, "metrics.loss = 9007199254740993") == ["r1"]
        self.tell(store, call("append_points", "r1", WRITER, "a1", [block_with([0.5], 2)]), call("compact", "r1"))
        assert self.ids(reader, "metrics.loss < 1") == ["r1"]

    # -- attributes, pages ---------------------------------------------------------------------------------

    @pytest.fixture
    def three(self, store: Store, reader: TenantReader) -> TenantReader:
        for number, (experiment, name) in enumerate((("one", "123"), ("two", "b"), ("one", "a"))):
            self.tell(store, starting(f"r{number}", time_ms=10 + number, experiment=experiment, name=name))
        self.tell(store, call("end_attempt", "r0", "a1", "failed", None, at(5, 99)))
        self.tell(store, call("end_attempt", "r1", "a1", "finished", None, at(31, 98)))
        return reader

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("status = 'failed'", ["r0"]),
            ("status != 'running'", ["r1", "r0"]),
            ("experiment = 'one'", ["r2", "r0"]),
            ("name > 'a'", ["r1"]),
            ("name = '123'", ["r0"]),
            ("name = '123.0'", []),
            ("start_time >= 11 and start_time < 12", ["r1"]),
            ("end_time <= 31.5", ["r1", "r0"]),
            ("duration = 0", ["r0"]),
            ("duration > 0", ["r1"]),
            ("run_id != 'r0' and experiment = 'one'", ["r2"]),
            ("user_id != 'x'", []),
        ],
    )
    def test_attributes(self, three: TenantReader, condition: str, expected: list[str]) -> None:
        assert self.ids(three, condition) == expected

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ("", ["r2", "r1", "r0"]),
            ("start_time", ["r0", "r1", "r2"]),
            ("name desc", ["r1", "r2", "r0"]),
            ("end_time desc", ["r1", "r0", "r2"]),
            ("end_time asc", ["r0", "r1", "r2"]),
            ("experiment", ["r2", "r0", "r1"]),
            ("params.none", ["r2", "r1", "r0"]),
            ("metrics.none desc", ["r2", "r1", "r0"]),
        ],
    )
    def test_orders(self, three: TenantReader, order: str, expected: list[str]) -> None:
        assert self.ids(three, order=order) == expected

    def test_experiments_by_name(self, three: TenantReader) -> None:
        for names, expected in ((("one",), 2), (("one", "two", "none"), 3), ((), 0), (None, 3)):
            assert three.list_runs(RunQuery(experiments=names)).total == expected

    def test_pages(self, three: TenantReader) -> None:
        pages = [three.list_runs(RunQuery(limit=2, offset=offset)) for offset in (0, 2, 4)]
        assert [[run.run_id for run in page.runs] for page in pages] == [["r2", "r1"], ["r0"], []]
        assert [page.total for page in pages] == [3, 3, 3]

    def test_ties_are_broken_by_start_then_id(self, store: Store, reader: TenantReader) -> None:
        for run_id, time_ms in (("b", 10), ("a", 10), ("c", 20)):
            self.tell(store, starting(run_id, time_ms=time_ms))
        assert self.ids(reader) == self.ids(reader, order="experiment desc") == ["c", "a", "b"]

    def test_an_unknown_attribute_is_refused(self, reader: TenantReader) -> None:
        field = Field("attribute", "nonsense")
        for query in (RunQuery(filter=Comparison(field, "=", "x")), RunQuery(order=(Order(field),))):
            with pytest.raises(InvalidInput):
                reader.list_runs(query)
