"""Points, layouts, buckets, summaries, compaction."""

from __future__ import annotations

import math
import struct
from operator import methodcaller as call

import numpy as np
import pytest

from lineal.model.entities import Layout, SeriesKey
from lineal.model.values import INT64_MAX, INT64_MIN
from lineal.store.contracts import Piece, RunQuery, Store, TenantReader
from lineal.testing.same_answers import assert_sums_up
from lineal.testing.suite_base import LOSS, WRITER, SuiteBase, at, block_of, block_with, starting

COUNT = SeriesKey("count", (), "int64")
TRAIN = Layout("int64", (LOSS, COUNT))
EVAL = Layout("int64", (SeriesKey("acc", (("dataset", "val"),)), LOSS))


class PointRules(SuiteBase):
    def append(
        self, store: Store, *blocks: object, attempt: str = "a1", writer: str = WRITER, compact: bool = False
    ) -> None:
        """A transaction a block."""
        for block in blocks:
            self.tell(
                store,
                call("append_points", "r1", writer, attempt, [block]),
                *([call("compact", "r1")] if compact else []),
            )

    def test_numbers_come_back_bit_exact(self, store: Store, reader: TenantReader) -> None:
        nan = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
        floats = [nan, -nan, -0.0, 0.0, math.inf, -math.inf, 5e-324, 0.1, 2.0**53]
        ints = [INT64_MAX, INT64_MIN, 2**53 + 1, 0, -1]
        self.append(store, block_with(floats), block_with(ints, 50, COUNT))
        [piece] = reader.read_points("r1", "loss")
        assert piece.columns.value.tobytes() == np.array(floats).tobytes()
        [piece] = reader.read_points("r1", "count")
        assert piece.columns.value.dtype == np.int64 and piece.columns.value.tolist() == ints
        by_name = {info.key.name: info.summary for info in reader.list_series("r1")}
        assert (by_name["loss"].nan_count, by_name["loss"].last, by_name["loss"].min) == (2, 2.0**53, -math.inf)
        assert (by_name["count"].min, by_name["count"].max, by_name["count"].last) == (INT64_MIN, INT64_MAX, -1)

    def test_a_series_that_is_not_there_is_empty(self, store: Store, reader: TenantReader) -> None:
        self.append(store, block_with([1.0]))
        assert reader.read_points("r1", "none") == [] and reader.read_points("r1", "loss", (("rank", "0"),)) == []
        assert reader.read_buckets([("r1", ("none", ()))], 10) == [[]]

    def test_steps_of_both_types_repeat_and_go_back(self, store: Store, reader: TenantReader) -> None:
        self.append(store, block_with([1.0, 2.0, 3.0], step=[5, 5, INT64_MIN]), block_with([4.0], 9, step=[0.5]))
        [piece] = reader.read_points("r1", "loss")
        assert piece.columns.value.tolist() == [1.0, 2.0, 3.0, 4.0]
        assert piece.columns.step.tolist() == [5, 5, INT64_MIN, 0.5]
        assert reader.list_series("r1")[0].summary.last_step == 0.5
        [piece] = reader.read_points("r1", "loss", step_min=0.5, step_max=5)
        assert piece.columns.value.tolist() == [1.0, 2.0, 4.0]
        assert reader.read_points("r1", "loss", step_min=6) == []

    def test_a_series_in_several_layouts_is_one(self, store: Store, reader: TenantReader) -> None:
        """Interleaved in order of logging, whatever was compacted when."""
        train, evaluation = block_of(TRAIN, 3_000, 1), block_of(EVAL, 30, 1)
        evaluation = type(evaluation)(
            EVAL, np.arange(30) * 100 + 10**6, evaluation.step, evaluation.time_ms, evaluation.values
        )
        train = type(train)(TRAIN, np.arange(3_000) + 10**6 - 5, train.step, train.time_ms, train.values)
        self.append(store, train, compact=True)
        self.tell(
            store,
            call("append_points", "r1", WRITER, "a1", [evaluation]),
            call("compact", "r1"),
        )
        expected = sorted(
            [
                *zip(train.seq.tolist(), train.values[0].tolist(), strict=True),
                *zip(evaluation.seq.tolist(), evaluation.values[1].tolist(), strict=True),
            ],
            key=lambda pair: pair[0],
        )
        [piece] = reader.read_points("r1", "loss")
        assert piece.columns.value.tolist() == [value for _, value in expected]
        summary = next(info.summary for info in reader.list_series("r1") if info.key == LOSS)
        assert (summary.count, summary.first, summary.last) == (3_030, expected[0][1], expected[-1][1])

    def test_pieces_come_by_attempt_start_then_writer(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1", "late", 20), starting("r1", "early", 10))
        for number, (attempt, writer) in enumerate(
            (("late", "w1"), ("early", "w2"), ("early", "w1"), ("unknown", "w9"))
        ):
            self.append(store, block_with([float(number)]), attempt=attempt, writer=writer)
            self.append(store, block_with([number], 5, SeriesKey("loss", (), "int64")), attempt=attempt, writer=writer)
        order = [("unknown", "w9"), ("early", "w1"), ("early", "w2"), ("late", "w1")]
        pieces = reader.read_points("r1", "loss")
        assert [(p.attempt_id, p.writer) for p in pieces if p.value_type == "float64"] == order
        assert [p.value_type for p in pieces] == ["float64", "int64"] * 4
        assert [(p.attempt_id, p.writer) for p in reader.read_buckets([("r1", ("loss", ()))], 5)[0]][::2] == order

    def test_the_latest_attempts_last_value_is_last(self, store: Store, reader: TenantReader) -> None:
        self.append(store, block_with([1.0]), attempt="a2", compact=True)
        self.append(store, block_with([2.0], 100), attempt="a1", compact=True)
        self.tell(store, starting("r1", "a1", 10), starting("r1", "a2", 20))
        assert reader.list_series("r1")[0].summary.last == 1.0
        assert reader.list_series("r1")[0].summary.first == 2.0

    @pytest.mark.parametrize("rows", [1, 7, 100, 1_024, 5_000])
    def test_compaction_changes_no_answer(self, store: Store, reader: TenantReader, rows: int) -> None:
        layouts = (TRAIN, EVAL, Layout("float64", (LOSS,)))
        seq = 1
        for turn in range(6):
            block = block_of(layouts[turn % 3], rows, seq, first_step=turn * rows)
            seq += rows
            self.append(store, block)
            before = self._answers(reader)
            self.tell(store, call("compact", "r1"))
            self._assert_equal(self._answers(reader), before)
        self.tell(store, starting("r1"), call("end_attempt", "r1", "a1", "finished", None, at(9, 9)))
        self.tell(store, call("compact", "r1"))
        self._assert_equal(self._answers(reader), before)

    def _answers(self, reader: TenantReader) -> list[object]:
        pieces = [
            piece
            for info in reader.list_series("r1")
            for piece in reader.read_points("r1", info.key.name, info.key.labels)
        ]
        return [
            [(piece[:3], piece.columns.step.tolist(), piece.columns.value.tobytes()) for piece in pieces],
            [(info.key, info.summary.count, info.summary.last, info.summary.mean) for info in reader.list_series("r1")],
        ]

    def _assert_equal(self, one: list[object], two: list[object]) -> None:
        assert one[0] == two[0]
        for mine, other in zip(one[1], two[1], strict=True):  # type: ignore[call-overload]
            assert mine[:3] == other[:3] and math.isclose(mine[3], other[3], rel_tol=1e-9, abs_tol=1e-9)

    def test_many_small_batches(self, store: Store, reader: TenantReader) -> None:
        for number in range(80):
            self.append(store, block_of(TRAIN, 1, number * 10 + 1, number), compact=True)
        [piece] = reader.read_points("r1", "loss")
        assert piece.columns.step.tolist() == list(range(80))
        assert reader.list_series("r1")[0].summary.count == 80

    def test_compacting_what_is_not_there(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, call("compact", "nothing"))
        assert reader.list_runs(RunQuery(lifecycle=None)).total == 0 or not self.keeps_content

    # -- buckets -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("rows", [1, 10, 1_500, 70_000])
    def test_buckets_leave_no_point_out(self, store: Store, reader: TenantReader, rows: int) -> None:
        self.append(store, block_of(TRAIN, rows), block_of(TRAIN, 5, rows + 10, rows), compact=True)
        total = rows + 5
        for max_points in (1, 100, 1_000, 100_000):
            for low, high in ((None, None), (3, rows * 0.7), (rows, None), (-5, 10**9), (10**9, None)):
                points = reader.read_points("r1", "loss", step_min=low, step_max=high)
                [summed] = reader.read_buckets([("r1", ("loss", ()))], max_points, step_min=low, step_max=high)
                assert_sums_up(summed, points, max_points)
                if summed and total <= max_points:
                    assert summed[0].exact

    def test_buckets_of_many_series_at_once(self, store: Store, reader: TenantReader) -> None:
        self.append(store, block_of(TRAIN, 2_000))
        wanted = [("r1", ("count", ())), ("r1", ("none", ())), ("r1", ("loss", ()))]
        count, none, loss = reader.read_buckets(wanted, 50)
        assert none == [] and [piece.value_type for piece in (*count, *loss)] == ["int64", "float64"]
        assert reader.read_buckets([], 50) == []

    # -- layouts and orphans -------------------------------------------------------------------------------

    def test_layouts_are_remembered_by_writer_and_number(self, store: Store) -> None:
        odd = Layout("float64", (SeriesKey("nul\0", (("é", "\0"), ("z", "😀")), "int64"), LOSS))
        for _ in range(2):
            self.tell(
                store,
                call("define_layout", "r1", "w1", 1, TRAIN),
                call("define_layout", "r1", "w1", 2**31, odd),
                call("define_layout", "r1", "w2", 1, EVAL),
            )
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.find_layout("w1", 1) == TRAIN and writer.find_layout("w1", 2**31) == odd
            assert writer.find_layout("w2", 1) == EVAL and writer.find_layout("w2", 2) is None
            assert writer.find_layout("w3", 1) is None

    def test_a_number_keeps_its_first_meaning(self, store: Store) -> None:
        self.tell(store, call("define_layout", "r1", "w1", 1, TRAIN), call("define_layout", "r1", "w1", 1, EVAL))
        with store.begin() as transaction:
            assert transaction.tenant("default").find_layout("w1", 1) == TRAIN

    def test_orphans_are_handed_out_once_in_order(self, store: Store) -> None:
        self.tell(
            store,
            call("keep_orphans", "r1", "w1", 1, b"one", 1),
            call("keep_orphans", "r1", "w1", 2, b"other", 1),
            call("keep_orphans", "r1", "w1", 1, b"\0two", 9),
        )
        with store.begin() as transaction:
            assert transaction.tenant("default").take_orphans("w1", 1) == [b"one", b"\0two"]
            assert transaction.tenant("default").take_orphans("w1", 1) == []
        with store.begin() as transaction:
            assert transaction.tenant("default").take_orphans("w1", 1) == []
            assert transaction.tenant("default").take_orphans("w2", 1) == []
            assert transaction.tenant("default").take_orphans("w1", 2) == [b"other"]

    @pytest.mark.parametrize("rows", [10, 3_000])
    def test_points_that_come_late_take_their_place(self, store: Store, reader: TenantReader, rows: int) -> None:
        """Frames whose layout was found later have smaller sequence numbers than what is stored."""
        late, early = block_of(TRAIN, rows, rows + 1, rows), block_of(TRAIN, rows, 1)
        self.append(store, late, early, compact=True)
        self.append(store, block_of(TRAIN, 5, 2 * rows + 1, 2 * rows), compact=True)
        [piece] = reader.read_points("r1", "loss")
        assert piece.columns.step.tolist() == list(range(2 * rows + 5))
        summary = reader.list_series("r1")[1].summary
        assert (summary.first, summary.last_step) == (early.values[0][0], 2 * rows + 4)
        [summed] = reader.read_buckets([("r1", ("loss", ()))], 10)
        assert_sums_up(summed, [Piece("a1", WRITER, "float64", piece.columns)], 10)
        assert summed[0].buckets.step_min.tolist() == sorted(summed[0].buckets.step_min.tolist())

    def test_a_wide_layout(self, store: Store, reader: TenantReader) -> None:
        wide = Layout("int64", tuple(SeriesKey(f"layer{n}/grad") for n in range(2_000)))
        for number in range(3):
            self.append(store, block_of(wide, 1, number + 1, number), compact=True)
        assert len(reader.list_series("r1")) == 2_000
        [piece] = reader.read_points("r1", "layer1999/grad")
        assert piece.columns.step.tolist() == [0, 1, 2]
