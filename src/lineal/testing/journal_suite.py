"""What a writer of segments and a journal must do, whoever wrote it: a suite to be subclassed.

    class TestMine(SegmentSuite):
        def create(self, path, size_bytes): return MySegment(path, size_bytes)

    class TestMyJournal(JournalSuite):
        mode = "write"

pytest collects the subclasses; the classes here are not collected by themselves."""

from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal.journal.journal import Identity, Journal, JournalClosed
from lineal.journal.layout import Folder
from lineal.journal.locks import locks_of
from lineal.journal.segment import Segment, WriterMode
from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import FRAME_MAX_BYTES, KIB, SEGMENT_FIRST_BYTES
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import (
    AttemptEnded,
    LayoutDefined,
    Lost,
    NoteSet,
    ParamsSet,
    Record,
    SegmentOpened,
    SegmentSealed,
    TagsSet,
)
from lineal.testing.crash import Reading, read_journals


def frame_of(number: int, size_bytes: int = 64) -> bytes:
    """A valid frame that tells its number."""
    return encode_frame(NoteSet(str(number).zfill(max(1, size_bytes - 48))), number, 0)


class SegmentSuite:
    """The contract of `lineal.journal.segment.Segment`."""

    def create(self, path: str, size_bytes: int) -> Segment:
        raise NotImplementedError

    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        return str(tmp_path / "segment")

    @pytest.fixture
    def segment(self, path: str) -> Iterator[Segment]:
        segment = self.create(path, 64 * KIB)
        yield segment
        segment.close(cut=False)

    def on_disk(self, path: str) -> bytes:
        """What another process sees, without the zeros that may follow. (A frame's checksum may end in zeros of its own.)"""
        data = Path(path).read_bytes().rstrip(b"\0")
        return data + bytes(-len(data) % 8)  # frames are padded to eight

    def test_begins_with_the_magic_bytes(self, segment: Segment, path: str) -> None:
        assert segment.end == len(MAGIC)
        assert self.on_disk(path) == MAGIC == segment.content()
        assert segment.path == path

    def test_is_its_owners_alone(self, path: str) -> None:
        before = os.umask(0)
        try:
            self.create(path, 4 * KIB).close(cut=True)
        finally:
            os.umask(before)
        assert Path(path).stat().st_mode & 0o777 == 0o600

    def test_what_was_written_is_seen_at_once(self, segment: Segment, path: str) -> None:
        written = MAGIC
        for number in range(1, 100):
            segment.write(frame_of(number))
            written += frame_of(number)
            assert segment.end == len(written)
        assert self.on_disk(path) == segment.content() == written

    def test_a_frame_that_does_not_fit_leaves_nothing(self, segment: Segment, path: str) -> None:
        count = 0
        with pytest.raises(ValueError):
            while True:
                segment.write(frame_of(count + 1, 1000))
                count += 1
        assert count >= 60
        before = segment.content()
        for size in (1000, 2000, 70_000):
            with pytest.raises(ValueError):
                segment.write(frame_of(0, size))
        assert segment.content() == before == self.on_disk(path)
        assert segment.end == len(before)

    def test_a_full_segment_takes_its_seal(self, segment: Segment, path: str) -> None:
        for size in (4000, 400, 64):
            with pytest.raises(ValueError):
                while True:
                    segment.write(frame_of(1, size))
        before = segment.content()
        seal = encode_frame(SegmentSealed(2**63 - 1, True), 0, 2**63 - 1)
        segment.write_seal(seal)
        assert self.on_disk(path) == before + seal
        assert segment.end == len(before) + len(seal)

    @pytest.mark.parametrize("sealed", [False, True])
    def test_cut_ends_the_file_behind_the_last_frame(self, segment: Segment, path: str, sealed: bool) -> None:
        segment.write(frame_of(1))
        if sealed:
            segment.write_seal(frame_of(2))
        end = segment.end
        segment.close(cut=True)
        assert Path(path).stat().st_size == end
        segment.close(cut=True)
        segment.close(cut=False)

    def test_closing_without_a_cut_keeps_what_is_there(self, segment: Segment, path: str) -> None:
        segment.write(frame_of(1))
        segment.close(cut=False)
        assert self.on_disk(path) == MAGIC + frame_of(1)

    def test_writes_fail_once_it_is_closed(self, segment: Segment) -> None:
        segment.close(cut=True)
        with pytest.raises((ValueError, OSError)):
            segment.write(frame_of(1))

    def test_an_existing_file_is_not_touched(self, path: str) -> None:
        Path(path).write_bytes(b"mine")
        with pytest.raises(FileExistsError):
            self.create(path, 4 * KIB)
        assert Path(path).read_bytes() == b"mine"

    def test_a_missing_folder_is_an_error_of_the_system(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            self.create(str(tmp_path / "missing" / "segment"), 4 * KIB)

    def test_content_outlives_the_file(self, segment: Segment, path: str) -> None:
        segment.write(frame_of(1))
        assert not segment.is_deleted()
        Path(path).unlink()
        assert segment.is_deleted()
        segment.write(frame_of(2))
        assert segment.content() == MAGIC + frame_of(1) + frame_of(2)
        segment.sync()

    def test_sync_from_another_thread_while_it_is_written(self, segment: Segment, path: str) -> None:
        done = threading.Event()
        errors: list[BaseException] = []

        def sync() -> None:
            try:
                while not done.is_set():
                    segment.sync()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=sync)
        thread.start()
        for number in range(500):
            segment.write(frame_of(number))
        done.set()
        thread.join()
        assert errors == []
        assert self.on_disk(path) == MAGIC + b"".join(map(frame_of, range(500)))

    def test_a_checksum_may_end_in_zeros(self, segment: Segment, path: str) -> None:
        frame = next(frame for frame in map(frame_of, range(10_000)) if frame.endswith(b"\0"))
        segment.write(frame)
        assert self.on_disk(path) == MAGIC + frame == segment.content()

    def test_survives_sigkill(self, path: str) -> None:
        """The file of a process that was killed holds every frame whose write returned."""
        read_fd, write_fd = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                segment = self.create(path, 8 * KIB * KIB)
                number = 0
                while True:
                    segment.write(frame_of(number))
                    os.write(write_fd, b".")
                    number += 1
            finally:
                os._exit(1)
        os.close(write_fd)
        said = 0
        while said < 2_000:
            said += len(os.read(read_fd, 4096))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while more := os.read(read_fd, 4096):
            said += len(more)
        os.close(read_fd)
        expected = MAGIC + b"".join(map(frame_of, range(said)))
        assert self.on_disk(path)[: len(expected)] == expected


