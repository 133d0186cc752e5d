"""What a run runs on: processor, memory, GPUs, and how much of it this process may use."""

from __future__ import annotations

import functools
import os
from typing import Any

from lineal.client.capture.resources.driver import has_driver
from lineal.client.capture.resources.gpus import find_library, open_gpus
from lineal.client.capture.resources.groups import find_group


@functools.cache
def own_hardware() -> dict[str, Any]:
    """Of this machine, asked once a process: a driver may take seconds."""
    return hardware()


def own_hardware_at_once() -> tuple[dict[str, Any], bool]:
    """What costs microseconds, and whether that is all: the driver of a GPU may take seconds, or never answer."""
    is_whole = own_hardware.cache_info().currsize > 0 or not has_driver()
    return (own_hardware() if is_whole else machine()), is_whole


def hardware(proc: str = "/proc") -> dict[str, Any]:
    """Microseconds without a GPU; with one as long as its driver takes. Raises nothing for what is not to be found."""
    return machine(proc) | gpus_content()


def machine(proc: str = "/proc") -> dict[str, Any]:
    """But for the GPUs."""
    content: dict[str, Any] = {"cpu": _cpu(proc)}
    if memory := _memory_bytes():
        content["memory_bytes"] = memory
    group = find_group(proc)
    found: dict[str, float | None] = {"cpus": group.cpu_limit, "memory_bytes": group.memory_limit_bytes}
    if limits := {name: value for name, value in found.items() if value is not None}:
        content["limits"] = limits
    return content


def gpu_library() -> Any | None:
    """What reads GPUs, where there is a driver: it loads some modules. First within `imports.IMPORTS`."""
    return find_library() if has_driver() else None


def gpus_content() -> dict[str, Any]:
    """Of NVIDIA's GPUs that nvidia-ml-py tells of; cuDNN only where torch was imported already."""
    library = gpu_library()
    opened = None if library is None else open_gpus(library)
    readings = [] if opened is None else opened.read()
    if not readings:
        return {}
    content: dict[str, Any] = {
        "gpus": [
            {"name": one.name, "uuid": one.uuid}
            | ({"memory_bytes": one.memory_total_bytes} if one.memory_total_bytes else {})
            for one in readings
        ]
    }
    return content | _versions(library)


def _versions(library: Any) -> dict[str, str]:
    """Of the driver, the CUDA that it speaks, and the CUDA and cuDNN that torch brought along."""
    import sys

    said: dict[str, str] = {}
    try:
        driver = library.nvmlSystemGetDriverVersion()
        said["driver"] = driver.decode() if isinstance(driver, bytes) else str(driver)
        number = int(library.nvmlSystemGetCudaDriverVersion())
        said["driver_cuda"] = f"{number // 1000}.{number % 1000 // 10}"
    except library.NVMLError:
        pass
    torch = sys.modules.get("torch")
    try:
        if torch is not None and torch.version.cuda:
            said["cuda"] = str(torch.version.cuda)
            said["cudnn"] = _cudnn_text(torch.backends.cudnn.version())
    except Exception:  # another library's module of that name, or half imported
        return said
    return said


def _cudnn_text(number: object) -> str:
    """cuDNN counts 90100 for 9.1.0, and counted 8902 for 8.9.2 (its macro CUDNN_VERSION)."""
    if not isinstance(number, int):
        return ""
    if number >= 10_000:
        return f"{number // 10_000}.{number % 10_000 // 100}.{number % 100}"
    return f"{number // 1000}.{number % 1000 // 100}.{number % 100}"


def _cpu(proc: str) -> dict[str, Any]:
    content: dict[str, Any] = {"count": os.cpu_count() or 1}
    if model := _model(proc):
        content["model"] = model
    try:
        content["available"] = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS has none
        pass
    return content


def _model(proc: str) -> str | None:
    """ARM processors say no name, only numbers: what they are made by, and which part."""
    said: dict[str, str] = {}
    try:
        with open(os.path.join(proc, "cpuinfo"), encoding="utf-8", errors="replace") as file:
            for line in file:
                name, separator, value = line.partition(":")
                if separator:
                    said.setdefault(name.strip().lower(), value.strip())
                elif said:
                    break  # the first processor's is enough
    except OSError:
        return None
    for key in ("model name", "cpu model", "cpu"):
        if said.get(key):
            return said[key]
    return f"ARM {said.get('cpu implementer')} part {said['cpu part']}" if "cpu part" in said else None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
