"""Every spec/golden/chunk-*.bin means what its .json says.

After a change of the format, and only then: `PYTHONPATH=src:. .venv/bin/python tests/unit/series/test_golden_chunks.py`
writes the files anew.
"""

import json
import math
import struct
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lineal.model.entities import Layout, SeriesKey
from lineal.series.batch import decode_batch, encode_batch, layout_rows, read_batch_column
from lineal.series.columns import Block, Buckets
from lineal.series.encoding import decode_column, encode_column
from lineal.series.pyramid import Pyramid, decode_pyramid, encode_pyramid

GOLDEN = Path(__file__).resolve().parents[3] / "spec" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("chunk-*.json"))


def to_json(array):
    """A float that JSON cannot write is its 64 bits in hex."""
    numbers = [
        f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}" if isinstance(x, float) and not math.isfinite(x) else x
        for x in array.tolist()
    ]
    return {"dtype": str(array.dtype), "numbers": numbers}


def from_json(column):
    def number(x):
        return struct.unpack("<d", int(x, 16).to_bytes(8, "little"))[0] if isinstance(x, str) else x

    return np.array([number(x) for x in column["numbers"]], dtype=column["dtype"])


def block_of(meaning):
    series = tuple(SeriesKey(s["name"], tuple(map(tuple, s["labels"])), s["value_type"]) for s in meaning["series"])
    values = tuple(from_json(values) for values in meaning["values"])
    layout = Layout(meaning["step_type"], series)
    seq, step, time_ms = (from_json(meaning[name]) for name in ("seq", "step", "time_ms"))
    return Block(layout, seq, step, time_ms, values)


def bits(array):
    return (array.dtype, array.tobytes())


def assert_same(a, b):
    for field in fields(a):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if field.name == "layout":
            assert left == right
        elif field.name == "values":
            assert [bits(x) for x in left] == [bits(x) for x in right]
        else:
            assert bits(left) == bits(right), field.name


def load(name):
    meaning = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return meaning, (GOLDEN / f"{name}.bin").read_bytes()


def check_column(meaning, data):
    expected = from_json(meaning["column"])
    assert bits(decode_column(data)) == bits(expected)
    return encode_column(expected), lambda again: bits(decode_column(again)) == bits(expected)


def check_batch(meaning, data):
    blocks = [(entry["layout_number"], block_of(entry)) for entry in meaning["blocks"]]
    layouts = {number: block.layout for number, block in blocks}
    found = decode_batch(data, layouts.__getitem__)
    assert [number for number, _ in found] == [number for number, _ in blocks]
    assert layout_rows(data) == [(number, len(block)) for number, block in blocks]
    for (_, got), (_, expected) in zip(found, blocks, strict=True):
        assert_same(got, expected)
        for key, values in zip(expected.layout.series, expected.values, strict=True):
            assert bits(values) in [bits(c.value) for c in read_batch_column(data, layouts.__getitem__, key)]
    return encode_batch(blocks), lambda again: len(decode_batch(again, layouts.__getitem__)) == len(blocks)


def check_pyramid(meaning, data):
    buckets = Buckets(*(from_json(meaning["buckets"][field.name]) for field in fields(Buckets)))
    expected = Pyramid(meaning["width"], buckets)
    found = decode_pyramid(data)
    assert (found.width, found.point_count) == (expected.width, meaning["point_count"])
    assert_same(found.buckets, expected.buckets)
    return encode_pyramid(expected), lambda again: len(decode_pyramid(again).buckets) == len(buckets)


CHECKS = {"column": check_column, "batch": check_batch, "pyramid": check_pyramid}


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    meaning, data = load(name)
    again, reads_back = CHECKS[meaning["kind"]](meaning, data)
    if meaning["deterministic"]:
        assert again == data
    else:
        assert reads_back(again)


def test_there_are_golden_files_of_every_kind():
    assert {load(name)[0]["kind"] for name in NAMES} == set(CHECKS)
    assert {path.stem for path in GOLDEN.glob("chunk-*.bin")} == set(NAMES)


# -- writing them ------------------------------------------------------------------------------------------------


