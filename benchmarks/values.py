"""The numbers every tracker is given: noisy decaying curves, the same for all, never made inside a timed
call.

A metric number `m` at step `s` of `n` is `(1 + m/10) * exp(-4 s/n) + 0.05 * noise`: full-mantissa doubles,
which no encoder can shrink much. The `float32` variant rounds each value to a float32 first, as a framework's
scalar is born.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator

Value = float | int
Row = dict[str, Value]

SEED = 20_260


def names(count: int, prefix: str = "m") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def params(number: int = 0) -> dict[str, Value | str]:
    """Ten params of mixed types; `p0` runs evenly over [0, 1) from run to run, so that a filter on it halves
    them."""
    rng = random.Random(SEED + number)
    out: dict[str, Value | str] = {"p0": rng.random(), "p1": number, "p2": 10 ** -rng.randint(1, 5)}
    out.update({"p3": rng.choice(["adam", "sgd", "lion"]), "p4": rng.randint(1, 512), "p5": rng.random()})
    out.update({"p6": "resnet50", "p7": rng.random(), "p8": 0.1, "p9": f"seed-{number}"})
    return out


def _is_int(metric: int, step: int) -> bool:
    """Which values of the `ints` variant are ints: every fourth metric always, the first one in every tenth
    step."""
    return metric % 4 == 3 or (metric == 0 and step % 10 == 7)


def rows(steps: int, metrics: int, *, ints: bool = False, float32: bool = False, prefix: str = "m") -> Iterator[Row]:
    """One fresh dict a step, values changing every time."""
    gauss = random.Random(SEED).gauss
    keys = names(metrics, prefix)
    scales = [1 + number / 10 for number in range(metrics)]
    for step in range(steps):
        decay = math.exp(-4 * step / steps)
        curve = [scale * decay + 0.05 * gauss(0, 1) for scale in scales]
        if float32:
            curve = array("f", curve).tolist()
        row: Row = dict(zip(keys, curve, strict=True))
        if ints:
            for number, key in enumerate(keys):
                if _is_int(number, step):
                    row[key] = int(1000 * row[key])
        yield row


def calls(steps: int, metrics: int, schema: str, *, ints: bool = False, float32: bool = False) -> list[tuple[Row, int]]:
    """The log calls of a scenario. `same`: all metrics in one dict a step. `alternating`: the same number of
    calls, train keys and eval keys in turn. `single`: one metric a call, the names in turn."""
    if schema == "same":
        return [(row, step) for step, row in enumerate(rows(steps, metrics, ints=ints, float32=float32))]
    if schema == "alternating":
        train = rows(steps, metrics, prefix="train/m", ints=ints, float32=float32)
        valid = rows(steps, metrics, prefix="eval/m", ints=ints, float32=float32)
        return [(next(train if call % 2 == 0 else valid), call // 2) for call in range(steps)]
    if schema == "single":
        return [
            ({key: value}, step)
            for step, row in enumerate(rows(steps, metrics, ints=ints, float32=float32))
            for key, value in row.items()
        ]
    raise ValueError(f"no such schema: {schema}")


def expected(made: list[tuple[Row, int]]) -> dict[str, dict[int, Value]]:
    """What must be readable afterwards: name -> step -> value."""
    out: dict[str, dict[int, Value]] = {}
    for row, step in made:
        for key, value in row.items():
            out.setdefault(key, {})[step] = value
    return out
