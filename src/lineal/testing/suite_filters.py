"""The filter language on a store: every operator, every kind of field, and what is missing."""

from __future__ import annotations

import math
from operator import methodcaller as call

import pytest

from lineal.model.entities import SeriesKey
from lineal.model.errors import InvalidInput
from lineal.model.values import ParamValue
from lineal.query.syntax import And, Comparison, Field, Filter, Or
from lineal.store.contracts import RunQuery, Store, TenantReader
from lineal.testing.suite_base import WRITER, SuiteBase, at, block_with, starting

PARAMS: dict[str, ParamValue] = {
    "a": 2,
    "b": 10.0,
    "c": "apple",
    "d": "0.10",
    "e": True,
    "f": math.nan,
    "g": None,
    "h": "Äpfel%",
    "i": "a\nb_c",
    "j": 2**53 + 1,
}
"""Run -> its param "x"; the run "z" has none."""


class FilterRules(SuiteBase):
    @pytest.fixture
    def runs(self, store: Store, reader: TenantReader) -> TenantReader:
        for number, (run_id, value) in enumerate(PARAMS.items()):
            self.tell(store, call("set_params", run_id, "a1", {"x": value}, at(1, number)))
        self.tell(store, call("set_note", "z", "", at(1, 99)))
        return reader

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("params.x in (2, 'apple')", "ac"),
            ("params.x in ('2.0', '10', 0.1)", "abd"),
            ("params.x in (9007199254740992, 9007199254740994)", ""),
            ("params.x not in (2, 'apple')", "bdehij"),
            ("params.x not in (2, 'apple') or params.x is null", "bdefghijz"),
            ("params.x between 1 and 10", "abe"),
            ("params.x between 10 and 1", ""),
            ("params.x not between 1 and 10", "cdhij"),
            ("params.x between 'a' and 'b'", "ci"),
            ("params.x not between 'a' and 'b'", "abdehj"),
            ("params.x like 'a%'", "ci"),
            ("params.x like 'A%'", ""),
            ("params.x ilike 'A%'", "ci"),
            ("params.x ilike 'äPF%'", "h"),
            ("params.x like '%'", "abcdehij"),
            ("params.x like '_'", "a"),
            ("params.x like '1%'", "b"),
            ("params.x like '10.0'", "b"),
            ("params.x like '0.1'", ""),
            ("params.x like 'True'", "e"),
            ("params.x like '%_c'", "i"),
            ("params.x like '%%%l%'", "ch"),
            ("params.x not like 'a%'", "abdehj"),
            ("params.x not ilike '%P%'", "abdeij"),
            ("params.x matches 'p+'", "ch"),
            ("params.x matches '^[0-9.]+$'", "abdj"),
            ("params.x matches '(?i)^(APPLE|true)$'", "ce"),
            ("params.x matches ''", "abcdehij"),
            ("params.x matches 'a.b'", ""),
            ("params.x matches '(?s)a.b'", "i"),
            ("params.x matches '^.pfel%$'", "h"),
            ("params.x not matches '[0-9]'", "cehi"),
            ("params.x ^= '1'", "b"),
            ("params.x ^= 'Ä'", "h"),
            ("params.x ^= ''", "abcdehij"),
            ("params.x is null", "fgz"),
            ("params.x is not null", "abcdehij"),
            ("params.y is null", "abcdefghijz"),
            ("params.y is not null", ""),
            ("params.y not in (1) or params.y not like 'x' or params.y not between 1 and 2", ""),
            ("not params.x = 2", "bcdefghijz"),
            ("not params.x != 2", "afgz"),
            ("not params.x is null", "abcdehij"),
            ("not (params.x > 1 and params.x < 10)", "bcdefghijz"),
            ("params.x = 2 or params.x = 'apple' and params.y = 1", "a"),
            ("(params.x = 2 or params.x = 'apple') and not params.x = 2", "c"),
            ("not (params.x in (2) or params.x ^= 'a' or params.x is null)", "bdehj"),
            ("not not params.x < 1", "d"),
        ],
    )
    def test_params(self, runs: TenantReader, condition: str, expected: str) -> None:
        assert "".join(sorted(self.ids(runs, condition))) == expected

    def test_tags_compare_as_params_do(self, store: Store, reader: TenantReader) -> None:
        for number, (run_id, value) in enumerate({"a": "2", "b": "10.0", "c": "apple", "d": ""}.items()):
            self.tell(store, call("set_tags", run_id, {"x": value}, at(1, number)))
        for condition, expected in (
            ("tags.x between 1 and 10", "ab"),
            ("tags.x not in (2, '')", "bc"),
            ("tags.x = ''", "d"),
            ("tags.x like '_%' and not tags.x like '%0'", "ac"),
            ("tags.x is not null", "abcd"),
            ("tags.x > '1'", "ab"),
        ):
            assert "".join(sorted(self.ids(reader, condition))) == expected, condition

    def test_no_parts_at_all(self, runs: TenantReader) -> None:
        wholes: list[tuple[Filter, int]] = [(And(()), 11), (Or(()), 0)]
        for whole, expected in wholes:
            assert runs.list_runs(RunQuery(filter=whole)).total == expected

    # -- attributes ----------------------------------------------------------------------------------------

    @pytest.fixture
    def attempts(self, store: Store, reader: TenantReader) -> TenantReader:
        day = 86_400_000
        for number, name in enumerate(("debug-1", "Debug-2", "final")):
            self.tell(store, starting(f"r{number}", time_ms=number * day, experiment="one", name=name))
        self.tell(store, call("end_attempt", "r1", "a1", "failed", None, at(2 * day, 98)))
        return reader

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("name like 'debug%'", ["r0"]),
            ("name ilike 'debug%'", ["r1", "r0"]),
            ("not name ilike 'debug%'", ["r2"]),
            ("name in ('final', 'x')", ["r2"]),
            ("status not in ('failed')", ["r2", "r0"]),
            ("status is null", []),
            ("end_time is null", ["r2", "r0"]),
            ("end_time is not null and duration = 86400000", ["r1"]),
            ("duration not in (1)", ["r1"]),
            ("start_time >= '1970-01-02'", ["r2", "r1"]),
            ("start_time between '1970-01-01' and '1970-01-02'", ["r1", "r0"]),
            ("start_time not between '1970-01-02' and 1e300", ["r0"]),
            ("start_time in (0, 86400000.0)", ["r1", "r0"]),
            ("run_id matches '[12]'", ["r2", "r1"]),
            ("user_id is null and parent_run_id is null and forked_from is null", ["r2", "r1", "r0"]),
            ("description is null", ["r2", "r1", "r0"]),
            ("experiment ^= 'on' and experiment_id is not null", ["r2", "r1", "r0"]),
            ("datasets.version = 'v1' or git.commit is not null or datasets.train.name like '%'", []),
            ("datasets.version is null and not git.commit = 'a'", ["r2", "r1", "r0"]),
        ],
    )
    def test_attributes_of_runs(self, attempts: TenantReader, condition: str, expected: list[str]) -> None:
        assert self.ids(attempts, condition) == expected

    def test_text_operators_see_no_numbers_of_number_fields(self, attempts: TenantReader) -> None:
        for field in (Field("attribute", "start_time"), Field("metric", "loss")):
            for said in (
                Comparison(field, "like", "%"),
                Comparison(field, "not matches", "x"),
                Comparison(field, "^=", ""),
            ):
                assert attempts.list_runs(RunQuery(filter=said)).total == 0

    # -- metrics -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("compacted", [False, True])
    def test_functions_of_metrics(self, store: Store, reader: TenantReader, compacted: bool) -> None:
        for run_id, values in {"a": [3.0, 1.0, 2.0], "b": [5.0, math.nan, 4.0], "c": [math.nan], "d": [0.5]}.items():
            self.tell(store, starting(run_id), call("append_points", run_id, WRITER, "a1", [block_with(values)]))
            if compacted:
                self.tell(store, call("end_attempt", run_id, "a1", "finished", None, at(9, ord(run_id))))
                self.tell(store, call("compact", run_id))
        self.tell(store, starting("e"))
        for condition, expected in (
            ("min(metrics.loss) = 1", "a"),
            ("max(metrics.loss) >= 3", "ab"),
            ("first(metrics.loss) > 2", "ab"),
            ("metrics.loss = 2", "a"),
            ("last(metrics.loss) = 4", "b"),
            ("mean(metrics.loss) = 2", "a"),
            ("mean(metrics.loss) = 4.5", "b"),
            ("count(metrics.loss) = 3", "ab"),
            ("count(metrics.loss) in (1)", "cd"),
            ("min(metrics.loss) is null", "ce"),
            ("count(metrics.loss) is null", "e"),
            ("not min(metrics.loss) < 4", "bce"),
            ("min(metrics.loss) != 1", "bd"),
            ("min(metrics.loss) not in (1, 4)", "d"),
            ("min(metrics.loss) not between 0 and 1", "b"),
            ("metrics.loss is null", "ce"),
        ):
            assert "".join(sorted(self.ids(reader, condition))) == expected, condition
        assert "".join(self.ids(reader, order="max(metrics.loss) desc")) == "badce"
        assert "".join(self.ids(reader, order="count(metrics.loss), min(metrics.loss)")) == "dcabe"

    def test_functions_take_in_both_value_types_and_newer_points(self, store: Store, reader: TenantReader) -> None:
        whole = SeriesKey("loss", (), "int64")
        self.tell(
            store,
            starting("r"),
            call("append_points", "r", WRITER, "a1", [block_with([7, 9], 1, whole)]),
            call("append_points", "r", WRITER, "a1", [block_with([0.5, 8.5], 3)]),
            call("end_attempt", "r", "a1", "finished", None, at(9, 9)),
            call("compact", "r"),
        )
        assert self.ids(reader, "min(metrics.loss) = 0.5 and max(metrics.loss) = 9 and count(metrics.loss) = 4") == [
            "r"
        ]
        self.tell(store, call("append_points", "r", WRITER, "a1", [block_with([2**53 + 1], 5, whole)]))
        for _ in range(2):
            assert self.ids(reader, "max(metrics.loss) = 9007199254740993 and count(metrics.loss) = 5") == ["r"]
            assert self.ids(reader, "first(metrics.loss) = 7 and mean(metrics.loss) > 1e15") == ["r"]
            self.tell(store, call("compact", "r"))

    def test_functions_take_in_all_attempts(self, store: Store, reader: TenantReader) -> None:
        for number, (attempt, value) in enumerate((("a1", 1.0), ("a2", 2.0))):
            self.tell(
                store,
                starting("r", attempt, 10 * (number + 1)),
                call("append_points", "r", WRITER, attempt, [block_with([value], number * 10 + 1)]),
                call("end_attempt", "r", attempt, "failed", None, at(11 + number, 77 + number)),
                call("compact", "r"),
            )
        assert self.ids(reader, "first(metrics.loss) = 1 and metrics.loss = 2 and mean(metrics.loss) = 1.5") == ["r"]

    # -- documents -----------------------------------------------------------------------------------------

    def test_json_values_are_found_by_path(self, store: Store, reader: TenantReader) -> None:
        documents = {
            "a": '{"score":3,"by":["ada","grace"],"deep":{"ok":true,"none":null},"a.b":1}',
            "b": '{"score":"3.0","by":[],"text":"' + "x" * 1_000 + '"}',
            "c": '{"score":2.5,"text":"' + "x" * 1_001 + '"}',
            "d": "7",
            "e": "no json",
        }
        for number, (run_id, text) in enumerate(documents.items()):
            self.tell(store, call("set_document", run_id, "review", text, at(1, number)))
        for condition, expected in (
            ("json.review.score = 3", "ab"),
            ("json.review.score < 3", "c"),
            ("json.review.score in (2.5, '3')", "abc"),
            ("json.review.by.0 = 'ada'", "a"),
            ("json.review.by.1 like 'g%'", "a"),
            ("json.review.deep.ok = 'True' and json.review.deep.ok = 1", "a"),
            ("json.review.deep.none is null", "abcde"),
            ("json.review.a.b = 1", "a"),
            ("json.review = 7", "d"),
            ("json.review.text ^= 'x'", "b"),
            ("json.review.score is null", "de"),
            ("json.review.by is not null", ""),
            ("json.other.score = 3", ""),
        ):
            assert "".join(sorted(self.ids(reader, condition))) == expected, condition
        assert "".join(self.ids(reader, order="json.review.score desc")) == "abcde"

    def test_json_follows_its_document(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("set_document", "r", "d", '{"x":1,"y":2}', at(1)))
        assert self.ids(reader, "json.d.x = 1 and json.d.y = 2") == ["r"]
        self.tell(store, call("set_document", "r", "d", '{"x":3}', at(3)))
        self.tell(store, call("set_document", "r", "d", '{"x":9}', at(2)))
        assert self.ids(reader, "json.d.x = 3 and json.d.y is null") == ["r"]
        self.tell(store, call("set_document", "r", "a.d", "1", at(4)), call("set_document", "r", "a", '{"d":2}', at(5)))
        assert self.ids(reader, "json.a.d = 2") == ["r"], "of equal paths the document whose name sorts first counts"

    def test_a_document_has_a_bounded_number_of_searched_values(self, store: Store, reader: TenantReader) -> None:
        many = "[" + ",".join(map(str, range(1_005))) + "]"
        deep = "[" * 40 + "1" + "]" * 40
        deepest = "[" * 32 + "1" + "]" * 32
        for number, (name, text) in enumerate({"many": many, "deep": deep, "deepest": deepest}.items()):
            self.tell(store, call("set_document", "r", name, text, at(1, number)))
        assert self.ids(reader, "json.many.999 = 999 and json.many.1000 is null") == ["r"]
        assert self.ids(reader, f"json.deepest{'.0' * 32} = 1 and json.deep{'.0' * 40} is null") == ["r"]

    # -- refusals ------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "filter",
        [
            Comparison(Field("attribute", "nonsense"), "=", "x"),
            Comparison(Field("param", "x", "min"), "=", 1),
            Comparison(Field("param", "x"), "matches", "a("),
            Comparison(Field("param", "x"), "in", ()),
            And((Comparison(Field("param", "x"), "=", 1),) * 257),
        ],
    )
    def test_a_filter_that_cannot_be_asked_is_refused(self, reader: TenantReader, filter: Filter) -> None:
        with pytest.raises(InvalidInput):
            reader.list_runs(RunQuery(filter=filter))
