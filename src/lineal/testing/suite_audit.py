"""Audit rows: every kind of change writes one, who and when; they are found again, and chained."""

from __future__ import annotations

from operator import methodcaller as call

import pytest

from lineal.model.entities import Artifact, Attempt, MetricDefinition
from lineal.model.ids import experiment_id
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.people import User
from lineal.store.audit import digest_of, is_asked_for
from lineal.store.chain import START, link, verify
from lineal.store.contracts import AuditQuery, RunStart, Store, TenantReader
from lineal.store.people import SERVER
from lineal.testing.suite_base import WRITER, Said, SuiteBase, at, starting

DIGITS = experiment_id("default", "digits")
ARTIFACT = Artifact("model.pt", 0, 5, "a" * 64, None, None, 9)
CHANGES: dict[str, tuple[Said, str, str]] = {
    # method of a writer -> a call of it, the action and the subject of its row
    "ensure_experiment": (call("ensure_experiment", "digits", at(1, 1)), "experiment.ensure", DIGITS),
    "set_experiment": (call("set_experiment", "digits", at(2, 2), tags={"k": "v"}), "experiment.set", DIGITS),
    "start_attempt": (
        call("start_attempt", "r1", Attempt("a1", 3), RunStart("digits"), at(3, 3)),
        "attempt.start",
        "r1",
    ),
    "end_attempt": (call("end_attempt", "r1", "a1", "failed", "why", at(4, 4)), "attempt.end", "r1"),
    "lose_attempt": (call("lose_attempt", "r1", "a2", at(5, 5)), "attempt.lose", "r1"),
    "set_params": (call("set_params", "r1", "a1", {"lr": 0.1}, at(6, 6)), "params.set", "r1"),
    "set_tags": (call("set_tags", "r1", {"k": "v"}, at(7, 7)), "tags.set", "r1"),
    "set_note": (call("set_note", "r1", "text", at(8, 8)), "note.set", "r1"),
    "set_name": (call("set_name", "r1", "name", at(9, 9)), "name.set", "r1"),
    "set_document": (call("set_document", "r1", "review", "{}", at(10, 10)), "document.set", "r1"),
    "set_lifecycle": (call("set_lifecycle", "r1", "deleted", at(11, 11)), "lifecycle.set", "r1"),
    "set_lock": (call("set_lock", "r1", True, at(12, 12)), "lock.set", "r1"),
    "define_metric": (call("define_metric", "r1", MetricDefinition("loss", "min"), at(13, 13)), "metric.define", "r1"),
    "add_artifact": (call("add_artifact", "r1", ARTIFACT, at(14, 14)), "artifact.add", "r1"),
    "add_loss": (call("add_loss", "r1", "full", 3, at(15, 15)), "loss.add", "r1"),
    "regain_attempt": (call("regain_attempt", "r1", "a2", at(16, 16)), "attempt.regain", "r1"),
    "rename_experiment": (call("rename_experiment", "digits", "scans", at(17, 17)), "experiment.rename", DIGITS),
    "use_dataset": (call("use_dataset", "r1", DatasetUse(Dataset("d", "1")), at(18, 18)), "dataset.use", "r1"),
    "use_model": (call("use_model", "r1", ModelUse("m-1", "output"), at(19, 19)), "logged_model.use", "r1"),
    "set_logged_model": (call("set_logged_model", "m-1", at(20, 20), name="mlp"), "logged_model.set", "m-1"),
    "set_loose_file": (call("set_loose_file", "a/b", ModelFile("a" * 64, 5), at(21, 21)), "loose_file.set", "a/b"),
    "set_capture": (call("set_capture", "r1", "a1", "code", "{}", at(22, 22)), "capture.set", "r1"),
    "use_artifact": (
        call("use_artifact", "r1", ArtifactUse("r0", "model.pt", "a" * 64, 1), at(23, 23)),
        "artifact.use",
        "r1",
    ),
    "use_version": (call("use_version", "r1", VersionUse("b" * 32, "vision"), at(24, 24)), "version.use", "r1"),
}
QUIET = {
    # Cursors, answers, points and layouts change no statement; the rest asks, or is about the rows themselves.
    *("find_cursor", "set_cursor", "find_answer", "keep_answer", "forget_answers", "speak_for"),
    *("find_status", "list_leases", "is_locked", "find_logged_model"),
    "registry",  # a writer of its own: suite_registry
    "webhooks",  # the same: suite_webhooks
    *("define_layout", "find_layout", "keep_orphans", "take_orphans", "append_points", "append_console", "compact"),
}


