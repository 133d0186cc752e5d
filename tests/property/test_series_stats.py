"""Stats against plain Python, whole and merged."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from lineal.series.blocks import concat_columns
from lineal.series.columns import Columns
from lineal.series.stats import merge, stats_of, stats_of_block, summary_of
from tests.unit.series.strategies import any_int64, blocks, columns, int_array


def same(a, b):
    return type(a) is type(b) and (a == b or (a != a and b != b))


def close(a, b):
    """Sums of floats depend on the order of adding; infinities and NaN do not (short of overflow)."""
    return same(a, b) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300) or not math.isfinite(a)


def check(stats, points):
    values = points.value.tolist()
    numbers = [value for value in values if value == value]
    assert stats.count == len(values)
    assert stats.nan_count == len(values) - len(numbers)
    assert same(stats.first, values[0]) and same(stats.last, values[-1])
    assert same(stats.last_step, points.step[-1].item())
    assert same(stats.last_ms, points.time_ms[-1].item())
    assert same(stats.min, min(numbers) if numbers else None)
    assert same(stats.max, max(numbers) if numbers else None)
    if points.value.dtype == int:
        assert same(stats.total, sum(values))


@given(columns())
def test_stats(points):
    assume(len(points))
    check(stats_of(points), points)


@given(columns(), columns())
def test_merged_stats_are_those_of_the_whole(a, b):
    assume(len(a) and len(b) and a.value.dtype == b.value.dtype and a.step.dtype == b.step.dtype)
    merged, whole = merge(stats_of(a), stats_of(b)), stats_of(concat_columns([a, b]))
    for name in ("count", "nan_count", "first", "last", "last_step", "last_ms", "min", "max"):
        assert same(getattr(merged, name), getattr(whole, name)), name


@given(blocks())
def test_stats_of_a_block_are_those_of_its_series(block):
    assume(len(block))
    for stats, values in zip(stats_of_block(block), block.values, strict=True):
        points = Columns(block.seq, block.step, block.time_ms, values)
        check(stats, points)
        one = stats_of(points)
        assert close(stats.total, one.total)


@given(st.lists(any_int64, min_size=1, max_size=50))
def test_the_total_of_ints_is_exact(values):
    array = int_array(values)
    stats = stats_of(Columns(array, array, array, array))
    assert stats.total == sum(values)
    assert summary_of(stats).mean == sum(values) / len(values)
