from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from lineal.formats.events import frames
from lineal.formats.events.crc import crc32c, find_headers, masked
from lineal.formats.events.frames import RecordFile


def frame(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        # RFC 3720, appendix B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_the_checksum_is_that_of_the_rfc(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


def test_long_data_has_the_checksum_that_its_bytes_have_one_by_one() -> None:
    dice = random.Random(5)
    for size in (2_048, 2_049, 4_095, 5_000, 65_536, 70_001):
        data = dice.randbytes(size)
        state = 0xFFFFFFFF
        for byte in data:
            state ^= byte
            for _ in range(8):
                state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
        assert crc32c(data) == state ^ 0xFFFFFFFF


def test_headers_are_found_where_they_are() -> None:
    data = b"noise" + frame(b"one") + b"more noise" + frame(b"two")
    assert find_headers(data) == [5, len(data) - len(frame(b"two"))]
    assert find_headers(b"short") == []


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "EVENT_FILE_READ_BYTES", 256)
    monkeypatch.setattr(frames, "EVENT_MAX_BYTES", 4_096)


@pytest.mark.usefixtures("small_pieces")
def test_records_larger_than_a_piece_are_read_and_those_over_the_bound_counted(tmp_path: Path) -> None:
    dice = random.Random(6)
    records = [dice.randbytes(size) for size in (10, 300, 239, 240, 241, 4_096, 0, 7)]
    large = frame(bytes(4_097))
    (tmp_path / "events").write_bytes(b"".join(map(frame, records[:5])) + large + b"".join(map(frame, records[5:])))
    file = RecordFile(tmp_path / "events")
    assert list(file.read_new()) == records
    assert (file.too_large_count, file.corrupt_count) == (1, 0)


@pytest.mark.usefixtures("small_pieces")
def test_one_that_is_over_the_bound_and_not_whole_yet_waits(tmp_path: Path) -> None:
    large = frame(bytes(5_000))
    (tmp_path / "events").write_bytes(frame(b"a") + large[:-1])
    file = RecordFile(tmp_path / "events")
    assert list(file.read_new()) == [b"a"]
    assert file.too_large_count == 0
    (tmp_path / "events").write_bytes(frame(b"a") + large + frame(b"b"))
    assert list(file.read_new()) == [b"b"]
    assert file.too_large_count == 1


@pytest.mark.usefixtures("small_pieces")
def test_a_long_stretch_of_rubbish_is_one_loss(tmp_path: Path) -> None:
    rubbish = random.Random(7).randbytes(3_000)
    (tmp_path / "events").write_bytes(frame(b"a") + rubbish + frame(b"b") + frame(b"c"))
    file = RecordFile(tmp_path / "events")
    assert list(file.read_new()) == [b"a", b"b", b"c"]
    assert file.corrupt_count == 1
