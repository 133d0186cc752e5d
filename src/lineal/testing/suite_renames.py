"""Renamed experiments: docs/adr/0021-renamed-experiments.md."""

from __future__ import annotations

from operator import methodcaller as call

from lineal.model.ids import experiment_id
from lineal.query.parser import parse_field
from lineal.store.contracts import GroupQuery, RunQuery, Store, TenantReader
from lineal.testing.suite_base import SuiteBase, at, starting


class RenameRules(SuiteBase):
    def test_it_keeps_its_id_its_runs_and_every_name_it_had(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("r1", time_ms=1, experiment="digits"),
            call("set_experiment", "digits", at(2), description="scans", tags={"k": "v"}),
            call("rename_experiment", "digits", "scans", at(3)),
            call("rename_experiment", "digits", "photos", at(4)),
            starting("r2", time_ms=5, experiment="digits"),  # who does not know
            starting("r3", time_ms=6, experiment="scans"),
            starting("r4", time_ms=7, experiment="photos"),
            call("set_experiment", "scans", at(8), tags={"k": "w"}),
            starting("other", time_ms=9, experiment="words"),
        )
        [photos, words] = reader.list_experiments().experiments
        assert (photos.name, photos.first_name, words.name) == ("photos", "digits", "words")
        assert (photos.experiment_id, photos.created_ms) == (experiment_id("default", "digits"), 1)
        assert (photos.description, photos.tags, photos.updated_ms) == ("scans", {"k": "w"}, 8)
        names = ("digits", "scans", "photos")
        assert [reader.find_experiment(name) for name in names] == [photos] * 3
        assert reader.get_experiment(photos.experiment_id) == photos
        for run_id in ("r1", "r2", "r3", "r4"):
            run = reader.get_run(run_id)
            assert (run.experiment_id, run.experiment_name) == (photos.experiment_id, "photos")
        for name in names:
            page = reader.list_runs(RunQuery(experiments=(name,), limit=3))
            assert ([run.run_id for run in page.runs], page.total) == (["r4", "r3", "r2"], 4)
            rest = reader.list_runs(RunQuery(experiments=(name,), limit=3, after=page.next_token))
            assert [run.run_id for run in rest.runs] == ["r1"]
        assert reader.count_runs().by_experiment == {photos.experiment_id: 4, words.experiment_id: 1}
        assert self.ids(reader, "experiment = 'photos'", "run_id") == ["r1", "r2", "r3", "r4"]
        assert self.ids(reader, "experiment = 'digits'") == []
        assert self.ids(reader, "", "experiment, run_id") == ["r1", "r2", "r3", "r4", "other"]
        groups = reader.list_groups(GroupQuery((parse_field("experiment", "by"),))).groups
        assert [(group.values, group.run_count) for group in groups] == [(("photos",), 4), (("words",), 1)]
        assert reader.list_experiments(search="HOT").total == 1 and reader.list_experiments(search="scan").total == 0

    def test_what_is_known_in_memory_follows(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1", time_ms=1, experiment="digits"), starting("r2", time_ms=2, experiment="words"))
        assert self.ids(reader, "experiment = 'digits'") == ["r1"]
        number = store.change_number()
        self.tell(store, call("rename_experiment", "digits", "scans", at(3)))
        assert self.ids(reader, "experiment = 'scans'") == ["r1"] and self.ids(reader, "experiment = 'digits'") == []
        changes = reader.list_changes(number)
        assert not changes.is_complete or "r1" in changes.run_ids

    def test_back_to_a_former_name(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1", experiment="digits"))
        for number, (name, new) in enumerate((("digits", "scans"), ("digits", "digits"), ("digits", "scans")), 2_000):
            self.tell(store, call("rename_experiment", name, new, at(number)))
            assert [one.name for one in reader.list_experiments().experiments] == [new]
            assert reader.get_run("r1").experiment_name == new

    def test_of_two_that_take_one_name_the_earlier_has_it(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("ensure_experiment", "a", at(1, 1)),
            call("ensure_experiment", "b", at(1, 2)),
            call("rename_experiment", "b", "new", at(3)),
            call("rename_experiment", "a", "new", at(2)),
        )
        assert [(one.first_name, one.name) for one in reader.list_experiments().experiments] == [
            ("b", "b"),
            ("a", "new"),
        ]
        found = reader.find_experiment("new")
        assert found is not None and found.first_name == "a"

    def test_a_name_that_was_an_experiments_own_stays_its_own(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("r1", time_ms=5, experiment="a"),
            call("rename_experiment", "a", "b", at(6)),
            starting("r2", time_ms=7, experiment="b"),
        )
        assert reader.get_run("r2").experiment_name == "b" and reader.list_experiments().total == 1
        # a journal that was away tells of another of that name, which was there first
        self.tell(store, starting("r3", time_ms=4, experiment="b"))
        assert [(one.first_name, one.name) for one in reader.list_experiments().experiments] == [("a", "a"), ("b", "b")]
        assert [reader.get_run(run_id).experiment_name for run_id in ("r1", "r2", "r3")] == ["a", "b", "b"]
        assert len(reader.count_runs().by_experiment) == 2

    def test_saying_it_again_changes_nothing(self, store: Store, reader: TenantReader) -> None:
        rename = call("rename_experiment", "a", "b", at(2))
        self.tell(store, rename)
        number, rows = store.change_number(), reader.list_audit()
        self.tell(store, rename)
        assert (store.change_number(), reader.list_audit()) == (number, rows)
        assert [row.action for row in rows] == ["experiment.rename"]
        assert reader.find_experiment("a") == reader.find_experiment("b") is not None

    def test_tenants_rename_their_own(self, store: Store, reader: TenantReader) -> None:
        with store.begin() as transaction:
            for tenant in ("acme", "default"):
                starting("r1", experiment="digits")(transaction.tenant(tenant))
            transaction.tenant("acme").rename_experiment("digits", "theirs", at(9_000))
        assert reader.get_run("r1").experiment_name == "digits" and reader.find_experiment("theirs") is None
        assert store.tenant("acme").get_run("r1").experiment_name == "theirs"
