"""Datasets by themselves: `store/datasets.py`."""

from __future__ import annotations

from dataclasses import replace
from operator import methodcaller as call

import pytest

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.entities import Attempt
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import DATASET_PROFILE_LISTED_MAX_CHARS
from lineal.model.lineage import Dataset, DatasetUse
from lineal.model.registry import NewVersion
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.contracts import RunStart, Store, TenantReader, TenantWriter
from lineal.store.datasets import NameOrder, NamesQuery, UsesQuery, VersionsQuery, resolve
from lineal.testing.suite_base import Said, SuiteBase, at, starting

ONE, TWO, OTHER = "a1" * 32, "b2" * 32, "a1b2" * 16
VERSION = "0123456789abcdef" * 2


def using(run_id: str, name: str, digest: str, n: int, context: str = "training", **more: str) -> Said:
    return call("use_dataset", run_id, DatasetUse(Dataset(name, digest, **more), context), at(n, n))


def making(run_id: str, version_id: str, n: int) -> Said:
    def say(writer: TenantWriter) -> None:
        writer.registry().create_version(NewVersion(version_id, "digits", run_id), at(n, n))

    return say


USES: tuple[Said, ...] = (
    *(starting(run_id, time_ms=n, name=f"name of {run_id}") for n, run_id in enumerate(("r1", "r2", "r3"), 1)),
    using(
        "r1", "train", ONE, 10, version="1.0", source="old.csv", schema='{"columns": []}', profile='{"row_count": 7}'
    ),
    using("r1", "Test Data/é", TWO, 11, "test"),
    using("r2", "train", ONE, 20, version="1.1", source="new.csv"),
    using("r2", "train", ONE, 21, "evaluation"),
    using("r3", "train", TWO, 30, version="2.0"),
    using("r3", "train", ONE, 15),
)


