"""What a column costs, and what is refused."""

import numpy as np
import pytest

from lineal.model.errors import Damaged, OverLimit
from lineal.model.limits import COLUMN_MAX_ROWS
from lineal.series.encoding import decode_bare, decode_column, encode_bare, encode_column
from lineal.series.varint import get_signed, get_varint, put_signed, put_varint

# A curve as training makes it: decaying, noisy.
NOISE = np.exp(-np.arange(65_536) / 20_000) + 0.1 * np.random.default_rng(7).standard_normal(65_536)
TIMES = 1_700_000_000_000 + np.cumsum(np.random.default_rng(7).integers(0, 30, 65_536))


@pytest.mark.parametrize(
    ("array", "most"),
    [
        pytest.param(NOISE[:10], 81, id="noise: raw and a tag"),
        pytest.param(NOISE[:10].astype(np.float32).astype(np.float64), 41, id="born as float32"),
        pytest.param(np.arange(1, 11), 4, id="sequence numbers"),
        pytest.param(np.full(10, 0.1), 13, id="constant"),
        pytest.param(np.array([5]), 4, id="one int"),
        pytest.param(np.zeros(0), 1, id="nothing"),
        pytest.param(TIMES[:10], 20, id="wall times"),
        pytest.param(np.arange(0, 65_536 * 50, 50), 8, id="steps"),
        pytest.param(NOISE, 7.0 * 65_536, id="long noise"),
        pytest.param(NOISE.astype(np.float32).astype(np.float64), 3.4 * 65_536, id="long float32"),
        pytest.param(TIMES, 0.7 * 65_536, id="long wall times"),
        pytest.param(np.frombuffer(np.random.default_rng(7).bytes(80_000)), 80_001, id="random bits"),
    ],
)
def test_size(array, most):
    data = encode_bare(array)
    assert len(data) <= most
    assert decode_bare(memoryview(data)).tobytes() == array.tobytes()
    assert len(encode_column(array)) == len(data) + 4


@pytest.mark.parametrize("array", [NOISE[:7], NOISE[:100], TIMES[:7], TIMES[:100], np.arange(9)])
def test_a_decoded_column_is_one_s_own(array):
    decoded = decode_column(encode_column(array))
    assert decoded.flags.writeable
    assert decoded.flags.aligned
    assert decoded.flags.c_contiguous


def test_a_view_with_strides_is_encoded_as_what_it_shows():
    assert decode_column(encode_column(NOISE[::3])).tobytes() == NOISE[::3].tobytes()
    assert decode_column(encode_column(NOISE[:20:-1][:9])).tobytes() == NOISE[:20:-1][:9].tobytes()


@pytest.mark.parametrize(
    "array", [np.zeros(3, np.int32), np.zeros((2, 2)), np.array(["a"]), np.array([1, 0.5], object)]
)
def test_other_arrays_are_refused(array):
    with pytest.raises(TypeError, match="one-dimensional int64 or float64"):
        encode_column(array)


def test_a_column_has_a_bound_in_both_directions():
    with pytest.raises(OverLimit):
        encode_column(np.zeros(COLUMN_MAX_ROWS + 1))
    for method in (1, 2, 4):
        bomb = bytearray((method,))
        put_varint(bomb, 2**63)
        bomb += bytes(20)
        with pytest.raises(Damaged, match="claims"):
            decode_bare(memoryview(bomb))


def test_pcodec_must_hold_as_many_rows_as_the_column_says():
    data = encode_bare(NOISE[:100])
    for rows in (0, 99, 101):
        with pytest.raises(Damaged):
            decode_bare(memoryview(data[:1] + bytes((rows,)) + data[2:]))
    with pytest.raises(Damaged, match="pcodec refuses"):
        decode_bare(memoryview(bytes((data[0] & ~0x40,)) + data[1:]))


def test_every_cut_and_flip_of_a_column_is_noticed():
    for array in (NOISE[:10], NOISE[:80], TIMES[:10], np.arange(80)):
        data = encode_column(array)
        pieces = [data[:end] for end in range(len(data))]
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            pieces.append(bytes(flipped))
        for piece in pieces:
            with pytest.raises(Damaged):
                decode_column(piece)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 2**32, 2**63, 2**64 - 1])
def test_varint(number):
    out = bytearray(b"x")
    put_varint(out, number)
    assert get_varint(bytes(out), 1) == (number, len(out))
    for end in range(1, len(out)):
        with pytest.raises(Damaged):
            get_varint(bytes(out[:end]), 1)


@pytest.mark.parametrize("number", [0, -1, 1, -64, 64, -(2**63), 2**63 - 1])
def test_signed_varint(number):
    out = bytearray()
    put_signed(out, number)
    assert get_signed(bytes(out), 0) == (number, len(out))
    assert len(out) == 1 or abs(number) >= 64


def test_a_varint_beyond_64_bits_is_damaged():
    for data in (b"\xff" * 9 + b"\x02", b"\xff" * 11):
        with pytest.raises(Damaged):
            get_varint(data, 0)
