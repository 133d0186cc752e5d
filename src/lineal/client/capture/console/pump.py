"""The helper process that reads what a run prints: first to where it was going, then to the recorder. A program of its own.

It is the reader of the run's pipes because nothing in the run's own process can be: a thread there needs the interpreter lock, which
native code may hold while it waits for the pipe to have room (docs/adr/0032-console.md). It outlives the run, with each byte that was
printed before a kill -9, and as long as any child still prints. It imports nothing of Lineal: python -I -S pump.py ..."""

from __future__ import annotations

import _thread
import errno
import os
import struct
import sys
import time

HEAD = struct.Struct("<cqI")
"""Of a frame to the recorder: a letter (a stream's; its upper case where that is over, or a mark came by; ! and ? for a count of bytes
that are not recorded, or not printed), ns, length."""
MARK_BYTES = 17
READ_BYTES = 256 * 1024
WAITING_MAX_BYTES = 8 * 1024 * 1024
"""For the recorder, in memory; more goes to a file without a name, so that no burst waits for the interpreter of the run."""
FILE_MAX_BYTES = 1024 * 1024 * 1024
_NUMBERS_MAX = 65_536
_PACKET_MODES = 64  # TIOCPKT_IOCTL, see ioctl_tty(2); `termios` does not name it
_GET_NUMBER = 0x80045430  # TIOCGPTN: N of /dev/pts/N
EXTPROC = 0o200000
"""Of Linux: who has the other end of a pseudo-terminal is told when its modes change."""


class Waiting:
    """What the recorder has not taken yet."""

    def __init__(self, target: int, folder: str) -> None:
        self._target = target
        self._folder = folder
        self._lock = _thread.allocate_lock()
        self._news = _thread.allocate_lock()
        self._news.acquire()
        self._parts: list[bytes] = []
        self._size = 0
        self._file = -1
        self._file_read = self._file_end = 0
        self._is_gone = False
        self._is_last = False
        self._left_out = 0
        self._sent = _thread.allocate_lock()
        self._sent.acquire()

    def add(self, letter: bytes, data: bytes) -> None:
        frame = HEAD.pack(letter, time.time_ns(), len(data)) + data
        with self._lock:
            if self._is_gone:
                return
            if self._file_end or self._size + len(frame) > WAITING_MAX_BYTES:
                self._put_away(frame)
            else:
                self._parts.append(frame)
                self._size += len(frame)
        self._tell()

    def finish(self) -> None:
        """Nothing is added any more. Returns when the recorder has everything, or is gone."""
        self._is_last = True
        self._tell()
        self._sent.acquire()

    def send(self) -> None:
        """Until the recorder is gone, or has everything. In a thread of its own."""
        try:
            while True:
                is_last = self._is_last
                batch = self._take()
                if batch:
                    write_all(self._target, batch)
                elif is_last:
                    return
                else:
                    self._news.acquire()
        except OSError:
            with self._lock:
                self._is_gone = True
                self._parts.clear()
                if self._file >= 0:
                    os.ftruncate(self._file, 0)
            os.close(self._target)
        finally:
            self._sent.release()

    def _tell(self) -> None:
        try:
            if self._news.locked():
                self._news.release()
        except RuntimeError:  # the other stream's thread was faster
            pass

    def _take(self) -> bytes:
        with self._lock:
            if self._parts:
                batch = b"".join(self._parts)
                self._parts.clear()
                self._size = 0
                return batch
            if self._file_end:
                batch = os.pread(self._file, READ_BYTES * 4, self._file_read)
                self._file_read += len(batch)
                if self._file_read >= self._file_end or not batch:
                    os.ftruncate(self._file, 0)
                    self._file_read = self._file_end = 0
                return batch
            if self._left_out:
                batch = HEAD.pack(b"!", 0, 8) + self._left_out.to_bytes(8, "little")
                self._left_out = 0
                return batch
        return b""

    def _put_away(self, frame: bytes) -> None:
        try:
            if self._file < 0:
                path = os.path.join(self._folder, f".console-{os.getpid()}")
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                os.unlink(path)
            if self._file_end + len(frame) > FILE_MAX_BYTES:
                raise OSError(errno.ENOSPC, "")
            done = 0
            while done < len(frame):
                done += os.pwrite(self._file, frame[done:], self._file_end + done)
            self._file_end += len(frame)
        except OSError:  # the frame is not recorded; a part of it that was written is written over
            self._left_out += len(frame) - HEAD.size


