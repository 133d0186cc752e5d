"""What a process and all that it started have used: counters that never go back, also when children end.

A process that ended and was waited for is in its parent's counters from then on: cutime and cstime of proc(5), and read_bytes and
write_bytes, to which the kernel adds a reaped child's. So what a child was counted for while it lived is taken off what its parent
jumps by. One that nobody waited for stays counted as it was seen last."""

from __future__ import annotations

import os
from typing import NamedTuple

from lineal.client.capture.resources.files import fields, read
from lineal.model.limits import TREE_PROCESSES_MAX_COUNT

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_ROUNDING_TICKS = 2  # user and system time are cut to whole ticks one by one


class ProcessReading(NamedTuple):
    """One process. `reaped_ticks` is the part of `cpu_ticks` that came from children who ended."""

    pid: int
    parent: int
    born_ticks: int
    cpu_ticks: int
    reaped_ticks: int
    thread_count: int
    memory_bytes: int
    read_bytes: int
    written_bytes: int


class Used(NamedTuple):
    """Of the tree: counters since it is looked at, and what it holds now."""

    cpu_s: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0
    memory_bytes: int = 0
    process_count: int = 0
    thread_count: int = 0
    has_io: bool = True
    """False where nothing but time can be known."""


def read_process(proc: str, pid: int) -> ProcessReading | None:
    """None if there is no such process (any more)."""
    stat = read(f"{proc}/{pid}/stat")
    end = stat.rfind(b")")  # the name before it may hold anything
    part = stat[end + 2 :].split()
    if end < 0 or len(part) < 22:
        return None
    io = fields(read(f"{proc}/{pid}/io"))
    user, system, reaped_user, reaped_system = (int(text) for text in part[11:15])
    return ProcessReading(
        pid,
        int(part[1]),
        int(part[19]),
        user + system + reaped_user + reaped_system,
        reaped_user + reaped_system,
        int(part[17]),
        int(part[21]) * _PAGE_BYTES,
        io.get(b"read_bytes", 0),
        io.get(b"write_bytes", 0),
    )


def children_of(proc: str, pid: int) -> list[int] | None:
    """By the kernel's own list; None where it keeps none (CONFIG_PROC_CHILDREN)."""
    found: list[int] = []
    try:
        threads = os.listdir(f"{proc}/{pid}/task")
    except OSError:
        return []
    for thread in threads:
        path = f"{proc}/{pid}/task/{thread}/children"
        text = read(path)
        if not text and not os.path.exists(path) and os.path.exists(f"{proc}/{pid}/task/{thread}/stat"):
            return None
        found += map(int, text.split())
    return found


def parents(proc: str) -> dict[int, list[int]]:
    """Children by parent, of all processes there are: for kernels without lists of children."""
    found: dict[int, list[int]] = {}
    for name in os.listdir(proc):
        if name.isdigit():
            stat = read(f"{proc}/{name}/stat")
            part = stat[stat.rfind(b")") + 2 :].split(None, 2)
            if len(part) > 1 and part[1].isdigit():
                found.setdefault(int(part[1]), []).append(int(name))
    return found


class Tree:
    """Of one process and its descendants. What was once among them stays, also when its parent dies before it. Not for several
    threads at once."""

    def __init__(self, pid: int, proc: str = "/proc") -> None:
        self._pid = pid
        self._proc = proc
        self._known: dict[int, ProcessReading] = {}
        self._ticks = self._read_bytes = self._written_bytes = 0
        self._has_begun = False
        self._lists_children = True

    def look(self) -> Used:
        """What was used before the first look counts for nothing."""
        live = self._live()
        if self._has_begun:
            self._count(dict(self._known), live)
        self._known = live
        self._has_begun = True
        return Used(
            self._ticks / _TICKS_A_SECOND,
            self._read_bytes,
            self._written_bytes,
            sum(one.memory_bytes for one in live.values()),
            len(live),
            sum(one.thread_count for one in live.values()),
        )

    @property
    def pids(self) -> frozenset[int]:
        return frozenset(self._known)

    def _live(self) -> dict[int, ProcessReading]:
        found: dict[int, ProcessReading] = {}
        by_parent = None if self._lists_children else parents(self._proc)
        waiting = [self._pid]
        remembered = [pid for pid in self._known if pid != self._pid]
        while (waiting or remembered) and len(found) < TREE_PROCESSES_MAX_COUNT:
            is_listed = bool(waiting)
            pid = waiting.pop() if is_listed else remembered.pop()
            reading = None if pid in found else read_process(self._proc, pid)
            if reading is None or not (is_listed or self._known[pid].born_ticks == reading.born_ticks):
                continue  # another process that was given the same number since is none of ours
            found[pid] = reading
            children = children_of(self._proc, pid) if by_parent is None else by_parent.get(pid, [])
            if children is None:
                self._lists_children, by_parent = False, parents(self._proc)
                children = by_parent.get(pid, [])
            waiting += children
        return found

    def _count(self, known: dict[int, ProcessReading], live: dict[int, ProcessReading]) -> None:
        gone: dict[int, list[ProcessReading]] = {}
        for pid, one in list(known.items()):
            if pid not in live or live[pid].born_ticks != one.born_ticks:
                gone.setdefault(_heir(one.parent, known, live), []).append(one)
                if pid in live:  # by another, which was given its number
                    del known[pid]
        for pid, now in live.items():
            before = known.get(pid)
            ticks = now.cpu_ticks - (before.cpu_ticks if before else 0)
            was_read = now.read_bytes - (before.read_bytes if before else 0)
            written = now.written_bytes - (before.written_bytes if before else 0)
            ended = gone.get(pid, [])
            reaped = now.reaped_ticks - (before.reaped_ticks if before else 0)
            counted = sum(one.cpu_ticks for one in ended)
            if ended and reaped + _ROUNDING_TICKS * len(ended) >= counted:
                ticks -= counted
                was_read -= sum(one.read_bytes for one in ended)
                written -= sum(one.written_bytes for one in ended)
            self._ticks += max(0, ticks)
            self._read_bytes += max(0, was_read)
            self._written_bytes += max(0, written)


def _heir(pid: int, known: dict[int, ProcessReading], live: dict[int, ProcessReading]) -> int:
    """The nearest ancestor that lives: to whom what is counted of the dead came, if everybody waited for his children."""
    for _ in range(len(known)):
        if pid in live or pid not in known:
            break
        pid = known[pid].parent
    return pid


class OwnTimes:
    """Where there is no /proc (macOS): the process's own times and those of children it waited for."""

    def __init__(self) -> None:
        self._first_s: float | None = None

    def look(self) -> Used:
        spent = os.times()
        now_s = spent.user + spent.system + spent.children_user + spent.children_system
        if self._first_s is None:
            self._first_s = now_s
        return Used(now_s - self._first_s, has_io=False)

    @property
    def pids(self) -> frozenset[int]:
        return frozenset((os.getpid(),))
