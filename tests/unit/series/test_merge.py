"""Histories by example; the general truths are in tests/property."""

from typing import NamedTuple

import numpy as np

from lineal.series.columns import Buckets, Columns
from lineal.series.downsample import bucketize
from lineal.series.merge import latest_attempt_wins, latest_attempt_wins_buckets, merge_bucket_pieces, merge_pieces


class Piece(NamedTuple):
    attempt_id: str
    writer: str
    columns: Columns


class BucketPiece(NamedTuple):
    attempt_id: str
    writer: str
    buckets: Buckets


def points(value, step, time_ms=None, seq=None):
    rows = np.arange(1, len(value) + 1)
    return Columns(
        rows if seq is None else np.array(seq),
        np.array(step),
        rows if time_ms is None else np.array(time_ms),
        np.array(value),
    )


def test_one_piece_is_handed_on_as_it_is():
    columns = points([0.5, 0.25], [0, 1])
    history = merge_pieces([Piece("a", "w", columns)])
    assert history.value is columns.value
    assert history.step is columns.step


def test_a_writers_value_types_are_merged_by_sequence():
    pieces = [Piece("a", "w", points([1, 3], [0, 2], seq=[1, 3])), Piece("a", "w", points([2.5], [1], seq=[2]))]
    history = merge_pieces(pieces)
    assert history.value.tolist() == [1.0, 2.5, 3.0]
    assert history.value.dtype == np.float64


def test_an_int_that_is_no_float_keeps_its_value():
    pieces = [Piece("a", "w", points([2**53 + 1], [0], seq=[1])), Piece("a", "w", points([0.5], [1], seq=[2]))]
    history = merge_pieces(pieces)
    assert history.value.tolist() == [2**53 + 1, 0.5]
    assert [type(value) for value in history.value.tolist()] == [int, float]


def test_writers_are_merged_by_time_and_keep_their_own_order():
    pieces = [
        Piece("a", "v", points([1.0, 2.0, 3.0], [0, 1, 2], time_ms=[10, 5, 30])),  # its clock was set back
        Piece("a", "w", points([4.0, 5.0], [0, 1], time_ms=[7, 12])),
    ]
    assert merge_pieces(pieces).value.tolist() == [4.0, 1.0, 2.0, 5.0, 3.0]


def test_attempts_follow_each_other_whatever_their_clocks_say():
    pieces = [Piece("b", "v", points([1.0], [0], time_ms=[100])), Piece("a", "w", points([2.0], [0], time_ms=[1]))]
    history = merge_pieces(pieces)
    assert history.attempts == ("b", "a")
    assert history.attempt.tolist() == [0, 1]
    assert history.value.tolist() == [1.0, 2.0]


def test_nothing():
    empty = Piece("a", "w", points(np.zeros(0), np.zeros(0, int)))
    for pieces in ([], [empty]):
        history = merge_pieces(pieces, "loss")
        assert (len(history), history.attempts, history.name) == (0, (), "loss")
        assert latest_attempt_wins(pieces) == []
    downsampled = merge_bucket_pieces([], 10)
    assert downsampled.buckets is not None
    assert len(downsampled) == len(downsampled.buckets) == 0


def test_a_run_resumed_from_a_checkpoint_shows_each_step_once():
    first = Piece("a", "v", points(np.arange(10.0), np.arange(10)))
    second = Piece("b", "v", points(np.arange(5.0), np.arange(6, 11)))
    third = Piece("c", "v", points([0.0], [8]))
    shown = merge_pieces(latest_attempt_wins([first, second, third]))
    assert shown.step.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert shown.attempt.tolist() == [0] * 6 + [1, 1, 2]
    assert latest_attempt_wins([third, first])[0] is first  # the earlier attempt is hidden altogether


def test_a_bucket_on_the_cut_is_kept():
    first = BucketPiece("a", "v", bucketize(points(np.arange(10.0), np.arange(10)), 2))
    second = BucketPiece("b", "v", bucketize(points(np.arange(5.0), np.arange(3, 8)), 5))
    kept = latest_attempt_wins_buckets([first, second])
    assert kept[0].buckets.step_max.tolist() == [4]
    assert kept[1] is second


def test_downsampled_histories_end_where_their_buckets_end():
    pieces = [
        BucketPiece("a", "v", bucketize(points(np.arange(100.0), np.arange(100)), 100)),
        BucketPiece("b", "v", bucketize(points(np.arange(10.0), np.arange(10)), 10)),
        BucketPiece("c", "v", bucketize(points([7.0], [3]), 10)),
    ]
    history = merge_bucket_pieces(pieces, 20)
    assert history.buckets is not None
    assert len(history) <= 20
    assert history.point_count == 111
    assert history.attempts == ("a", "b", "c")
    assert history.value[-1] == 7.0
    assert history.step.tolist() == history.buckets.step_max.tolist()
    assert len(merge_bucket_pieces(pieces, 1)) == 3