def write_all(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[_write(target, view) :]


def print_all(target: int, data: bytes) -> int:
    """How many bytes could not be written, since a disk is full or a terminal gone: a later write may succeed. Raises BrokenPipeError
    where nobody reads: that alone is for ever."""
    view = memoryview(data)
    try:
        while view:
            view = view[_write(target, view) :]
    except BrokenPipeError:
        raise
    except OSError:
        pass
    return len(view)


def _write(target: int, view: memoryview) -> int:
    """Whatever else has made the descriptor not wait, this does."""
    while True:
        try:
            return os.write(target, view)
        except BlockingIOError:
            ready([], [target], None)


_SELECT_MAX = 1024
"""FD_SETSIZE, of Linux and macOS."""


def ready(reading: list[int], writing: list[int], wait_s: float | None) -> list[int]:
    """Those that can be read, or written to, without waiting. select(2) takes no number above FD_SETSIZE, which a program with a thousand
    open files hands out; poll(2) does not know every terminal of macOS. OSError where one is not open."""
    import select

    if max((*reading, *writing), default=0) < _SELECT_MAX:
        readable, writable, _ = select.select(reading, writing, [], wait_s)
        return [*readable, *writable]
    asked = select.poll()
    for descriptors, what in ((reading, select.POLLIN), (writing, select.POLLOUT)):
        for descriptor in descriptors:
            asked.register(descriptor, what)
    found = asked.poll(None if wait_s is None else wait_s * 1000)
    if any(what & select.POLLNVAL for _, what in found):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return [descriptor for descriptor, _ in found]


class Terminal:
    """A pseudo-terminal before a real one, in packet mode. Who sets modes by its output (less, curses) means those of the keyboard, which
    is the real one's; how output is processed stays that one's affair. Who opens it by its name to read keys (less) gets what is typed."""

    def __init__(self, source: int, target: int) -> None:
        import termios

        self._source = source
        self._target = target
        self._known = self._input_modes(termios.tcgetattr(target))
        self._is_typed = False

    def read(self, size: int) -> bytes:
        while True:
            packet = os.read(self._source, size)
            if not packet or packet[0] == 0:
                return packet[1:]
            if packet[0] & _PACKET_MODES:
                try:
                    self._pass_on()
                except Exception:  # the real one is gone, say
                    pass

    def _pass_on(self) -> None:
        import termios

        pseudo = termios.tcgetattr(self._source)
        modes = self._input_modes(pseudo)
        if modes != self._known:
            self._known = modes
            settings = termios.tcgetattr(self._target)
            settings[0], settings[3], settings[6] = modes
            termios.tcsetattr(self._target, termios.TCSANOW, settings)
        if pseudo[1] & termios.OPOST:
            pseudo[1] &= ~termios.OPOST
            termios.tcsetattr(self._source, termios.TCSANOW, pseudo)
        if self._is_raw() and not self._is_typed and self._is_read():
            self._is_typed = True
            _thread.start_new_thread(self._type, ())

    def _is_raw(self) -> bool:
        import termios

        return not self._known[1] & termios.ICANON

    def _type(self) -> None:
        try:
            while self._is_raw() and self._is_read():
                if ready([self._target], [], 0.5) and self._is_raw() and self._is_read():
                    write_all(self._source, os.read(self._target, 1024))
        except OSError:  # it cannot be read, or somebody has gone
            pass
        self._is_typed = False

    def _is_read(self) -> bool:
        """Whether anybody has opened it to read."""
        import fcntl

        number = struct.unpack("i", fcntl.ioctl(self._source, _GET_NUMBER, bytes(4)))[0]
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                for descriptor in os.listdir(f"/proc/{process}/fd"):
                    if os.readlink(f"/proc/{process}/fd/{descriptor}") == f"/dev/pts/{number}":
                        with open(f"/proc/{process}/fdinfo/{descriptor}") as file:
                            flags = next(line.split()[1] for line in file if line.startswith("flags:"))
                        if int(flags, 8) & os.O_ACCMODE == os.O_RDONLY:
                            return True
            except (OSError, StopIteration):  # gone, or another user's
                pass
        return False

    @staticmethod
    def _input_modes(settings: list) -> tuple:  # type: ignore[type-arg]
        return settings[0], settings[3] & ~EXTPROC, settings[6]


def pump(source: int, target: int, letter: bytes, mark: bytes, waiting: Waiting, is_terminal: bool = False) -> None:
    """Until nobody holds the other end, or nobody reads what is written: then the next to print shall know it."""
    try:
        terminal = Terminal(source, target) if is_terminal else None
        while True:
            try:
                data = terminal.read(READ_BYTES) if terminal else os.read(source, READ_BYTES)
            except OSError:  # a terminal that everybody has left
                break
            if not data:
                break
            while mark[:1] in data[-MARK_BYTES:] and mark not in data and _begins(data, mark):
                data += terminal.read(READ_BYTES) if terminal else os.read(source, READ_BYTES)
            pieces = data.split(mark)
            for index, piece in enumerate(pieces):
                if piece:
                    lost = 0
                    try:
                        lost = print_all(target, piece)
                    finally:  # it was printed, whoever read it
                        waiting.add(letter, piece)
                    if lost:
                        waiting.add(b"?", lost.to_bytes(8, "little"))
                if index < len(pieces) - 1:
                    waiting.add(letter.upper(), b"mark")
    except OSError:
        pass
    os.close(source)
    os.close(target)
    waiting.add(letter.upper(), b"gone")


def _begins(data: bytes, mark: bytes) -> bool:
    return any(data.endswith(mark[:length]) for length in range(1, MARK_BYTES))


def _pump_and_tell(
    source: int, target: int, letter: bytes, mark: bytes, waiting: Waiting, is_terminal: bool, done: _thread.LockType
) -> None:
    try:
        pump(source, target, letter, mark, waiting, is_terminal)
    finally:
        done.release()


def _open_numbers() -> list[int]:
    try:
        return [int(entry) for entry in os.listdir("/dev/fd")]
    except OSError:  # a place without /proc
        return list(range(min(os.sysconf("SC_OPEN_MAX"), _NUMBERS_MAX)))


def main(arguments: list[str]) -> None:
    """letter:source:target:terminal ..., the recorder's descriptor, the mark, the folder for what must wait."""
    *streams, recorder, mark, folder = arguments
    wanted = {int(recorder)}
    pairs = []
    for stream in streams:
        name, *numbers = stream.split(":")
        source, target, terminal = map(int, numbers)
        wanted |= {source, target}
        pairs.append((source, target, name.encode(), bool(terminal)))
    os.setsid()  # the shell that began this has put it into the background: it leads no group
    os.chdir("/")
    for number in _open_numbers():
        if number not in wanted and number > 2:
            try:
                os.close(number)
            except OSError:
                pass
    waiting = Waiting(int(recorder), folder)
    _thread.start_new_thread(waiting.send, ())
    done = []
    for source, target, letter, is_terminal in pairs:
        lock = _thread.allocate_lock()
        lock.acquire()
        done.append(lock)
        _thread.start_new_thread(
            _pump_and_tell, (source, target, letter, bytes.fromhex(mark), waiting, is_terminal, lock)
        )
    for lock in done:
        lock.acquire()
    waiting.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