class JournalSuite:
    """What `lineal.journal.journal.Journal` promises, with one way of writing segments."""

    mode: WriterMode

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path / "lineal")

    @pytest.fixture
    def make(self, folder: Folder) -> Iterator[Callable[..., Journal]]:
        made: list[Journal] = []

        def make(**settings: Any) -> Journal:
            identity = Identity("default", "run", "attempt", True, "host", "boot", settings.pop("labels", {}))
            made.append(Journal(folder, identity, mode=self.mode, **settings))
            return made[-1]

        yield make
        for journal in made:
            journal.close()

    @pytest.fixture
    def journal(self, make: Callable[..., Journal]) -> Journal:
        return make()

    # -- looking ------------------------------------------------------------------------------------

    def readings(self, journal: Journal) -> list[Reading]:
        return read_journals(journal.folder.root).get(journal.writer, [])

    def points(self, journal: Journal) -> list[tuple[int | float, dict[str, int | float]]]:
        return [points for reading in self.readings(journal) for points in reading.points]

    def records(self, journal: Journal) -> list[Record]:
        structure = (SegmentOpened, SegmentSealed, LayoutDefined)
        found = [record for reading in self.readings(journal) for record in reading.records]
        return [record for record in found if not isinstance(record, structure)]

    def check_sequence(self, journal: Journal) -> None:
        """1, 2, 3 ... over all segments, without damage."""
        readings = self.readings(journal)
        seqs = [said.header.seq for reading in readings for said in reading.said if said.header.seq]
        assert seqs == list(range(1, len(seqs) + 1))
        assert not [reading for reading in readings if reading.damages]

    # -- what is said -------------------------------------------------------------------------------

    def test_nothing_is_made_before_the_first_record(self, journal: Journal) -> None:
        assert journal.close()
        assert not Path(journal.folder.root).exists()

    def test_points_and_records_in_order(self, journal: Journal) -> None:
        expected = []
        for step in range(300):
            metrics = {"loss": step / 3, "n": step} if step % 3 else {"val": -step}
            assert journal.append_points(metrics, step, step)
            expected.append((step, metrics))
            if step % 50 == 0:
                journal.append(NoteSet(str(step)))
        assert self.points(journal) == expected
        assert self.records(journal) == [NoteSet(str(step)) for step in range(0, 300, 50)]
        self.check_sequence(journal)

    def test_each_segment_can_be_read_alone(self, make: Callable[..., Journal]) -> None:
        journal = make(labels={"rank": "3"})
        for step in range(10_000):
            journal.append_points({"a": 0.5, "b": step} if step % 2 else {"c": 1.0}, step, 0)
        journal.close()
        readings = self.readings(journal)
        assert len(readings) >= 2
        for number, reading in enumerate(readings, 1):
            first, second, *_ = reading.records
            assert (
                first
                == second
                == SegmentOpened(
                    "default",
                    "run",
                    journal.writer,
                    "attempt",
                    True,
                    number,
                    "host",
                    "boot",
                    os.getpid(),
                    {"rank": "3"},
                )
            )
            assert all(points for _, points in reading.points), "points without their layout"
            seal = reading.records[-1]
            assert isinstance(seal, SegmentSealed)
            assert seal.next == (number < len(readings))
            assert seal.last_seq == reading.said[-2].header.seq
        defined = [r for reading in readings for r in reading.records if isinstance(r, LayoutDefined)]
        assert {record.number for record in defined} == {1, 2}
        assert all(entry[2] == {"rank": "3"} for record in defined for entry in record.series)
        self.check_sequence(journal)

    def test_a_definition_stands_twice(self, journal: Journal) -> None:
        """All points of a layout hang on it: one damaged frame must not cost more than one record."""
        journal.append_points({"a": 1.0}, 0, 0)
        (reading,) = self.readings(journal)
        defined = [record for record in reading.records if isinstance(record, LayoutDefined)]
        assert len(defined) == 2
        assert defined[0] == defined[1]

    def test_records_larger_than_a_segment(self, journal: Journal) -> None:
        texts = ["x" * size for size in (10, SEGMENT_FIRST_BYTES, 10, 3 * SEGMENT_FIRST_BYTES, 1_000_000, 10)]
        for text in texts:
            journal.append(NoteSet(text))
        assert self.records(journal) == [NoteSet(text) for text in texts]
        self.check_sequence(journal)

    def test_a_record_larger_than_a_frame_may_be_is_refused(self, journal: Journal) -> None:
        journal.append(NoteSet("before"))
        with pytest.raises(OverLimit):
            journal.append(NoteSet("x" * FRAME_MAX_BYTES))
        journal.append(NoteSet("after"))
        assert self.records(journal) == [NoteSet("before"), NoteSet("after")]
        self.check_sequence(journal)

    def test_a_refused_name_costs_no_number(self, journal: Journal) -> None:
        journal.append_points({"a": 1.0}, 0, 0)
        for bad in ({"": 1.0}, {5: 1.0}, {"x" * 5000: 1.0}):
            with pytest.raises(InvalidInput):
                journal.append_points(bad, 0, 0)
        assert journal.append_points({"a": None}, 0, 0) is False
        with pytest.raises(struct.error):
            journal.append_points({"a": 2**70}, 0, 0)
        journal.append_points({"a": 2.0}, 1, 0)
        assert self.points(journal) == [(0, {"a": 1.0}), (1, {"a": 2.0})]
        self.check_sequence(journal)

    # -- its end ------------------------------------------------------------------------------------

    def test_close_seals_cuts_and_lets_go(self, journal: Journal) -> None:
        journal.append_points({"a": 1.0}, 0, 0)
        locks = locks_of(journal.folder.locks)
        assert locks.is_live(journal.writer)
        assert journal.close()
        assert not locks.is_live(journal.writer)
        (reading,) = self.readings(journal)
        assert reading.records[-1] == SegmentSealed(1, False)
        size = Path(reading.path).stat().st_size
        assert size == len(MAGIC) + sum(said.header.length for said in reading.said)
        assert journal.close()
        with pytest.raises(JournalClosed):
            journal.append_points({"a": 1.0}, 0, 0)
        with pytest.raises(JournalClosed):
            journal.append(NoteSet("late"))
        assert Path(reading.path).stat().st_size == size

    def test_losses_are_said_at_the_latest_at_close(self, journal: Journal) -> None:
        journal.append_points({"a": 1.0}, 0, 0)
        for _ in range(5):
            journal.count_loss("not_a_number", detail="b")
        journal.count_loss("other", 7)
        journal.close()
        said = [record for record in self.records(journal) if isinstance(record, Lost)]
        totals = {reason: sum(r.count for r in said if r.reason == reason) for reason in ("not_a_number", "other")}
        assert totals == {"not_a_number": 5, "other": 7}
        self.check_sequence(journal)

    def test_a_record_with_barrier_is_synced_soon(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        synced = threading.Event()
        real = os.fdatasync

        def spy(fd: int) -> None:
            real(fd)
            synced.set()

        monkeypatch.setattr(os, "fdatasync", spy)
        journal.append(ParamsSet("attempt", {"lr": 0.1}))
        assert synced.wait(60)

    # -- interruptions ------------------------------------------------------------------------------

    def test_a_call_within_a_call_speaks_as_another_writer(self, journal: Journal) -> None:
        """What a signal handler does that interrupts `append`."""
        journal.append_points({"a": 0.0}, 0, 0)
        journal._busy = True
        journal.append_points({"a": 1.0}, 1, 0)
        journal.append(TagsSet({"k": "v"}))
        journal.count_loss("x")
        journal._busy = False
        journal.append_points({"a": 2.0}, 2, 0)
        journal.append(AttemptEnded("attempt", "finished"))
        journal.close()
        self.check_sequence(journal)
        by_writer = read_journals(journal.folder.root)
        assert len(by_writer) == 2
        said = [points for readings in by_writer.values() for reading in readings for points in reading.points]
        assert sorted(step for step, _ in said) == [0, 1, 2]
        assert self.points(journal) == [(0, {"a": 0.0}), (2, {"a": 2.0})]

    def test_a_forked_child_is_another_writer(self, journal: Journal) -> None:
        journal.append_points({"a": 0.0}, 0, 0)
        pid = os.fork()
        if pid == 0:
            try:
                journal.append_points({"a": 1.0}, 1, 0)
                journal.append(NoteSet("child"))
                os._exit(0 if journal.close() else 2)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert locks_of(journal.folder.locks).is_live(journal.writer)
        journal.append_points({"a": 2.0}, 2, 0)
        journal.close()
        self.check_sequence(journal)
        by_writer = read_journals(journal.folder.root)
        assert len(by_writer) == 2
        assert self.points(journal) == [(0, {"a": 0.0}), (2, {"a": 2.0})]
        (other,) = (readings for writer, readings in by_writer.items() if writer != journal.writer)
        opened = other[0].records[0]
        assert isinstance(opened, SegmentOpened)
        assert (opened.primary, opened.run_id, opened.attempt) == (False, "run", "attempt")
        assert other[0].points == [(1, {"a": 1.0})]

    def test_threads_share_one_sequence(self, journal: Journal) -> None:
        def work(number: int) -> None:
            for step in range(500):
                journal.append_points({f"t{number}": step}, step, 0)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        journal.close()
        self.check_sequence(journal)
        points = self.points(journal)
        for number in range(4):
            assert [values[f"t{number}"] for _, values in points if f"t{number}" in values] == list(range(500))
