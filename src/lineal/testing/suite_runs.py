"""Runs, attempts, params, tags and the like, experiments: what statements add up to, in whatever order they come."""

from __future__ import annotations

import random
from itertools import permutations
from operator import methodcaller as call

import pytest

from lineal.model.entities import Artifact, Attempt, MetricDefinition
from lineal.model.errors import NotFound
from lineal.model.ids import experiment_id
from lineal.model.limits import EXPERIMENT_NAME_MAX_CHARS, NAME_MAX_BYTES, TAG_VALUE_MAX_BYTES
from lineal.model.values import ParamValue
from lineal.store.contracts import RunQuery, RunStart, Store, TenantReader, TenantWriter
from lineal.store.rules import typed_text
from lineal.testing.suite_base import Said, SuiteBase, at, starting

ODD_NAMES = ("a/b", "..", "nul\0inside", "😀", "\u202eright to left", "'; DROP TABLE run; --", "%_", "x" * 1_000)


class RunRules(SuiteBase):
    def in_any_order(self, store: Store, *statements: Said) -> list[TenantReader]:
        """A tenant for each order of the statements, each said twice."""
        tenants = []
        for number, order in enumerate(permutations(statements)):
            for _ in range(2):
                with store.begin() as transaction:
                    for statement in order:
                        statement(transaction.tenant(f"t{number}"))
            tenants.append(store.tenant(f"t{number}"))
        return tenants

    # -- runs and attempts ---------------------------------------------------------------------------------

    def test_a_lock_is_the_latest_word_and_refuses_nothing_by_itself(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"), call("set_lock", "r1", True, at(5)))
        assert reader.get_run("r1").is_locked and reader.get_details("r1").run.is_locked
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.is_locked("r1") and not writer.is_locked("nobody")
            writer.set_lock("r1", False, at(4))
            assert writer.is_locked("r1")
            writer.set_lock("r1", False, at(6))
            assert not writer.is_locked("r1")
        assert not reader.get_run("r1").is_locked
        [run] = reader.list_runs(RunQuery(lifecycle=None)).runs
        assert run == reader.get_run("r1")
        self.tell(store, call("set_lock", "r2", True, at(7)), call("set_note", "r2", "text", at(8)))
        assert reader.get_details("r2").note == "text" and reader.get_run("r2").is_locked

    def test_a_run_comes_into_being_by_being_mentioned(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("set_tags", "0123456789", {"k": "v"}, at(5)))
        run = reader.get_run("0123456789")
        assert (run.name, run.experiment_name, run.status) == ("01234567", "Default", "running")
        assert (run.started_ms, run.ended_ms, run.lifecycle) == (0, None, "active")
        assert reader.get_experiment(run.experiment_id).name == "Default"
        assert [e.name for e in reader.list_experiments().experiments] == ["Default"]

    def test_the_default_experiment_goes_when_an_attempt_says_another(self, store: Store) -> None:
        for reader in self.in_any_order(
            store, call("set_tags", "r1", {"k": "v"}, at(5)), starting("r1", experiment="digits")
        ):
            assert reader.get_run("r1").experiment_name == "digits"
            assert [e.name for e in reader.list_experiments().experiments] == ["digits"]
            assert reader.find_experiment("Default") is None

    def test_an_attempt_says_everything_of_its_run(self, store: Store, reader: TenantReader) -> None:
        said = RunStart("digits", "mlp", "a try", "alice", "r0", "r9", 2**53 + 1, "f" * 64)
        attempt = Attempt("a1", 1_000, user_id="root", host="node", pid=42, resumed=True)
        self.tell(store, call("start_attempt", "r1", attempt, said, at(1_000)))
        run = reader.get_run("r1")
        assert (run.experiment_id, run.name, run.description) == (experiment_id("default", "digits"), "mlp", "a try")
        assert (run.user_id, run.parent_run_id, run.forked_from, run.fork_step) == ("alice", "r0", "r9", 2**53 + 1)
        assert (run.content_digest, run.started_ms, run.status) == ("f" * 64, 1_000, "running")
        assert reader.get_details("r1").attempts == [attempt]

    def test_name_and_user_are_the_latest_attempts_and_the_rest_the_earliests(self, store: Store) -> None:
        first = RunStart("one", "first", "d1", "alice", parent_run_id="p1", content_digest="0" * 64)
        second = RunStart("two", None, "d2", None, parent_run_id="p2", content_digest="1" * 64)
        for reader in self.in_any_order(
            store,
            call("start_attempt", "r1", Attempt("a1", 10), first, at(10, 1)),
            call("start_attempt", "r1", Attempt("a2", 20), second, at(20, 2)),
            call("end_attempt", "r1", "a1", "failed", "boom", at(15, 3)),
        ):
            run = reader.get_run("r1")
            assert (run.experiment_name, run.parent_run_id, run.content_digest) == ("one", "p1", "0" * 64)
            assert (run.name, run.description, run.user_id) == ("first", "d2", "alice")
            assert (run.status, run.started_ms, run.ended_ms) == ("running", 10, None)
            assert [a.status for a in reader.get_details("r1").attempts] == ["failed", "running"]
            assert reader.get_details("r1").attempts[0].error == "boom"

    def test_renaming_beats_names_given_earlier_only(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            starting("r1", "a1", 10, name="given"),
            call("set_name", "r1", "renamed", at(15, 1)),
            call("set_name", "r1", "too old", at(12, 2)),
        ):
            assert reader.get_run("r1").name == "renamed"
        for reader in self.in_any_order(
            store,
            starting("r2", "a1", 20, name="given later"),
            call("set_name", "r2", "renamed", at(15, 1)),
        ):
            assert reader.get_run("r2").name == "given later"

    def test_the_latest_end_wins_and_an_end_replaces_lost(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            starting("r1"),
            call("lose_attempt", "r1", "a1", at(3_000, 1)),
            call("end_attempt", "r1", "a1", "killed", None, at(2_000, 2)),
            call("end_attempt", "r1", "a1", "finished", None, at(2_500, 3)),
        ):
            run = reader.get_run("r1")
            assert (run.status, run.ended_ms, run.duration_ms) == ("finished", 2_500, 1_500)

    def test_a_lost_attempt_is_lost_at_the_stamps_time(self, store: Store) -> None:
        for reader in self.in_any_order(store, starting("r1"), call("lose_attempt", "r1", "a1", at(3_000, 1))):
            assert (reader.get_run("r1").status, reader.get_run("r1").ended_ms) == ("lost", 3_000)

    def test_a_lost_attempt_that_is_heard_of_again_is_running(self, store: Store) -> None:
        """Until it is lost again, in whatever order that becomes known."""
        heard = call("regain_attempt", "r1", "a1", at(3_500))

        def lost(time_ms: int) -> Said:
            return call("lose_attempt", "r1", "a1", at(time_ms))

        for reader in self.in_any_order(store, starting("r1"), lost(3_000), heard):
            run = reader.get_run("r1")
            assert (run.status, run.ended_ms) == ("running", None)
        for reader in self.in_any_order(store, starting("r1"), lost(3_000), heard, lost(4_000)):
            run = reader.get_run("r1")
            assert (run.status, run.ended_ms) == ("lost", 4_000)
        ended = call("end_attempt", "r1", "a1", "finished", None, at(3_200))
        for reader in self.in_any_order(store, starting("r1"), lost(3_000), heard, lost(4_000), ended):
            assert reader.get_run("r1").status == "finished"

    def test_the_status_of_an_attempt_as_of_a_transaction(self, store: Store) -> None:
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            found = [writer.find_status("r1", "a1")]
            assert store.tenant("default").find_run_ids("r1") == []
            for statement in (
                starting("r1"),
                call("lose_attempt", "r1", "a1", at(3_000)),
                call("regain_attempt", "r1", "a1", at(3_001)),
                call("end_attempt", "r1", "a1", "killed", None, at(3_002)),
            ):
                statement(writer)
                found.append(writer.find_status("r1", "a1"))
            assert found == [None, "running", "lost", "running", "killed"]
            assert writer.find_status("r1", "another") is None

    def test_an_end_may_say_when_it_was(self, store: Store) -> None:
        """Of two ends the one that was later stands, whenever each was said."""
        for reader in self.in_any_order(
            store,
            starting("r1"),
            call("end_attempt", "r1", "a1", "failed", None, at(900), 7_000),
            call("end_attempt", "r1", "a1", "finished", None, at(950, 1), 6_000),
        ):
            run = reader.get_run("r1")
            assert (run.status, run.ended_ms) == ("failed", 7_000)
            ends = [row.time_ms for row in reader.list_audit() if row.action == "attempt.end"]
            assert ends and set(ends) <= {900, 950}

    def test_an_end_without_a_start_is_kept(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("end_attempt", "r1", "a1", "failed", "why", at(9)))
        found = reader.get_run("r1")
        assert (found.status, found.started_ms, found.ended_ms) == ("failed", 9, 9)
        assert reader.get_details("r1").attempts == []
        self.tell(store, starting("r1", time_ms=5))
        assert (reader.get_run("r1").status, reader.get_details("r1").attempts[0].error) == ("failed", "why")

    def test_deleting_and_restoring(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"), call("set_lifecycle", "r1", "deleted", at(5)))
        assert reader.get_run("r1").lifecycle == "deleted"
        assert reader.list_runs(RunQuery()).total == 0
        assert reader.list_runs(RunQuery(lifecycle="deleted")).total == 1
        self.tell(store, call("set_lifecycle", "r1", "deleted", at(4)), call("set_lifecycle", "r1", "active", at(6)))
        assert reader.list_runs(RunQuery()).total == 1

    def test_prefixes(self, store: Store, reader: TenantReader) -> None:
        for run_id in ("abc1", "abc2", "abd", "ab", "xyz"):
            self.tell(store, call("set_note", run_id, "", at(1)))
        assert reader.find_run_ids("abc") == ["abc1", "abc2"]
        assert reader.find_run_ids("ab") == ["ab"]
        assert reader.find_run_ids("x") == ["xyz"] and reader.find_run_ids("_") == [] and reader.find_run_ids("%") == []
        assert reader.find_run_ids("", limit=3) == ["ab", "abc1", "abc2"]

    def test_unknown_runs_are_not_found(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        for ask in (
            lambda: reader.get_run("r2"),
            lambda: reader.get_details("r2"),
            lambda: reader.get_details_of(["r1", "r2"]),
            lambda: reader.list_series("r2"),
            lambda: reader.list_summaries(["r1", "r2"]),
            lambda: reader.read_points("r2", "loss"),
            lambda: reader.read_buckets([("r2", ("loss", ()))], 10),
            lambda: reader.get_document("r2", "d"),
        ):
            with pytest.raises(NotFound) as raised:
                ask()
            assert raised.value.field == "run_id" and "r2" in raised.value.message
        with pytest.raises(NotFound):
            reader.get_document("r1", "d")
        assert reader.get_details_of([]) == [] and reader.list_summaries([]) == []

    # -- params --------------------------------------------------------------------------------------------

    def test_params_keep_their_type(self, store: Store, reader: TenantReader) -> None:
        params: dict[str, ParamValue] = {
            "int": 1,
            "float": 1.0,
            "bool": True,
            "text": "1",
            "none": None,
            "big": 2**200,
            "exact": 2**53 + 1,
            "nan": float("nan"),
            "minus": float("-inf"),
            "zero": -0.0,
            "tiny": 5e-324,
            "$float": "NaN",
            **dict.fromkeys(ODD_NAMES, "value\0 😀"),
        }
        self.tell(store, call("set_params", "r1", "a1", params, at(1)))
        found = reader.get_details("r1").params
        assert {name: typed_text(value) for name, value in found.items()} == {
            name: typed_text(value) for name, value in params.items()
        }
        assert list(found) == sorted(params) and reader.get_details("r1").conflicts == []

    def test_a_param_called_float_alone(self, store: Store, reader: TenantReader) -> None:
        """A way of writing NaN in JSON must not be taken for one."""
        self.tell(store, call("set_params", "r1", "a1", {"$float": "NaN"}, at(1)))
        assert reader.get_details("r1").params == {"$float": "NaN"}

    def test_the_first_value_of_an_attempt_stands(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            call("set_params", "r1", "a1", {"lr": 0.1}, at(10, 1)),
            call("set_params", "r1", "a1", {"lr": 0.2}, at(20, 2)),
            call("set_params", "r1", "a1", {"lr": 0.1, "n": float("nan")}, at(30, 3)),
            call("set_params", "r1", "a1", {"n": float("nan")}, at(40, 4)),
        ):
            details = reader.get_details("r1")
            assert details.params["lr"] == 0.1
            [conflict] = details.conflicts
            assert (conflict.attempt_id, conflict.name, conflict.kept, conflict.refused) == ("a1", "lr", 0.1, 0.2)
            assert conflict.stamp == at(20, 2)

    def test_the_latest_attempts_value_counts(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            starting("r1", "a1", 10),
            starting("r1", "a2", 20),
            call("set_params", "r1", "a1", {"lr": 1, "only first": "x"}, at(30, 1)),
            call("set_params", "r1", "a2", {"lr": 2}, at(21, 2)),
        ):
            assert reader.get_details("r1").params == {"lr": 2, "only first": "x"}
            assert reader.get_details("r1").conflicts == []

    # -- tags, notes, documents, metric definitions, artifacts, losses -------------------------------------

    def test_the_later_word_wins(self, store: Store) -> None:
        def tags_and_note(tags: dict[str, str | None], note: str, time_ms: int) -> Said:
            def say(writer: TenantWriter) -> None:
                writer.set_tags("r1", tags, at(time_ms, 1))
                writer.set_note("r1", note, at(time_ms, 2))

            return say

        for reader in self.in_any_order(
            store,
            tags_and_note({"a": "1", "b": "1"}, "one", 10),
            tags_and_note({"b": None, "c": ""}, "two", 20),
            tags_and_note({"a": "0"}, "none", 5),
        ):
            assert reader.get_details("r1").tags == {"a": "1", "c": ""}
            assert reader.get_details("r1").note == "two"

    def test_in_one_ms_the_writers_name_decides(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            call("set_tags", "r1", {"k": "a"}, at(1, 9, "writer-a")),
            call("set_tags", "r1", {"k": "b"}, at(1, 1, "writer-b")),
        ):
            assert reader.get_details("r1").tags == {"k": "b"}

    def test_names_are_data(self, store: Store, reader: TenantReader) -> None:
        tags: dict[str, str | None] = {name: f"{name}\0" for name in ODD_NAMES}

        def documents(writer: TenantWriter) -> None:
            for number, name in enumerate(ODD_NAMES):
                writer.set_document("r1", name, f'"{number}"', at(3, number))

        self.tell(
            store,
            call("set_tags", "r1", tags, at(1)),
            call("set_note", "r1", "\0" + "é" * 10_000, at(2)),
            documents,
            call("ensure_experiment", "'\0😀", at(4)),
        )
        details = reader.get_details("r1")
        assert details.tags == tags and details.note == "\0" + "é" * 10_000
        assert details.document_names == sorted(ODD_NAMES)
        assert reader.get_document("r1", ODD_NAMES[2]) == '"2"'
        assert reader.find_experiment("'\0😀") is not None

    def test_names_at_their_bounds_are_data_too(self, store: Store, reader: TenantReader) -> None:
        """Such as do not become shorter by compression, which a database's index may count on."""
        chance = random.Random(1)

        def text(size_bytes: int) -> str:
            return "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(size_bytes // 3))

        name, path, value = text(NAME_MAX_BYTES), text(NAME_MAX_BYTES - 400), text(TAG_VALUE_MAX_BYTES)
        experiment = text(3 * EXPERIMENT_NAME_MAX_CHARS)
        self.tell(
            store,
            starting("r1"),
            call("set_name", "r1", name, at(1, 1)),
            call("set_tags", "r1", {name: value}, at(1, 2)),
            call("set_params", "r1", "a1", {name: value}, at(1, 3)),
            call("set_document", "r1", path, f'{{"{path}":1,"score":2}}', at(1, 4)),
            call("define_metric", "r1", MetricDefinition(name, "min", name, name), at(1, 5)),
            call("add_artifact", "r1", Artifact(name, 0, 1, "0" * 64, None, None, logged_ms=1), at(1, 6)),
            call("set_experiment", experiment, at(1, 7), tags={name: value}),
        )
        details = reader.get_details("r1")
        assert (details.run.name, details.tags, details.params) == (name, {name: value}, {name: value})
        assert (details.document_names, details.artifacts[0].path) == ([path], name)
        assert reader.find_experiment(experiment) is not None
        assert reader.list_names("json", path) == [f"{path}.score"]  # the longer path is not searched

    def test_metric_definitions_are_replaced_whole(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            call("define_metric", "r1", MetricDefinition("acc", "max", unit="%"), at(1, 1)),
            call("define_metric", "r1", MetricDefinition("acc", step_metric="epoch"), at(2, 2)),
        ):
            assert reader.get_details("r1").metric_definitions == {"acc": MetricDefinition("acc", step_metric="epoch")}

    def test_artifacts_get_versions_by_content_and_stamp(self, store: Store) -> None:
        def logged(time_ms: int, digest: str) -> Said:
            artifact = Artifact("model.pt", 99, 5, digest, None, None, time_ms)
            return call("add_artifact", "r1", artifact, at(time_ms, time_ms))

        for reader in self.in_any_order(store, logged(1, "a"), logged(2, "a"), logged(3, "b"), logged(4, "a")):
            found = reader.get_details("r1").artifacts
            assert [(a.version, a.digest, a.logged_ms) for a in found] == [(1, "a", 1), (2, "b", 3), (3, "a", 4)]

    def test_digests_are_those_of_every_version_and_of_deleted_runs(self, store: Store, reader: TenantReader) -> None:
        def logged(run_id: str, seq: int, path: str, digest: str | None, uri: str | None = None) -> Said:
            return call("add_artifact", run_id, Artifact(path, 1, seq, digest, uri, None, seq), at(seq, seq))

        assert reader.list_digests() == {}
        self.tell(
            store,
            logged("r1", 1, "model.pt", "a" * 64),
            logged("r1", 2, "model.pt", "b" * 64),
            logged("r2", 3, "copy.pt", "b" * 64),
            logged("r2", 4, "elsewhere", None),
            logged("r2", 7, "far.pt", "d" * 64, "s3://bucket/far.pt"),
            logged("r3", 5, "gone.pt", "c" * 64),
            call("set_lifecycle", "r3", "deleted", at(6, 6)),
        )
        assert reader.list_digests() == {"a" * 64: 1, "b" * 64: 3, "c" * 64: 5}
        assert [list(reader.list_digests(one)) for one in ("b", "bb", "d", "0")] == [["b" * 64], ["b" * 64], [], []]
        assert store.tenant("other").list_digests() == {}

    def test_losses_add_up_and_count_once(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            call("add_loss", "r1", "disk_full", 2**40, at(1, 1)),
            call("add_loss", "r1", "disk_full", 5, at(2, 2)),
            call("add_loss", "r1", "over_limit", 1, at(2, 2)),
        ):
            assert reader.get_details("r1").losses == {"disk_full": 2**40 + 5, "over_limit": 1}

    # -- experiments ---------------------------------------------------------------------------------------

    def test_experiments(self, store: Store) -> None:
        for reader in self.in_any_order(
            store,
            call("ensure_experiment", "digits", at(20, 1)),
            call("set_experiment", "digits", at(30, 2), description="new", tags={"a": "1", "b": "2"}),
            call(
                "set_experiment", "digits", at(25, 3), description="old", artifact_location="s3://x", tags={"b": None}
            ),
        ):
            experiment = reader.find_experiment("digits")
            assert experiment is not None and reader.get_experiment(experiment.experiment_id) == experiment
            assert (experiment.description, experiment.artifact_location) == ("new", "s3://x")
            assert (experiment.tags, experiment.lifecycle) == ({"a": "1", "b": "2"}, "active")
            assert (experiment.created_ms, experiment.updated_ms) == (20, 30)

    def test_listing_experiments(self, store: Store, reader: TenantReader) -> None:
        ids = []
        for number, name in enumerate(("Zeta", "digits", "ÉTÉ")):
            with store.begin() as transaction:
                ids.append(transaction.tenant("default").ensure_experiment(name, at(5, number)))
        self.tell(store, call("set_experiment", "Zeta", at(9, 9), lifecycle="deleted"))
        assert ids == [experiment_id("default", name) for name in ("Zeta", "digits", "ÉTÉ")]
        assert [e.name for e in reader.list_experiments().experiments] == ["digits", "ÉTÉ"]
        assert [e.name for e in reader.list_experiments(lifecycle="deleted").experiments] == ["Zeta"]
        page = reader.list_experiments(lifecycle=None, limit=1, offset=1)
        assert ([e.name for e in page.experiments], page.total) == (["digits"], 3)
        assert [e.name for e in reader.list_experiments(search="éT").experiments] == ["ÉTÉ"]
        assert reader.list_experiments(search="%").total == 0
        with pytest.raises(NotFound):
            reader.get_experiment("none")
