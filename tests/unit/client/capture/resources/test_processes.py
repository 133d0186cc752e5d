"""Counters of a tree of processes: real children that burn, allocate and write, and made-up ones that die in odd ways."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lineal.client.capture.resources.processes import OwnTimes, Tree, read_process

linux_only = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc")
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20

BURN = """
import os, sys, time
def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1_000))
"""


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a program that says "ready" when it is, and waits for its input to end."""
    children: list[subprocess.Popen[str]] = []

    def begin(program: str) -> subprocess.Popen[str]:
        ready = "\nprint('ready', flush=True); sys.stdin.read()"
        child = subprocess.Popen(
            [sys.executable, "-c", BURN + program + ready], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        children.append(child)
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


@linux_only
@pytest.mark.parametrize("lists_children", [True, False])
def test_what_a_child_burns_is_counted_once_while_it_lives_and_after(start, lists_children: bool) -> None:
    tree = Tree(os.getpid())
    tree._lists_children = lists_children
    tree.look()
    child = start("burn(0.5)")
    alive = tree.look()
    assert child.pid in tree.pids and alive.process_count >= 2
    assert 0.4 <= alive.cpu_s < 30
    child.communicate()
    after = tree.look()
    assert child.pid not in tree.pids
    # It did next to nothing in between; counted twice it would be half a second more.
    assert alive.cpu_s <= after.cpu_s < alive.cpu_s + 0.4


@linux_only
def test_a_child_that_came_and_went_between_two_looks_is_counted(start) -> None:
    tree = Tree(os.getpid())
    before = tree.look()
    start("burn(0.5)").communicate()
    assert tree.look().cpu_s - before.cpu_s >= 0.4


@linux_only
def test_a_grandchild_whose_parent_died_stays_in_the_tree(start) -> None:
    tree = Tree(os.getpid())
    tree.look()
    others = {*tree.pids}  # ourselves, and what earlier tests may have left
    child = start("if os.fork():\n    sys.stdin.read()\n    os._exit(0)\nburn(0.3)")  # the grandchild says "ready"
    tree.look()
    [grandchild] = tree.pids - others - {child.pid}
    child.kill()
    child.wait()
    used = tree.look()
    assert grandchild in tree.pids and child.pid not in tree.pids and used.cpu_s >= 0.25
    os.kill(grandchild, 9)


@linux_only
def test_memory_and_files_of_a_child_are_its_trees(start, tmp_path: Path) -> None:
    tree = Tree(os.getpid())
    before = tree.look()
    program = f"data = bytearray(os.urandom(1)) * (100 << 20)\nfile = open({str(tmp_path / 'x')!r}, 'wb')\n"
    child = start(program + "file.write(data[:50 << 20]); file.flush(); os.fsync(file.fileno())\nburn(0.1)")
    used = tree.look()
    held = used.memory_bytes - before.memory_bytes
    assert 95 * MIB < held < 400 * MIB
    one = read_process("/proc", child.pid)
    assert one is not None
    if one.written_bytes == 0:
        pytest.skip("the kernel counts nothing written here: a file system in memory, or no accounting")
    assert 45 * MIB < used.written_bytes - before.written_bytes < 200 * MIB
    child.communicate()
    assert tree.look().written_bytes - before.written_bytes < 99 * MIB  # not twice


class Table:
    """A /proc of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, pid: int, parent: int, own: int, reaped: int = 0, born: int = 1, written: int = 0) -> None:
        place = self.folder / str(pid)
        (place / "task" / str(pid)).mkdir(parents=True, exist_ok=True)
        rest = ["0"] * 30
        rest[0], rest[1] = "S", str(parent)
        rest[11], rest[13], rest[17], rest[19], rest[21] = str(own), str(reaped), "1", str(born), "1"
        (place / "stat").write_text(f"{pid} (a) b (c) {' '.join(rest)}\n")
        (place / "io").write_text(f"rchar: 5\nread_bytes: 0\nwrite_bytes: {written}\n")
        (place / "task" / str(pid) / "children").touch()

    def children(self, pid: int, *children: int) -> None:
        (self.folder / str(pid) / "task" / str(pid) / "children").write_text(" ".join(map(str, children)))

    def remove(self, pid: int) -> None:
        place = self.folder / str(pid)
        for path in (place / "stat", place / "io", place / "task" / str(pid) / "children"):
            path.unlink()
        (place / "task" / str(pid)).rmdir()
        (place / "task").rmdir()
        place.rmdir()


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def ticks(tree: Tree) -> int:
    return round(tree.look().cpu_s * TICK)


def test_what_was_before_the_first_look_counts_for_nothing(table: Table) -> None:
    table.put(1, 0, own=5_000, written=9)
    tree = Tree(1, str(table.folder))
    assert ticks(tree) == 0
    table.put(1, 0, own=5_010, written=29)
    used = tree.look()
    assert (round(used.cpu_s * TICK), used.written_bytes) == (10, 20)


def test_a_reaped_child_is_taken_off_what_its_parent_jumps_by(table: Table) -> None:
    table.put(1, 0, own=0)
    table.put(2, 1, own=0)
    table.children(1, 2)
    tree = Tree(1, str(table.folder))
    tree.look()
    table.put(2, 1, own=100, written=1_000)
    assert ticks(tree) == 100
    table.remove(2)
    table.children(1)
    table.put(1, 0, own=7, reaped=120, written=1_500)  # the child burned 20 more before its end
    used = tree.look()
    assert (round(used.cpu_s * TICK), used.written_bytes) == (127, 1_500)


def test_a_child_that_nobody_waited_for_stays_counted(table: Table) -> None:
    table.put(1, 0, own=0)
    table.put(2, 1, own=0)
    table.children(1, 2)
    tree = Tree(1, str(table.folder))
    tree.look()
    table.put(2, 1, own=100)
    tree.look()
    table.remove(2)
    table.children(1)
    table.put(1, 0, own=150)
    assert ticks(tree) == 250


def test_grandchildren_come_home_through_their_parent(table: Table) -> None:
    for pid in (1, 2, 3):
        table.put(pid, pid - 1, own=0)
    table.children(1, 2)
    table.children(2, 3)
    tree = Tree(1, str(table.folder))
    tree.look()
    table.put(2, 1, own=50)
    table.put(3, 2, own=100)
    assert ticks(tree) == 150
    table.remove(2)
    table.remove(3)
    table.children(1)
    table.put(1, 0, own=0, reaped=150)
    assert ticks(tree) == 150


def test_a_number_that_was_given_again_is_another_process(table: Table) -> None:
    table.put(1, 0, own=0)
    table.put(2, 1, own=0)
    table.children(1, 2)
    tree = Tree(1, str(table.folder))
    tree.look()
    table.put(2, 1, own=100)
    tree.look()
    table.put(2, 1, own=30, born=99)  # a second child under the first one's number
    table.put(1, 0, own=0, reaped=100)
    assert ticks(tree) == 130
    table.put(2, 77, own=5_000, born=500)  # and now somebody else's process
    table.children(1)
    table.put(1, 0, own=0, reaped=130)
    assert ticks(tree) == 130 and tree.pids == {1}


def test_without_proc_the_process_and_its_children_are_known_by_their_times() -> None:
    times = OwnTimes()
    assert times.look().cpu_s == 0.0
    subprocess.run([sys.executable, "-c", BURN + "burn(0.3)"], check=True)
    used = times.look()
    assert 0.25 <= used.cpu_s < 30 and not used.has_io


def test_a_process_that_is_gone_reads_as_none(table: Table) -> None:
    assert read_process(str(table.folder), 5) is None
    (table.folder / "6").mkdir()
    (table.folder / "6" / "stat").write_text("6 (x) R 1")
    assert read_process(str(table.folder), 6) is None
