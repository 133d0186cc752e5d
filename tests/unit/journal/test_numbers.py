"""Numbers come back bit for bit, or are refused by name and counted. Nothing is rounded in silence, nothing raises."""

from __future__ import annotations

import enum
import math
import struct
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import lineal
from lineal.journal.numbers import NotExact, exact_number


def bits(number):
    return struct.pack("<d", number) if isinstance(number, float) else number


class Tensor:
    """What torch, jax and tensorflow have in common."""

    def __init__(self, *values):
        self.values = values

    def item(self):
        if len(self.values) != 1:
            raise ValueError("only one element tensors can be converted")
        return self.values[0]


class Level(enum.IntEnum):
    LOW = 3


class Half(float):
    """A subclass with its own idea of conversion."""

    def __float__(self):
        return 99.0


NAN_PAYLOAD = struct.unpack("<d", bytes.fromhex("01000000000cf87f"))[0]
NEGATIVE_NAN = struct.unpack("<d", bytes.fromhex("000000000000f8ff"))[0]

TAKEN = [
    (1.5, 1.5),
    (0.1, 0.1),
    (-0.0, -0.0),
    (5e-324, 5e-324),
    (2.2250738585072014e-308 / 4, 2.2250738585072014e-308 / 4),
    (1.7976931348623157e308, 1.7976931348623157e308),
    (math.inf, math.inf),
    (-math.inf, -math.inf),
    (NAN_PAYLOAD, NAN_PAYLOAD),
    (NEGATIVE_NAN, NEGATIVE_NAN),
    (0, 0),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**53 + 1, 2**53 + 1),
    (2**63, float(2**63)),
    (2**64, float(2**64)),
    (-(2**70), float(-(2**70))),
    (True, 1),
    (False, 0),
    (Level.LOW, 3),
    (np.float64(0.1), 0.1),
    (np.float64(NAN_PAYLOAD), NAN_PAYLOAD),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float32(1e-45), float(np.float32(1e-45))),
    (np.float16(0.1), float(np.float16(0.1))),
    (np.float32("nan"), math.nan),
    (np.float32("-inf"), -math.inf),
    (np.longdouble(0.5), 0.5),
    (np.int64(2**63 - 1), 2**63 - 1),
    (np.int32(-5), -5),
    (np.int16(-5), -5),
    (np.int8(-128), -128),
    (np.uint8(255), 255),
    (np.uint16(65535), 65535),
    (np.uint32(2**32 - 1), 2**32 - 1),
    (np.uint64(2**53 + 1), 2**53 + 1),
    (np.uint64(2**63), float(2**63)),
    (np.bool_(True), 1),
    (np.array(0.1), 0.1),
    (np.array([7]), 7),
    (np.array([[2**53 + 1]]), 2**53 + 1),
    (np.array([0.1], np.float32), float(np.float32(0.1))),
    (Tensor(0.25), 0.25),
    (Tensor(np.float32(0.1)), float(np.float32(0.1))),
    (Tensor(np.array([3])), 3),
    (Decimal("0.5"), 0.5),
    (Decimal("-0"), -0.0),
    (Decimal("NaN"), math.nan),
    (Decimal("Infinity"), math.inf),
    (Fraction(1, 4), 0.25),
]


@pytest.mark.parametrize(
    ("value", "expected"), TAKEN, ids=[f"{type(v).__name__}-{n}" for n, (v, _) in enumerate(TAKEN)]
)
def test_exact_number(value, expected):
    number = exact_number(value)
    assert type(number) is type(expected)
    if isinstance(expected, float) and math.isnan(expected) and not isinstance(value, (float, np.floating)):
        assert math.isnan(number)
    else:
        assert bits(number) == bits(expected)


class Raising:
    def __float__(self):
        raise RuntimeError("no")

    def __str__(self):
        raise RuntimeError("no text either")

    __repr__ = __str__


class RaisingItem:
    def item(self):
        raise RuntimeError("not now")


class EndlessItem:
    def item(self):
        return EndlessItem()


class UnreadableInt(int):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


