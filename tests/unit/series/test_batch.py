import zlib

import numpy as np
import pytest

from lineal.model.entities import Layout, SeriesKey
from lineal.model.errors import Damaged, NewerFormat
from lineal.series import values
from lineal.series.batch import decode_batch, encode_batch, layout_rows, read_batch_column
from lineal.series.blocks import columns_of, concat, split
from lineal.series.columns import Block
from lineal.series.encoding import decode_bare


def block(series=5, rows=10, seed=0):
    numbers = np.random.default_rng(seed)
    layout = Layout("int64", tuple(SeriesKey(f"m{place}") for place in range(series)))
    seq = np.arange(1, rows + 1)
    return Block(layout, seq, seq * 10, seq * 7, tuple(numbers.standard_normal(rows) for _ in range(series)))


@pytest.mark.parametrize("rows", [10, 100])
def test_one_series_is_read_without_decoding_the_others(rows, monkeypatch):
    whole = block(50, rows)
    data = encode_batch([(1, whole), (2, block(3, rows, seed=1))])
    layouts = {1: whole.layout, 2: block(3).layout}
    decoded = []

    def counting(data):
        decoded.append(len(data))
        return decode_bare(data)

    monkeypatch.setattr(values, "decode_bare", counting)
    [found] = read_batch_column(data, layouts.__getitem__, SeriesKey("m40"))
    assert found.value.tolist() == whole.values[40].tolist()
    assert found.seq.tolist() == whole.seq.tolist()
    assert len(decoded) <= 1


def test_a_series_that_no_block_has():
    assert read_batch_column(encode_batch([(1, block())]), lambda _: block().layout, SeriesKey("other")) == []
    assert read_batch_column(encode_batch([]), lambda _: block().layout, SeriesKey("m0")) == []


def test_few_rows_cost_little():
    assert len(encode_batch([(1, block(5, 10))])) <= 5 * 10 * 8 + 50
    assert len(encode_batch([(1, block(100, 20))])) <= 100 * 20 * 8 + 60


@pytest.mark.parametrize("rows", [10, 100])
def test_a_layout_that_does_not_fit_is_damage(rows):
    data = encode_batch([(1, block(5, rows))])
    assert layout_rows(data) == [(1, rows)]
    for layout in (
        block(4).layout,
        block(6).layout,
        Layout("float64", block(5).layout.series),
    ):
        with pytest.raises(Damaged):
            decode_batch(data, {1: layout}.__getitem__)
    with pytest.raises(KeyError):
        decode_batch(data, {2: block(5).layout}.__getitem__)


def test_a_newer_version_is_not_called_damage():
    data = bytearray(encode_batch([(1, block())])[:-4])
    data[0] = 2
    data += zlib.crc32(data).to_bytes(4, "little")
    with pytest.raises(NewerFormat):
        layout_rows(bytes(data))


@pytest.mark.parametrize(
    "change",
    [
        {"seq": np.arange(9)},
        {"step": np.arange(10) / 2},
        {"time_ms": np.arange(11)},
        {"values": tuple(np.arange(10) for _ in range(5))},
        {"values": tuple(np.zeros(9) for _ in range(5))},
        {"values": (np.zeros(10),)},
    ],
)
def test_a_block_that_does_not_agree_with_itself_is_refused(change):
    good = block()
    arrays = {name: getattr(good, name) for name in ("seq", "step", "time_ms", "values")}
    with pytest.raises(ValueError):
        encode_batch([(1, Block(good.layout, **{**arrays, **change}))])


def test_blocks_are_cut_and_joined():
    whole = block(3, 10)
    parts = split(whole, 4)
    assert [len(part) for part in parts] == [4, 4, 2]
    again = concat(parts)
    assert again.seq.tolist() == whole.seq.tolist()
    assert [v.tolist() for v in again.values] == [v.tolist() for v in whole.values]
    assert split(whole, 10) == [whole]
    assert split(block(3, 0), 5) == []
    assert concat([whole]) is whole
    for bad in ([], [whole, block(4, 10)]):
        with pytest.raises(ValueError):
            concat(bad)
    with pytest.raises(ValueError):
        split(whole, 0)


def test_columns_of_a_block_share_its_arrays():
    whole = block()
    found = columns_of(whole, SeriesKey("m3"))
    assert found is not None
    assert found.value is whole.values[3]
    assert found.seq is whole.seq
    assert columns_of(whole, SeriesKey("m3", (), "int64")) is None