def columns():
    odd = [1.5, -0.0, math.inf, -math.inf, 5e-324, -(2.0**0.5)]
    payload = struct.unpack("<d", bytes.fromhex("01000000000cf47f"))[0]
    wave = np.round(np.sin(np.arange(80) / 7.0), 3)
    yield "raw", np.array([*odd, payload, math.nan]), True
    yield "regular", np.arange(40, 4000, 40), True
    yield "constant", np.full(5, 0.1), True
    yield "narrow", 1_700_000_000_000 + np.array([0, 3, 3, 2, 250, 251]), True
    yield "float32", np.array([0.5, 0.1, 3e38, math.nan], np.float32).astype(np.float64), True
    yield "pcodec-float64", np.append(wave, [math.nan, -0.0, math.inf]), False
    yield "pcodec-int64", np.cumsum(np.arange(90) % 7) * (-1) ** np.arange(90), False
    yield "empty-int64", np.zeros(0, np.int64), True
    yield "empty-float64", np.zeros(0, np.float64), True


def blocks():
    loss, lr, seen = SeriesKey("loss"), SeriesKey("lr", (("rank", "1"),)), SeriesKey("seen", (), "int64")
    times = 1_700_000_000_000 + np.array([0, 12, 11])
    yield (
        3,
        Block(
            Layout("int64", (loss, seen, lr)),
            np.array([7, 8, 10]),
            np.array([0, 1, 1]),
            times,
            (np.array([0.1, math.nan, -0.0]), np.array([2**53 + 1, 0, -(2**63)]), np.array([0.01, 0.01, 0.001])),
        ),
    )
    yield (
        1,
        Block(
            Layout("float64", (seen, loss)),
            np.array([9, 11]),
            np.array([0.5, 0.25]),
            times[1:],
            (np.array([1, 2]), np.array([0.5, math.inf])),
        ),
    )
    steps = np.arange(70)
    yield 2, Block(Layout("int64", (seen,)), 12 + steps, steps, times[0] + 5 * steps, (steps * 64,))


def pyramids():
    ints, floats = np.array([4, -9, 2**53 + 1]), np.array([0.25, -0.0, math.nan])
    base = 1_700_000_000_000
    one = np.ones(3, np.int64)
    none = np.zeros(3, np.int64)
    times = base + np.array([0, 10, 5])
    steps = np.array([0, 1, 0])
    yield "ints", Pyramid(1, Buckets(one, none, ints, ints, ints, ints, steps, steps, times, times))
    extreme = np.array([0.25, 0.0, math.nan])
    float_steps = np.array([0.0, 0.5, 1.0])
    nans = np.array([0, 0, 1])
    yield (
        "floats",
        Pyramid(
            1,
            Buckets(one, nans, extreme, extreme, floats, floats, float_steps, float_steps, times, times),
        ),
    )
    yield (
        "wide",
        Pyramid(
            4,
            Buckets(
                count=np.array([4, 4, 2]),
                nan_count=np.array([0, 1, 2]),
                min=np.array([-1.5, 0.0, math.nan]),
                max=np.array([2.0, math.inf, math.nan]),
                first=np.array([2.0, -0.0, math.nan]),
                last=np.array([-1.5, 0.1, math.nan]),
                step_min=np.array([0, 4, 8]),
                step_max=np.array([3, 7, 9]),
                time_min=base + np.array([0, 50, 40]),
                time_max=base + np.array([45, 52, 60]),
            ),
        ),
    )


def write(name, kind, deterministic, data, **meaning):
    meaning = {"kind": kind, "deterministic": deterministic, **meaning}
    (GOLDEN / f"chunk-{name}.bin").write_bytes(data)
    (GOLDEN / f"chunk-{name}.json").write_text(json.dumps(meaning, indent=1) + "\n", encoding="utf-8")


def write_all():
    for name, array, deterministic in columns():
        write(f"column-{name}", "column", deterministic, encode_column(array), column=to_json(array))
    entries = [
        {
            "layout_number": number,
            "step_type": block.layout.step_type,
            "series": [key._asdict() for key in block.layout.series],
            **{name: to_json(getattr(block, name)) for name in ("seq", "step", "time_ms")},
            "values": [to_json(values) for values in block.values],
        }
        for number, block in blocks()
    ]
    write("batch", "batch", True, encode_batch(list(blocks())), blocks=entries)
    for name, pyramid in pyramids():
        write(
            f"pyramid-{name}",
            "pyramid",
            True,
            encode_pyramid(pyramid),
            width=pyramid.width,
            point_count=pyramid.point_count,
            buckets={field.name: to_json(getattr(pyramid.buckets, field.name)) for field in fields(Buckets)},
        )


if __name__ == "__main__":
    write_all()
