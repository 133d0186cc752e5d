"""Records of every kind, frames and segments, for the tests of the format; and a reader written twice."""

import struct
from zlib import crc32

from hypothesis import strategies as st

from lineal.model.registry import STAGES
from lineal.record import kinds
from lineal.record.frame import CHECKSUM, frame, points_struct
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
    RunTagsSet,
    SegmentOpened,
    SegmentSealed,
    StageSet,
    TagsSet,
)

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# Everything that UTF-8 can say: NUL, emoji, right-to-left marks, line separators; no lone surrogates.
text = st.text(st.characters(codec="utf-8"), max_size=20)
words = st.one_of(
    text, st.sampled_from(["", "\0", "../..", "a/b", "\u202e\u200f", "🦊" * 3, "NaN", "float$", "\u2028", '"\\'])
)
int64 = st.integers(INT64_MIN, INT64_MAX)
counts = st.integers(0, INT64_MAX)
floats = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
params = st.one_of(st.none(), st.booleans(), int64, st.integers(-(2**200), 2**200), floats, words)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**80), 2**80), floats, words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)
run_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}", fullmatch=True)
hexes = st.binary(min_size=4, max_size=8).map(bytes.hex)


def maybe(strategy):
    return st.one_of(st.none(), strategy)


series = st.lists(
    st.one_of(
        st.tuples(words, st.sampled_from("qd")).map(list),
        st.tuples(words, st.sampled_from("qd"), st.dictionaries(words, words, max_size=2)).map(list),
    ),
    max_size=4,
)
version_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
more_tags = maybe(st.dictionaries(words, maybe(words), min_size=1, max_size=3))
statuses = st.sampled_from([None, "pending", "ready", "failed"])
records = st.one_of(
    st.builds(
        SegmentOpened, words, maybe(run_ids), hexes, hexes, st.booleans(), st.integers(1, 10**6), words, words,
        st.integers(0, 2**22), st.dictionaries(words, words, max_size=3),
    ),
    st.builds(LayoutDefined, st.integers(1, 2**32 - 1), st.sampled_from("qd"), series),
    st.builds(SegmentSealed, counts, st.booleans()),
    st.builds(
        AttemptStarted, hexes, words, maybe(words), maybe(words), maybe(words), maybe(words), maybe(counts), maybe(words),
        maybe(words), maybe(int64), maybe(words), st.booleans(),
    ),
    st.builds(AttemptEnded, hexes, st.sampled_from(["finished", "failed", "killed"]), maybe(words)),
    st.builds(ParamsSet, hexes, st.dictionaries(words, params, max_size=6)),
    st.builds(TagsSet, st.dictionaries(words, maybe(words), max_size=6)),
    st.builds(NoteSet, words),
    st.builds(NameSet, words),
    st.builds(DocumentSet, words, json_values),
    st.builds(CaptureSet, hexes, words, st.dictionaries(words, json_values, max_size=4)),
    st.builds(ConsoleAppended, hexes, st.text("oeb", max_size=4), st.lists(int64, max_size=4), words),
    st.builds(MetricDefined, words, st.sampled_from([None, "min", "max"]), maybe(words), maybe(words)),
    st.builds(ArtifactLogged, words, maybe(counts), maybe(words), maybe(words), maybe(words)),
    st.builds(Lost, words, counts, maybe(words)),
    st.builds(
        DatasetUsed, words, words, *(maybe(words) for _ in range(6)), st.dictionaries(words, words, max_size=3),
    ),
    st.builds(
        ModelLogged, words, maybe(words), maybe(words), maybe(run_ids), maybe(words), maybe(words),
        maybe(st.dictionaries(words, words, min_size=1, max_size=3)),
        maybe(st.dictionaries(words, maybe(words), min_size=1, max_size=3)),
        st.sampled_from([None, "pending", "ready", "failed"]), st.sampled_from([None, "active", "deleted"]),
        maybe(st.dictionaries(words, maybe(st.tuples(words, counts, maybe(words)).map(list)), min_size=1, max_size=3)),
    ),
    st.builds(ModelUsed, words, st.sampled_from(["input", "output"]), maybe(int64)),
    st.builds(ArtifactUsed, run_ids, words, words, maybe(counts)),
    st.builds(ModelVersionUsed, version_ids, words),
    st.builds(
        ExperimentSet, words, maybe(words), maybe(words), maybe(st.dictionaries(words, maybe(words), min_size=1, max_size=3)),
        st.sampled_from([None, "active", "deleted"]),
    ),
    st.builds(RunLifecycleSet, run_ids, st.sampled_from(["active", "deleted"])),
    st.builds(RunTagsSet, run_ids, st.dictionaries(words, maybe(words), max_size=6)),
    st.builds(
        ModelVersionCreated, version_ids, words, maybe(run_ids), maybe(words), maybe(words), maybe(words), maybe(words),
        maybe(words), maybe(words), st.lists(st.tuples(words, maybe(counts), maybe(hexes)).map(list), max_size=2), json_values,
        json_values, maybe(words), more_tags, statuses,
    ),
    st.builds(ModelSet, words, maybe(words), more_tags, st.sampled_from([None, "active", "deleted"]), st.booleans()),
    st.builds(ModelRenamed, st.sampled_from(["vision", "vision 🦊"]), words),
    st.builds(
        ModelVersionSet, version_ids, maybe(words), more_tags, st.sampled_from([None, "active", "deleted"]), statuses
    ),
    st.builds(StageSet, version_ids, st.sampled_from(STAGES), st.booleans(), maybe(words)),
    st.builds(AliasSet, words, st.from_regex(r"[a-z_-]{1,9}x", fullmatch=True), maybe(version_ids), maybe(words)),
    st.builds(LooseFileSet, words, maybe(hexes), maybe(counts), maybe(words)),
)  # fmt: skip


