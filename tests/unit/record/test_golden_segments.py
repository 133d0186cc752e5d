"""Every spec/golden/segment-*.bin means what its .json says, and is what is written today.

After a change of the format, and only then: `PYTHONPATH=src:. .venv/bin/python tests/unit/record/test_golden_segments.py`
writes the files anew."""

from __future__ import annotations

import json
import math
import os
import struct
import tempfile
from pathlib import Path
from unittest import mock

import pytest

from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.model.frozen import members
from lineal.record import kinds
from lineal.record.codec import encode_frame, kind_of
from lineal.record.frame import frame
from lineal.record.records import (
    AliasSet,
    ArtifactLogged,
    ArtifactUsed,
    AttemptEnded,
    AttemptStarted,
    CaptureSet,
    ConsoleAppended,
    DatasetUsed,
    DocumentSet,
    ExperimentRenamed,
    ExperimentSet,
    LayoutDefined,
    LooseFileSet,
    Lost,
    MetricDefined,
    ModelLogged,
    ModelRenamed,
    ModelSet,
    ModelUsed,
    ModelVersionCreated,
    ModelVersionSet,
    ModelVersionUsed,
    NameSet,
    NoteSet,
    ParamsSet,
    RunLifecycleSet,
    RunLockSet,
    RunTagsSet,
    SegmentOpened,
    SegmentSealed,
    StageSet,
    TagsSet,
)
from lineal.testing.crash import flip_bit, read_segment
from tests.unit.record.strategies import naive_scan, points_frame

GOLDEN = Path(__file__).resolve().parents[3] / "spec" / "golden"
NAMES = [
    "segment-run",
    "segment-tenant",
    "segment-rank",
    "segment-odd-points",
    "segment-unsealed",
    "segment-journal",
    "segment-lock",
    "segment-rename",
    "segment-lineage",
    "segment-told-times",
    "segment-model-version",
    "segment-registry",
    "segment-captures",
    "segment-loose-files",
    "segment-console",
]
TIME_NS = 1_700_000_000_123_456_789
NAN = struct.unpack("<d", bytes.fromhex("01000000000cf47f"))[0]
RECORDS = {record.__name__: record for record in (
    SegmentOpened, LayoutDefined, SegmentSealed, AttemptStarted, AttemptEnded, ParamsSet, TagsSet, NoteSet, NameSet, DocumentSet,
    MetricDefined, ArtifactLogged, Lost, ExperimentSet, RunLifecycleSet,
    RunTagsSet, RunLockSet, ExperimentRenamed, DatasetUsed, ModelLogged, ModelUsed, ArtifactUsed, ModelVersionUsed,
    ModelVersionCreated, ModelSet, ModelRenamed, ModelVersionSet, StageSet, AliasSet,
    CaptureSet, LooseFileSet,
    ConsoleAppended,
)}  # fmt: skip


def number_to_json(number):
    """A float is told from an int; one that JSON cannot write, and -0.0, is its 64 bits in hex."""
    if isinstance(number, float):
        exact = math.isfinite(number) and not (number == 0 and math.copysign(1, number) < 0)
        return {"f": number if exact else f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016x}"}
    return number


def number_from_json(value):
    if isinstance(value, dict) and "f" in value:
        number = value["f"]
        return (
            struct.unpack("<d", int(number, 16).to_bytes(8, "little"))[0] if isinstance(number, str) else float(number)
        )
    return value


