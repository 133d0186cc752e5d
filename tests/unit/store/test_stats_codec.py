"""Stats of series as bytes."""

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineal.series.columns import Columns
from lineal.series.stats import merge, stats_of
from lineal.store.sql.stats_codec import SeriesStats, pack_stats, unpack_stats
from lineal.testing.strategies import floats64, ints64

NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_BEEF))[0]


def columns(values: list[float] | list[int], dtype: str, step: float) -> Columns:
    rows = len(values)
    steps = np.full(rows, step) if type(step) is float else np.arange(rows) + int(step)
    return Columns(np.arange(rows), steps, np.arange(rows) - 5, np.array(values, dtype))


def bits(entry: SeriesStats) -> list[object]:
    """Comparable, NaN and types included."""
    return [
        entry.last_seq,
        *(
            struct.pack("<d", value).hex() if isinstance(value, float) else repr(value)
            for value in (getattr(entry.stats, name) for name in entry.stats.__slots__)
        ),
    ]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("float64"), st.lists(floats64, min_size=1, max_size=4), st.integers(-9, 2**40)),
            st.tuples(st.just("int64"), st.lists(ints64, min_size=1, max_size=4), st.sampled_from((0.5, math.inf))),
        ),
        max_size=4,
    ),
    st.integers(0, 2**63 - 1),
)
def test_stats_come_back(series, last_seq) -> None:
    with np.errstate(all="ignore"):
        entries = {
            number * 1_000: SeriesStats(last_seq, stats_of(columns(values, dtype, step)))
            for number, (dtype, values, step) in enumerate(series)
        }
    found = unpack_stats(pack_stats(entries))
    assert list(found) == list(entries)
    assert [bits(entry) for entry in found.values()] == [bits(entry) for entry in entries.values()]


def test_totals_may_exceed_64_bits() -> None:
    stats = stats_of(columns([2**63 - 1] * 3, "int64", 0))
    for _ in range(10):
        stats = merge(stats, stats)
    assert stats.total == 3 * 1024 * (2**63 - 1)
    assert unpack_stats(pack_stats({1: SeriesStats(9, stats)})) == {1: SeriesStats(9, stats)}


def test_nothing_but_nan() -> None:
    entry = SeriesStats(1, stats_of(columns([NAN, NAN], "float64", 0)))
    assert entry.stats.min is None
    [found] = unpack_stats(pack_stats({7: entry})).values()
    assert bits(found) == bits(entry) and found.stats.min is None


def test_a_short_series_is_small() -> None:
    assert len(pack_stats({1: SeriesStats(5, stats_of(columns([0.5], "float64", 0)))})) <= 20
    assert len(pack_stats({1: SeriesStats(5, stats_of(columns([0.5, 0.1, 0.7], "float64", 0)))})) <= 52
