"""Tools for killing programs that log, and for knowing from outside what they had said by then.

The oracle is a ledger that the system under test cannot touch: the child writes a line into a pipe *after* a call returned,
and the parent, which kills the child, is the only one to read it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from lineal import api
from lineal.ingest.apply import layout_of
from lineal.ingest.points import by_layout, headers, to_block
from lineal.journal.layout import Folder
from lineal.model.entities import Layout
from lineal.model.errors import Damaged
from lineal.record import kinds
from lineal.record.codec import decode
from lineal.record.records import LayoutDefined, Record
from lineal.record.stream import Damage, Header, Tail, header_at, payload_at, scan, start_of

# A shell that starts us in the background has us ignore Ctrl-C, and nohup a hang-up: what is tested must not inherit that.
_PRELUDE = """\
import os, signal, sys
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
_LEDGER = int(sys.argv.pop(1))
def said(*words, _write=os.write, _fd=_LEDGER):
    _write(_fd, (" ".join(map(str, words)) + "\\n").encode())
"""
_POLL_S = 0.002


class Child:
    """A Python program in a process of its own, with a ledger. In it `said(...)` writes one line of the ledger, and
    `sys.argv[1:]` are the arguments.

    A context manager: on leaving, whatever still runs (its own children included) is killed."""

    def __init__(
        self,
        program: str,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        read_fd, write_fd = os.pipe()
        self._errors = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - it lives as long as the child
        self._ledger = b""
        home = str(Path(api.__file__).parents[1])
        self.process = subprocess.Popen(
            [
                *prefix,
                sys.executable,
                "-c",
                _PRELUDE + textwrap.dedent(program),
                str(write_fd),
                *map(str, arguments),
            ],
            pass_fds=(write_fd,),
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": home, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(write_fd)
        self._reader = threading.Thread(target=self._read, args=(read_fd,), daemon=True)
        self._reader.start()

    def _read(self, fd: int) -> None:
        while chunk := os.read(fd, 1 << 16):
            self._ledger += chunk
        os.close(fd)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(10)
        self._errors.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> list[str]:
        """The whole lines of the ledger so far."""
        return self._ledger.decode().split("\n")[:-1]

    def output(self) -> str:
        """What the child printed, to either stream."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def wait_for(self, line: str | Callable[[str], bool], timeout_s: float = 30.0) -> str:
        """The first line that is (or fits) `line`. Fails if the child ends before it said so."""
        fits = line if callable(line) else lambda found: found == line
        deadline_s = time.monotonic() + timeout_s
        seen = 0
        while True:
            ended = self.process.poll() is not None
            if ended:
                self._reader.join(1)
            lines = self.lines()
            for found in lines[seen:]:
                if fits(found):
                    return found
            seen = len(lines)
            if ended or time.monotonic() > deadline_s:
                why = f"ended with {self.process.returncode}" if ended else f"is silent for {timeout_s} s"
                raise AssertionError(f"the child {why} before it said {line!r}:\n{lines[-5:]}\n{self.output()}")
            time.sleep(_POLL_S)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends the signal to the child alone, not to its children."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def end(self, timeout_s: float = 60.0) -> int:
        """Waits for its end; returns the status as subprocess tells it (-9: killed by SIGKILL). Fails on a hang."""
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the child hangs; it said {self.lines()[-5:]}\n{self.output()}") from None
        self._reader.join(1)
        return status

    def end_well(self, timeout_s: float = 60.0) -> list[str]:
        """Waits for an end with status 0 and returns the ledger."""
        status = self.end(timeout_s)
        assert status == 0, f"the child ended with {status}:\n{self.output()}"
        return self.lines()


# -- what is on disk, read without ingest or store --------------------------------------------------------------


class Said(NamedTuple):
    """One frame of a journal. `record` is None for points (`points` has their step and values then) and unknown kinds."""

    offset: int
    header: Header
    record: Record | None
    points: tuple[int | float, dict[str, int | float]] | None


class Reading(NamedTuple):
    """One segment's frames, in order, and how they end."""

    path: str
    said: list[Said]
    damages: list[Damage]
    tail: Tail

    @property
    def records(self) -> list[Record]:
        return [said.record for said in self.said if said.record is not None]

    @property
    def points(self) -> list[tuple[int | float, dict[str, int | float]]]:
        return [said.points for said in self.said if said.points is not None]


