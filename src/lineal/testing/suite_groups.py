"""Runs put together by values, and their spreads."""

from __future__ import annotations

import math
from operator import methodcaller as call

import pytest

from lineal.model.errors import InvalidInput
from lineal.model.limits import ORDER_TEXT_CHARS
from lineal.model.values import ParamValue
from lineal.query.parser import parse
from lineal.query.syntax import Field, Order
from lineal.store.contracts import GroupQuery, RunGroup, Spread, Store, TenantReader
from lineal.store.rules import typed_text
from lineal.testing.suite_base import WRITER, SuiteBase, at, block_with, starting

LR, SEED, LOSS = Field("param", "lr"), Field("param", "seed"), Field("metric", "loss")


class GroupRules(SuiteBase):
    def keys(self, groups: list[RunGroup]) -> list[tuple[str, ...]]:
        """With their types: 1 is neither True nor "1"."""
        return [tuple(map(typed_text, group.values)) for group in groups]

    @pytest.fixture
    def sweep(self, store: Store, reader: TenantReader) -> TenantReader:
        rates: tuple[ParamValue, ...] = (0.1, "0.10", 0.1, 0.01, 0.01, None, math.nan)
        for number, lr in enumerate(rates):
            loss = (1.0, 2.0, 4.0, 7.0, math.nan, 3.0, math.inf)[number]
            run_id = f"r{number}"
            self.tell(
                store,
                starting(run_id, time_ms=number, experiment="e0" if number < 6 else "e1"),
                call("set_params", run_id, "a1", {"lr": lr, "seed": number % 2}, at(9, number)),
                call("append_points", run_id, WRITER, "a1", [block_with([9.0, loss], number * 10 + 1)]),
            )
            if number % 2:
                self.tell(store, call("end_attempt", run_id, "a1", "finished", None, at(20, number)))
                self.tell(store, call("compact", run_id))
        return reader

    def test_largest_first_with_spreads(self, sweep: TenantReader) -> None:
        page = sweep.list_groups(GroupQuery((LR,), (LOSS, Field("metric", "loss", "max"))))
        assert page.total == 3
        assert self.keys(page.groups) == [("f0.1",), ("f0.01",), ("cNone",)]
        assert [group.run_count for group in page.groups] == [3, 2, 2]
        assert [group.run_ids for group in page.groups] == [("r2", "r1", "r0"), ("r4", "r3"), ("r6", "r5")]
        spread = page.groups[0].aggregates[LOSS]
        assert (spread.count, spread.min, spread.max) == (3, 1.0, 4.0)
        assert spread.mean == pytest.approx(7 / 3) and spread.std == pytest.approx(1.5275252316519468)
        # NaN and infinities are left out; one value has no deviation.
        assert page.groups[1].aggregates[LOSS] == Spread(1, 7.0, None, 7.0, 7.0)
        assert page.groups[2].aggregates[LOSS] == Spread(1, 3.0, None, 3.0, 3.0)
        assert page.groups[1].aggregates[Field("metric", "loss", "max")] == Spread(2, 9.0, 0.0, 9.0, 9.0)

    def test_several_fields_a_filter_and_experiments(self, sweep: TenantReader) -> None:
        asked = GroupQuery((LR, SEED, Field("attribute", "experiment")), filter=parse("params.lr is not null"))
        assert self.keys(sweep.list_groups(asked).groups) == [
            ("f0.1", "i0", "se0"),
            ("f0.01", "i0", "se0"),
            ("f0.01", "i1", "se0"),
            ("f0.1", "i1", "se0"),
        ]
        assert sweep.list_groups(GroupQuery((LR,), experiments=("e1",))).groups[0].run_ids == ("r6",)
        assert sweep.list_groups(GroupQuery((LR,), experiments=())).total == 0
        assert sweep.list_groups(GroupQuery((LR,), lifecycle="deleted")).total == 0

    def test_long_texts_are_told_apart_before_the_next_field(self, store: Store, reader: TenantReader) -> None:
        """They share more than what texts are ordered by at first."""
        begin = "x" * (ORDER_TEXT_CHARS + 44)
        for number, (text, seed) in enumerate((("b", 0), ("a", 2), ("b", "t"), ("a", 1), (None, 0), ("", 5))):
            long = None if text is None else begin + text
            self.tell(store, call("set_params", f"r{number}", "a1", {"long": long, "seed": seed}, at(1, number)))
        page = reader.list_groups(GroupQuery((Field("param", "long"), SEED)))
        found = [(str(long)[len(begin) :], seed) for long, seed in (group.values for group in page.groups)]
        assert found == [("", 5), ("a", 1), ("a", 2), ("b", 0), ("b", "t"), ("", 0)]
        assert page.groups[-1].values[0] is None
        first_of_them = reader.list_groups(GroupQuery((Field("param", "long"), SEED), limit=2))
        assert [group.values for group in first_of_them.groups] == [group.values for group in page.groups[:2]]

    def test_ordered_by_the_mean_of_a_field(self, sweep: TenantReader) -> None:
        """0.1 has 1, 2 and 4; 0.01 has 7; those without lr have 3."""
        for descending, expected in ((False, ["f0.1", "cNone", "f0.01"]), (True, ["f0.01", "cNone", "f0.1"])):
            page = sweep.list_groups(GroupQuery((LR,), order=(Order(LOSS, descending),)))
            assert [key for [key] in self.keys(page.groups)] == expected and page.total == 3
            first = sweep.list_groups(GroupQuery((LR,), (SEED,), limit=1, order=(Order(LOSS, descending),)))
            assert [key for [key] in self.keys(first.groups)] == expected[:1] and list(first.groups[0].aggregates) == [
                SEED
            ]

    def test_groups_without_a_mean_come_last_in_either_direction(self, store: Store, reader: TenantReader) -> None:
        values: tuple[ParamValue, ...] = (2.0, -1.0, "text", None, 2.0, math.inf)
        for number, value in enumerate(values):
            self.tell(store, call("set_params", f"r{number}", "a1", {"x": value, "lr": number}, at(1, number)))
        self.tell(store, call("set_params", "more", "a1", {"lr": 3}, at(1, 9)))
        for descending, expected in ((False, [1, 0, 4, 3, 2, 5]), (True, [0, 4, 1, 3, 2, 5])):
            page = reader.list_groups(GroupQuery((LR,), order=(Order(Field("param", "x"), descending),)))
            assert [group.values for group in page.groups] == [(lr,) for lr in expected]

    def test_ordered_by_what_they_have_in_common(self, store: Store, reader: TenantReader) -> None:
        values: tuple[ParamValue, ...] = (2, 2**53 + 1, 2**53, "b", "a", None, True, False, 2)
        for number, value in enumerate(values):
            self.tell(store, call("set_params", f"r{number}", "a1", {"lr": value, "seed": 0}, at(1, number)))
        up = [(2,), (2**53,), (2**53 + 1,), (False,), (True,), ("a",), ("b",), (None,)]
        down = [(2**53 + 1,), (2**53,), (2,), (True,), (False,), ("b",), ("a",), (None,)]
        for descending, expected in ((False, up), (True, down)):
            page = reader.list_groups(GroupQuery((LR,), order=(Order(SEED), Order(LR, descending))))
            assert [group.values for group in page.groups] == expected
            assert page.groups == [
                *reader.list_groups(GroupQuery((LR,), order=(Order(LR, descending),), limit=3)).groups,
                *page.groups[3:],
            ]

    def test_long_texts_are_ordered_whole_in_either_direction(self, store: Store, reader: TenantReader) -> None:
        begin = "x" * (ORDER_TEXT_CHARS + 44)
        for number, text in enumerate("bca"):
            self.tell(store, call("set_params", f"r{number}", "a1", {"lr": begin + text}, at(1, number)))
        for descending, expected in ((False, "abc"), (True, "cba")):
            page = reader.list_groups(GroupQuery((LR,), order=(Order(LR, descending),)))
            assert [str(group.values[0])[len(begin) :] for group in page.groups] == list(expected)

    def test_a_limit_leaves_the_total(self, sweep: TenantReader) -> None:
        page = sweep.list_groups(GroupQuery((LR,), limit=1))
        assert (len(page.groups), page.total) == (1, 3)
        assert sweep.list_groups(GroupQuery((LR,), limit=0)) == ([], 3)

    def test_by_nothing_all_runs_are_one_group(self, sweep: TenantReader) -> None:
        page = sweep.list_groups(GroupQuery((), (LOSS,)))
        assert page.total == 1 and page.groups[0].values == () and page.groups[0].run_count == 7
        assert page.groups[0].aggregates[LOSS].count == 5

    def test_without_runs_there_is_no_group(self, reader: TenantReader) -> None:
        assert reader.list_groups(GroupQuery((LR,), (LOSS,))) == ([], 0)
        assert reader.list_groups(GroupQuery((), (LOSS,))) == ([], 0)

    def test_values_of_one_group(self, store: Store, reader: TenantReader) -> None:
        values: tuple[ParamValue, ...] = (
            1,
            1.0,
            "1",
            "1e0",
            True,
            "True",
            "b",
            "b",
            -0.0,
            0,
            2**53 + 1,
            2**53,
            "",
            "nan",
            2**70,
        )
        for number, value in enumerate(values):
            self.tell(store, call("set_params", f"r{number:02}", "a1", {"x": value}, at(1, number)))
        page = reader.list_groups(GroupQuery((Field("param", "x"),)))
        found = dict(
            zip((key for [key] in self.keys(page.groups)), (group.run_count for group in page.groups), strict=True)
        )
        assert found == {
            "i1": 4,
            "i0": 2,
            "sb": 2,
            f"i{2**53:x}": 1,
            f"i{2**53 + 1:x}": 1,
            "f1.1805916207174113e+21": 1,
            "cTrue": 1,
            "s": 1,
            "sTrue": 1,
            "snan": 1,
        }
        assert [key for [key] in self.keys(page.groups)] == list(found)

    def test_text_attributes_tags_json_and_what_nobody_has(self, store: Store, reader: TenantReader) -> None:
        for number, name in enumerate(("1", "1.0", "1")):
            run_id = f"r{number}"
            self.tell(
                store,
                starting(run_id, time_ms=number, name=name),
                call("set_tags", run_id, {"t": name}, at(9, number)),
                call("set_document", run_id, "d", name, at(9, 10 + number)),
            )
        groups = {
            Field("attribute", "name"): [("s1",), ("s1.0",)],
            Field("tag", "t"): [("i1",)],
            Field("json", "d"): [("i1",)],
            Field("git", "commit"): [("cNone",)],
            Field("attribute", "start_time"): [("i0",), ("i1",), ("i2",)],
        }
        for field, expected in groups.items():
            assert self.keys(reader.list_groups(GroupQuery((field,))).groups) == expected

    def test_spreads_of_params_and_of_extremes(self, store: Store, reader: TenantReader) -> None:
        values: tuple[ParamValue, ...] = (1e308, 1.7e308, "1.5e308", True, "text", None, -math.inf)
        for number, value in enumerate(values):
            self.tell(
                store,
                call(
                    "set_params", f"r{number}", "a1", {"x": value, "y": -1e308 if number % 2 else 1e308}, at(1, number)
                ),
            )
        x, y = Field("param", "x"), Field("param", "y")
        [group] = reader.list_groups(GroupQuery((), (x, y))).groups
        spread = group.aggregates[x]
        assert (spread.count, spread.min, spread.max) == (4, 1.0, 1.7e308)
        assert spread.mean == pytest.approx(1.05e308)
        assert spread.std is not None and math.isfinite(spread.std)
        assert (group.aggregates[y].std or 0) > 1e308

    def test_a_hundred_runs_are_named(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *(call("set_note", f"r{number:03}", "", at(1, number)) for number in range(120)))
        [group] = reader.list_groups(GroupQuery((LR,))).groups
        assert (group.run_count, len(group.run_ids)) == (120, 100) and group.run_ids[:2] == ("r000", "r001")

    def test_groups_that_cannot_be_asked_for_are_refused(self, reader: TenantReader) -> None:
        nonsense = Field("attribute", "nonsense")
        for wrong in (
            GroupQuery((nonsense,)),
            GroupQuery((LR,), (nonsense,)),
            GroupQuery((LR,), order=(Order(nonsense),)),
            GroupQuery(tuple(Field("param", str(number)) for number in range(9))),
            GroupQuery((LR,), tuple(Field("param", str(number)) for number in range(501))),
        ):
            with pytest.raises(InvalidInput):
                reader.list_groups(wrong)
