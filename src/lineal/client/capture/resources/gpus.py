"""GPUs, as NVIDIA's management library tells of them (nvidia-ml-py). Not installed, or no such GPU: there are none.

The library is asked in the sampling thread only: its start may take seconds, and a driver may not answer at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

_T = TypeVar("_T")
# Where somebody gave this process a part of a machine, every GPU that is seen is its own.
_ALLOTTED_BY = ("SLURM_JOB_ID", "KUBERNETES_SERVICE_HOST")
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


class GpuReading(NamedTuple):
    """One GPU now; None where it does not tell. `busy_percent` is the share of the last moments in which any kernel ran.
    `energy_j` counts since the driver was loaded."""

    number: int
    name: str
    uuid: str
    memory_total_bytes: int | None = None
    memory_bytes: int | None = None
    busy_percent: float | None = None
    power_watts: float | None = None
    temperature_celsius: float | None = None
    energy_j: float | None = None
    pids: frozenset[int] = frozenset()


class Gpus(Protocol):
    """Whoever knows about GPUs."""

    def read(self) -> list[GpuReading]:
        """All that this process may see, by index. Must not raise for what a GPU does not tell."""
        ...


class NvmlGpus:
    """By `pynvml`, which is given, so that what is not NVIDIA's can be put in its place."""

    def __init__(self, library: Any) -> None:
        """Raises whatever the library does where there is no driver."""
        self._library = library
        library.nvmlInit()
        self._devices: list[tuple[int, Any, str, str]] = []
        for index in range(library.nvmlDeviceGetCount()):
            device = self._told(library.nvmlDeviceGetHandleByIndex, index)
            if device is not None:  # one that is broken, or not for this user
                name = self._told(library.nvmlDeviceGetName, device)
                uuid = self._told(library.nvmlDeviceGetUUID, device)
                self._devices.append((index, device, _text(name), _text(uuid)))

    def read(self) -> list[GpuReading]:
        return [self._read(*known) for known in self._devices]

    def _read(self, index: int, device: Any, name: str, uuid: str) -> GpuReading:
        library = self._library
        memory = self._told(library.nvmlDeviceGetMemoryInfo, device)
        rates = self._told(library.nvmlDeviceGetUtilizationRates, device)
        power_mw = self._told(library.nvmlDeviceGetPowerUsage, device)
        celsius = self._told(library.nvmlDeviceGetTemperature, device, library.NVML_TEMPERATURE_GPU)
        energy_mj = self._told(library.nvmlDeviceGetTotalEnergyConsumption, device)
        processes = self._told(library.nvmlDeviceGetComputeRunningProcesses, device) or ()
        return GpuReading(
            index,
            name,
            uuid,
            None if memory is None else int(memory.total),
            None if memory is None else int(memory.used),
            None if rates is None else float(rates.gpu),
            None if power_mw is None else power_mw / 1_000,
            None if celsius is None else float(celsius),
            None if energy_mj is None else energy_mj / 1_000,
            frozenset(int(one.pid) for one in processes),
        )

    def _told(self, ask: Callable[..., _T], *arguments: Any) -> _T | None:
        try:
            return ask(*arguments)
        except self._library.NVMLError:
            return None  # "not supported" and the like: older, smaller and split GPUs tell less


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def find_library() -> Any | None:
    """The package, if it is installed. Never raises."""
    try:
        import pynvml
    except Exception:
        return None
    return pynvml


def open_gpus(library: Any) -> Gpus | None:
    """None where there is no driver. Never raises."""
    try:
        return NvmlGpus(library)
    except Exception:
        return None


def own_gpus(
    readings: Sequence[GpuReading],
    pids: Collection[int],
    environ: Mapping[str, str],
    is_alone: bool,
    in_container: bool,
) -> set[int]:
    """Indexes of those that the run had for itself: what CUDA_VISIBLE_DEVICES names; else, where a scheduler or a container gave this
    process its part of the machine, all that it sees; else those that its processes are on.

    is_alone  no other rank on this host shares what CUDA_VISIBLE_DEVICES says, so that it speaks for all"""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and is_alone:
        return _named(visible, readings)
    if in_container or any(environ.get(name) for name in _ALLOTTED_BY):
        return {one.number for one in readings}
    return {one.number for one in readings if not one.pids.isdisjoint(pids)}


def is_in_container() -> bool:
    return any(map(os.path.exists, _CONTAINER_MARKS))


def _named(visible: str, readings: Sequence[GpuReading]) -> set[int]:
    """As CUDA reads it: indexes or beginnings of UUIDs, up to the first that is neither."""
    found: set[int] = set()
    for word in (part.strip() for part in visible.split(",")):
        fitting = [
            one.number
            for one in readings
            if (word.isdigit() and one.number == int(word))
            or (word.startswith("GPU-") and one.uuid.startswith(word))
            or (word.startswith("MIG-") and one.uuid and one.uuid in word)
        ]
        if len(fitting) != 1:
            break
        found.update(fitting)
    return found
