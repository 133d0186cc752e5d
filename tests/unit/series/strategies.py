"""Columns and blocks of any bit pattern, for the property tests of series."""

import numpy as np
from hypothesis import strategies as st

from lineal.model.entities import Layout, SeriesKey
from lineal.series.columns import Block, Columns

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

any_int64 = st.one_of(
    st.integers(INT64_MIN, INT64_MAX),
    st.integers(-5, 5),
    st.sampled_from([INT64_MIN, INT64_MAX, 2**53, 2**53 + 1, -(2**53) - 1]),
)
any_bits = st.integers(0, 2**64 - 1)  # as a float: NaN payloads, signalling NaN, subnormals
odd_floats = st.sampled_from([0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 0.1, 1.0])


def float_array(numbers):
    return np.array(numbers, np.float64)


def bits_array(numbers):
    return np.array(numbers, np.uint64).view(np.float64)


def int_array(numbers):
    return np.array(numbers, np.int64)


def int64_arrays(size):
    return st.lists(any_int64, min_size=size, max_size=size).map(int_array)


def float64_arrays(size):
    return st.one_of(
        st.lists(any_bits, min_size=size, max_size=size).map(bits_array),
        st.lists(odd_floats, min_size=size, max_size=size).map(float_array),
        st.lists(st.floats(width=32), min_size=size, max_size=size).map(float_array),
    )


def regular_arrays(size):
    return st.tuples(any_int64, any_int64).map(
        lambda pair: np.arange(size, dtype=np.int64) * np.int64(pair[1]) + np.int64(pair[0])
    )


def arrays(size):
    """Of either type; long ones are a short one repeated with a drift, since drawing each number is slow."""
    if size <= 80:
        return st.one_of(int64_arrays(size), float64_arrays(size), regular_arrays(size))
    return st.one_of(
        int64_arrays(40).map(lambda a: np.resize(a, size) + np.arange(size) // 40),
        float64_arrays(40).map(lambda a: np.resize(a, size)),
        st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).standard_normal(size)),
        regular_arrays(size),
    )


sizes = st.one_of(st.integers(0, 80), st.sampled_from([63, 64, 65, 200, 1000]))
any_arrays = sizes.flatmap(arrays)


@st.composite
def columns(draw, max_size=60):
    """Points of one series; steps and times may go back, steps may be floats and NaN."""
    size = draw(st.integers(0, max_size))
    steps = st.one_of(
        st.lists(st.integers(-5, 30), min_size=size, max_size=size).map(int_array),
        st.lists(st.sampled_from([0.0, -0.0, 0.5, 1.5, float("nan")]), min_size=size, max_size=size).map(float_array),
    )
    values = st.one_of(float64_arrays(size), int64_arrays(size))
    times = draw(st.lists(st.integers(0, 50), min_size=size, max_size=size))
    return Columns(np.arange(1, size + 1), draw(steps), int_array(times), draw(values))


@st.composite
def blocks(draw):
    """A block of any layout, of 0 to 80 rows."""
    rows = draw(st.one_of(st.integers(0, 12), st.sampled_from([63, 64, 80])))
    types = draw(st.lists(st.sampled_from(["float64", "int64"]), max_size=5))
    step_type = draw(st.sampled_from(["int64", "float64"]))
    series = tuple(SeriesKey(f"m{place}", (), value_type) for place, value_type in enumerate(types))
    by_type = {"int64": int64_arrays(rows), "float64": float64_arrays(rows)}
    return Block(
        Layout(step_type, series),
        np.cumsum(draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows).map(int_array))),
        draw(by_type[step_type]),
        draw(by_type["int64"]),
        tuple(draw(by_type[value_type]) for value_type in types),
    )


def bits(array):
    """What must be equal when arrays must be the same bit for bit."""
    return array.dtype, array.tobytes()


def row_bits(parts, names):
    return [bits(getattr(parts, name)) for name in names]