def plain(value):
    """Any value of a record for JSON, floats marked."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return number_to_json(value)


def unplain(value):
    if isinstance(value, dict) and set(value) == {"f"}:
        return number_from_json(value)
    if isinstance(value, dict):
        return {key: unplain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unplain(item) for item in value]
    return value


# -- what the files say ------------------------------------------------------------------------------------------
# A frame is {"record": name, "seq", "time_ns", "members"} or {"points": layout, "seq", "time_ns", "step", "values"}
# or {"unknown": kind, "seq", "time_ns", "payload"}.


def record_entry(record, seq, time_ns=TIME_NS):
    said = {name: plain(value) for name, value in members(record).items()}
    return {
        "record": type(record).__name__,
        "kind": kind_of(record),
        "seq": seq,
        "time_ns": time_ns,
        "members": said,
    }


def points_entry(seq, step, values, layout=1, time_ns=TIME_NS):
    return {
        "points": layout,
        "kind": kinds.POINTS_APPENDED,
        "seq": seq,
        "time_ns": time_ns,
        "step": number_to_json(step),
        "values": [number_to_json(value) for value in values],
    }


def bytes_of(entry):
    if "record" in entry:
        return encode_frame(RECORDS[entry["record"]](**unplain(entry["members"])), entry["seq"], entry["time_ns"])
    if "points" in entry:
        values = [number_from_json(value) for value in entry["values"]]
        return points_frame(entry["seq"], number_from_json(entry["step"]), values, entry["points"], entry["time_ns"])
    return frame(entry["unknown"], entry["seq"], entry["time_ns"], entry["payload"].encode())


def segment_of(meaning):
    return kinds.MAGIC + b"".join(map(bytes_of, meaning["frames"])) + bytes(meaning["zeros"])


def entries_of(data):
    """The meaning of bytes, by the real reader; points by their raw numbers."""
    found = read_segment(data, final=False)
    entries = []
    layouts: dict = {}
    for said in found.said:
        position, header = said.offset, said.header
        if header.kind == kinds.POINTS_APPENDED:
            (layout,) = struct.unpack_from("<I", data, position + header.length - 8)
            step_code, codes = layouts[layout]
            step, *values = struct.unpack_from(f"<{step_code}{codes}", data, position + 24)
            entries.append(points_entry(header.seq, step, values, layout, header.time_ns))
        elif said.record is not None:
            if isinstance(said.record, LayoutDefined):
                layouts[said.record.number] = (said.record.step, "".join(entry[1] for entry in said.record.series))
            entries.append(record_entry(said.record, header.seq, header.time_ns))
        else:
            payload = data[position + 24 : position + header.length - 4].decode().rstrip(" ")
            entries.append({"unknown": header.kind, "seq": header.seq, "time_ns": header.time_ns, "payload": payload})
    return entries


def load(name):
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8")), (GOLDEN / f"{name}.bin").read_bytes()


def test_there_is_a_file_for_everything_that_can_be_said():
    assert {path.stem for path in GOLDEN.glob("segment-*.bin")} == set(NAMES)
    assert {path.stem for path in GOLDEN.glob("segment-*.json")} == set(NAMES)
    said = {entry["kind"] for name in NAMES for entry in load(name)[0]["frames"] if "kind" in entry}
    assert said == kinds.KNOWN


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_mean_what_the_json_says(name):
    meaning, data = load(name)
    assert entries_of(data) == meaning["frames"]


@pytest.mark.parametrize("name", NAMES)
def test_the_meaning_gives_the_bytes(name):
    meaning, data = load(name)
    assert segment_of(meaning) == data


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_reader_finds_the_same(name):
    """Straight from the tables of spec/record.md."""
    meaning, data = load(name)
    offsets, damages, _, tail = naive_scan(data, final=False)
    assert (len(offsets), damages, tail) == (len(meaning["frames"]), [], "end")


@pytest.mark.parametrize("name", NAMES)
def test_any_other_bytes_mean_something_else(name):
    meaning, data = load(name)
    end = len(data) - meaning["zeros"]
    for bit in range(8 * 8, end * 8, 5):
        assert entries_of(flip_bit(data, bit)) != meaning["frames"], f"bit {bit} means nothing"


def test_a_journal_writes_these_bytes():
    """What today's writer makes of a fixed run, clock and ids, byte for byte."""
    _, data = load("segment-journal")
    assert journal_bytes("write") == data
    assert journal_bytes("mapped") == data


