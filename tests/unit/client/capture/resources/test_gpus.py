"""GPUs through nvidia-ml-py: its own code over a library of ours, and a module in its place. No GPU is needed, and none was asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lineal.client.capture.resources.driver import has_driver
from lineal.client.capture.resources.gpus import GpuReading, NvmlGpus, open_gpus, own_gpus

ROOT = Path(__file__).resolve().parents[5]


class NVMLError(Exception):
    pass


def module(**given: Any) -> SimpleNamespace:
    """As nvidia-ml-py is, of one GPU that tells everything."""

    def refuse(*arguments: Any) -> Any:
        raise NVMLError("not supported")

    calls: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda device: b"Tesla T4",  # older releases answer in bytes
        "nvmlDeviceGetUUID": lambda device: "GPU-1",
        "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(total=16 << 30, used=4 << 30),
        "nvmlDeviceGetUtilizationRates": lambda device: SimpleNamespace(gpu=50, memory=1),
        "nvmlDeviceGetPowerUsage": lambda device: 70_000,
        "nvmlDeviceGetTemperature": lambda device, sensor: 55,
        "nvmlDeviceGetTotalEnergyConsumption": lambda device: 9_000,
        "nvmlDeviceGetComputeRunningProcesses": lambda device: [SimpleNamespace(pid=42)],
    }
    calls.update({name: refuse if value is None else value for name, value in given.items()})
    return SimpleNamespace(NVMLError=NVMLError, NVML_TEMPERATURE_GPU=0, **calls)


def test_everything_in_lineals_units() -> None:
    [one] = NvmlGpus(module()).read()
    assert one == GpuReading(0, "Tesla T4", "GPU-1", 16 << 30, 4 << 30, 50.0, 70.0, 55.0, 9.0, frozenset({42}))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in vars(module())
        if name.startswith("nvmlDeviceGet") and name not in ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex")
    ],
)
def test_what_a_gpu_does_not_tell_is_left_out_and_the_rest_is_there(name: str) -> None:
    [one] = NvmlGpus(module(**{name: None})).read()
    assert sum(part in (None, "", frozenset()) for part in one) == (2 if name.endswith("MemoryInfo") else 1)


def test_a_gpu_that_is_broken_is_none() -> None:
    assert NvmlGpus(module(nvmlDeviceGetHandleByIndex=None)).read() == []


def test_without_a_driver_there_are_none() -> None:
    assert open_gpus(module(nvmlInit=None)) is None
    assert not has_driver(lambda path: False) or os.environ.get("NVIDIA_VISIBLE_DEVICES")
    assert has_driver(lambda path: path == "/dev/nvidiactl")


A, B = GpuReading(0, "A", "GPU-aaaa", pids=frozenset({42})), GpuReading(1, "B", "GPU-bbbb")


@pytest.mark.parametrize(
    ("environ", "alone", "container", "own"),
    [
        ({}, True, False, {0}),  # by its processes
        ({}, True, True, {0, 1}),
        ({"SLURM_JOB_ID": "7"}, True, False, {0, 1}),
        ({"CUDA_VISIBLE_DEVICES": "1"}, True, False, {1}),
        ({"CUDA_VISIBLE_DEVICES": "1"}, True, True, {1}),
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, True, False, {0, 1}),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb"}, True, False, {1}),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-aaaa/1/0"}, True, False, {0}),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,0"}, True, False, {1}),
        ({"CUDA_VISIBLE_DEVICES": ""}, True, False, set()),
        ({"CUDA_VISIBLE_DEVICES": "9"}, True, False, set()),
        ({"CUDA_VISIBLE_DEVICES": "1"}, False, False, {0}),  # another rank's is another one
    ],
)
def test_which_gpus_are_the_runs(environ: dict[str, str], alone: bool, container: bool, own: set[int]) -> None:
    assert own_gpus([A, B], {42, 43}, environ, alone, container) == own


@pytest.fixture(scope="module")
def look_alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1 in it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler and Linux")
    pytest.importorskip("pynvml")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).parent / "look_alike.c"
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(library), str(source)], check=True, timeout=120)
    return folder


PROGRAM = """
import json, os, sys, time
os.environ["LOOK_ALIKE_PID"] = str(os.getpid())
import lineal
from lineal.client.capture.resources.start import start
with lineal.init("e", url=sys.argv[1], run_id="r") as run:
    resources = start(run)
    while not resources._meter._totals.sample_count:
        time.sleep(0.02)
    resources.stop()
"""


def test_a_run_beside_a_shared_object_in_nvidias_place(look_alike: Path, tmp_path: Path) -> None:
    import lineal

    (tmp_path / "prices.toml").write_text('currency = "EUR"\n[gpu_hour]\nH100 = 3600.0\n')
    environ = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    environ |= {"LD_LIBRARY_PATH": str(look_alike), "NVIDIA_VISIBLE_DEVICES": "all", "PYTHONPATH": str(ROOT / "src")}
    environ |= {"CUDA_VISIBLE_DEVICES": "0"}
    subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], env=environ, check=True, timeout=120)
    read = lineal.get_run("r", url=tmp_path)
    last = {
        (info.key.name, dict(info.key.labels)["gpu"]): info.summary.last
        for info in read.series
        if "/gpu/" in info.key.name
    }
    assert last["system/gpu/utilization_percent", "0"] == 75.0
    assert last["system/gpu/power_watts", "0"] == 360.0
    assert last["system/gpu/memory_bytes", "0"] == 20 << 30
    assert last["system/gpu/memory_percent", "0"] == 25.0
    assert last["system/gpu/temperature_celsius", "1"] == 60.0
    assert ("system/gpu/power_watts", "1") not in last
    with lineal.open_store(tmp_path) as store:
        capture = store.reader().find_capture("r", "resources")
    assert capture is not None
    total = json.loads(capture.json_text)
    # Of the first one only, from the run's begin to its end.
    hours = total["wall_s"] / 3600
    assert total["gpu_hours"] == pytest.approx(hours, rel=0.01)
    assert total["energy_wh"] == pytest.approx(360 * hours, rel=0.01)
    assert total["peak_gpu_memory_bytes"] == 20 << 30 and total["gpu_idle_share"] == 0.25
    assert total["cost"]["currency"] == "EUR"
    assert total["cost"]["amount"] == pytest.approx(total["wall_s"], rel=0.01)
