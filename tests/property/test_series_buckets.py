"""Buckets against plain Python, and pyramids that do not depend on how the points arrived."""

import math
from itertools import pairwise
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineal.series.blocks import concat_columns
from lineal.series.columns import Columns
from lineal.series.downsample import bucketize, coarsen, concat_buckets, slice_buckets
from lineal.series.pyramid import buckets_of, build, extend
from tests.unit.series.strategies import columns, row_bits

FIELDS = ("count", "nan_count", "min", "max", "first", "last", "step_min", "step_max", "time_min", "time_max")


def extreme(choose, numbers):
    """What a bucket's min or max must be: NaN left out, zero without a sign, one NaN if there is nothing else."""
    kept = [number for number in numbers if number == number]
    return choose(kept) + 0 if kept else math.nan


def naive(points, width):
    """One dict a bucket, by the book."""
    rows = []
    for start in range(0, len(points), width):
        value, step, time = (a[start : start + width].tolist() for a in (points.value, points.step, points.time_ms))
        rows.append(
            {
                "count": len(value),
                "nan_count": sum(number != number for number in value),
                "min": extreme(min, value),
                "max": extreme(max, value),
                "first": value[0],
                "last": value[-1],
                "step_min": extreme(min, step),
                "step_max": extreme(max, step),
                "time_min": min(time),
                "time_max": max(time),
            }
        )
    return rows


def assert_is(buckets, rows, points):
    assert len(buckets) == len(rows)
    for name in FIELDS:
        like = {"step_min": points.step, "step_max": points.step}.get(
            name, points.value if name in ("min", "max", "first", "last") else points.time_ms
        )
        got = getattr(buckets, name)
        expected = np.array([row[name] for row in rows], like.dtype)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected, err_msg=name)
        if got.dtype == np.float64 and name not in ("first", "last"):
            zeros = got[got == 0.0]
            assert not np.signbit(zeros).any()


@given(columns(), st.integers(1, 70))
def test_buckets_of_points(points, max_points):
    buckets = bucketize(points, max_points)
    width = max(1, math.ceil(len(points) / max_points))
    assert len(buckets) <= max_points
    assert_is(buckets, naive(points, width), points)


@given(columns(), st.integers(1, 70), st.integers(1, 70))
def test_buckets_of_buckets(points, fine, coarse):
    buckets = coarsen(bucketize(points, fine), coarse)
    width = max(1, math.ceil(len(points) / fine))
    width *= max(1, math.ceil(math.ceil(len(points) / width) / coarse))
    assert len(buckets) <= coarse
    assert_is(buckets, naive(points, width), points)


def cut(points, places):
    edges = [0, *sorted(place % (len(points) + 1) for place in places), len(points)]
    return [
        Columns(*(getattr(points, name)[a:b] for name in ("seq", "step", "time_ms", "value")))
        for a, b in pairwise(edges)
    ]


@given(columns(), st.lists(st.integers(0, 60), max_size=6), st.sampled_from([1, 2, 4, 7]))
def test_a_pyramid_does_not_depend_on_the_cuts(points, places, max_buckets):
    with patch("lineal.series.pyramid.PYRAMID_MAX_BUCKETS", max_buckets):
        whole = build(points)
        first, *others = cut(points, places)
        grown = extend(None, first)
        for part in others:
            grown = extend(grown, part)
    assert grown.width == whole.width
    assert grown.point_count == whole.point_count == len(points)
    assert len(whole.buckets) <= max_buckets
    assert row_bits(grown.buckets, FIELDS) == row_bits(whole.buckets, FIELDS)
    assert_is(whole.buckets, naive(points, whole.width), points)
    assert len(buckets_of(whole, 3)) <= 3
    assert buckets_of(whole, 3).count.sum() == len(points)


@given(columns(), columns(), st.integers(1, 20))
def test_joined_buckets_count_every_point(a, b, max_points):
    joined = concat_buckets([bucketize(a, max_points), bucketize(b, max_points)])
    assert joined.count.sum() == len(a) + len(b)
    assert joined.nan_count.sum() == np.isnan(concat_columns([a, b]).value.astype(np.float64)).sum()
    assert joined.min.dtype == joined.last.dtype


@given(columns(), st.integers(1, 20), st.none() | st.integers(-6, 31), st.none() | st.floats(-6, 31))
def test_sliced_buckets_keep_every_point_in_the_range(points, max_points, low, high):
    kept = slice_buckets(bucketize(points, max_points), low, high)
    inside = [
        step
        for step in points.step.tolist()
        if step == step and (low is None or step >= low) and (high is None or step <= high)
    ]
    assert kept.count.sum() >= len(inside)
    assert all((kept.step_min <= step).any() and (kept.step_max >= step).any() for step in inside)
