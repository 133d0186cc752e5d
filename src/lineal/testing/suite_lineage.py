"""Datasets and logged models: `store/lineage.py`."""

from __future__ import annotations

from dataclasses import replace
from operator import methodcaller as call

import pytest

from lineal.model.entities import SeriesKey
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.ids import experiment_id
from lineal.model.limits import DATASETS_SEARCHED_MAX_COUNT
from lineal.model.lineage import Dataset, DatasetSummary, DatasetUse, ModelFile, ModelMetric, ModelUse
from lineal.model.vocabulary import Labels, Lifecycle
from lineal.query.parser import parse, parse_field
from lineal.query.syntax import Field
from lineal.store.contracts import GroupQuery, Store, TenantReader
from lineal.store.lineage import ModelOrder, ModelQuery
from lineal.testing.suite_base import WRITER, Said, SuiteBase, at, block_with, starting

TRAIN = Dataset("train", "d1", "2.1", "local", "data/train.csv", '{"x":"long"}', '{"num_rows":3}')
OTHER = Dataset("val.set", "1e5", "2.10")


def used(run_id: str, dataset: Dataset, seq: int, context: str = "", **tags: str) -> Said:
    return call("use_dataset", run_id, DatasetUse(dataset, context, tags), at(seq, seq))


def measured(run_id: str, model_id: str, values: list[float], seq: int, name: str = "acc", **labels: str) -> Said:
    key: Labels = tuple(sorted({"model_id": model_id, **labels}.items()))
    return call("append_points", run_id, WRITER, "a1", [block_with(values, seq, SeriesKey(name, key))])


def by(text: str, *, descending: bool = False, name: str | None = None, digest: str | None = None) -> ModelOrder:
    prefix, dot, rest = text.partition(".")
    return ModelOrder(Field("metric", rest) if dot else Field("attribute", prefix), descending, name, digest)


def models_of(reader: TenantReader, query: ModelQuery) -> list[str]:
    return [model.model_id for model in reader.list_logged_models(query).models]


