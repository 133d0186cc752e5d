"""Processor, memory, limits and GPUs, against what the system says and against made-up machines."""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from lineal.client.capture import hardware as module
from lineal.client.capture.hardware import gpus_content, hardware, own_hardware, own_hardware_at_once


def test_this_machine() -> None:
    said = hardware()
    assert json.loads(json.dumps(said)) == said
    assert said["cpu"]["count"] == os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        assert said["cpu"]["available"] == len(os.sched_getaffinity(0))
    assert said["memory_bytes"] > 1 << 27


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: other\n", "Some CPU @ 2 GHz"),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "ARM 0x41 part 0xd0c"),
        ("processor\t: 0\n", None),
    ],
    ids=["x86", "arm", "unknown"],
)
def test_names_of_processors(tmp_path: Path, text: str, model: str | None) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert hardware(str(tmp_path))["cpu"].get("model") == model


class _NvmlError(Exception):
    pass


def _nvml(count: int) -> Any:
    """Looks like pynvml: there is no GPU here."""

    def refuse(*arguments: object) -> None:
        raise _NvmlError("not supported")

    library: Any = types.ModuleType("pynvml")
    library.NVMLError = _NvmlError
    library.NVML_TEMPERATURE_GPU = 0
    library.nvmlInit = lambda: None
    library.nvmlDeviceGetCount = lambda: count
    library.nvmlDeviceGetHandleByIndex = lambda index: index
    library.nvmlDeviceGetName = lambda device: b"NVIDIA H100"
    library.nvmlDeviceGetUUID = lambda device: f"GPU-{device}"
    library.nvmlDeviceGetMemoryInfo = lambda device: types.SimpleNamespace(total=80 << 30, used=1)
    for name in ("UtilizationRates", "PowerUsage", "Temperature", "TotalEnergyConsumption", "ComputeRunningProcesses"):
        setattr(library, f"nvmlDeviceGet{name}", refuse)
    library.nvmlSystemGetDriverVersion = lambda: b"550.54"
    library.nvmlSystemGetCudaDriverVersion = lambda: 12040
    return library


def test_gpus_driver_and_what_torch_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.capture.hardware.has_driver", lambda: True)
    monkeypatch.setitem(sys.modules, "pynvml", _nvml(2))
    torch: Any = types.ModuleType("torch")
    torch.version = types.SimpleNamespace(cuda="12.1")
    torch.backends = types.SimpleNamespace(cudnn=types.SimpleNamespace(version=lambda: 90100))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert gpus_content() == {
        "gpus": [{"name": "NVIDIA H100", "uuid": f"GPU-{n}", "memory_bytes": 80 << 30} for n in range(2)],
        "driver": "550.54",
        "driver_cuda": "12.4",
        "cuda": "12.1",
        "cudnn": "9.1.0",
    }
    torch.backends.cudnn.version = lambda: 8902
    assert gpus_content()["cudnn"] == "8.9.2"


def test_no_gpu_no_library_and_a_torch_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.capture.hardware.has_driver", lambda: True)
    monkeypatch.setitem(sys.modules, "pynvml", _nvml(0))
    assert gpus_content() == {}
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpus_content() == {}
    monkeypatch.setitem(sys.modules, "pynvml", _nvml(1))
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    assert "cuda" not in gpus_content()


def test_a_driver_is_not_waited_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "has_driver", lambda: True)

    def ask() -> dict[str, Any]:
        asked.append("driver")
        return {"gpus": [{"name": "H100"}]}

    monkeypatch.setattr(module, "gpus_content", ask)
    own_hardware.cache_clear()
    try:
        content, is_whole = own_hardware_at_once()
        assert not is_whole and "gpus" not in content and content["cpu"] and not asked
        assert own_hardware()["gpus"] == [{"name": "H100"}]
        assert own_hardware_at_once() == (own_hardware(), True) and asked == ["driver"]
    finally:
        own_hardware.cache_clear()


def test_without_a_driver_all_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_driver", lambda: False)
    own_hardware.cache_clear()
    content, is_whole = own_hardware_at_once()
    assert is_whole and content == own_hardware()
