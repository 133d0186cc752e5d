"""What a run used, as the terminal says it: attempts follow each other, ranks live at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.cli.resource_lines import resource_lines
from lineal.model.captures import Capture, canonical
from lineal.model.spent import Spent, spent_of
from lineal.record.records import CaptureSet

GIB = 1 << 30


def capture(attempt: str, part: str = "resources", **content: Any) -> Capture:
    return Capture(attempt, part, canonical(content), "", 0)


def test_ranks_add_up_and_attempts_follow_each_other() -> None:
    cost = {"amount": 1.5, "currency": "EUR"}
    spent = spent_of(
        [
            capture("b", wall_s=100, cpu_hours=1, peak_memory_bytes=5, gpu_hours=1, gpu_idle_share=0.5, cost=cost),
            capture(
                "b", "resources.rank-1", wall_s=90, cpu_hours=2, peak_memory_bytes=6, gpu_hours=3, gpu_idle_share=0.1
            ),
            capture("a", wall_s=50, cpu_hours=4, peak_memory_bytes=7, cost=cost),
            capture("a", "code", wall_s=9_999),
        ]
    )
    assert spent is not None
    assert (spent.wall_s, spent.cpu_hours, spent.peak_memory_bytes, spent.gpu_hours) == (150, 7, 11, 4)
    assert spent.gpu_idle_share == pytest.approx(0.2) and spent.costs == {"EUR": 3.0}
    assert spent.energy_wh is None


def of(attempt: str, part: str, said_s: float, **content: Any) -> Capture:
    return Capture(attempt, part, canonical(content), "", int(said_s * 1_000))


def test_ranks_that_opened_no_attempt_lived_beside_one() -> None:
    """As a launcher's ranks say it: rank 0 alone has an attempt, and of a resumed run two."""
    spent = spent_of(
        [
            of("a", "resources", 100, wall_s=50, peak_memory_bytes=9, cpu_hours=1),
            of("b", "resources", 204, wall_s=4, peak_memory_bytes=5, cpu_hours=1),
            of("", "resources.rank-1.w1", 101, wall_s=55, peak_memory_bytes=5, cpu_hours=1),
            of("a", "resources.rank-1.w2", 203, wall_s=5, peak_memory_bytes=6, cpu_hours=1),  # it was up before rank 0
            of("", "resources.rank-2.w3", 204.5, wall_s=3, peak_memory_bytes=7, cpu_hours=1),
            of("", "resources.rank-2.w4", 70, wall_s=15, peak_memory_bytes=2, cpu_hours=1),  # died, and began again
            of("", "resources.rank-2.w5", 99, wall_s=15, peak_memory_bytes=3, cpu_hours=1),
            of("", "resources.rank-3", 300, wall_s=1, peak_memory_bytes=1, cpu_hours=1),  # after all: it is no attempt
        ]
    )
    assert spent is not None
    assert (spent.wall_s, spent.cpu_hours, spent.peak_memory_bytes) == (60, 8, 19)


def test_ranks_whose_first_said_nothing_are_counted() -> None:
    spent = spent_of([of("", f"resources.rank-{rank}.w", 10, wall_s=rank, peak_memory_bytes=1) for rank in (1, 2)])
    assert spent is not None and (spent.wall_s, spent.peak_memory_bytes) == (2, 2)


def test_nothing_said_is_nothing() -> None:
    assert spent_of([capture("a", "code")]) is None


@pytest.mark.parametrize("value", ["many", None, True, [1], {}, "NaN"])
def test_what_others_said_need_not_be_numbers(value: Any) -> None:
    names = ("wall_s", "cpu_hours", "peak_memory_bytes", "gpu_idle_share", "cost")
    spent = spent_of([capture("a", **dict.fromkeys(names, value))])
    assert spent == Spent()


def test_two_currencies_are_not_added() -> None:
    spent = spent_of(
        [
            capture("a", wall_s=1, cost={"amount": 1, "currency": "EUR"}),
            capture("b", wall_s=1, cost={"amount": 2, "currency": "USD"}),
        ]
    )
    assert spent is not None and dict(resource_lines(spent))["cost"] == "1 EUR and 2 USD"


def test_the_lines_say_what_is_known() -> None:
    spent = Spent(4_320, 7.5, 1.2, 11 * GIB, 21 * GIB, 0, GIB, 1_024, None, 287.4, 0.375, {"EUR": 3.12})
    assert dict(resource_lines(spent)) == {
        "time": "1h12m",
        "cpu": "7h30m of cpu time",
        "memory": "11 GiB at its peak",
        "gpu": "1h12m of gpu time, idle for 38% of it, 21 GiB at its peak",
        "disk": "1 GiB written",
        "network": "1 KiB received",
        "energy": "287 Wh of its GPUs",
        "cost": "3.12 EUR",
    }


def test_the_page_of_a_run_has_them(folder: Path, invoke) -> None:
    with lineal.init("e", url=folder) as run:
        content = {"wall_s": 61.0, "cpu_hours": 50.0, "peak_memory_bytes": 3 * GIB}
        run._say(CaptureSet(run._journal.identity.attempt, "resources", content))
    lines = [" ".join(line.split()) for line in invoke("runs", "show", run.run_id).stdout.splitlines()]
    at = lines.index("Resources")
    assert lines[at + 1 : at + 4] == ["time 1m01s", "cpu 50.0 h of cpu time", "memory 3 GiB at its peak"]
