"""Tenants, transactions, snapshots, cursors, audit rows."""

from __future__ import annotations

import threading
from operator import methodcaller as call

import pytest

from lineal.model.entities import Artifact, Cursor, Head, KeptAnswer, Layout, MetricDefinition, SeriesKey
from lineal.model.errors import InvalidInput
from lineal.model.ids import experiment_id
from lineal.store.contracts import RunQuery, Store, TenantReader
from lineal.testing.same_answers import assert_no_run
from lineal.testing.suite_base import WRITER, Opener, Said, SuiteBase, at, block_with, starting


class TransactionRules(SuiteBase):
    def test_an_unknown_tenant_is_an_empty_one(self, store: Store) -> None:
        reader = store.tenant("nobody")
        assert store.list_tenants() == []
        assert reader.list_runs(RunQuery(lifecycle=None)).total == 0
        assert reader.list_experiments(lifecycle=None) == ([], 0)
        assert reader.list_audit() == [] and reader.find_cursor(WRITER) is None and reader.find_run_ids("") == []
        assert_no_run(reader, "r1")

    def test_tenants_do_not_see_each_other(self, store: Store) -> None:
        with store.begin() as transaction:
            starting("r1", experiment="theirs")(transaction.tenant("acme"))
            transaction.tenant("acme").set_cursor(Cursor(WRITER, "r1", 7, 1, 8))
            starting("r2", experiment="ours")(transaction.tenant("zeta"))
        assert store.list_tenants() == ["acme", "zeta"]
        assert [run.run_id for run in store.tenant("acme").list_runs(RunQuery()).runs] == ["r1"]
        assert_no_run(store.tenant("zeta"), "r1")
        assert store.tenant("zeta").find_cursor(WRITER) is None
        assert store.tenant("zeta").find_experiment("theirs") is None
        assert {row.subject for row in store.tenant("zeta").list_audit()} == {"r2"}

    def test_the_same_run_id_in_two_tenants_is_two_runs(self, store: Store) -> None:
        with store.begin() as transaction:
            transaction.tenant("acme").set_note("r1", "theirs", at(1))
            transaction.tenant("zeta").set_note("r1", "ours", at(1))
        assert store.tenant("acme").get_details("r1").note == "theirs"
        assert store.tenant("zeta").get_details("r1").note == "ours"

    def test_a_tenant_with_an_unusable_name_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidInput), store.begin() as transaction:
            transaction.tenant("Not Usable")
        assert store.list_tenants() == []

    def test_a_block_that_raises_leaves_nothing(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        before = store.change_number()
        with pytest.raises(KeyError), store.begin() as transaction:
            writer = transaction.tenant("default")
            starting("r2", experiment="new")(writer)
            writer.set_tags("r1", {"k": "v"}, at(5))
            writer.append_points("r1", WRITER, "a1", [block_with([0.5] * 2_000)])
            writer.compact("r1")
            writer.set_cursor(Cursor(WRITER, "r1", 7, 1, 8))
            transaction.tenant("other").set_note("r9", "text", at(6))
            raise KeyError
        assert store.change_number() == before and store.list_tenants() == ["default"]
        assert_no_run(reader, "r2")
        assert reader.get_details("r1").tags == {} and reader.list_series("r1") == []
        assert reader.find_cursor(WRITER) is None and reader.find_experiment("new") is None
        # What was made and undone can be made again.
        self.tell(store, starting("r2", experiment="new"))
        assert reader.get_run("r2").experiment_name == "new"

    def test_readers_see_committed_state_only(self, store: Store, reader: TenantReader) -> None:
        with store.begin() as transaction:
            starting("r1")(transaction.tenant("default"))
            assert_no_run(reader, "r1")
        assert reader.get_run("r1").run_id == "r1"

    def test_a_second_thread_waits_its_turn(self, store: Store, reader: TenantReader) -> None:
        started = threading.Event()

        def second() -> None:
            started.set()
            self.tell(store, call("set_tags", "r1", {"who": "second"}, at(2)))

        thread = threading.Thread(target=second)
        with store.begin() as transaction:
            transaction.tenant("default").set_tags("r1", {"who": "first"}, at(1))
            thread.start()
            started.wait()
        thread.join()
        assert reader.get_details("r1").tags == {"who": "second"}

    def test_a_transaction_within_a_transaction_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.begin(), store.begin():
            pass
        self.tell(store, starting("r1"))

    def test_threads_share_a_store(self, store: Store, reader: TenantReader) -> None:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for seq in range(5):
                    self.tell(store, call("set_tags", f"r{number}", {"k": str(seq)}, at(seq)))
                    assert reader.get_details(f"r{number}").tags == {"k": str(seq)}
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert reader.list_runs(RunQuery()).total == 6

    def test_the_change_number_rises_with_changes_only(self, store: Store) -> None:
        numbers = [store.change_number()]
        for _ in range(2):
            self.tell(store, starting("r1"))
            numbers.append(store.change_number())
        assert numbers[0] < numbers[1] == numbers[2]
        self.tell(store, call("set_cursor", Cursor(WRITER, "r1", 1, 0, 0)))
        assert store.change_number() > numbers[2]

    def test_a_transaction_knows_the_number_it_began_with_and_the_one_that_it_made(self, store: Store) -> None:
        for statements in ([starting("r1")], [], [starting("r2")]):
            before = store.change_number()
            with store.begin() as transaction:
                assert transaction.change_number == before
                for statement in statements:
                    statement(transaction.tenant("default"))
            assert transaction.change_number == store.change_number() == before + len(statements)

    def test_times_do_not_go_back_from_one_transaction_to_the_next(self, store: Store) -> None:
        """But for a clock that was far ahead."""
        hour_ms, day_ms = 3_600_000, 86_400_000
        for now_ms, given_ms in (
            (day_ms, day_ms),
            (day_ms - 5_000, day_ms),
            (day_ms + 1, day_ms + 1),
            (9 * day_ms, 9 * day_ms),
            (day_ms + hour_ms, day_ms + hour_ms),
            (day_ms + hour_ms - 1, day_ms + hour_ms),
        ):
            with store.begin() as transaction:
                assert transaction.stamp_ms(now_ms) == given_ms
                assert transaction.stamp_ms(now_ms - 1) == given_ms
                starting(f"r{now_ms}")(transaction.tenant("default"))

    def test_marks_are_kept_with_what_is_told_and_make_no_tenant(self, store: Store) -> None:
        with store.begin() as transaction:
            assert transaction.find_mark(WRITER) == 0
            transaction.set_mark(WRITER, 7)
            transaction.set_mark("another", 9)
        with pytest.raises(ZeroDivisionError), store.begin() as transaction:
            transaction.set_mark(WRITER, 8)
            raise ZeroDivisionError
        with store.begin() as transaction:
            assert (transaction.find_mark(WRITER), transaction.find_mark("another")) == (7, 9)
        assert store.list_tenants() == []

    def test_who_listens_is_called_after_every_commit(self, store: Store) -> None:
        heard = threading.Semaphore(0)
        with store.listening(heard.release):
            for number in range(3):
                while heard.acquire(blocking=False):
                    pass
                self.tell(store, starting(f"r{number}"))
                assert heard.acquire(timeout=30)

    def test_closing_twice_is_harmless_and_readers_fail_afterwards(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        store.close()
        store.close()
        with pytest.raises(RuntimeError):
            reader.get_run("r1")
        with pytest.raises(RuntimeError), store.begin():
            pass

    def test_content_survives_closing(self, opener: Opener) -> None:
        if not self.keeps_content:
            pytest.skip("this store forgets when it is closed")
        store = opener()
        self.tell(
            store,
            starting("r1"),
            call("append_points", "r1", WRITER, "a1", [block_with([1.0, 2.0])]),
        )
        change_number = store.change_number()
        store.close()
        store = opener()
        assert store.change_number() == change_number
        [piece] = store.tenant("default").read_points("r1", "loss")
        assert piece.columns.value.tolist() == [1.0, 2.0]
        store.close()

    # -- cursors -------------------------------------------------------------------------------------------

    def test_a_cursor_is_overwritten_and_seen_within_its_transaction(self, store: Store, reader: TenantReader) -> None:
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.find_cursor(WRITER) is None
            headed = Cursor(WRITER, "r1", 2**40, 3, 99, Head("a1", True, "host\0", 2**40))
            for cursor in (headed, Cursor(WRITER, "r1", 5, 1, 8)):
                writer.set_cursor(cursor)
                assert writer.find_cursor(WRITER) == cursor
        assert reader.find_cursor(WRITER) == Cursor(WRITER, "r1", 5, 1, 8)
        assert reader.find_cursor("another") is None
        assert reader.list_audit() == []

    def test_a_cursor_keeps_the_head_of_its_segment(self, store: Store, reader: TenantReader) -> None:
        for head in (Head("a1", True, "host", 7), Head("a1", False), None):
            self.tell(store, call("set_cursor", Cursor(WRITER, "r1", 1, 2, 3, head)))
            found = reader.find_cursor(WRITER)
            assert found is not None and found.head == head

    def test_leases_are_found_by_their_end_and_by_their_run(self, store: Store, reader: TenantReader) -> None:
        def leased(writer: str, run_id: str | None, until_ms: int | None) -> Cursor:
            return Cursor(writer, run_id, 1, 1, 8, Head("a1", True), until_ms)

        self.tell(store, starting("r1"), *(call("set_cursor", leased(f"w{n}", "r1", 100 * n)) for n in (3, 1, 2)))
        self.tell(
            store, call("set_cursor", leased("other", "gone", 150)), call("set_cursor", leased("none", "r1", None))
        )
        with store.begin() as transaction:
            transaction.tenant("acme").set_cursor(leased("theirs", "r1", 1))
        assert [one.writer for one in reader.list_lapsed(200)] == ["w1", "other", "w2"]
        assert [one.writer for one in reader.list_lapsed(200, 1)] == ["w1"]
        assert reader.list_lapsed(99) == [] and reader.list_lapsed(100) == [leased("w1", "r1", 100)]
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            writer.set_cursor(leased("w2", "r1", None))
            writer.set_cursor(leased("w4", "r1", 400))
            assert [one.writer for one in writer.list_leases("r1")] == ["w1", "w3", "w4"]
            assert [one.writer for one in writer.list_leases("gone")] == ["other"]
            assert writer.list_leases("nowhere") == []
        assert [one.writer for one in reader.list_lapsed(1_000)] == ["w1", "other", "w3", "w4"]

    def test_a_cursor_alone_makes_no_run(self, store: Store, reader: TenantReader) -> None:
        """Cursors outlive their runs, and must not bring them back."""
        self.tell(store, call("set_cursor", Cursor(WRITER, "r1", 1, 0, 0)))
        assert_no_run(reader, "r1")
        assert reader.find_cursor(WRITER) == Cursor(WRITER, "r1", 1, 0, 0)
        self.tell(store, call("set_cursor", Cursor("tenant-writer", None, 1, 0, 0)))
        assert reader.find_cursor("tenant-writer") == Cursor("tenant-writer", None, 1, 0, 0)

    # -- audit ---------------------------------------------------------------------------------------------

    def test_every_change_writes_one_audit_row(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("r1", time_ms=10),
            call("set_params", "r1", "a1", {"lr": 0.1}, at(11, 1)),
            call("append_points", "r1", WRITER, "a1", [block_with([1.0])]),
            call("end_attempt", "r1", "a1", "finished", None, at(12, 2)),
            call("set_experiment", "digits", at(13, 3), description="d"),
            call("compact", "r1"),
        )
        rows = reader.list_audit()
        assert [(row.time_ms, row.writer, row.action, row.subject) for row in rows] == [
            (10, WRITER, "attempt.start", "r1"),
            (11, WRITER, "params.set", "r1"),
            (12, WRITER, "attempt.end", "r1"),
            (13, WRITER, "experiment.set", experiment_id("default", "digits")),
        ]
        assert all(len(row.digest) == 64 for row in rows) and len({row.digest for row in rows}) == 4
        assert [row.number for row in rows] == sorted({row.number for row in rows})
        assert reader.list_audit(after=rows[1].number, limit=1) == [rows[2]]

    def test_a_digest_is_the_same_for_the_same_values_and_no_others(self, store: Store, reader: TenantReader) -> None:
        said = [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1.0, "b": 2}, {"a": "1", "b": 2}]
        for number, params in enumerate(said):
            self.tell(store, call("set_params", f"r{number}", "a1", params, at(number, number)))
        one, two, three, four = (row.digest for row in reader.list_audit())
        assert one == two and len({two, three, four}) == 3

    def test_saying_anything_twice_changes_nothing(self, store: Store, reader: TenantReader) -> None:
        artifact = Artifact("model.pt", 1, 5, "a" * 64, None, None, 9)
        statements: list[Said] = [
            starting("r1"),
            call("end_attempt", "r1", "a1", "finished", None, at(1, 1)),
            call("lose_attempt", "r1", "a1", at(1, 2)),
            call("set_params", "r1", "a1", {"x": float("nan")}, at(1, 3)),
            call("set_tags", "r1", {"k": "v", "gone": None}, at(1, 4)),
            call("set_note", "r1", "text", at(1, 5)),
            call("set_name", "r1", "name", at(1, 6)),
            call("set_document", "r1", "review", "{}", at(1, 7)),
            call("set_lifecycle", "r1", "deleted", at(1, 8)),
            call("define_metric", "r1", MetricDefinition("loss", "min"), at(1, 9)),
            call("add_artifact", "r1", artifact, at(1, 10)),
            call("add_loss", "r1", "full", 3, at(1, 11)),
            call("ensure_experiment", "new", at(1, 12)),
            call("set_experiment", "new", at(1, 13), description="d", lifecycle="deleted", tags={"k": None}),
        ]
        self.tell(store, *statements)
        rows, change_number = reader.list_audit(), store.change_number()
        assert len(rows) == len(statements)
        quiet: list[Said] = [
            call("set_cursor", Cursor(WRITER, "r1", 1, 0, 0)),
            call("define_layout", "r1", WRITER, 1, Layout("int64", (SeriesKey("loss"),))),
            call("append_points", "r1", WRITER, "a1", []),
        ]
        self.tell(store, *statements, *statements, *quiet)
        assert reader.list_audit() == rows and store.change_number() == change_number + 1
        self.tell(store, *statements, *quiet)
        assert store.change_number() == change_number + 1

    def test_what_changes_nothing_leaves_no_audit_row(self, store: Store, reader: TenantReader) -> None:
        for _ in range(2):
            self.tell(
                store,
                call("set_tags", "r1", {"k": "new"}, at(9)),
                call("set_tags", "r1", {"k": "old"}, at(1)),
                call("set_tags", "r1", {}, at(10)),
            )
        assert [row.time_ms for row in reader.list_audit()] == [9]

    def test_answers_are_kept_by_tenant_until_they_are_forgotten(self, store: Store) -> None:
        first = KeptAnswer("k", "d1", 201, b"\x00{}", 1_000)
        with store.begin() as transaction:
            transaction.tenant("acme").keep_answer(first)
            assert transaction.tenant("acme").find_answer("k") == first
            assert transaction.tenant("zeta").find_answer("k") is None
        with pytest.raises(ZeroDivisionError), store.begin() as transaction:
            transaction.tenant("acme").keep_answer(first._replace(digest="undone"))
            raise ZeroDivisionError
        with store.begin() as transaction:
            writer = transaction.tenant("acme")
            assert writer.find_answer("k") == first
            writer.keep_answer(later := first._replace(digest="d2", time_ms=2_000))
            writer.keep_answer(first._replace(key="old"))
            writer.forget_answers(2_000)
            assert writer.find_answer("k") == later and writer.find_answer("old") is None
