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
            import select

            select.select([], [target], [])


def pump(source: int, target: int, letter: bytes, mark: bytes, waiting: Waiting) -> None:
    """Until nobody holds the other end, or nobody reads what is written: then the next to print shall know it."""
    try:
        while True:
            try:
                data = os.read(source, READ_BYTES)
            except OSError:  # a terminal that everybody has left
                break
            if not data:
                break
            while mark[:1] in data[-MARK_BYTES:] and mark not in data and _begins(data, mark):
                data += os.read(source, READ_BYTES)
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
    source: int, target: int, letter: bytes, mark: bytes, waiting: Waiting, done: _thread.LockType
) -> None:
    try:
        pump(source, target, letter, mark, waiting)
    finally:
        done.release()


def main(arguments: list[str]) -> None:
    """letter:source:target ..., the recorder's descriptor, the mark, the folder for what must wait."""
    *streams, recorder, mark, folder = arguments
    wanted = {int(recorder)}
    pairs = []
    for stream in streams:
        name, *numbers = stream.split(":")
        source, target = map(int, numbers)
        wanted |= {source, target}
        pairs.append((source, target, name.encode()))
    os.setsid()  # the shell that began this has put it into the background: it leads no group
    os.chdir("/")
    for entry in os.listdir("/dev/fd"):
        if int(entry) not in wanted and int(entry) > 2:
            try:
                os.close(int(entry))
            except OSError:
                pass
    waiting = Waiting(int(recorder), folder)
    _thread.start_new_thread(waiting.send, ())
    done = []
    for source, target, letter in pairs:
        lock = _thread.allocate_lock()
        lock.acquire()
        done.append(lock)
        _thread.start_new_thread(_pump_and_tell, (source, target, letter, bytes.fromhex(mark), waiting, lock))
    for lock in done:
        lock.acquire()
    waiting.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
