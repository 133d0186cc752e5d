"""Merging of writers and attempts against plain Python."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineal.series.blocks import slice_steps
from lineal.series.columns import Buckets, Columns
from lineal.series.downsample import bucketize
from lineal.series.merge import latest_attempt_wins, latest_attempt_wins_buckets, merge_bucket_pieces, merge_pieces
from lineal.series.mixed import join_exact
from lineal.series.steps import at_or_above, at_or_below
from tests.unit.series.strategies import any_int64, columns, float_array, int_array


class Piece(NamedTuple):
    attempt_id: str
    writer: str
    value_type: str
    columns: Columns


class BucketPiece(NamedTuple):
    attempt_id: str
    writer: str
    value_type: str
    buckets: Buckets


@st.composite
def pieces(draw):
    """At most one piece for each attempt, writer and value type; a writer's pieces share its sequence numbers."""
    found = []
    for attempt in draw(st.permutations(["a", "b", "c"])):
        for writer in draw(st.lists(st.sampled_from(["v", "w", "x"]), unique=True)):
            points = draw(columns(max_size=12))
            by_type = draw(st.lists(st.sampled_from(["float64", "int64"]), min_size=len(points), max_size=len(points)))
            for value_type in ("float64", "int64"):
                rows = np.flatnonzero(np.array(by_type) == value_type)
                numbers = draw(st.lists(st.integers(-9, 9), min_size=len(rows), max_size=len(rows)))
                value = (float_array if value_type == "float64" else int_array)(numbers)
                part = Columns(points.seq[rows], points.step[rows], points.time_ms[rows], value)
                found.append(Piece(attempt, writer, value_type, part))
    return found


def naive_merge(given_pieces):
    """(attempt, step, time, value) of each point in order of logging."""
    rows = []
    for attempt in dict.fromkeys(piece.attempt_id for piece in given_pieces):
        streams: dict[str, list] = {}
        for piece in given_pieces:
            if piece.attempt_id == attempt:
                c = piece.columns
                streams.setdefault(piece.writer, []).extend(
                    zip(c.seq.tolist(), c.step.tolist(), c.time_ms.tolist(), c.value.tolist(), strict=True)
                )
        keyed = []
        for stream in streams.values():
            latest = -math.inf
            for row in sorted(stream, key=lambda row: row[0]):
                latest = max(latest, row[2])
                keyed.append((latest, row))
        rows += [(attempt, *row[1:]) for _, row in sorted(keyed, key=lambda pair: pair[0])]
    return rows


def plain(rows):
    return [tuple("nan" if item != item else item for item in row) for row in rows]


@given(pieces())
def test_every_point_in_order_of_logging(given_pieces):
    history = merge_pieces(given_pieces, "loss", (("rank", "0"),))
    attempts = [history.attempts[place] for place in history.attempt.tolist()]
    got = zip(attempts, history.step.tolist(), history.time_ms.tolist(), history.value.tolist(), strict=True)
    assert plain(got) == plain(naive_merge(given_pieces))
    assert history.point_count == len(history) == sum(len(piece.columns) for piece in given_pieces)
    assert (history.name, history.labels, history.buckets) == ("loss", (("rank", "0"),), None)


@given(pieces())
def test_the_latest_attempt_wins(given_pieces):
    kept = latest_attempt_wins(given_pieces)
    order = list(dict.fromkeys(piece.attempt_id for piece in given_pieces))

    def shows(piece, step):
        later = order[order.index(piece.attempt_id) + 1 :]
        starts = [s for p in given_pieces if p.attempt_id in later for s in p.columns.step.tolist() if s == s]
        return step != step or not starts or step < min(starts)

    expected = [
        (piece.attempt_id, piece.writer, piece.value_type, seq)
        for piece in given_pieces
        for seq, step in zip(piece.columns.seq.tolist(), piece.columns.step.tolist(), strict=True)
        if shows(piece, step)
    ]
    got = [(p.attempt_id, p.writer, p.value_type, seq) for p in kept for seq in p.columns.seq.tolist()]
    assert got == expected


@given(pieces(), st.integers(1, 40))
def test_buckets_of_many_writers(given_pieces, max_points):
    summed = [
        BucketPiece(piece.attempt_id, piece.writer, piece.value_type, bucketize(piece.columns, 7))
        for piece in given_pieces
    ]
    history = merge_bucket_pieces(summed, max_points)
    assert history.point_count == sum(len(piece.columns) for piece in given_pieces)
    assert len(history) <= max(max_points, len(history.attempts))
    assert history.buckets is not None
    assert (np.diff(history.attempt) >= 0).all()
    for place, attempt in enumerate(history.attempts):
        of_attempt = sum(len(p.columns) for p in given_pieces if p.attempt_id == attempt)
        assert history.buckets.count[history.attempt == place].sum() == of_attempt


@given(pieces())
def test_the_latest_attempt_wins_of_buckets(given_pieces):
    """Of buckets of one point each it keeps what it keeps of points."""
    points = latest_attempt_wins(given_pieces)
    summed = [BucketPiece(p.attempt_id, p.writer, p.value_type, bucketize(p.columns, 60)) for p in given_pieces]
    kept = latest_attempt_wins_buckets(summed)
    assert [piece[:3] for piece in kept] == [piece[:3] for piece in points]
    assert [piece.buckets.last.tolist() for piece in kept] == [piece.columns.value.tolist() for piece in points]


@given(columns(), st.none() | st.floats() | any_int64, st.none() | st.floats() | any_int64)
def test_slices_are_exact(points, low, high):
    got = slice_steps(points, low, high)
    expected = [
        seq
        for seq, step in zip(points.seq.tolist(), points.step.tolist(), strict=True)
        if (low is None or step >= low) and (high is None or step <= high)
    ]
    assert got.seq.tolist() == expected


@given(st.lists(any_int64 | st.floats()), st.lists(any_int64), any_int64 | st.floats() | st.integers())
def test_bounds_compare_as_python_does(floats, ints, bound):
    for steps in (int_array(ints), float_array([float(number) for number in floats])):
        assert at_or_above(steps, bound).tolist() == [step >= bound for step in steps.tolist()]
        assert at_or_below(steps, bound).tolist() == [step <= bound for step in steps.tolist()]


@given(st.lists(any_int64), st.lists(st.floats()))
def test_a_join_changes_no_number(ints, floats):
    joined = join_exact([int_array(ints), float_array(floats)])
    assert plain([joined.tolist()]) == plain([ints + floats])
    if all(float(number) == number for number in ints):
        assert joined.dtype == np.float64
    else:
        assert joined.dtype == object