@pytest.mark.parametrize(
    "change",
    [
        ("lineal.record.kinds.NOTE_SET", None),
        ("lineal.record.frame.HEADER", struct.Struct(">IHHQq")),
        ("lineal.record.frame.crc32", lambda data: sum(data) & 0xFFFFFFFF),
    ],
    ids=["kind", "header", "checksum"],
)
def test_a_changed_format_is_noticed(change):
    """The test of the test: with another header or checksum the golden files no longer fit."""
    target, value = change
    meaning, data = load("segment-run")
    if value is None:
        with mock.patch.dict("lineal.record.codec._KINDS", {NoteSet: 47}):
            assert segment_of(meaning) != data
    else:
        with mock.patch(target, value):
            assert segment_of(meaning) != data


# -- writing them ------------------------------------------------------------------------------------------------


class Ticking:
    """A clock that is a second later at each look."""

    def __init__(self):
        self.now_ns = TIME_NS

    def time_ns(self):
        self.now_ns += 10**9
        return self.now_ns

    def monotonic_s(self):
        return 0.0


def journal_bytes(mode):
    with (
        tempfile.TemporaryDirectory() as place,
        mock.patch("lineal.journal.journal.new_writer_id", lambda: "0123456789abcde"),
        mock.patch("os.getpid", lambda: 4711),
    ):
        folder = Folder(os.path.join(place, "lineal"))
        identity = Identity("default", "r1", "a1", True, "host", "boot", {"rank": "2"})
        journal = Journal(folder, identity, mode=mode, clock=Ticking())
        journal.append(AttemptStarted("a1", "vision", "mlp"), barrier=False)
        journal.append(ParamsSet("a1", {"lr": 0.1}), barrier=False)
        for step in range(3):
            journal.append_points({"loss": 1 / (step + 1), "seen": step * 64}, step, TIME_NS + step)
        journal.append_points({"val/acc": 0.5}, 2.5, TIME_NS + 3)
        journal.append_points({"loss": 0.25, "seen": 192}, 3, TIME_NS + 4)
        journal.append(AttemptEnded("a1", "finished"), barrier=False)
        assert journal.close()
        (segment,) = folder.list_segments()
        return Path(segment.path).read_bytes()


