"""The container that this process is in, as the kernel limits it: control groups, version 1, 2, and both mounted side by side.

Formats: cgroups(7); Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of the Linux kernel."""

from __future__ import annotations

from typing import NamedTuple

from lineal.client.capture.resources.files import fields, number, read

_NO_LIMIT_BYTES = 1 << 60  # version 1 says "none" by a number near 2**63


class Group(NamedTuple):
    """Limits that are in force, by this group or one above it; None where there is none. The paths are of the group that sets
    it: what counts toward a limit is what all below that group use."""

    cpu_limit: float | None = None
    """In CPUs: 1.5 is one and a half."""
    memory_limit_bytes: int | None = None
    cpu_path: str = ""
    memory_path: str = ""
    is_v2: bool = False

    def cpu_s(self) -> float | None:
        """CPU time of all that share the limit."""
        if not self.cpu_path:
            return None
        if self.is_v2:
            spent_us = fields(read(f"{self.cpu_path}/cpu.stat"), b" ").get(b"usage_usec")
            return None if spent_us is None else spent_us / 1e6
        spent_ns = number(f"{self.cpu_path}/cpuacct.usage")
        return None if spent_ns is None else spent_ns / 1e9

    def memory_bytes(self) -> int | None:
        """Used by all that share the limit, without the file pages that the kernel would drop first (as Docker and Kubernetes count)."""
        if not self.memory_path:
            return None
        name, cold = (
            ("memory.current", b"inactive_file") if self.is_v2 else ("memory.usage_in_bytes", b"total_inactive_file")
        )
        used = number(f"{self.memory_path}/{name}")
        if used is None:
            return None
        return max(0, used - fields(read(f"{self.memory_path}/memory.stat"), b" ").get(cold, 0))


def find_group(proc: str = "/proc", mount: str = "/sys/fs/cgroup") -> Group:
    """What limits this process. Both folders are given so that tests can make their own."""
    paths = _paths(f"{proc}/self/cgroup")
    has_v1 = b"cpu" in paths or b"memory" in paths
    if b"" in paths and not has_v1:
        return _of_v2(_chain(mount, paths[b""]))
    return _of_v1(
        _chain(f"{mount}/cpu", paths.get(b"cpu", "/")),
        _chain(f"{mount}/cpuacct", paths.get(b"cpuacct", "/")),
        _chain(f"{mount}/memory", paths.get(b"memory", "/")),
    )


def _paths(file: str) -> dict[bytes, str]:
    """Of each controller its group; under b"" that of version 2."""
    found: dict[bytes, str] = {}
    for line in read(file).splitlines():
        _, _, rest = line.partition(b":")
        controllers, _, path = rest.partition(b":")
        for controller in controllers.split(b","):
            found[controller] = path.decode(errors="surrogateescape")
    return found


def _chain(mount: str, path: str) -> list[str]:
    """The group's folder and those above it, nearest first. In a container the path may be the host's, of which the mount shows
    only the end: folders that are not there are read as groups without limits."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return ["/".join([mount, *parts[:count]]) for count in range(len(parts), -1, -1)]


def _of_v2(chain: list[str]) -> Group:
    cpu, cpu_path = _least([(_v2_cpus(folder), folder) for folder in chain])
    memory, memory_path = _least([(_below_all(number(f"{folder}/memory.max")), folder) for folder in chain])
    return Group(cpu, None if memory is None else int(memory), cpu_path, memory_path, is_v2=True)


def _of_v1(cpu_chain: list[str], spent_chain: list[str], memory_chain: list[str]) -> Group:
    cpu, cpu_path = _least([(_v1_cpus(folder), folder) for folder in cpu_chain])
    memory, memory_path = _least(
        [(_below_all(number(f"{folder}/memory.limit_in_bytes")), folder) for folder in memory_chain]
    )
    # Time is counted by another controller, in a folder of the same name where there is one.
    spent_path = spent_chain[cpu_chain.index(cpu_path)] if cpu_path and len(spent_chain) == len(cpu_chain) else ""
    return Group(cpu, None if memory is None else int(memory), spent_path, memory_path)


def _least(found: list[tuple[float | None, str]]) -> tuple[float | None, str]:
    known = [(value, folder) for value, folder in found if value is not None]
    return min(known, key=lambda pair: pair[0]) if known else (None, "")


def _v2_cpus(folder: str) -> float | None:
    quota, _, period = read(f"{folder}/cpu.max").strip().partition(b" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _v1_cpus(folder: str) -> float | None:
    quota, period = number(f"{folder}/cpu.cfs_quota_us"), number(f"{folder}/cpu.cfs_period_us")
    return quota / period if quota and period else None  # "-1" is no number here: no limit


def _below_all(limit: int | None) -> int | None:
    return None if limit is None or limit >= _NO_LIMIT_BYTES else limit
