"""Containers' limits, from folders made as the kernel makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineal.client.capture.resources.groups import Group, find_group
from lineal.client.capture.resources.machine import Machine


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    return tmp_path / "proc"


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def find(proc: Path, mount: Path, cgroup: str) -> Group:
    (proc / "self" / "cgroup").write_text(cgroup)
    return find_group(str(proc), str(mount))


def test_version_2_in_a_container_that_sees_itself_as_the_root(proc: Path, mount: Path) -> None:
    write(mount, cpu__max="150000 100000\n", cpu__stat="usage_usec 2500000\nuser_usec 1\n")
    write(
        mount,
        memory__max="1073741824\n",
        memory__current="900000000\n",
        memory__stat="anon 5\ninactive_file 100000000\n",
    )
    group = find(proc, mount, "0::/\n")
    assert group.cpu_limit == 1.5 and group.cpu_s() == 2.5
    assert group.memory_limit_bytes == 2**30 and group.memory_bytes() == 800_000_000


def test_a_limit_above_counts_and_the_smallest_decides(proc: Path, mount: Path) -> None:
    write(mount / "kubepods", cpu__max="max 100000\n", memory__max="4000\n", memory__current="3000\n")
    write(mount / "kubepods/pod1", cpu__max="200000 100000\n", cpu__stat="usage_usec 7000000\n", memory__max="max\n")
    write(mount / "kubepods/pod1/box", cpu__max="400000 100000\n", cpu__stat="usage_usec 1\n", memory__max="9000\n")
    group = find(proc, mount, "0::/kubepods/pod1/box\n")
    assert (group.cpu_limit, group.cpu_s()) == (2.0, 7.0)
    assert (group.memory_limit_bytes, group.memory_bytes()) == (4_000, 3_000)


def test_version_1(proc: Path, mount: Path) -> None:
    write(mount / "cpu/docker/b0", cpu__cfs_quota_us="50000\n", cpu__cfs_period_us="100000\n")
    write(mount / "cpuacct/docker/b0", cpuacct__usage="3000000000\n")
    memory = mount / "memory/docker/b0"
    write(
        memory,
        memory__limit_in_bytes="1000000\n",
        memory__usage_in_bytes="700000\n",
        memory__stat="total_inactive_file 200000\n",
    )
    lines = "4:memory:/docker/b0\n3:cpu,cpuacct:/docker/b0\n1:name=systemd:/docker/b0\n0::/\n"
    group = find(proc, mount, lines)
    assert (group.cpu_limit, group.cpu_s()) == (0.5, 3.0)
    assert (group.memory_limit_bytes, group.memory_bytes()) == (1_000_000, 500_000)


def test_version_1_whose_paths_are_the_hosts(proc: Path, mount: Path) -> None:
    """Without a namespace of its own a container reads the host's path, and its mount begins where that path ends."""
    write(mount / "memory", memory__limit_in_bytes="5000\n", memory__usage_in_bytes="10\n")
    group = find(proc, mount, "4:memory:/docker/b0\n3:cpu,cpuacct:/docker/b0\n")
    assert (group.memory_limit_bytes, group.memory_bytes()) == (5_000, 10)


@pytest.mark.parametrize("lines", ["", "0::/\n", "4:memory:/\n2:cpu,cpuacct:/\n", "nonsense\n", "0::/../../etc\n"])
def test_no_limits(proc: Path, mount: Path, lines: str) -> None:
    write(mount, cpu__max="max 100000\n", memory__max="max\n")
    write(mount / "memory", memory__limit_in_bytes="9223372036854771712\n")
    write(mount / "cpu", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    group = find(proc, mount, lines)
    assert group.cpu_limit is None and group.memory_limit_bytes is None
    assert group.cpu_s() is None and group.memory_bytes() is None


STAT = """cpu  100 0 100 800 200 0 0 0 0 0
cpu0 50 0 50 400 100 0 0 0 0 0
cpu1 50 0 50 400 100 0 0 0 0 0
intr 1
"""
MEMINFO = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nHugePages_Total:   0\n"
DISKS = """ 259 0 nvme0n1 10 0 100 0 20 0 300 0 0 0 0
 259 1 nvme0n1p1 10 0 100 0 20 0 300 0 0 0 0
   7 0 loop0 10 0 5000 0 20 0 300 0 0 0 0
"""
NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 900 1 0 0 0 0 0 0 900 1 0 0 0 0 0 0
  eth0: 70 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0
docker0: 70 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0
"""


@pytest.fixture
def machine_files(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("lineal.client.capture.resources.machine._own_cpus", lambda: None)
    write(proc, stat=STAT, meminfo=MEMINFO, diskstats=DISKS)
    write(proc / "net", dev=NET)
    (tmp_path / "sys/block/nvme0n1/device").mkdir(parents=True)
    (tmp_path / "sys/block/loop0").mkdir()
    (tmp_path / "sys/class/net/eth0/device").mkdir(parents=True)
    (tmp_path / "sys/class/net/docker0").mkdir()
    return proc


def machine(proc: Path, mount: Path) -> Machine:
    return Machine(str(proc), str(proc.parent / "sys"), str(mount))


def test_a_machine_without_limits(machine_files: Path, mount: Path) -> None:
    (machine_files / "self" / "cgroup").write_text("0::/\n")
    read = machine(machine_files, mount).read()
    assert read.cpu_busy_s / read.cpu_all_s == 200 / 1200 and read.cpu_limit is None
    assert (read.memory_bytes, read.memory_limit_bytes, read.memory_held_bytes) == (600 << 10, 1_000 << 10, 900 << 10)
    assert (read.disk_read_bytes, read.disk_written_bytes) == (100 * 512, 300 * 512)
    assert read.traffic == (70, 30)


def test_only_the_cpus_that_it_may_run_on(machine_files: Path, mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.capture.resources.machine._own_cpus", lambda: {1})
    read = machine(machine_files, mount).read()
    assert read.cpu_busy_s / read.cpu_all_s == 100 / 600


def test_a_container_is_the_machine_of_what_runs_in_it(machine_files: Path, mount: Path) -> None:
    (machine_files / "self" / "cgroup").write_text("0::/\n")
    write(
        mount,
        cpu__max="50000 100000\n",
        cpu__stat="usage_usec 2500000\n",
        memory__max="500000\n",
        memory__current="400000\n",
    )
    read = machine(machine_files, mount).read()
    assert (read.cpu_busy_s, read.cpu_limit) == (2.5, 0.5)
    later = read._replace(cpu_busy_s=3.0)
    assert (later.cpu_busy_s - read.cpu_busy_s) / later.cpu_could_s(read, 2.0) == 0.5
    assert (read.memory_bytes, read.memory_limit_bytes) == (400_000, 500_000)


def test_a_limit_above_what_there_is_limits_nothing(machine_files: Path, mount: Path) -> None:
    (machine_files / "self" / "cgroup").write_text("0::/\n")
    write(mount, memory__max="99999999999\n", memory__current="400000\n")
    assert machine(machine_files, mount).read().memory_limit_bytes == 1_000 << 10


def test_in_a_container_without_hardware_all_devices_but_loopback_count(
    machine_files: Path, mount: Path, tmp_path: Path
) -> None:
    (tmp_path / "sys/class/net/eth0/device").rmdir()
    assert machine(machine_files, mount).traffic() == (140, 60)


def test_files_that_are_missing_are_nothing_worse(proc: Path, mount: Path) -> None:
    read = machine(proc, mount).read()
    assert read.memory_limit_bytes == 0 and read.traffic == (0, 0)
