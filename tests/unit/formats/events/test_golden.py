"""Files that tensorboardX and TensorBoard wrote hold what TensorBoard's own EventAccumulator found in them (golden/make.py)."""

from __future__ import annotations

import base64
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from lineal.formats.events.event import Audio, EventReader, Histogram, Images, Scalar, Text
from lineal.formats.events.frames import RecordFile
from lineal.formats.events.hparams import HParams, RunEnd

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("hparams", "tensorboard", "tensorboardX")


def found_in(records: list[bytes]) -> dict[str, Any]:
    """As make.py writes it down."""
    found: dict[str, Any] = {"scalars": {}, "histograms": {}, "images": {}, "audio": {}, "texts": {}, "hparams": {}}
    reader = EventReader()
    for event in map(reader.read, records):
        at = [event.wall_time, event.step]
        for said in event.said:
            if isinstance(said, Scalar):
                shown = said.value if math.isfinite(said.value) else repr(said.value)
                found["scalars"].setdefault(said.tag, []).append([*at, shown])
            elif isinstance(said, Histogram):
                more = [] if said.least is None else [said.least, said.most, said.total, said.total_squares]
                row = [*at, [list(bucket) for bucket in said.buckets], said.value_count, *more]
                found["histograms"].setdefault(said.tag, []).append(row)
            elif isinstance(said, (Images, Audio)):
                kind = "images" if isinstance(said, Images) else "audio"
                files = [base64.b64encode(file).decode() for file in said.files]
                found[kind].setdefault(said.tag, []).append([*at, files])
            elif isinstance(said, Text):
                found["texts"].setdefault(said.tag, []).append([*at, list(said.texts)])
            elif isinstance(said, HParams):
                found["hparams"] |= said.params
    return found


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_read_as_tensorboard_reads_it(name: str) -> None:
    file = RecordFile(GOLDEN / f"{name}.tfevents")
    found = found_in(list(file.read_new()))
    wanted = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert found == wanted
    assert any(wanted.values())
    assert (file.corrupt_count, file.position) == (0, (GOLDEN / f"{name}.tfevents").stat().st_size)


def test_the_end_of_a_session_is_heard() -> None:
    reader = EventReader()
    records = RecordFile(GOLDEN / "tensorboard.tfevents").read_new()
    ends = [said for record in records for said in reader.read(record).said if isinstance(said, RunEnd)]
    assert [end.status for end in ends] == ["failed"]


def test_a_file_that_grows_byte_by_byte_is_read_once(tmp_path: Path) -> None:
    whole = (GOLDEN / "hparams.tfevents").read_bytes()
    growing = tmp_path / "events"
    growing.touch()
    file = RecordFile(growing)
    found = []
    for end in range(len(whole) + 1):
        growing.write_bytes(whole[:end])
        found += list(file.read_new())
    assert found == list(RecordFile(GOLDEN / "hparams.tfevents").read_new())
    assert file.corrupt_count == 0


@pytest.mark.parametrize("place", [3, 8, 13, 60], ids=["length", "checksum", "data", "later"])
def test_a_flipped_bit_costs_one_record(tmp_path: Path, place: int) -> None:
    """Whichever record it hits: the others are read, and one is counted."""
    source = GOLDEN / "tensorboardX.tfevents"
    records = list(RecordFile(source).read_new())
    starts = [sum(len(record) + 16 for record in records[:number]) for number in range(len(records))]
    for number in (0, 5, len(records) - 2):
        hurt = bytearray(source.read_bytes())
        at = min(starts[number] + place, starts[number] + len(records[number]) + 15)
        hurt[at] ^= 0x10
        (tmp_path / "events").write_bytes(hurt)
        file = RecordFile(tmp_path / "events")
        assert list(file.read_new()) == records[:number] + records[number + 1 :]
        assert file.corrupt_count == 1


def test_what_is_bad_at_the_end_waits_until_nobody_writes(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "hparams.tfevents", tmp_path / "events")
    good = list(RecordFile(tmp_path / "events").read_new())
    with open(tmp_path / "events", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\0")
    reader = RecordFile(tmp_path / "events")
    assert list(reader.read_new()) == good[:-1]
    assert reader.corrupt_count == 0
    assert list(reader.read_new(final=True)) == []
    assert reader.corrupt_count == 1
    assert list(reader.read_new(final=True)) == []
    assert reader.corrupt_count == 1