def meanings():
    def opened(**settings):
        given = {
            "tenant": "default",
            "run_id": "r1",
            "writer": "0123456789abcde",
            "attempt": "a1",
            "primary": True,
            "segment": 1,
        }
        record = SegmentOpened(**{**given, "host": "host", "boot": "b-1", "pid": 42, **settings})
        return [record_entry(record, 0), record_entry(record, 0)]

    layout = LayoutDefined(1, "q", [["loss", "d"], ["seen", "q"]])
    everything = [
        AttemptStarted("a1", "vision", "mlp", "first try", "ada", "host", 42, "parent", "other", 7, "ab" * 32, True),
        ParamsSet(
            "a1",
            {
                "lr": 0.1,
                "layers": "[64,32]",
                "seed": 2**63 - 1,
                "big": 2**100,
                "on": True,
                "none": None,
                "text": "a\0🦊\u202e",
            },
        ),
        ParamsSet("a1", {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "zero": -0.0}),
        TagsSet({"kind": "test", "gone": None}),
        NoteSet("# Why\nBecause."),
        NameSet("mlp 2"),
        DocumentSet("review", {"score": 4, "by": ["ada", None, True], "nested": {"x": 1.5, "nan": math.nan}}),
        MetricDefined("loss", "min", "epoch", "nats"),
        MetricDefined("acc"),
        ArtifactLogged("models/model.pt", 1234, "cd" * 32, None, "application/octet-stream"),
        ArtifactLogged("data", None, None, "s3://bucket/data", None),
        Lost("not_a_number", 3, "loss"),
    ]
    frames = [*opened(labels={})]
    frames += [record_entry(record, seq, TIME_NS + seq) for seq, record in enumerate(everything, 1)]
    frames += [
        record_entry(layout, 0),
        record_entry(layout, 0),
        points_entry(13, 0, (0.5, 64)),
        points_entry(14, 1, (0.25, 128)),
    ]
    frames += [
        record_entry(AttemptEnded("a1", "failed", "Traceback ..."), 15),
        record_entry(SegmentSealed(15, False), 0),
    ]
    yield "segment-run", frames, 0

    tenant = [
        ExperimentSet("vision", "pictures", "s3://bucket", {"team": "a", "old": None}, "active"),
        ExperimentSet("words"),
        RunLifecycleSet("r1", "deleted"),
        RunTagsSet("r1", {"stage": "🦊", "old": None}),
    ]
    frames = opened(run_id=None, attempt="", primary=False)
    frames += [record_entry(record, seq) for seq, record in enumerate(tenant, 1)]
    yield "segment-tenant", [*frames, record_entry(SegmentSealed(4), 0)], 0

    frames = opened(run_id=None, attempt="", primary=False)
    frames += [record_entry(RunLockSet("r1", locked), seq) for seq, locked in ((1, True), (2, False))]
    yield "segment-lock", [*frames, record_entry(SegmentSealed(2), 0)], 0

    frames = opened(run_id=None, attempt="", primary=False)
    frames += [record_entry(ExperimentRenamed("vision", "vision 🦊"), 1), record_entry(SegmentSealed(1), 0)]
    yield "segment-rename", frames, 0
    frames = [record_entry(SegmentOpened("default", "r1", "a" * 15, "a1", True, 1), 0)] * 2
    frames += [
        record_entry(AttemptStarted("a1", "digits", "mlp", started_ms=1_600_000_000_123), 1),
        record_entry(AttemptEnded("a1", "finished", None, 1_600_000_009_000), 2),
    ]
    yield "segment-told-times", [*frames, record_entry(SegmentSealed(2), 0)], 0

    lineage = [
        DatasetUsed(
            "train", "a1b2", "v2.1", "local", "data/🦊.csv", '{"x":"long"}', '{"num_rows":3}', "training", {"k": "v"}
        ),
        DatasetUsed("d", "1"),
        ModelLogged("m-1", "mlp", "vision", "r1", "torch", "models/m-1", {"lr": "0.1"}, {"k": "v"}, "pending"),
        ModelLogged("m-1", tags={"k": None}, status="ready", lifecycle="deleted"),
        ModelLogged("m-2", files={"MLmodel": ["ab" * 32, 5, "text/plain"], "x": ["cd" * 32, 0, None], "gone": None}),
        ModelUsed("m-1", "output", 7),
        ModelUsed("m-0", "input"),
        ArtifactUsed("r0", "data/🦊.csv", "ab" * 32, 2),
        ArtifactUsed("r0", "x", "cd" * 32),
        ModelVersionUsed("0123456789abcdef" * 2, "vision 🦊"),
    ]
    frames = opened()
    frames += [record_entry(record, seq) for seq, record in enumerate(lineage, 1)]
    yield "segment-lineage", [*frames, record_entry(SegmentSealed(10), 0)], 0
    version = ModelVersionCreated(
        "0123456789abcdef" * 2,
        "vision 🦊",
        path="models/vision",
        format="safetensors",
        files=[["models/vision/model.safetensors", 1234, "cd" * 32], ["models/vision/notes", None, None]],
        signature={"inputs": [{"name": "x", "type": "double"}]},
        input_example={"x": [1.5, math.nan]},
        description="# First",
        tags={"kind": "test", "gone": None},
        status="pending",
    )
    frames = [*opened(), record_entry(version, 1), record_entry(SegmentSealed(1), 0)]
    yield "segment-model-version", frames, 0

    registry = [
        ModelSet("vision 🦊", "sees", {"team": "a", "old": None}, "active", True),
        ModelSet("words"),
        ModelRenamed("words", "letters"),
        ModelVersionCreated(
            "f" * 32, "letters", "r1", "m-1", "models:/words/1", None, "mlflow-artifacts:/1", "http://x/r1"
        ),
        ModelVersionCreated("e" * 32, "letters"),
        ModelVersionSet("f" * 32, "better", {"kind": None}, "deleted", "failed"),
        ModelVersionSet("e" * 32),
        StageSet("e" * 32, "production", True, "best of 40"),
        StageSet("f" * 32, "none"),
        AliasSet("letters", "champion", "e" * 32, "best of 40"),
        AliasSet("letters", "champion"),
    ]
    frames = opened(run_id=None, attempt="", primary=False)
    frames += [record_entry(record, seq) for seq, record in enumerate(registry, 1)]
    yield "segment-registry", [*frames, record_entry(SegmentSealed(11), 0)], 0

    captures = [
        CaptureSet(
            "a1", "code", {"kind": "git", "commit": "ab" * 20, "is_dirty": True, "patch": {"files": ["a/🦊.py"]}}
        ),
        CaptureSet("a1", "resources", {"wall_s": 1.5, "energy_wh": math.nan}),
        CaptureSet("a1", "sources", {}),
    ]
    frames = [*opened(), *(record_entry(record, seq) for seq, record in enumerate(captures, 1))]
    yield "segment-captures", [*frames, record_entry(SegmentSealed(3), 0)], 0
    files = [
        LooseFileSet("shared/🦊.txt", "ab" * 32, 5, "text/plain"),
        LooseFileSet("x", "cd" * 32, 0),
        LooseFileSet("x"),
    ]
    frames = [record_entry(SegmentOpened("default", None, "0123456789abcde", "", False, 1), 0)]
    frames += [record_entry(record, seq) for seq, record in enumerate(files, 1)]
    yield "segment-loose-files", [*frames, record_entry(SegmentSealed(3), 0)], 0

    console = [
        ConsoleAppended("a1", "ooe", [1_700_000_000_123, 0, 12], 'epoch 1\n 100%|██████| 3/3 🦊\nwarning: \\ "x"'),
        ConsoleAppended("a1", "b", [1_700_000_001_000], ""),
        ConsoleAppended("a1", "o", [1_700_000_001_001], "of another rank", 3),
    ]
    frames = [*opened(), *(record_entry(record, seq) for seq, record in enumerate(console, 1))]
    yield "segment-console", [*frames, record_entry(SegmentSealed(3), 0)], 0

    ranked = LayoutDefined(1, "q", [["loss", "d", {"rank": "3"}]])
    frames = opened(primary=False, labels={"rank": "3"}, segment=2)
    frames += [
        record_entry(ranked, 0),
        record_entry(ranked, 0),
        points_entry(101, 5, (1.0,)),
        record_entry(SegmentSealed(101, True), 0),
    ]
    yield "segment-rank", frames, 0

    odd = LayoutDefined(4_000_000_000, "d", [["a/b", "d"], ["🦊", "q"], ["..", "d"], ["\0", "q"], ["x" * 30, "d"]])
    frames = opened()
    frames += [record_entry(odd, 0), record_entry(odd, 0)]
    rows = [
        (0.5, (NAN, 2**53 + 1, -0.0, -(2**63), 5e-324)),
        (-0.0, (math.inf, 2**63 - 1, -math.inf, 0, 1.7976931348623157e308)),
        (math.inf, (0.1, -1, 1e-310, 1, math.pi)),
    ]
    frames += [
        points_entry(seq, step, values, 4_000_000_000, -TIME_NS + seq) for seq, (step, values) in enumerate(rows, 1)
    ]
    frames += [{"unknown": 700, "seq": 4, "time_ns": TIME_NS, "payload": '{"of":"tomorrow"}'}]
    yield "segment-odd-points", [*frames, record_entry(SegmentSealed(4), 0)], 0

    frames = opened()
    frames += [
        record_entry(AttemptStarted("a1", "vision"), 1),
        record_entry(layout, 0),
        record_entry(layout, 0),
        points_entry(2, 0, (0.5, 64)),
    ]
    yield "segment-unsealed", frames, 4096 - 8 - sum(len(bytes_of(entry)) for entry in frames)

    data = journal_bytes("write")
    yield "segment-journal", entries_of(data), 0


if __name__ == "__main__":
    for name, frames, zeros in meanings():
        meaning = {"zeros": zeros, "frames": frames}
        (GOLDEN / f"{name}.bin").write_bytes(segment_of(meaning))
        lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in frames)
        (GOLDEN / f"{name}.json").write_text(f'{{"zeros": {zeros}, "frames": [\n  {lines}\n]}}\n', "utf-8")
        print(name, len(segment_of(meaning)))