def points_frame(seq, step=0, values=(1.0,), number=1, time_ns=0, codes=None):
    """A PointsAppended frame as the specification draws it."""
    codes = codes or "".join("q" if isinstance(value, int) else "d" for value in values)
    packer = points_struct("q" if isinstance(step, int) else "d", codes)
    body = packer.pack(packer.size + 4, kinds.POINTS_APPENDED, 0, seq, time_ns, step, *values, number)
    return body + CHECKSUM.pack(crc32(body))


frames = st.one_of(
    st.builds(
        points_frame,
        st.integers(1, 2**63 - 1),
        st.one_of(int64, floats),
        st.lists(st.one_of(int64, floats), min_size=1, max_size=5),
        st.integers(1, 2**32 - 1),
        int64,
    ),
    st.builds(frame, st.integers(1, 1023), st.integers(0, 2**64 - 1), int64, st.binary(max_size=80)),
)


# -- the reference -----------------------------------------------------------------------------------------------


def valid_at(data, position):
    """Length of the valid frame at `position`, or 0; straight from the table in spec/record.md."""
    if position % 8 or position + 32 > len(data):
        return 0
    length, kind, reserved = struct.unpack_from("<IHH", data, position)
    if length % 8 or not 32 <= length <= 8 * 1024 * 1024 or position + length > len(data):
        return 0
    if reserved or not kind:
        return 0
    (checksum,) = struct.unpack_from("<I", data, position + length - 4)
    return length if crc32(data[position : position + length - 4]) == checksum else 0


def naive_scan(data, position=8, *, final=True):
    """(offsets, damages, position, tail) by looking at every place, without any of the real reader's short cuts."""
    offsets: list = []
    damages: list = []
    while True:
        if length := valid_at(data, position):
            offsets.append(position)
            position += length
            continue
        if not any(data[position : position + 24]):
            return offsets, damages, position, "end"
        behind = next((p for p in range(position + 8, len(data), 8) if valid_at(data, p)), None)
        if behind is None:
            if final:
                damages.append((position, len(data) - position))
            return offsets, damages, position, "torn"
        damages.append((position, behind - position))
        position = behind
