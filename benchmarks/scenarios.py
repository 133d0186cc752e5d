"""The scenarios, as data. How each is timed stands in `measures.py` (inside the tracker's process), `cold.py`
and `kill.py` (from outside); both are the same for every tracker. What `performance.md` calls S1 ... S9 keeps
its name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TRACKERS = ("lineal", "csv", "trackio", "wandb", "mlflow", "tensorboardX")
LINEAL = ("lineal",)

Args = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """`measure` names a function; `args` are what it gets; `fewer` replaces some for a tracker that would
    take hours (the report says so); `quick` for a smoke. `then` are scenarios read from the folder that this
    one leaves."""

    key: str
    title: str
    measure: str
    args: Args
    quick: Args = field(default_factory=dict)
    fewer: Mapping[str, Args] = field(default_factory=dict)
    trackers: tuple[str, ...] = TRACKERS
    then: tuple[str, ...] = ()
    timeout_s: float = 300
    once: bool = False  # not in every round: it repeats what it times within itself
    on_request: bool = False  # only when asked for by its key: it takes half an hour

    @property
    def group(self) -> str:
        return self.key.split("/")[0]

    def arguments(self, tracker: str, quick: bool) -> dict[str, Any]:
        chosen = dict(self.args) | dict(self.fewer.get(tracker, {}))
        if quick:
            # a smoke never does more than the full run would
            chosen |= {name: min(value, chosen.get(name, value)) for name, value in self.quick.items()}
        return chosen


def _s2(key: str, title: str, metrics: int, steps: int, ints: bool = False) -> Scenario:
    args = {"steps": steps, "metrics": metrics, "ints": ints}
    trackers = ("lineal", "csv") if ints else TRACKERS
    return Scenario(key, title, "calls", args, {"steps": 1_000}, {"mlflow": {"steps": steps // 10}}, trackers)


def _s3(key: str, title: str, schema: str = "same", float32: bool = False, **more: Any) -> Scenario:
    args = {"steps": 100_000, "metrics": 10, "schema": schema, "float32": float32}
    few = {"mlflow": {"steps": 10_000}}
    return Scenario(key, title, "bulk", args, {"steps": 2_000}, few, timeout_s=600, **more)


def _longest(key: str, title: str, pause_s: float) -> Scenario:
    args = {"seconds": 60.0, "pause_s": pause_s, "metrics": 1}
    return Scenario(key, title, "longest", args, {"seconds": 10.0}, trackers=LINEAL)


def _s7(key: str, title: str, pause_s: float, **more: Any) -> Scenario:
    return Scenario(key, title, "kill", {"steps": 1_000, "metrics": 10, "pause_s": pause_s}, **more)


def _search(runs: int, **more: Any) -> Scenario:
    key = "S6/search-" + {10_000: "10k", 100_000: "100k", 1_000_000: "1m"}[runs]
    title = f"Unkind questions over {runs:,} runs of 10 params and 10 metrics, the best 50"
    return Scenario(
        key, title, "search", {"runs": runs}, {"runs": 2_000}, trackers=LINEAL, once=True, timeout_s=3_600, **more
    )


SCENARIOS = (
    Scenario("S1", "Import in a cold process, minus a bare Python", "cold", {"repeats": 7}, {"repeats": 3}),
    _s2("S2/1", "The log call: 1 metric, 20,000 steps", 1, 20_000),
    _s2("S2/20", "The log call: 20 metrics, 5,000 steps", 20, 5_000),
    _s2("S2/1-ints", "The log call: 1 metric, ints among the floats", 1, 20_000, ints=True),
    _s2("S2/20-ints", "The log call: 20 metrics, ints among the floats", 20, 5_000, ints=True),
    _longest("S2/longest", "The longest of all calls in a minute, as fast as the loop can", 0.0),
    _longest("S2/longest-paced", "The longest of all calls in a minute, a call every half millisecond", 0.0004),
    _s3("S3", "One run, 10 metrics x 100,000 steps, until readable; bytes on disk (S4)", then=("S5",)),
    _s3("S3/alternating", "As many points, train and eval metrics in turn", "alternating", trackers=LINEAL),
    _s3("S3/single", "As many points, one metric a call", "single", trackers=LINEAL),
    _s3("S3/float32", "As many points, curves born as float32", float32=True, trackers=("lineal", "csv")),
    Scenario(
        "S5",
        "A fresh process reads one series of 100,000 points, another one, all ten",
        "read",
        {"metrics": 10},
        timeout_s=600,
    ),
    Scenario(
        "S6",
        "2,000 short runs: 10 params, 5 metrics x 10 steps",
        "short_runs",
        {"runs": 2_000, "metrics": 5, "steps": 10},
        {"runs": 50},
        {
            "mlflow": {"runs": 100},
            "wandb": {"runs": 100},
            "trackio": {"runs": 300},
            "tensorboardX": {"runs": 300},
        },
    ),
    _search(10_000),
    _search(100_000),
    _search(1_000_000, on_request=True),
    _s7("S7/burst", "SIGKILL right after the last of 10,000 points, logged in a burst", 0.0),
    _s7("S7/paced", "SIGKILL right after the last of 10,000 points, 5 ms a step", 0.005, quick={"steps": 400}),
    Scenario(
        "S9",
        "Memory over a bare Python, and helper processes",
        "memory",
        {"steps": 5_000, "metrics": 20},
        {"steps": 500},
        {"mlflow": {"steps": 500}},
    ),
    Scenario(
        "draw",
        "100 series of 1,000,000 points and 100 of 10,000, written",
        "draw_write",
        {"metrics": 100, "long": 1_000_000, "short": 10_000},
        {"long": 50_000},
        trackers=LINEAL,
        then=("draw/read",),
        timeout_s=1_800,
        once=True,
    ),
    Scenario(
        "draw/read",
        "The same, drawn to 1,000 buckets a series in a fresh process",
        "draw_read",
        {"metrics": 100, "buckets": 1_000},
        trackers=LINEAL,
    ),
)

BY_KEY = {scenario.key: scenario for scenario in SCENARIOS}
FOLLOWERS = {key for scenario in SCENARIOS for key in scenario.then}