class DatasetRules(SuiteBase):
    def dataset_names(
        self, reader: TenantReader, search: str = "", order: NameOrder = "name", limit: int = 100
    ) -> list[str]:
        """Page after page."""
        query = NamesQuery(search, order, limit)
        found: list[str] = []
        for _ in range(100):
            page = reader.datasets().list_names(query)
            assert len(page.datasets) <= limit
            found += [one.name for one in page.datasets]
            if page.next_token is None:
                return found
            assert len(page.datasets) == limit
            query = replace(query, after=page.next_token)
        raise AssertionError("the pages do not end")

    def dataset_uses(
        self, reader: TenantReader, name: str, digest: str | None = None, limit: int = 100
    ) -> list[DatasetRun]:
        query = UsesQuery(name, digest, limit)
        found: list[DatasetRun] = []
        for _ in range(100):
            page = reader.datasets().list_uses(query)
            found += page.uses
            if page.next_token is None:
                return found
            query = replace(query, after=page.next_token)
        raise AssertionError("the pages do not end")

    # -- names ---------------------------------------------------------------------------------------------

    def test_a_name_counts_its_versions_and_its_runs_once_each(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)
        train = UsedDataset("train", 2, 3, 30, Dataset("train", TWO, "2.0"))
        other = UsedDataset("Test Data/é", 1, 1, 11, Dataset("Test Data/é", TWO))
        assert reader.datasets().list_names(NamesQuery()).datasets == [other, train]
        assert reader.datasets().get_name("train") == train
        with pytest.raises(NotFound):
            reader.datasets().get_name("trai")

    def test_names_are_found_by_a_part_of_them_in_any_case(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)
        assert self.dataset_names(reader, "DATA/É") == ["Test Data/é"]
        assert self.dataset_names(reader, "T") == ["Test Data/é", "train"]
        assert self.dataset_names(reader, "%") == self.dataset_names(reader, "nothing") == []

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_of_names_add_up_in_either_order(self, store: Store, reader: TenantReader, limit: int) -> None:
        used = [("d", 5), ("a", 9), ("c", 9), ("b", 9), ("e", 1), ("ab", 5)]
        said = (
            call("use_dataset", "r1", DatasetUse(Dataset(name, ONE)), at(ms, n)) for n, (name, ms) in enumerate(used, 1)
        )
        self.tell(store, starting("r1"), *said)
        assert self.dataset_names(reader, limit=limit) == ["a", "ab", "b", "c", "d", "e"]
        assert self.dataset_names(reader, order="last_used", limit=limit) == ["a", "b", "c", "ab", "d", "e"]
        assert self.dataset_names(reader, "b", "last_used", limit) == ["b", "ab"]

    def test_what_arrives_late_changes_neither_counts_nor_the_last_use_wrongly(
        self, store: Store, reader: TenantReader
    ) -> None:
        self.tell(store, *USES)
        before = reader.datasets().list_versions(VersionsQuery("train")).versions
        self.tell(store, *USES)  # again
        assert reader.datasets().list_versions(VersionsQuery("train")).versions == before
        # The first word of r3 on TWO turns out to be earlier than all others: so ONE was used last.
        self.tell(store, using("r3", "train", TWO, 5, version="0.9"))
        train = reader.datasets().get_name("train")
        assert train == UsedDataset("train", 2, 3, 21, Dataset("train", ONE))
        assert [one.last_used_ms for one in reader.datasets().list_versions(VersionsQuery("train")).versions] == [21, 5]
        assert self.dataset_names(reader, order="last_used") == ["train", "Test Data/é"]

    def test_uses_of_one_transaction_count_as_those_of_several(self, store: Store, reader: TenantReader) -> None:
        for said in USES:
            self.tell(store, said)
        assert reader.datasets().get_name("train").run_count == 3
        assert [one.run_count for one in reader.datasets().list_versions(VersionsQuery("train")).versions] == [1, 3]

    def test_tenants_have_their_own(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)
        other = store.tenant("other").datasets()
        for page in (
            other.list_names(NamesQuery()),
            other.list_uses(UsesQuery("train")),
            other.list_versions(VersionsQuery(digest=ONE)),
            other.list_made(UsesQuery("train")),
        ):
            assert tuple(page) == ([], None)
        with store.begin() as transaction:
            using("theirs", "train", ONE, 50)(transaction.tenant("other"))
        assert other.get_name("train").run_count == 1
        assert reader.datasets().get_name("train").run_count == 3
        assert [use.run_id for use in self.dataset_uses(reader, "train", ONE)] == ["r2", "r2", "r3", "r1"]

    # -- versions ------------------------------------------------------------------------------------------

    def test_versions_say_what_their_last_use_says(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)
        two, one = reader.datasets().list_versions(VersionsQuery("train")).versions
        assert two == DatasetVersion(Dataset("train", TWO, "2.0"), 1, 30, 30)
        assert one == DatasetVersion(Dataset("train", ONE), 3, 10, 21)
        self.tell(store, using("r1", "train", ONE, 40, "again", schema='{"columns": [1]}', profile='{"row_count": 8}'))
        whole = reader.datasets().get_version("train", ONE).dataset
        assert (whole.schema, whole.profile) == ('{"columns": [1]}', '{"row_count": 8}')
        listed = reader.datasets().list_versions(VersionsQuery("train")).versions[0].dataset
        assert listed == replace(whole, schema=None)
        for name, digest in (("train", "a1"), ("test", ONE)):
            with pytest.raises(NotFound):
                reader.datasets().get_version(name, digest)

    def test_a_reproduction_has_its_data_elsewhere(self, store: Store, reader: TenantReader) -> None:
        """What is said of data is what the last run says that is none; what is counted and dated is every run's."""
        tag = call("set_tags", "r2", {REPRODUCES_TAG: "r1"}, at(90, 90))
        self.tell(
            store,
            *(starting(run_id, time_ms=n) for n, run_id in enumerate(("r1", "r2", "r3"), 1)),
            using("r1", "train", ONE, 10, source="data/first.csv", profile='{"row_count": 7}'),
            using("r1", "train", TWO, 11, source="data/second.csv"),
            using("r3", "train", TWO, 12, source="data/third.csv"),
            tag,
            *(using("r2", "train", ONE, 90 + n, f"c{n}", source="gone/first.csv") for n in range(3)),
            using("r2", "other", TWO, 95, source="gone/other.csv"),
        )

        def said() -> tuple[str | None, list[str | None], str | None]:
            datasets = reader.datasets()
            versions = datasets.list_versions(VersionsQuery("train")).versions
            assert [(one.dataset.digest, one.last_used_ms) for one in versions] == [(ONE, 92), (TWO, 12)]
            assert datasets.get_version("train", ONE).dataset.source == versions[0].dataset.source
            other, train = datasets.list_names(NamesQuery()).datasets
            assert (train.run_count, train.last_used_ms, train) == (3, 92, datasets.get_name("train"))
            return train.latest.source, [one.dataset.source for one in versions], other.latest.source

        assert said() == ("data/third.csv", ["data/first.csv", "data/third.csv"], "gone/other.csv")
        self.tell(store, call("set_tags", "r2", {REPRODUCES_TAG: None}, at(91, 91)))
        assert said() == ("gone/first.csv", ["gone/first.csv", "data/third.csv"], "gone/other.csv")

    def test_a_long_profile_is_not_listed(self, store: Store, reader: TenantReader) -> None:
        profile = "x" * (DATASET_PROFILE_LISTED_MAX_CHARS + 1)
        self.tell(
            store,
            starting("r1"),
            using("r1", "a", ONE, 1, profile=profile[:-1]),
            using("r1", "b", ONE, 2, profile=profile),
        )
        found = [one.latest.profile for one in reader.datasets().list_names(NamesQuery()).datasets]
        assert found == [profile[:-1], None]
        assert reader.datasets().get_version("b", ONE).dataset.profile == profile

    def test_versions_of_a_digest_whatever_they_are_called(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)

        def found(name: str | None, digest: str | None) -> list[tuple[str, str]]:
            versions = reader.datasets().list_versions(VersionsQuery(name, digest)).versions
            return [(one.dataset.name, one.dataset.digest) for one in versions]

        assert found(None, TWO) == found(None, TWO[:9]) == [("train", TWO), ("Test Data/é", TWO)]
        assert found("train", "a") == [("train", ONE)]
        called = [
            VersionsQuery("train", version="1.0"),
            VersionsQuery(None, TWO, "2.0"),
            VersionsQuery("train", TWO, "1.0"),
        ]
        digests = [[one.dataset.digest for one in reader.datasets().list_versions(query).versions] for query in called]
        assert digests == [[ONE], [TWO], []]
        assert found("train", "c") == found("other", None) == found(None, ONE + "0") == []
        with pytest.raises(InvalidInput, match="name or a digest"):
            found(None, None)

    def test_pages_of_versions_add_up(self, store: Store, reader: TenantReader) -> None:
        digests = [f"{n:064x}" for n in range(7)]
        self.tell(
            store, starting("r1"), *(using("r1", "train", one, n // 2 + 1, str(n)) for n, one in enumerate(digests))
        )
        whole = reader.datasets().list_versions(VersionsQuery("train")).versions
        assert sorted(one.dataset.digest for one in whole) == digests
        query, found = VersionsQuery("train", limit=2), list[DatasetVersion]()
        for _ in range(4):
            page = reader.datasets().list_versions(query)
            found += page.versions
            query = replace(query, after=page.next_token)
        assert found == whole and query.after is None

    # -- uses and what came of them ------------------------------------------------------------------------

    def test_uses_say_whose_they_are_and_what_for(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES, call("set_lifecycle", "r3", "deleted", at(50, 50)))
        uses = self.dataset_uses(reader, "train")
        said = [(use.used_ms, use.run_id, use.context, use.version, use.lifecycle) for use in uses]
        assert said == [
            (30, "r3", "training", "2.0", "deleted"),
            (21, "r2", "evaluation", None, "active"),
            (20, "r2", "training", "1.1", "active"),
            (15, "r3", "training", None, "deleted"),
            (10, "r1", "training", "1.0", "active"),
        ]
        assert (uses[0].run_name, uses[0].experiment, uses[0].status) == ("name of r3", "digits", "running")
        assert [use.run_id for use in self.dataset_uses(reader, "train", TWO)] == ["r3"]
        assert self.dataset_uses(reader, "train", "c3") == self.dataset_uses(reader, "nothing") == []

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_of_uses_add_up(self, store: Store, reader: TenantReader, limit: int) -> None:
        said = [
            call("use_dataset", run_id, DatasetUse(Dataset("train", digest), context), at(ms, n))
            for n, (ms, run_id, digest, context) in enumerate(
                (ms, run_id, digest, context)
                for ms in (1, 2)
                for run_id in ("a", "b")
                for digest in (ONE, TWO)
                for context in (f"x{ms}", f"y{ms}")
            )
        ]
        self.tell(store, *said)
        whole = self.dataset_uses(reader, "train")
        assert len(whole) == 16 and len(set(whole)) == 16
        assert self.dataset_uses(reader, "train", limit=limit) == whole
        assert self.dataset_uses(reader, "train", ONE, limit) == [use for use in whole if use.digest == ONE]

    def test_model_versions_that_their_runs_made(self, store: Store, reader: TenantReader) -> None:
        made = {version_id: version_id * 32 for version_id in "abcd"}
        self.tell(
            store,
            *USES,
            making("r1", made["a"], 60),
            making("r3", made["b"], 61),
            making("elsewhere", made["c"], 62),
            making("r2", made["d"], 63),
            lambda writer: writer.registry().set_version(made["d"], at(64, 64), lifecycle="deleted"),
            lambda writer: writer.registry().set_stage(made["b"], "production", at(65, 65)),
        )
        datasets = reader.datasets()
        newest = MadeVersion(61, made["b"], "digits", 2, "r3", "production")
        oldest = MadeVersion(60, made["a"], "digits", 1, "r1", "none")
        assert datasets.list_made(UsesQuery("train")).models == [newest, oldest]
        assert datasets.list_made(UsesQuery("train", TWO)).models == [newest]
        assert datasets.list_made(UsesQuery("Test Data/é")).models == [oldest]
        first = datasets.list_made(UsesQuery("train", limit=1))
        assert first.models == [newest]
        rest = datasets.list_made(UsesQuery("train", limit=1, after=first.next_token))
        assert rest.models == [oldest] and rest.next_token is None
        self.tell(store, lambda writer: writer.registry().set_model("digits", at(70, 70), lifecycle="deleted"))
        assert datasets.list_made(UsesQuery("train")).models == []

    def test_a_run_of_which_nothing_else_is_known(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, using("r9", "train", ONE, 1), using("r8", "train", ONE, 2))
        self.tell(store, call("start_attempt", "r8", Attempt("a1", 3), RunStart("digits"), at(3, 3)))
        assert [(use.run_id, use.experiment) for use in self.dataset_uses(reader, "train")] == [
            ("r8", "digits"),
            ("r9", "Default"),
        ]

    # -- what is asked wrongly, and by what a dataset is named ---------------------------------------------

    def test_tokens_belong_to_their_question(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES)
        datasets = reader.datasets()
        token = datasets.list_uses(UsesQuery("train", limit=1)).next_token
        assert token is not None
        for ask in (
            lambda: datasets.list_uses(UsesQuery("train", ONE, after=token)),
            lambda: datasets.list_made(UsesQuery("train", after=token)),
            lambda: datasets.list_names(NamesQuery(after=token)),
            lambda: datasets.list_versions(VersionsQuery("train", after="x" + token)),
            lambda: datasets.list_uses(UsesQuery("train", after="é")),
        ):
            with pytest.raises(InvalidInput) as caught:
                ask()
            assert caught.value.field == "page_token"
        with pytest.raises(InvalidInput, match="limit"):
            datasets.list_names(NamesQuery(limit=0))

    def test_by_name_by_digest_and_by_both(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *USES, using("r1", "a@b", OTHER, 40, version="x"))

        def named(text: str, digest: str | None = None) -> tuple[str, str | None]:
            dataset, which = resolve(reader.datasets(), text, digest)
            return dataset.name, which

        assert named("train") == ("train", None) and named("a@b") == ("a@b", None)
        assert named("train", TWO) == named("train", "b2") == named(TWO) == named(TWO[:8]) == ("train", TWO)
        assert named("train@a1") == named("train@1.0") == named("train@1.1") == ("train", ONE)
        assert named("train@2.0") == ("train", TWO)
        assert named("a@b@x") == named(OTHER[:8]) == ("a@b", OTHER)
        for text, digest in (("nothing", None), ("train@", None), ("train@9", None), ("train", "f"), ("b2b2b2b", None)):
            with pytest.raises(NotFound):
                named(text, digest)
        self.tell(store, using("r1", "x", "c3" * 32, 50), using("r1", "x", "c3c4" * 16, 51))
        with pytest.raises(InvalidInput, match="several datasets"):
            named("x", "c3c")
        with pytest.raises(InvalidInput, match="several datasets"):
            named("x@c3c")
        assert named("x", "c3c3") == ("x", "c3" * 32)
