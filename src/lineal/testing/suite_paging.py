"""Orders of several keys, and pages that stay in step while runs arrive."""

from __future__ import annotations

import math
from dataclasses import replace
from operator import methodcaller as call

import pytest

from lineal.model.errors import InvalidInput
from lineal.model.values import ParamValue
from lineal.query.parser import parse, parse_orders
from lineal.query.syntax import Field, Order
from lineal.store.contracts import RunQuery, Store, TenantReader
from lineal.testing.suite_base import WRITER, Said, SuiteBase, at, block_with, starting

ORDERS = (
    "",
    "params.x",
    "params.x desc",
    "params.x desc, params.y",
    "params.y desc, params.x desc",
    "metrics.loss",
    "metrics.loss desc, params.x",
    "min(metrics.loss) desc",
    "name, params.x desc",
    "tags.t desc",
    "start_time",
    "end_time desc",
    "duration, experiment desc",
    "json.d.x desc, json.d",
    "git.commit, datasets.version desc",
)
VALUES: tuple[ParamValue, ...] = (
    1,
    1.0,
    "1",
    True,
    "b",
    "a",
    None,
    math.nan,
    -math.inf,
    2**53 + 1,
    2**70,
    "0.5",
    "x" * 300,
)


class PagingRules(SuiteBase):
    @pytest.fixture
    def many(self, store: Store, reader: TenantReader) -> TenantReader:
        """Runs with few different values, so that every key has ties and gaps."""
        for number in range(26):
            run_id = f"r{number % 5}{number:02}"
            value = VALUES[number % len(VALUES)]
            loss = (0.5, math.nan, 0.25, math.inf)[number % 4]
            said: list[Said] = [
                starting(
                    run_id, time_ms=1 + number // 3, experiment=f"e{number % 2}", name="nn" if number % 4 else None
                ),
                call(
                    "set_params",
                    run_id,
                    "a1",
                    {"x": value, "y": number % 3} if number % 5 else {},
                    at(1, 1_000 + number),
                ),
                call("set_tags", run_id, {"t": str(number % 4)} if number % 2 else {}, at(1, 2_000 + number)),
            ]
            if number % 3:
                said.append(call("append_points", run_id, WRITER, "a1", [block_with([loss], number * 10 + 1)]))
                said.append(call("end_attempt", run_id, "a1", "finished", None, at(number, 3_000 + number)))
                said.append(call("set_document", run_id, "d", f'{{"x":{number % 4}}}', at(1, 4_000 + number)))
            self.tell(store, *said)
            if number % 2:
                self.tell(store, call("compact", run_id))
        return reader

    def walk(self, reader: TenantReader, query: RunQuery) -> list[str]:
        found: list[str] = []
        for _ in range(100):
            page = reader.list_runs(query)
            assert len(page.runs) <= query.limit
            found += [run.run_id for run in page.runs]
            if page.next_token is None:
                return found
            assert len(page.runs) == query.limit
            query = replace(query, offset=0, after=page.next_token)
        raise AssertionError("pages without end")

    @pytest.mark.parametrize("order", ORDERS)
    def test_pages_by_token_and_by_offset_add_up_to_the_whole(self, many: TenantReader, order: str) -> None:
        whole = RunQuery(filter=parse("not name = 'none'"), order=parse_orders(order), limit=1_000)
        expected = [run.run_id for run in many.list_runs(whole).runs]
        assert len(expected) == len(set(expected)) == 26
        for limit in (1, 5, 13, 26):
            paged = replace(whole, limit=limit)
            assert self.walk(many, paged) == expected
            by_offset = [
                run.run_id for start in range(0, 26, limit) for run in many.list_runs(replace(paged, offset=start)).runs
            ]
            assert by_offset == expected
            assert self.walk(many, replace(paged, offset=3)) == expected[3:]

    def test_a_second_key_orders_what_the_first_leaves_equal(self, store: Store, reader: TenantReader) -> None:
        for number, (x, y) in enumerate(((1, 2), (1, 1), (0, 1), (None, 5), (None, 6))):
            params = {"y": y} if x is None else {"x": x, "y": y}
            self.tell(
                store,
                starting(f"r{number}", time_ms=number),
                call("set_params", f"r{number}", "a1", params, at(9, number)),
            )
        assert self.ids(reader, order="params.x, params.y desc") == ["r2", "r0", "r1", "r4", "r3"]
        assert self.ids(reader, order="params.x desc, params.y") == ["r1", "r0", "r2", "r3", "r4"]
        assert self.ids(reader, order="params.none, params.y, params.x") == ["r2", "r1", "r0", "r3", "r4"]

    def test_texts_beyond_their_first_256_characters_are_ties(self, store: Store, reader: TenantReader) -> None:
        for number, text in enumerate(("x" * 256 + "b", "x" * 256 + "a", "x" * 255 + "z")):
            self.tell(
                store,
                starting(f"r{number}", time_ms=number),
                call("set_tags", f"r{number}", {"t": text}, at(9, number)),
            )
        assert self.ids(reader, order="tags.t") == ["r1", "r0", "r2"]
        assert self.walk(reader, RunQuery(order=parse_orders("tags.t desc"), limit=1)) == ["r2", "r1", "r0"]

    @pytest.mark.parametrize("order", ["", "params.x desc", "name"])
    def test_runs_that_arrive_shift_nothing(self, store: Store, reader: TenantReader, order: str) -> None:
        for number in range(6):
            self.tell(store, starting(f"old{number}", time_ms=10 + number, name="n"))
        query = RunQuery(order=parse_orders(order), limit=2)
        seen: list[str] = []
        for number in range(3):
            page = reader.list_runs(query)
            seen += [run.run_id for run in page.runs]
            assert page.total == 6 + number
            # Newer than all: before every page. And a run of an earlier page goes.
            self.tell(store, starting(f"new{number}", time_ms=100 + number, name="n"))
            if page.next_token is not None:
                query = replace(query, after=page.next_token)
        assert seen == [f"old{number}" for number in (5, 4, 3, 2, 1, 0)] and page.next_token is None

    def test_a_page_begins_where_its_last_run_was_though_it_is_gone(self, store: Store, reader: TenantReader) -> None:
        for number in range(4):
            self.tell(
                store,
                starting(f"r{number}", time_ms=number),
                call("set_params", f"r{number}", "a1", {"x": number}, at(9, number)),
            )
        query = RunQuery(order=parse_orders("params.x"), limit=2)
        token = reader.list_runs(query).next_token
        self.tell(store, call("set_lifecycle", "r1", "deleted", at(99)))
        page = reader.list_runs(replace(query, after=token))
        assert ([run.run_id for run in page.runs], page.total, page.next_token) == (["r2", "r3"], 3, None)

    def test_the_last_page_and_empty_pages_have_no_token(self, many: TenantReader) -> None:
        for order in ("", "params.x"):
            query = RunQuery(order=parse_orders(order))
            assert many.list_runs(replace(query, limit=26)).next_token is None
            assert many.list_runs(replace(query, limit=25)).next_token is not None
            assert many.list_runs(replace(query, limit=0)) == ([], 26, None)
            assert many.list_runs(replace(query, offset=26)) == ([], 26, None)

    def test_a_token_is_bound_to_its_question(self, many: TenantReader) -> None:
        asked = RunQuery(
            filter=parse("params.y >= 0"), order=parse_orders("params.x"), limit=3, experiments=("e0", "e1")
        )
        token = many.list_runs(asked).next_token
        assert token is not None and token.isascii() and not set(token) & set("+/=&?# ")
        known = replace(asked, after=token)
        for same in (replace(known, limit=50), replace(known, experiments=("e1", "e0"))):
            assert many.list_runs(same).runs[:3] == many.list_runs(known).runs[:3]
        for other in (
            replace(known, filter=parse("params.y >= 1")),
            replace(known, filter=None),
            replace(known, order=parse_orders("params.x desc")),
            replace(known, order=parse_orders("params.x, params.y")),
            replace(known, order=()),
            replace(known, lifecycle=None),
            replace(known, experiments=None),
            replace(known, offset=1),
        ):
            with pytest.raises(InvalidInput) as raised:
                many.list_runs(other)
            assert raised.value.field == "page_token", other

    def test_a_damaged_token_is_refused(self, many: TenantReader) -> None:
        for query in (RunQuery(limit=3), RunQuery(limit=3, order=(Order(Field("param", "x")),))):
            token = many.list_runs(query).next_token
            assert token is not None
            middle = len(token) // 2
            other = "A" if token[middle] != "A" else "B"
            for wrong in (
                "",
                "x",
                "é",
                token[:-3],
                token + "AAAA",
                token[:middle] + other + token[middle + 1 :],
                " " + token,
            ):
                with pytest.raises(InvalidInput) as raised:
                    many.list_runs(replace(query, after=wrong))
                assert raised.value.field == "page_token", wrong

    def test_an_order_that_runs_do_not_have_is_refused(self, reader: TenantReader) -> None:
        for order in ((Order(Field("attribute", "x")),), tuple(Order(Field("param", str(n))) for n in range(9))):
            with pytest.raises(InvalidInput):
                reader.list_runs(RunQuery(order=order))
