"""Pyramids, buckets and stats by example; the general truths are in tests/property."""

import math

import numpy as np
import pytest

from lineal.model.limits import PYRAMID_MAX_BUCKETS
from lineal.series.columns import Columns
from lineal.series.downsample import bucketize, coarsen, concat_buckets, slice_buckets
from lineal.series.pyramid import buckets_of, build, decode_pyramid, encode_pyramid, extend
from lineal.series.stats import Stats, merge, stats_of, summary_of


def points(value, step=None):
    value = np.asarray(value)
    rows = np.arange(len(value))
    return Columns(rows + 1, rows if step is None else np.asarray(step), 1_000 + 5 * rows, value)


@pytest.mark.parametrize(
    ("count", "width"),
    [(0, 1), (1, 1), (2_048, 1), (2_049, 2), (4_096, 2), (4_097, 4), (100_000, 64), (131_072, 64), (131_073, 128)],
)
def test_width_is_the_least_that_fits(count, width):
    pyramid = build(points(np.zeros(count)))
    assert pyramid.width == width
    assert pyramid.point_count == count
    assert len(pyramid.buckets) == math.ceil(count / width) <= PYRAMID_MAX_BUCKETS


def test_a_pyramid_that_grows_point_by_point_equals_the_whole():
    whole = points(np.sin(np.arange(4_200)))
    pyramid = None
    for row in range(4_200):
        pyramid = extend(
            pyramid, Columns(*(getattr(whole, n)[row : row + 1] for n in ("seq", "step", "time_ms", "value")))
        )
    assert pyramid is not None
    assert encode_pyramid(pyramid) == encode_pyramid(build(whole))
    assert extend(pyramid, points(np.zeros(0))) is pyramid


def test_a_long_noisy_series_costs_less_than_half_a_byte_a_point():
    noise = points(np.exp(-np.arange(100_000) / 20_000) + 0.1 * np.random.default_rng(3).standard_normal(100_000))
    data = encode_pyramid(build(noise))
    assert len(data) <= 0.45 * 100_000
    assert len(buckets_of(decode_pyramid(data), 1_000)) <= 1_000


def test_steps_that_become_floats():
    pyramid = extend(build(points([1, 2], step=[0, 1])), points([3], step=[1.5]))
    assert pyramid.buckets.step_min.tolist() == [0.0, 1.0, 1.5]
    assert pyramid.buckets.last.dtype == np.int64
    assert decode_pyramid(encode_pyramid(pyramid)).buckets.step_max.dtype == np.float64


def test_buckets_leave_nan_out_and_keep_infinities():
    buckets = bucketize(points([math.nan, 2.0, -0.0, math.inf, math.nan, math.nan]), 3)
    assert buckets.count.tolist() == [2, 2, 2]
    assert buckets.nan_count.tolist() == [1, 0, 2]
    assert buckets.min.tolist()[:2] == [2.0, 0.0]
    assert buckets.max.tolist()[:2] == [2.0, math.inf]
    assert np.isnan(buckets.min[2]) and np.isnan(buckets.max[2])
    assert math.copysign(1, buckets.min[1]) == 1
    assert buckets.step_min.tolist() == [0, 2, 4]
    assert buckets.time_max.tolist() == [1_005, 1_015, 1_025]


def test_points_that_fit_are_buckets_of_one():
    few = points([3, 1, 2])
    for buckets in (bucketize(few, 3), bucketize(few, 1_000)):
        assert buckets.first.tolist() == buckets.max.tolist() == [3, 1, 2]
        assert buckets.min.dtype == np.int64
    assert coarsen(buckets, 3) is buckets
    assert len(bucketize(points(np.zeros(0)), 5)) == len(coarsen(bucketize(points(np.zeros(0)), 5), 5)) == 0


@pytest.mark.parametrize("max_points", [0, -1])
def test_no_buckets_are_not_to_be_had(max_points):
    with pytest.raises(ValueError):
        bucketize(points([1.0]), max_points)
    with pytest.raises(ValueError):
        buckets_of(build(points([1.0])), max_points)


def test_buckets_of_both_types_become_floats():
    joined = concat_buckets([bucketize(points([1, 2**53 + 1]), 9), bucketize(points([0.5]), 9)])
    assert joined.last.tolist() == [1.0, 2.0**53, 0.5]
    assert joined.count.dtype == np.int64


def test_slices_touch_the_range():
    buckets = bucketize(points(np.zeros(40)), 4)
    assert slice_buckets(buckets, 12, 25).step_min.tolist() == [10, 20]
    assert slice_buckets(buckets, None, None) is buckets
    assert len(slice_buckets(buckets, 40, None)) == 0


def test_a_pyramid_of_nothing():
    empty = decode_pyramid(encode_pyramid(build(points(np.zeros(0)))))
    assert (empty.width, empty.point_count, len(empty.buckets)) == (1, 0, 0)
    assert extend(empty, points([1.0])).point_count == 1


def test_a_summary():
    stats = stats_of(points([math.nan, 3.0, -0.0]))
    assert stats == Stats(3, 1, stats.first, -0.0, 2, 1_010, 0.0, 3.0, 3.0)
    summary = summary_of(merge(stats, stats_of(points([1.0], step=[0.5]))))
    assert (summary.count, summary.nan_count, summary.last, summary.last_step) == (4, 1, 1.0, 0.5)
    assert (summary.min, summary.max, summary.mean) == (0.0, 3.0, 4.0 / 3.0)


def test_a_summary_of_nothing_but_nan():
    summary = summary_of(merge(stats_of(points([math.nan])), stats_of(points([math.nan]))))
    assert (summary.count, summary.nan_count, summary.min, summary.max, summary.mean) == (2, 2, None, None, None)


def test_ints_stay_ints_beyond_64_bits():
    large = points([2**63 - 1, 2**63 - 1, -5])
    stats = merge(stats_of(large), stats_of(large))
    assert stats.total == 2 * (2**64 - 2 - 5)
    assert (stats.min, stats.max, stats.first) == (-5, 2**63 - 1, 2**63 - 1)
    assert all(type(number) is int for number in (stats.total, stats.min, stats.last, stats.last_step, stats.last_ms))


def test_stats_of_no_points_are_refused():
    with pytest.raises(ValueError):
        stats_of(points(np.zeros(0)))