class LineageRules(SuiteBase):
    # -- datasets ------------------------------------------------------------------------------------------

    def test_a_run_keeps_what_it_said_of_its_datasets(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("r1"),
            used("r1", OTHER, 3),
            used("r1", TRAIN, 2, "training", a="b"),
            used("r1", TRAIN, 4, "testing"),
        )
        uses = reader.list_dataset_uses(["r1"])[0]
        assert uses == [
            DatasetUse(TRAIN, "training", {"a": "b"}, 2),
            DatasetUse(OTHER, "", {}, 3),
            DatasetUse(TRAIN, "testing", {}, 4),
        ]
        short = replace(TRAIN, schema=None, profile=None)
        assert [use.dataset for use in reader.get_details("r1").datasets] == [short, OTHER, short]

    def test_the_first_word_on_a_dataset_stands_for_the_run_alone(self, store: Store, reader: TenantReader) -> None:
        later = replace(TRAIN, source="elsewhere", profile=None)
        self.tell(store, used("r1", later, 5, "training", k="later"))
        self.tell(store, used("r1", TRAIN, 3, "training", k="first"), used("r2", later, 6, "training"))
        self.tell(
            store, used("r1", TRAIN, 3, "training", k="first"), used("r1", replace(TRAIN, source="x"), 9, "training")
        )
        one, two = reader.list_dataset_uses(["r1", "r2"])
        assert one == [DatasetUse(TRAIN, "training", {"k": "first"}, 3)]
        assert two == [DatasetUse(later, "training", {}, 6)]
        assert self.ids(reader, "datasets.source = 'elsewhere'") == ["r2"]
        assert [row.action for row in reader.list_audit()] == ["dataset.use"] * 3

    def test_unknown_runs_have_no_answer_and_others_no_datasets(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        assert reader.list_dataset_uses(["r1"]) == [[]] and reader.list_dataset_uses([]) == []
        with pytest.raises(NotFound):
            reader.list_dataset_uses(["r1", "r2"])
        self.tell(store, used("r1", TRAIN, 2))
        with pytest.raises(NotFound):
            store.tenant("other").list_dataset_uses(["r1"])

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("datasets.name = 'train'", ["r1", "r2"]),
            ("datasets.name != 'train'", ["r2", "r3"]),
            ("not datasets.name = 'train'", ["r3", "r4"]),
            ("datasets.name is null", ["r4"]),
            ("datasets.name is not null", ["r1", "r2", "r3"]),
            ("datasets.context = 'training' and datasets.digest = '1e5'", ["r2"]),
            ("datasets.digest = '100000'", []),
            ("datasets.version = '2.1'", ["r1", "r2"]),
            ("datasets.version ^= '2.1'", ["r1", "r2", "r3"]),
            ("datasets.train.version = '2.1'", ["r1", "r2"]),
            ("datasets.val.set.version = '2.10'", ["r2", "r3"]),
            ("datasets.`val.set`.version in ('2.10', 'x')", ["r2", "r3"]),
            ("datasets.train.version is null", ["r3", "r4"]),
            ("datasets.train.context = 'testing'", ["r1"]),
            ("datasets.train.context not in ('testing')", ["r1", "r2"]),
            ("datasets.source like 'data/%.csv'", ["r1", "r2"]),
            ("datasets.source is null", ["r3", "r4"]),
            ("datasets.context between 'te' and 'tr'", ["r1"]),
            ("datasets.name ilike 'TRAIN' and datasets.name matches '^val'", ["r2"]),
        ],
    )
    def test_filters_see_any_dataset_of_a_run(
        self, store: Store, reader: TenantReader, condition: str, expected: list[str]
    ) -> None:
        self.tell(store, *(call("set_note", f"r{n}", "", at(1, 90 + n)) for n in range(1, 5)))
        self.tell(store, used("r1", TRAIN, 1, "training"), used("r1", TRAIN, 2, "testing"))
        assert self.ids(reader, "datasets.name = 'train'") == ["r1"]  # so that columns are in memory already
        self.tell(store, used("r2", TRAIN, 3, "training"), used("r2", OTHER, 4), used("r3", OTHER, 5, "x"))
        assert self.ids(reader, condition) == expected

    def test_what_is_searched_has_a_bound(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            *(used("r1", Dataset(f"d{n:03}", "1"), n + 1) for n in range(DATASETS_SEARCHED_MAX_COUNT + 1)),
            used("r2", Dataset("long", "1", source="s" * 1_001), 500),
            used("r3", Dataset("long", "1", source="s" * 1_000), 501),
        )
        last = DATASETS_SEARCHED_MAX_COUNT
        assert self.ids(reader, f"datasets.name = 'd{last - 1:03}'") == ["r1"]
        assert self.ids(reader, f"datasets.name = 'd{last:03}'") == []
        assert self.ids(reader, "datasets.long.source is not null") == ["r3"]
        assert len(reader.get_details("r1").datasets) == last + 1

    def test_runs_are_ordered_and_grouped_by_all_their_values(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, used("r1", OTHER, 1), used("r2", OTHER, 2), used("r2", TRAIN, 3), used("r3", TRAIN, 4))
        self.tell(store, call("set_note", "r4", "", at(5, 5)))
        assert self.ids(reader, "", "datasets.name") == ["r3", "r2", "r1", "r4"]
        groups = reader.list_groups(GroupQuery((parse_field("datasets.name"),))).groups
        assert [(group.values, group.run_ids) for group in groups] == [
            (("train",), ("r3",)),
            (("train\nval.set",), ("r2",)),
            (("val.set",), ("r1",)),
            ((None,), ("r4",)),
        ]

    def test_names_and_values_are_completed(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, used("r1", OTHER, 1), used("r2", OTHER, 2), used("r2", TRAIN, 3, "training"))
        assert reader.list_names("dataset", "train") == [
            f"train.{name}" for name in ("context", "digest", "name", "source", "version")
        ]
        assert reader.list_values(parse_field("datasets.name")) == ["val.set", "train"]
        assert reader.list_values(parse_field("datasets.name"), "t") == ["train"]
        self.tell(store, call("set_lifecycle", "r1", "deleted", at(9, 9)), used("r3", TRAIN, 10))
        assert reader.list_values(parse_field("datasets.name")) == ["train", "val.set"]

    def test_datasets_of_experiments_are_listed_once(self, store: Store, reader: TenantReader) -> None:
        digits, words = (experiment_id("default", name) for name in ("digits", "words"))
        self.tell(
            store,
            starting("r1", time_ms=1),
            starting("r2", time_ms=2),
            starting("r3", time_ms=3, experiment="words"),
            used("r1", TRAIN, 11, "training"),
            used("r2", TRAIN, 12, "training"),
            used("r2", TRAIN, 13),
            used("r3", OTHER, 14),
            call("set_lifecycle", "r3", "deleted", at(15, 15)),
        )
        found = [DatasetSummary(digits, "train", "d1", ""), DatasetSummary(digits, "train", "d1", "training")]
        assert reader.list_datasets(["digits"]) == found
        assert reader.list_datasets(["words", "nothing"]) == [DatasetSummary(words, "val.set", "1e5", "")]
        both = reader.list_datasets(["words", "digits"])
        assert sorted(both) == both and len(both) == 3 and reader.list_datasets(["words", "digits"], 1) == both[:1]
        assert reader.list_datasets([]) == []

    # -- logged models -------------------------------------------------------------------------------------

    def test_a_model_is_what_was_said_of_it(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call(
                "set_logged_model",
                "m-1",
                at(5, 5),
                name="mlp",
                experiment="digits",
                run_id="r1",
                model_type="torch",
                path="models/m-1",
                params={"lr": "0.1"},
                tags={"k": "v", "gone": "x"},
            ),
        )
        made = reader.get_logged_model("m-1")
        assert (made.status, made.created_ms, made.updated_ms, made.lifecycle) == ("pending", 5, 5, "active")
        self.tell(
            store,
            call("set_logged_model", "m-1", at(8, 8), name="other", params={"lr": "2", "k": "1"}, tags={"gone": None}),
            call("set_logged_model", "m-1", at(7, 7), status="ready", lifecycle="deleted"),
            call("set_logged_model", "m-1", at(6, 6), status="failed"),
        )
        model = reader.get_logged_model("m-1")
        assert model == replace(
            made,
            params={"k": "1", "lr": "0.1"},
            tags={"k": "v"},
            status="ready",
            lifecycle="deleted",
            updated_ms=8,
        )
        assert (model.experiment_name, model.experiment_id) == ("digits", experiment_id("default", "digits"))
        assert (model.source_run_id, model.model_type, model.path) == ("r1", "torch", "models/m-1")
        assert reader.find_experiment("digits") is not None
        assert [row.seq for row in reader.list_audit()] == [5, 8, 7]

    def test_a_model_may_be_spoken_of_before_it_is_made(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("set_logged_model", "m-1", at(3, 3), tags={"k": "v"}))
        model = reader.get_logged_model("m-1")
        assert (model.name, model.experiment_name, model.created_ms) == ("m-1", "Default", 3)
        self.tell(store, call("set_logged_model", "m-1", at(4, 4), name="late", experiment="digits"))
        model = reader.get_logged_model("m-1")
        assert (model.name, model.experiment_name, model.created_ms) == ("late", "digits", 4)
        with pytest.raises(NotFound) as raised:
            reader.get_logged_model("m-2")
        assert raised.value.field == "model_id"
        with pytest.raises(NotFound):
            store.tenant("other").get_logged_model("m-1")

    def test_a_model_without_a_run_keeps_files_and_their_bytes_are_named(
        self, store: Store, reader: TenantReader
    ) -> None:
        one, two = ModelFile("a" * 64, 5, "text/plain"), ModelFile("b" * 64, 7)
        files = {"MLmodel": one, "data/x": two}
        self.tell(store, call("set_logged_model", "m-1", at(2, 2), name="mlp", files=files))
        self.tell(store, call("set_logged_model", "m-1", at(1, 1), files={"MLmodel": two, "late": two}))
        assert reader.get_logged_model("m-1").files == {**files, "late": two}
        assert reader.list_digests() == {"a" * 64: 5, "b" * 64: 7} and reader.list_digests("b") == {"b" * 64: 7}
        gone = {"data/x": None, "late": None, "MLmodel": two._replace(size_bytes=8)}
        self.tell(store, call("set_logged_model", "m-1", at(3, 3), files=gone))
        [model] = reader.list_logged_models(ModelQuery()).models
        assert model.files == {"MLmodel": ModelFile("b" * 64, 8)}
        assert reader.list_digests() == {"b" * 64: 8}
        assert store.tenant("other").list_digests() == {}

    def test_a_loose_file_is_what_was_said_of_it_last(self, store: Store, reader: TenantReader) -> None:
        one, two = ModelFile("a" * 64, 5, "text/plain"), ModelFile("b" * 64, 7)
        assert reader.find_loose_file("x") is None and reader.list_loose_files() == {}
        paths = ("a/b/x", "a/bc", "a/b_/y", "z", "a/B/z", "a/b%", "é")
        said = [call("set_loose_file", path, one, at(2, n)) for n, path in enumerate(paths)]
        self.tell(store, *said, call("set_loose_file", "z", two, at(1, 20)))
        assert reader.list_loose_files() == dict.fromkeys(sorted(paths), one)
        assert list(reader.list_loose_files()) == sorted(paths)
        assert reader.list_loose_files("a/b") == {"a/b/x": one}
        assert reader.list_loose_files("a/b_") == {"a/b_/y": one} and reader.list_loose_files("a/b%") == {}
        assert (reader.find_loose_file("z"), reader.find_loose_file("a")) == (one, None)
        self.tell(store, call("set_loose_file", "z", two, at(3, 30)), call("set_loose_file", "a/bc", None, at(4, 31)))
        self.tell(store, call("set_loose_file", "a/bc", one, at(2, 1)))
        assert (reader.find_loose_file("z"), reader.find_loose_file("a/bc")) == (two, None)
        assert "a/bc" not in reader.list_loose_files("a")
        assert reader.list_digests() == {"a" * 64: 5, "b" * 64: 7} and reader.list_digests("b") == {"b" * 64: 7}
        assert [row.seq for row in reader.list_audit()] == [*range(7), 30, 31]
        other = store.tenant("other")
        assert (other.find_loose_file("z"), other.list_loose_files(), other.list_digests()) == (None, {}, {})

    def test_a_writer_knows_of_models_in_its_transaction(self, store: Store) -> None:
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.find_logged_model("m-1") is None
            writer.set_logged_model("m-1", at(1, 1), name="mlp")
            assert writer.find_logged_model("m-1") == "active"
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.find_logged_model("m-1") == "active"
            writer.set_logged_model("m-1", at(2, 2), lifecycle="deleted")
            assert writer.find_logged_model("m-1") == "deleted"

    def test_a_model_stays_in_an_experiment_that_is_renamed(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("set_logged_model", "m-1", at(1, 1), name="mlp", experiment="digits"),
            call("rename_experiment", "digits", "scans", at(2, 2)),
        )
        assert reader.get_logged_model("m-1").experiment_name == "scans"
        for name in ("digits", "scans"):
            assert models_of(reader, ModelQuery(experiments=(name,))) == ["m-1"]

    def test_runs_say_which_models_they_used_and_made(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("use_model", "r1", ModelUse("m-1", "output", 3), at(2, 2)),
            call("use_model", "r1", ModelUse("m-1", "output", 4), at(3, 3)),
            call("use_model", "r1", ModelUse("m-0", "input"), at(1, 1)),
        )
        self.tell(store, call("use_model", "r1", ModelUse("m-1", "output", 3), at(2, 2)))
        expected = [ModelUse("m-0", "input", None, 1), ModelUse("m-1", "output", 3, 2)]
        assert reader.get_details("r1").models == expected
        assert len(reader.list_audit()) == 2

    def test_a_models_metrics_are_the_last_points_of_its_series(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("set_logged_model", "m-1", at(1, 1), name="mlp", run_id="r1"),
            measured("r1", "m-1", [0.1, 0.2], 1),
            measured("r1", "m-1", [0.5], 3, dataset_name="train", dataset_digest="d1"),
            measured("r2", "m-1", [0.7], 1),
            measured("r2", "m-2", [0.9], 2),
            call("append_points", "r2", WRITER, "a1", [block_with([1.0], 3, SeriesKey("acc"))]),
        )
        first = 10**12
        assert reader.get_logged_model("m-1").metrics == (
            ModelMetric("acc", 0.2, 1, first + 1, "r1"),
            ModelMetric("acc", 0.7, 0, first, "r2"),
            ModelMetric("acc", 0.5, 0, first, "r1", "train", "d1"),
        )
        self.tell(store, call("compact", "r1"), measured("r1", "m-1", [0.3], 10))
        assert reader.get_logged_model("m-1").metrics[0].value == 0.3

    @pytest.fixture
    def models(self, store: Store, reader: TenantReader) -> TenantReader:
        said: list[Said] = []
        for n, name in enumerate(("a", "b", "c", "d"), 1):
            settings = {"name": name, "experiment": "digits", "run_id": f"r{n}", "params": {"n": str(n)}}
            said.append(call("set_logged_model", f"m-{n}", at(n, n), **settings))
        said += [
            call("set_logged_model", "m-4", at(20, 20), status="ready", lifecycle="deleted"),
            call("set_logged_model", "m-5", at(21, 21), name="e", experiment="words", tags={"k": "v"}),
            measured("r1", "m-1", [0.9, 0.1], 1),
            measured("r2", "m-2", [0.5], 1, dataset_name="train", dataset_digest="d1"),
            measured("r3", "m-3", [0.7], 1, dataset_name="train", dataset_digest="d2"),
            measured("r3", "m-3", [float("nan")], 2, "loss"),
        ]
        self.tell(store, *said)
        return reader

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (ModelQuery(), ["m-5", "m-3", "m-2", "m-1"]),
            (ModelQuery(lifecycle=None), ["m-5", "m-4", "m-3", "m-2", "m-1"]),
            (ModelQuery(lifecycle="deleted"), ["m-4"]),
            (ModelQuery(experiments=("words", "nothing")), ["m-5"]),
            (ModelQuery(experiments=()), []),
            (ModelQuery(order=(by("name"),)), ["m-1", "m-2", "m-3", "m-5"]),
            (ModelQuery(order=(by("creation_time"),)), ["m-1", "m-2", "m-3", "m-5"]),
            (ModelQuery(order=(by("source_run_id", descending=True),)), ["m-3", "m-2", "m-1", "m-5"]),
            (ModelQuery(order=(by("metrics.acc", descending=True),)), ["m-3", "m-2", "m-1", "m-5"]),
            (ModelQuery(order=(by("metrics.acc"),)), ["m-1", "m-2", "m-3", "m-5"]),
            (ModelQuery(order=(by("metrics.acc", name="train", digest="d1"),)), ["m-2", "m-5", "m-3", "m-1"]),
            (ModelQuery(order=(by("metrics.loss"), by("name"))), ["m-1", "m-2", "m-3", "m-5"]),
            (ModelQuery(datasets=(("train", None),)), ["m-3", "m-2"]),
            (ModelQuery(datasets=(("train", "d1"), ("x", None))), ["m-2"]),
        ],
    )
    def test_models_are_found_and_ordered(self, models: TenantReader, query: ModelQuery, expected: list[str]) -> None:
        assert models_of(models, query) == expected

    @pytest.mark.parametrize(
        ("condition", "datasets", "expected"),
        [
            ("metrics.acc > 0.8", (), []),  # it had been, once
            ("metrics.acc < 0.2", (), ["m-1"]),
            ("metrics.acc = 0.1", (), ["m-1"]),
            ("metrics.acc = 0.9", (), []),
            ("metrics.acc != 0.9", (), ["m-3", "m-2", "m-1"]),
            ("metrics.acc between 0.6 and 0.8", (), ["m-3"]),
            ("metrics.acc is null", (), ["m-5"]),
            ("not metrics.acc > 0.6", (), ["m-5", "m-2", "m-1"]),
            ("metrics.acc > 0.4", (("train", "d1"),), ["m-2"]),
            ("metrics.acc > 0.4", (("train", None),), ["m-3", "m-2"]),
            ("metrics.loss is not null", (), []),  # NaN
            ("metrics.loss > 0 or metrics.loss <= 0", (), []),
            ("params.n = '2' or tags.k = 'v'", (), ["m-5", "m-2"]),
            ("name in ('a', 'c') and status = 'pending'", (), ["m-3", "m-1"]),
        ],
    )
    def test_models_are_filtered(
        self,
        models: TenantReader,
        condition: str,
        datasets: tuple[tuple[str, str | None], ...],
        expected: list[str],
    ) -> None:
        assert models_of(models, ModelQuery(filter=parse(condition), datasets=datasets)) == expected

    def test_pages_go_on_where_they_ended(self, store: Store, models: TenantReader) -> None:
        query = ModelQuery(order=(by("metrics.acc"),), limit=2)
        first = models.list_logged_models(query)
        assert [model.model_id for model in first.models] == ["m-1", "m-2"] and first.next_token is not None
        self.tell(store, call("set_logged_model", "m-0", at(0, 30)), measured("r9", "m-0", [0.05], 1))
        second = models.list_logged_models(replace(query, after=first.next_token))
        assert [model.model_id for model in second.models] == ["m-3", "m-5"] and second.next_token is None
        for wrong in (replace(query, after="nonsense"), replace(query, after=first.next_token, order=())):
            with pytest.raises(InvalidInput) as raised:
                models.list_logged_models(wrong)
            assert raised.value.field == "page_token"
        assert models.list_logged_models(replace(query, limit=0)).models == []

    @pytest.mark.parametrize("lifecycle", ["active", None])
    def test_the_newest_are_led_through_in_pages_while_others_come(
        self, store: Store, models: TenantReader, lifecycle: Lifecycle | None
    ) -> None:
        same = [call("set_logged_model", f"s-{n}", at(3, 40 + n), name="s", experiment="digits") for n in range(4)]
        self.tell(store, *same)
        query = ModelQuery(experiments=("digits",), lifecycle=lifecycle, limit=2)
        expected = models_of(models, replace(query, limit=100))
        found: list[str] = []
        while True:
            page = models.list_logged_models(query)
            found += [model.model_id for model in page.models]
            if page.next_token is None:
                break
            query = replace(query, after=page.next_token)
            late = f"late-{len(found)}"
            self.tell(store, call("set_logged_model", late, at(90, 90 + len(found)), name="l", experiment="digits"))
        assert found == expected and len(found) == (7 if lifecycle else 8)

    @pytest.mark.parametrize(
        "query",
        [
            ModelQuery(filter=parse("start_time > 1")),
            ModelQuery(filter=parse("json.a.b = 1 or name = 'x'")),
            ModelQuery(filter=parse("min(metrics.acc) > 1")),
            ModelQuery(order=(ModelOrder(Field("dataset", "name")),)),
            ModelQuery(order=(by("nothing"),)),
            ModelQuery(limit=-1),
        ],
    )
    def test_what_models_do_not_have_is_refused(self, models: TenantReader, query: ModelQuery) -> None:
        with pytest.raises(InvalidInput):
            models.list_logged_models(query)
