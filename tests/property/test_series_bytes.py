"""Columns, batches and pyramids come back bit for bit, and damaged bytes are Damaged, never anything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.errors import Damaged
from lineal.series.batch import decode_batch, encode_batch, layout_rows, read_batch_column
from lineal.series.blocks import columns_of
from lineal.series.columns import Columns
from lineal.series.encoding import decode_bare, decode_column, encode_bare, encode_column
from lineal.series.pyramid import build, decode_pyramid, encode_pyramid
from tests.unit.series.strategies import any_arrays, bits, blocks, columns, row_bits

SHARED = ("seq", "step", "time_ms")
BUCKETS = ("count", "nan_count", "min", "max", "first", "last", "step_min", "step_max", "time_min", "time_max")


@given(any_arrays)
def test_a_column_comes_back_bit_for_bit(array):
    data = encode_column(array)
    assert bits(decode_column(data)) == bits(array)
    assert bits(decode_column(memoryview(data))) == bits(array)
    assert len(data) <= array.nbytes + 5


@given(st.lists(blocks(), max_size=4))
def test_a_batch_comes_back_bit_for_bit(given_blocks):
    data = encode_batch(list(enumerate(given_blocks)))
    layouts = [block.layout for block in given_blocks]
    found = decode_batch(data, layouts.__getitem__)
    assert layout_rows(data) == [(number, len(block)) for number, block in enumerate(given_blocks)]
    for number, block in enumerate(given_blocks):
        assert found[number][0] == number
        assert found[number][1].layout == block.layout
        assert row_bits(found[number][1], SHARED) == row_bits(block, SHARED)
        assert [bits(values) for values in found[number][1].values] == [bits(values) for values in block.values]
    for key in {key for layout in layouts for key in layout.series}:
        expected = [part for block in given_blocks if (part := columns_of(block, key)) is not None]
        got = read_batch_column(data, layouts.__getitem__, key)
        assert [row_bits(part, (*SHARED, "value")) for part in got] == [
            row_bits(part, (*SHARED, "value")) for part in expected
        ]


@st.composite
def long_columns(draw):
    """Few points, again and again: the pyramid has one bucket a point up to 2,048 of them."""
    few = draw(columns().filter(len))
    size = draw(st.sampled_from([len(few), 2_048, 2_049, 5_000]))
    repeated = [np.resize(getattr(few, name), size) for name in ("step", "time_ms", "value")]
    return Columns(np.arange(1, size + 1), *repeated)


@given(long_columns())
def test_a_pyramid_comes_back_bit_for_bit(points):
    pyramid = build(points)
    again = decode_pyramid(encode_pyramid(pyramid))
    assert (again.width, again.point_count) == (pyramid.width, len(points))
    assert row_bits(again.buckets, BUCKETS) == row_bits(pyramid.buckets, BUCKETS)


# -- damage ------------------------------------------------------------------------------------------------------


@st.composite
def damaged(draw, whole):
    """The bytes cut off somewhere, or with some bytes changed."""
    data = bytearray(draw(whole))
    if draw(st.booleans()):
        return bytes(data[: draw(st.integers(0, len(data) - 1))])
    for place in draw(st.sets(st.integers(0, min(len(data), 40) - 1) | st.integers(0, len(data) - 1), min_size=1)):
        data[place] ^= draw(st.integers(1, 255))
    return bytes(data)


@given(damaged(any_arrays.map(encode_bare)) | st.binary(max_size=60))
def test_bytes_that_nobody_checked_are_an_array_or_damaged(data):
    try:
        array = decode_bare(memoryview(data))
    except Damaged:
        return
    assert array.dtype in (np.float64, np.int64)


@given(st.binary(max_size=60))
def test_nonsense_is_damaged(data):
    for decode in (decode_column, decode_pyramid, layout_rows):
        with pytest.raises(Damaged):
            decode(data)


@given(damaged(any_arrays.map(encode_column)))
def test_a_damaged_column_is_damaged(data):
    with pytest.raises(Damaged):
        decode_column(data)


@given(damaged(blocks().map(lambda block: encode_batch([(0, block)]))))
def test_a_damaged_batch_is_damaged(data):
    with pytest.raises(Damaged):
        layout_rows(data)


@given(damaged(columns().map(lambda points: encode_pyramid(build(points)))))
def test_a_damaged_pyramid_is_damaged(data):
    with pytest.raises(Damaged):
        decode_pyramid(data)