def read_segment(data: bytes, *, final: bool = True, path: str = "") -> Reading:
    """The meaning of a segment's bytes. Points whose layout the segment does not define come without values."""
    data = data[: len(data) & ~7]
    view = memoryview(data)
    found = scan(view, start_of(view), final=final)
    layouts: dict[int, Layout] = {}
    said = []
    for offset in found.offsets:
        header = header_at(view, offset)
        record, points = None, None
        if header.kind == kinds.POINTS_APPENDED:
            frames = headers(data, [offset])
            number = next(by_layout(frames))[0]
            if number in layouts:
                block, _ = to_block(frames, layouts[number])
                assert block is not None
                names = [key.name for key in layouts[number].series]
                points = (block.step[0].item(), dict(zip(names, (v[0].item() for v in block.values), strict=True)))
            else:
                points = (-1, {})
        elif header.kind in kinds.KNOWN:
            with contextlib.suppress(Damaged):
                record = decode(header.kind, payload_at(view, offset, header.length))
            if isinstance(record, LayoutDefined):
                layouts[record.number] = layout_of(record)
        said.append(Said(offset, header, record, points))
    return Reading(path, said, found.damages, found.tail)


def read_journals(root: str | os.PathLike[str]) -> dict[str, list[Reading]]:
    """Every segment of a Lineal folder by writer, in order."""
    found: dict[str, list[Reading]] = {}
    for segment in Folder(root).list_segments():
        reading = read_segment(Path(segment.path).read_bytes(), path=segment.path)
        found.setdefault(segment.writer, []).append(reading)
    return found


# -- damage on purpose -------------------------------------------------------------------------------------------


def flip_bit(data: bytes, bit: int) -> bytes:
    """The same bytes but for one bit, counted from the start, lowest bit of a byte first."""
    damaged = bytearray(data)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    return bytes(damaged)


@contextlib.contextmanager
def small_disk(path: Path, size: str = "1M") -> Iterator[Path]:
    """A tmpfs of that size, mounted at `path`, which is made. Needs root: raises CalledProcessError or FileNotFoundError."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True, capture_output=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def remount(path: Path, options: str) -> None:
    """Changes a mount ("ro", "rw", "size=2M"). Needs root."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True, capture_output=True)


# -- what a power cut leaves -------------------------------------------------------------------------------------

SYNC_SPY = '''
import os as _os, json as _json
def spy_on_syncs(shadow):
    """From now on, what each fsync and fdatasync of this process makes durable is copied to the folder `shadow`, under the number
    of the inode: a file's bytes as they were when the call began, a folder's names."""
    _os.makedirs(shadow, exist_ok=True)
    def spied(real):
        def sync(fd):
            status = _os.fstat(fd)
            path = f"/proc/self/fd/{fd}"
            if _os.path.isdir(path):
                names = {entry.name: entry.inode() for entry in _os.scandir(path)}
                content = _json.dumps(names).encode()
            else:
                with open(path, "rb") as file:
                    content = file.read()
            real(fd)
            draft = f"{shadow}/draft-{_os.urandom(8).hex()}"
            with open(draft, "wb") as file:
                file.write(content)
            _os.replace(draft, f"{shadow}/{status.st_ino}")
        return sync
    _os.fsync, _os.fdatasync = spied(_os.fsync), spied(_os.fdatasync)
'''
"""Program text for a `Child` that is to be cut off from power later: see `durable_image`."""


def durable_image(root: Path, shadow: Path, image: Path) -> None:
    """Makes `image` hold what of the folder `root` a power cut may leave at worst, by what POSIX says: a name is there
    if its folder was synced with it, bytes if their file was. `root` itself needs to be a name in its synced parent."""
    names = _durable_names(root.parent, shadow)
    if names.get(root.name) == root.stat().st_ino:
        _copy_durable(root, shadow, image)


def _durable_names(folder: Path, shadow: Path) -> dict[str, int]:
    known = shadow / str(folder.stat().st_ino)
    names: dict[str, int] = json.loads(known.read_bytes()) if known.exists() else {}
    return names


def _copy_durable(folder: Path, shadow: Path, image: Path) -> None:
    image.mkdir(parents=True)
    paths = {entry.inode(): Path(entry.path) for entry in os.scandir(folder)}
    for name, inode in _durable_names(folder, shadow).items():
        known = shadow / str(inode)
        if inode in paths and paths[inode].is_dir():
            _copy_durable(paths[inode], shadow, image / name)
        else:
            (image / name).write_bytes(known.read_bytes() if known.exists() else b"")
