"""When samples and totals are said, and what is in them: looks are given, no clock runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lineal.client.capture.resources.gpus import GpuReading
from lineal.client.capture.resources.machine import MachineReading, Traffic
from lineal.client.capture.resources.meter import Begun, Look, Meter, peak_bytes
from lineal.client.capture.resources.prices import Prices
from lineal.client.capture.resources.processes import Used
from lineal.journal.points import Labelled

GIB = 1 << 30
DAY = 86_400


class Heard:
    def __init__(self) -> None:
        self.points: list[dict[str, int | float]] = []
        self.labels: set[tuple[tuple[str, str], ...]] = set()
        self.totals: list[dict[str, Any]] = []

    def say_points(self, points: Mapping[Labelled, int | float]) -> None:
        self.points.append({name.name: value for name, value in points.items()})
        self.labels |= {name.labels for name in points}

    def say_totals(self, content: dict[str, Any]) -> None:
        self.totals.append(content)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def begin(heard: Heard, folder: Path, now_s: float = 100.0, **given: Any) -> Meter:
    given = {"has_machine": True, "prices": None, "own_gpus": lambda gpus, pids: {0}} | given
    begun = Begun(now_s, Used(), Traffic(1_000, 500), peak_bytes() + (1 << 40))
    return Meter(begun, heard, host="box", folder=str(folder), **given)


def machine(busy_s: float, received: int = 1_000) -> MachineReading:
    return MachineReading(busy_s, 4 * busy_s, None, 3 * GIB, 12 * GIB, 9 * GIB, 0, 0, Traffic(received, 500))


def used(cpu_s: float, memory: int = GIB, count: int = 1, written: int = 0) -> Used:
    return Used(cpu_s, 0, written, memory, count, 4)


def look(now_s: float, cpu_s: float = 0.0, **given: Any) -> Look:
    return Look(now_s, used(cpu_s), **({"machine": machine(now_s)} | given))


def test_a_run_that_ends_at_once_has_totals_and_no_series(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path)
    meter.take(look(100.25))
    meter.finish(look(100.9, 0.5))
    assert heard.points == []
    [total] = heard.totals
    assert total["wall_s"] == 0.9 and total["cpu_hours"] == pytest.approx(0.5 / 3600, abs=1e-7)
    assert total["sample_count"] == 0


def test_a_short_run_has_a_first_and_a_last_sample(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path)
    meter.take(look(100.25))
    meter.take(look(101.0, 0.5))
    meter.finish(look(103.0, 4.5))
    first, last = heard.points
    assert first["system/process/cpu_percent"] == 50.0 and last["system/process/cpu_percent"] == 200.0
    assert set(first) == set(last) and "system/disk/free_bytes" in first
    assert first["system/cpu_percent"] == 25.0 and first["system/memory_percent"] == 25.0
    assert heard.labels == {(("host", "box"),)}
    assert heard.totals[-1]["sample_count"] == 2


def test_nothing_is_said_after_the_end(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path)
    meter.finish(look(102.0))
    meter.take(look(110.0))
    meter.finish(look(111.0))
    assert len(heard.totals) == 1 and len(heard.points) == 1


def test_a_week_is_bounded_and_its_totals_are_never_old(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    now_s, stated, oldest = 0.0, 0, 0.0
    while now_s < 7 * DAY:
        now_s = meter.due_s(now_s)
        meter.take(Look(now_s, used(now_s)))
        if len(heard.totals) > stated:
            stated = len(heard.totals)
        behind = now_s - heard.totals[-1]["wall_s"]
        oldest = max(oldest, behind / max(now_s, 6_000))
    assert 9_000 < len(heard.points) < 11_500
    assert 400 < len(heard.totals) < 800
    assert oldest <= 0.0115  # a minute, or a hundredth
    # Samples are means over their whole interval: together they are all that was used.
    assert {round(one["system/process/cpu_percent"]) for one in heard.points} == {100}


def test_the_first_hour_is_fine(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    now_s = 0.0
    while now_s < 900:
        now_s = meter.due_s(now_s)
        meter.take(Look(now_s, used(now_s)))
    assert len(heard.points) == 1 + 900 / 5


def test_memory_between_two_samples_is_not_missed(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    meter.take(look(1.0))
    meter.take(Look(2.0, used(0.0, 7 * GIB)))
    meter.take(look(6.0))
    assert heard.points[-1]["system/process/memory_bytes"] == 7 * GIB
    meter.finish(look(12.0))
    assert heard.points[-1]["system/process/memory_bytes"] == GIB
    assert heard.totals[-1]["peak_memory_bytes"] == 7 * GIB


def test_pages_that_forked_processes_share_are_not_counted_beyond_what_is_held(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    meter.finish(Look(5.0, used(1.0, 64 * GIB, count=64), machine(5.0)))
    assert heard.totals[-1]["peak_memory_bytes"] == 9 * GIB


def test_another_rank_of_the_host_says_nothing_of_the_machine(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, has_machine=False)
    meter.take(look(101.0, gpus=[GpuReading(0, "A", "", busy_percent=50.0)]))
    meter.finish(look(105.0, 1.0, gpus=None))
    assert all(name.startswith("system/process/") for one in heard.points for name in one)
    assert "network_sent_bytes" not in heard.totals[-1] and "gpu_hours" not in heard.totals[-1]


def test_counters_that_go_back_are_no_negative_rates(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path)
    meter.take(look(100.25, machine=machine(50.0, received=9_000)))
    meter.finish(look(102.0, machine=machine(40.0, received=10)))
    assert heard.points[-1]["system/network/received_bytes_per_s"] == 0.0
    assert heard.totals[-1]["network_received_bytes"] == 0
    assert "system/cpu_percent" not in heard.points[-1]  # there is no share of less than nothing


def gpu(number: int, busy: float | None = 50.0, watts: float | None = 100.0, energy: float | None = None) -> GpuReading:
    return GpuReading(number, "H100", "u", 80 * GIB, (number + 1) * GIB, busy, watts, 60.0, energy)


def test_energy_idle_share_and_hours_of_the_runs_own_gpus(heard: Heard, tmp_path: Path) -> None:
    meter = begin(
        heard, tmp_path, now_s=0.0, own_gpus=lambda gpus, pids: {0, 1}, prices=Prices("EUR", gpu_hour={"h100": 2.0})
    )
    meter.take(look(1.0, gpus=[gpu(0, 0.0), gpu(1, 100.0), gpu(2)]))
    meter.take(look(1_800.0, gpus=[gpu(0, 0.0), gpu(1, 100.0), gpu(2)]))
    meter.finish(look(3_600.0))  # which does not ask the driver
    total = heard.totals[-1]
    assert total["gpu_hours"] == 2.0 and total["gpu_idle_share"] == 0.5
    assert total["energy_wh"] == pytest.approx(200.0)
    assert total["peak_gpu_memory_bytes"] == 3 * GIB
    assert total["cost"] == {"amount": 4.0, "currency": "EUR"}


def test_a_gpu_that_counts_its_energy_is_believed(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    for now_s, joules in ((10.0, 50_000.0), (20.0, 57_200.0), (30.0, 100.0)):  # the driver was loaded again
        meter.take(look(now_s, gpus=[gpu(0, energy=joules)]))
    meter.finish(look(30.0))
    # 10 s before the first reading and 10 s after the reload by power, the rest as counted.
    assert heard.totals[-1]["energy_wh"] == pytest.approx((1_000 + 7_200 + 1_000) / 3_600, abs=1e-4)


def test_a_gpu_that_tells_nothing_gives_hours_alone(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    meter.take(look(1_800.0, gpus=[gpu(0, None, None)]))
    meter.finish(look(3_600.0))
    total = heard.totals[-1]
    assert total["gpu_hours"] == 1.0 and "energy_wh" not in total and "gpu_idle_share" not in total
    assert "system/gpu/utilization_percent" not in heard.points[0]


def test_where_nothing_but_time_is_known(heard: Heard, tmp_path: Path) -> None:
    meter = begin(heard, tmp_path, now_s=0.0)
    meter.finish(Look(10.0, Used(5.0, has_io=False)))
    [points] = heard.points
    assert points == {"system/process/cpu_percent": 50.0}
    total = heard.totals[-1]
    assert "disk_read_bytes" not in total and total["peak_memory_bytes"] == peak_bytes()
