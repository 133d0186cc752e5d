"""A program in a terminal, played by a user at its other end: the pseudo-terminal that it prints to is as good as the real one."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console.programs import TIMEOUT_S, command, environment, logged, texts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="modes are passed on under Linux only")

LEADER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
INIT = 'run = lineal.init("x", url=sys.argv[1])\n'
READER = """
import os, sys, termios
keys = os.open(os.ttyname(2), os.O_RDONLY)
before = termios.tcgetattr(2)
raw = termios.tcgetattr(2)
raw[3] &= ~(termios.ICANON | termios.ECHO)
termios.tcsetattr(2, termios.TCSADRAIN, raw)
os.write(1, b"READY\\n")
os.write(1, b"key " + os.read(keys, 1) + b"\\n")
termios.tcsetattr(2, termios.TCSADRAIN, before)
"""


class Terminal:
    """`program` leads a session of its own, whose controlling terminal this is."""

    def __init__(self, source: str, folder: Path, capture: str = "console") -> None:
        self.user, self.screen = os.openpty()
        self.resize(33, 77)
        self.printed = b""
        self.at_first = self.modes()
        self.program = subprocess.Popen(
            [sys.executable, "-c", LEADER, *command(source, folder)],
            stdin=self.screen,
            stdout=self.screen,
            stderr=self.screen,
            start_new_session=True,
            env=environment(capture, TERM="xterm"),
        )

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.screen)

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.screen)[3] & (termios.ICANON | termios.ECHO)

    def wait_for(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not what():
            assert time.monotonic() < deadline, self.printed
            if select.select([self.user], [], [], 0.02)[0]:
                self.printed += os.read(self.user, 65_536)

    def wait_until_printed(self, text: bytes) -> None:
        self.wait_for(lambda: text in self.printed)

    def type(self, text: bytes) -> None:
        os.write(self.user, text)

    def end(self) -> bytes:
        """All that was printed; the program has ended well."""
        self.wait_for(lambda: self.program.poll() is not None)
        assert self.program.returncode == 0, self.printed
        self.wait_for(lambda: not select.select([self.user], [], [], 0)[0])
        return self.printed

    def close(self) -> None:
        if self.program.poll() is None:
            os.killpg(self.program.pid, signal.SIGKILL)
            self.program.wait()
        os.close(self.user)
        os.close(self.screen)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def begin(source: str, capture: str = "console") -> Terminal:
        opened.append(Terminal(source, tmp_path / capture, capture))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def test_a_child_that_reads_keys_from_the_terminal_of_its_output(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    source = INIT + f"subprocess.run([sys.executable, '-c', {READER!r}])\nprint('end')\nrun.finish()\n"
    printed = []
    for capture in ("none", "console"):
        one = terminal(source, capture)
        one.wait_until_printed(b"READY")
        one.wait_for(one.is_raw)
        one.type(b"k")
        printed.append(one.end())
        assert one.modes() == one.at_first
    assert printed[0] == printed[1] == b"READY\r\nkey k\r\nend\r\n"
    assert texts(tmp_path / "console", "both") == ["READY", "key k", "end"]


def test_modes_set_by_the_output_are_those_of_the_keyboard(terminal: Callable[..., Terminal]) -> None:
    source = (
        INIT
        + """
import termios
before = termios.tcgetattr(1)
raw = termios.tcgetattr(1)
raw[3] &= ~(termios.ICANON | termios.ECHO)
termios.tcsetattr(1, termios.TCSADRAIN, raw)
print("READY", flush=True)
print("key", os.read(0, 1).decode())
termios.tcsetattr(1, termios.TCSADRAIN, before)
run.finish()
"""
    )
    one = terminal(source)
    one.wait_until_printed(b"READY")
    one.wait_for(one.is_raw)
    one.type(b"k")
    assert one.end() == b"READY\r\nkey k\r\n"
    one.wait_for(lambda: one.modes() == one.at_first)


def test_a_reader_that_is_killed_leaves_the_keyboard_to_the_program(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    source = (
        INIT
        + f"""