REFUSED = [
    None,
    "1.0",
    b"1",
    1j,
    [1.0],
    (1,),
    {"a"},
    object(),
    float,
    np.array([1.0, 2.0]),
    np.array([]),
    np.str_("1"),
    np.complex64(1),
    np.longdouble(1) / 3,
    np.uint64(2**64 - 1),
    np.void(b"x"),
    Decimal("0.1"),
    Decimal("sNaN"),
    Decimal(10) ** 400,
    Fraction(1, 3),
    Fraction(10**5000, 3),
    2**63 + 1,
    10**400,
    10**5000,
    -(10**5000),
    UnreadableInt(10**30 + 1),
    Tensor(1.0, 2.0),
    Tensor(None),
    Raising(),
    RaisingItem(),
    EndlessItem(),
]


@pytest.mark.parametrize("value", REFUSED, ids=[f"{type(v).__name__}-{n}" for n, v in enumerate(REFUSED)])
def test_what_is_no_exact_number(value):
    with pytest.raises(NotExact) as caught:
        exact_number(value)
    assert caught.value.reason in ("not_a_number", "not_exact")


def test_all_of_it_through_log_and_back(tmp_path, caplog):
    """Each value beside a good one: a refused value takes nothing else with it."""
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        for step, (value, _) in enumerate(TAKEN):
            run.log({f"v{step}": value, "good": step}, step=step)
        for value in REFUSED:
            run.log({"bad": value, "good": -1}, step=-1)
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    for step, (value, expected) in enumerate(TAKEN):
        (got,) = logged.history(f"v{step}").value.tolist()
        assert type(got) is type(expected), value
        if not (isinstance(expected, float) and math.isnan(expected)) or isinstance(value, float):
            assert bits(got) == bits(expected), value
    assert logged.history("good").value.tolist() == [*range(len(TAKEN)), *[-1] * len(REFUSED)]
    assert sum(logged.losses.values()) == len(REFUSED)
    assert set(logged.losses) == {"not_a_number", "not_exact"}
    assert "bad" not in {info.key.name for info in logged.series}
    assert 1 <= len(caplog.records) <= 2


STEPS: list = [
    0,
    -5,
    5,
    5,
    2**62,
    1.5,
    -0.0,
    math.inf,
    np.int64(7),
    np.float32(0.1),
    Decimal("0.5"),
    True,
    np.array([3]),
    2**63,
]
BAD_STEPS: list = ["1", [1], 1j, 10**400, 10**5000, Decimal("0.1"), np.array([1, 2]), Raising(), object()]


def test_steps_of_every_kind(tmp_path):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        for step in STEPS:
            run.log({"x": 1.0}, step=step)
        for step in BAD_STEPS:
            run.log({"x": 2.0, "y": 1}, step=step)
        run.log({"after": 1})
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    history = logged.history("x")
    assert history.value.tolist() == [1.0] * len(STEPS)
    assert [float(step) for step in history.step.tolist()] == [float(exact_number(step)) for step in STEPS]
    assert sum(logged.losses.values()) >= len(BAD_STEPS)
    assert len(logged.history("after")) == 1


def test_a_nan_step_is_kept(tmp_path):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        run.log({"x": 1.0}, step=math.nan)
        run.log({"x": 2.0})
    assert lineal.get_run("r", url=tmp_path / "lineal").history("x").value.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("metrics", [None, 5, "x", [1, 2], [("a", 1)], object(), np.array([1.0]), {1, 2}])
def test_what_is_no_mapping(tmp_path, metrics):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        run.log(metrics)
        run.log({"x": 1})
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert sum(logged.losses.values()) == 1
    assert logged.history("x").value.tolist() == [1]


@pytest.mark.parametrize(
    "timestamp",
    [
        0,
        -1,
        1_700_000_000_000,
        1.7e12,
        np.int64(1_700_000_000_000),
        True,
        2**60,
        -(2**60),
        "x",
        None,
        math.nan,
        [1],
        Raising(),
    ],
)
def test_timestamps(tmp_path, timestamp):
    with lineal.init(url=tmp_path / "lineal", run_id="r") as run:
        run.log({"x": 1}, timestamp=timestamp)
        run.log({"odd": np.array([1])}, timestamp=timestamp)
        run.log({"y": 1})
    logged = lineal.get_run("r", url=tmp_path / "lineal")
    assert logged.history("y").value.tolist() == [1]
    lost = sum(logged.losses.values())
    assert len(logged.series) + lost == 3
    if not lost and timestamp is not None:
        assert logged.history("x").time_ms.tolist() == [int(timestamp)]
        assert logged.history("odd").time_ms.tolist() == [int(timestamp)]
