"""Columns, batches and pyramids come back bit for bit, and damaged bytes are Damaged, never anything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.errors import Damaged
from lineal.series.batch import decode_batch, encode_batch, layout_rows, read_batch_column
from lineal.series.blocks import columns_of
from lineal.series.encoding import SMALL_ROWS, decode_column, encode_column
from lineal.series.pyramid import build, decode_pyramid, encode_pyramid
from tests.unit.series.strategies import any_arrays, arrays, bits, blocks, columns, row_bits

SHARED = ("seq", "step", "time_ms")
BUCKETS = ("count", "nan_count", "min", "max", "first", "last", "step_min", "step_max", "time_min", "time_max")


@given(any_arrays)
def test_a_column_comes_back_bit_for_bit(array):
    data = encode_column(array)
    assert bits(decode_column(data)) == bits(array)
    assert bits(decode_column(memoryview(data))) == bits(array)
    assert len(data) <= array.nbytes + (1 if len(array) < SMALL_ROWS else 5)


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
    size = draw(st.sampled_from([0, 1, 2, 100, 2_048, 2_049, 5_000]))
    step = arrays(size)
    return draw(columns(size=size, value=arrays(size), step=step)) if size <= 100 else _long(draw, size)


def _long(draw, size):
    part = draw(columns(size=40))
    repeat = [np.resize(getattr(part, name), size) for name in ("step", "time_ms", "value")]
    return type(part)(np.arange(1, size + 1), *repeat)


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
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(len(data), 40) - 1) | st.integers(0, len(data) - 1))
        data[place] = draw(st.integers(0, 255))
    return bytes(data)


@given(damaged(any_arrays.map(encode_column)))
def test_a_damaged_column_is_an_array_or_damaged(data):
    # Columns of fewer than SMALL_ROWS rows have no checksum of their own: they may come back as other numbers.
    try:
        array = decode_column(data)
    except Damaged:
        return
    assert array.dtype in (np.float64, np.int64)


@given(st.binary(max_size=60))
def test_nonsense_is_an_array_or_damaged(data):
    try:
        decode_column(data)
    except Damaged:
        pass
    for decode in (decode_pyramid, layout_rows):
        with pytest.raises(Damaged):
            decode(data)


@given(st.data())
def test_a_damaged_checked_piece_is_noticed(data):
    array = data.draw(arrays(data.draw(st.sampled_from([64, 65, 200]))))
    block = data.draw(blocks())
    points = data.draw(columns())
    pieces = [
        (encode_column(array), decode_column),
        (encode_batch([(0, block)]), lambda piece: decode_batch(piece, lambda _: block.layout)),
        (encode_pyramid(build(points)), decode_pyramid),
    ]
    for whole, decode in pieces:
        piece = data.draw(damaged(st.just(whole)))
        if piece != whole:
            with pytest.raises(Damaged):
                decode(piece)
