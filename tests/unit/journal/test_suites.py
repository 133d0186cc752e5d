"""Both writers of segments, and a journal on each, through the suite that ships."""

from lineal.journal.segment import FileSegment, MappedSegment, WriterMode, create_segment
from lineal.testing.journal_suite import JournalSuite, SegmentSuite


class TestMappedSegment(SegmentSuite):
    def create(self, path, size_bytes):
        return MappedSegment(path, size_bytes)


class TestFileSegment(SegmentSuite):
    def create(self, path, size_bytes):
        return FileSegment(path, size_bytes)


class TestMappedJournal(JournalSuite):
    mode = "mapped"


class TestFileJournal(JournalSuite):
    mode = "write"


def test_the_mode_names_the_writer(tmp_path):
    modes: list[tuple[WriterMode, type]] = [("mapped", MappedSegment), ("write", FileSegment)]
    for mode, kind in modes:
        segment = create_segment(mode, str(tmp_path / mode), 4096)
        assert type(segment) is kind
        segment.close(cut=True)
