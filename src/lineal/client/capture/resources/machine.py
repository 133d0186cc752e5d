"""What the machine does, or the container where that is limited: what this process shares with everybody beside it.

Formats: proc(5); Documentation/admin-guide/iostats.rst of the Linux kernel."""

from __future__ import annotations

import os
from typing import NamedTuple

from lineal.client.capture.resources.files import fields, read
from lineal.client.capture.resources.groups import Group, find_group

_SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own are
_IDLE, _IO_WAIT, _GUEST = 3, 4, 8  # places in a line of /proc/stat; guests' time is in user's already


class Traffic(NamedTuple):
    received_bytes: int = 0
    sent_bytes: int = 0


class MachineReading(NamedTuple):
    """Counters since the machine's start, and what is used now."""

    cpu_busy_s: float
    cpu_all_s: float
    """Busy or not; 0 where `cpu_limit` says how much there is."""
    cpu_limit: float | None
    memory_bytes: int
    memory_limit_bytes: int
    memory_held_bytes: int
    """With what the kernel could drop: no processes here can hold more between them."""
    disk_read_bytes: int
    disk_written_bytes: int
    traffic: Traffic

    def cpu_could_s(self, since: MachineReading, passed_s: float) -> float:
        """CPU time that there was to be had."""
        return self.cpu_all_s - since.cpu_all_s if self.cpu_limit is None else self.cpu_limit * passed_s


class Machine:
    """Reads one machine's files. Which disks and network devices there are is found out once."""

    def __init__(self, proc: str = "/proc", sys: str = "/sys", cgroups: str = "/sys/fs/cgroup") -> None:
        self._proc = proc
        self.group: Group = find_group(proc, cgroups)
        self._disks = _with_device(f"{sys}/block")
        self._networks = _with_device(f"{sys}/class/net")
        self._ticks_a_second = os.sysconf("SC_CLK_TCK")

    def read(self) -> MachineReading:
        busy_s, all_s, limit = self._cpu()
        was_read, written = self._disk()
        return MachineReading(busy_s, all_s, limit, *self._memory(), was_read, written, self.traffic())

    def _cpu(self) -> tuple[float, float, float | None]:
        limit = self.group.cpu_limit
        if limit is not None and (spent_s := self.group.cpu_s()) is not None:
            return spent_s, 0.0, limit
        mine = _own_cpus()
        busy = total = 0
        for line in read(f"{self._proc}/stat").splitlines():
            name, *part = line.split()
            if not name.startswith(b"cpu"):
                break
            if name == b"cpu" if mine is None else (name != b"cpu" and int(name[3:]) in mine):
                ticks = [int(text) for text in part[:_GUEST]]
                total += sum(ticks)
                busy += sum(ticks) - ticks[_IDLE] - ticks[_IO_WAIT]
        return busy / self._ticks_a_second, total / self._ticks_a_second, None

    def _memory(self) -> tuple[int, int, int]:
        """Used, the limit, and what is held."""
        known = fields(read(f"{self._proc}/meminfo"))  # in KiB, where it says kB
        total = known.get(b"MemTotal", 0) << 10
        limit = self.group.memory_limit_bytes
        if limit is not None and limit < total and (used := self.group.memory_bytes()) is not None:
            return used, limit, limit
        free = known.get(b"MemFree", 0)
        return total - (known.get(b"MemAvailable", free) << 10), total, total - (free << 10)

    def _disk(self) -> tuple[int, int]:
        was_read = written = 0
        for line in read(f"{self._proc}/diskstats").splitlines():
            part = line.split()
            if len(part) > 9 and part[2] in self._disks:
                was_read += int(part[5]) * _SECTOR_BYTES
                written += int(part[9]) * _SECTOR_BYTES
        return was_read, written

    def traffic(self) -> Traffic:
        """Over devices that stand for hardware, so that nothing is counted again on a bridge; in a container over all but loopback."""
        received = sent = 0
        for line in read(f"{self._proc}/net/dev").splitlines()[2:]:
            name, _, rest = line.partition(b":")
            name, part = name.strip(), rest.split()
            if len(part) > 8 and (name in self._networks if self._networks else name != b"lo"):
                received += int(part[0])
                sent += int(part[8])
        return Traffic(received, sent)


def _own_cpus() -> set[int] | None:
    """None if this process may run on all."""
    try:
        mine = os.sched_getaffinity(0)
    except (AttributeError, OSError):
        return None
    return mine if len(mine) < (os.cpu_count() or 1) else None


def _with_device(folder: str) -> frozenset[bytes]:
    """Names of those that are hardware, or a hypervisor's: not loops, partitions, bridges and stacked disks."""
    try:
        names = os.listdir(folder)
    except OSError:
        return frozenset()
    return frozenset(os.fsencode(name) for name in names if os.path.exists(f"{folder}/{name}/device"))