child = subprocess.Popen([sys.executable, '-c', {READER!r}])
while os.path.exists(sys.argv[1] + '/wait'):
    time.sleep(0.01)
child.kill()
child.wait()
print("killed", flush=True)
print("got", os.read(0, 100).decode().strip())
run.finish()
"""
    )
    wait = tmp_path / "console" / "wait"
    wait.parent.mkdir()
    wait.touch()
    one = terminal(source)
    one.wait_until_printed(b"READY")
    one.wait_for(one.is_raw)
    wait.unlink()
    one.wait_until_printed(b"killed")
    one.type(b"typed\n")
    assert one.end().endswith(b"got typed\r\n")


@pytest.mark.skipif(shutil.which("less") is None, reason="there is no less")
def test_less_is_read_and_left(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("".join(f"line {number}\n" for number in range(200)))
    one = terminal(INIT + f"subprocess.run(['less', {str(text)!r}])\nprint('left')\nrun.finish()\n")
    one.wait_until_printed(b"line 31")
    one.type(b"G")
    one.wait_until_printed(b"line 199")
    one.type(b"q")
    assert one.end().endswith(b"left\r\n")
    assert one.modes() == one.at_first


def test_whoever_is_told_of_another_size_finds_it_at_last(terminal: Callable[..., Terminal]) -> None:
    source = (
        INIT
        + """
import signal
sizes = [os.get_terminal_size(1)]
signal.signal(signal.SIGWINCH, lambda *_: sizes.append(os.get_terminal_size(1)))
print("READY", flush=True)
while sizes[-1].columns != 120:
    time.sleep(0.01)
print(sizes[-1].lines, sizes[-1].columns, os.get_terminal_size(2).columns)
run.finish()
"""
    )
    one = terminal(source)
    one.wait_until_printed(b"READY")
    one.resize(40, 120)
    assert one.end() == b"READY\r\n40 120 120\r\n"


def test_a_size_that_was_changed_between_two_runs_is_known_at_once(terminal: Callable[..., Terminal]) -> None:
    source = (
        INIT
        + """
run.finish()
print("READY", flush=True)
while os.get_terminal_size(1).columns != 120:
    time.sleep(0.01)
run = lineal.init("x", url=sys.argv[1])
size = os.get_terminal_size(1)
run.finish()
print(size.lines, size.columns)
"""
    )
    one = terminal(source)
    one.wait_until_printed(b"READY")
    one.resize(40, 120)
    assert one.end() == b"READY\r\n40 120\r\n"


def test_what_is_printed_when_the_helper_has_been_killed_is_as_it_was(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    source = (
        INIT
        + """
print("one", flush=True)
child = subprocess.Popen([sys.executable, "-c", "input(); print('by the child')"], stdin=subprocess.PIPE)
def helpers():
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{name}/cmdline", "rb").read().split(b"\\0")
            is_ours = any(word.endswith(b"pump.py") for word in words) and sys.argv[1].encode() + b"/journals" in words
            if is_ours and os.readlink(f"/proc/{name}/cwd") == "/":
                yield int(name)
        except OSError:
            pass
while not (found := list(helpers())):
    time.sleep(0.01)
journals = sys.argv[1] + "/journals"
while not any(b"one" in open(f"{journals}/{name}", "rb").read() for name in os.listdir(journals) if name.endswith(".seg")):
    time.sleep(0.01)
before = os.fstat(1)
os.kill(found[0], 9)
while os.path.samestat(before, os.fstat(1)):
    time.sleep(0.01)
print("two", flush=True)
child.communicate(b"\\n")
print("three", flush=True)
run.finish()
print(sys.stdout.isatty())
"""
    )
    one = terminal(source)
    printed = one.end().split(b"\r\n")
    assert sorted(printed) == sorted([b"one", b"two", b"three", b"by the child", b"True", b""])
    assert one.modes() == one.at_first
    assert logged(tmp_path / "console")[0].status == "finished"