class AuditRules(SuiteBase):
    def link(self, store: Store, limit: int, *statements: Said) -> None:
        with store.begin() as transaction:
            transaction.link_audit(limit)
            for statement in statements:
                statement(transaction.tenant("default"))

    def test_every_kind_of_change_says_who_when_and_what(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("speak_for", "alice"), *(change for change, _, _ in CHANGES.values()))
        rows = reader.list_audit()
        assert [(row.action, row.subject) for row in rows] == [change[1:] for change in CHANGES.values()]
        assert [(row.number, row.time_ms, row.seq) for row in rows] == [(n, n, n) for n in range(1, len(CHANGES) + 1)]
        assert {(row.writer, row.actor, row.hash) for row in rows} == {(WRITER, "alice", None)}
        assert rows[6].digest == digest_of({"tags": {"k": "v"}}).hex()
        assert store.tenant("other").list_audit() == []

    def test_nobody_is_spoken_for_beyond_a_transaction(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("speak_for", "alice"), starting("r1", time_ms=1), call("speak_for", None), starting("r2"))
        self.tell(store, starting("r3"))
        assert [row.actor for row in reader.list_audit()] == ["alice", None, None]

    def test_rows_are_found_by_subject_actor_action_and_time(self, store: Store, reader: TenantReader) -> None:
        for actor in (None, "alice", "bob"):
            self.tell(
                store,
                call("speak_for", actor),
                *(call("set_tags", f"r{n}", {"by": str(actor)}, at(100 + n, n, f"w-{actor}-{n}")) for n in range(4)),
                call("set_note", "r1", str(actor), at(110, 1, f"w-{actor}")),
                call("set_experiment", "digits", at(120, 1, f"w-{actor}"), description=str(actor)),
            )
        rows = reader.list_audit()
        asked = [
            AuditQuery(),
            AuditQuery(subject="r1"),
            AuditQuery(subject=DIGITS),
            AuditQuery(subject="digits"),
            AuditQuery(actor="alice"),
            AuditQuery(actor="w-None"),
            AuditQuery(action="tags.set"),
            AuditQuery(action="tags."),
            AuditQuery(action="tags"),
            AuditQuery(from_ms=102, to_ms=110),
            AuditQuery(from_ms=121),
            AuditQuery(before=7),
            AuditQuery(subject="r1", actor="bob", action="note."),
            AuditQuery(subject="r1\0"),
        ]
        for query in asked:
            found = reader.find_audit(query)
            assert found == [row for row in reversed(rows) if is_asked_for(row, query)], query
        assert {len(reader.find_audit(query)) for query in asked} >= {0, 1, 3, 6, 18}

    def test_pages_lead_through_all_rows_while_others_come(self, store: Store, reader: TenantReader) -> None:
        for n in range(7):
            self.tell(store, starting(f"r{n}", time_ms=n + 1))
        found, before = [], None
        while page := reader.find_audit(AuditQuery(before=before, limit=2)):
            found += page
            before = page[-1].number
            self.tell(store, starting(f"late-{before}", time_ms=before + 100))
        assert [row.subject for row in found] == [f"r{n}" for n in reversed(range(7))]

    def test_rows_are_linked_oldest_first_and_once(self, store: Store, reader: TenantReader) -> None:
        for n in range(5):
            self.tell(store, starting(f"r{n}", time_ms=n + 1))
        assert reader.find_chain_head() is None
        self.link(store, 2)
        assert [row.hash is None for row in reader.list_audit()] == [False, False, True, True, True]
        self.link(store, 9, starting("r5"))
        rows, number = reader.list_audit(), store.change_number()
        previous = START
        for row in rows:
            previous = link(previous, "default", row)
            assert row.hash == previous.hex()
        assert len(rows) == 6  # what the same transaction said is linked, too
        head = reader.find_chain_head()
        assert head is not None and head == ("default", 6, rows[-1].hash, rows[-1].time_ms)
        self.link(store, 9)
        assert (reader.list_audit(), reader.find_chain_head(), store.change_number()) == (rows, head, number)
        assert verify(reader, "default") == (head, 0, None)

    def test_tenants_have_chains_of_their_own(self, store: Store) -> None:
        for tenant in ("acme", "zeta"):
            with store.begin() as transaction:
                starting("r1")(transaction.tenant(tenant))
                transaction.link_audit()
        acme, zeta = (store.tenant(name).list_audit() for name in ("acme", "zeta"))
        assert acme[0][:8] == zeta[0][:8] and acme[0].hash != zeta[0].hash
        assert verify(store.tenant("acme"), "acme").broken is None

    def test_rows_of_no_tenant_are_linked_too(self, store: Store) -> None:
        with store.begin() as transaction:
            transaction.people().create_user(User("alice", True, 1), None, at(1, writer="command"))
        self.link(store, 9)
        verdict = verify(store.tenant(SERVER), SERVER)
        assert verdict.broken is None and verdict.head is not None and verdict.head.number == 1
        [row] = store.tenant(SERVER).find_audit(AuditQuery(subject="alice", actor="command"))
        assert row.action == "user.create" and row.hash == verdict.head.hash

    def test_an_undone_transaction_links_nothing(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        with pytest.raises(KeyError), store.begin() as transaction:
            transaction.link_audit()
            raise KeyError
        assert [row.hash for row in reader.list_audit()] == [None]

    def test_what_is_listed_here_is_every_method_of_a_writer(self) -> None:
        from lineal.store.contracts import TenantWriter

        ours = [one for one in TenantWriter.__mro__ if one.__module__.startswith("lineal.")]
        methods = {name for one in ours for name in vars(one) if not name.startswith("_")}
        assert methods == CHANGES.keys() | QUIET, "a new method: does it write an audit row?"
