"""Whatever is said comes back as it was said."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.errors import Damaged
from lineal.model.ids import is_run_id
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.values import Written
from lineal.record import kinds
from lineal.record.codec import decode, encode, encode_frame, kind_of
from lineal.record.records import ArtifactLogged, CaptureSet, ExperimentSet, NameSet, RunLifecycleSet, TagsSet
from lineal.record.stream import header_at, payload_at, scan
from tests.unit.record.strategies import int64, json_values, records, words


def same(a, b):
    """Equal, types and float bits included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def members(record):
    return {name: getattr(record, name) for name in record.__slots__}


@given(records)
def test_a_record_comes_back_as_it_was(record):
    again = decode(kind_of(record), encode(record))
    assert type(again) is type(record)
    assert same(members(again), members(record))


@given(records)
def test_encoding_is_a_function(record):
    once = encode(record)
    assert encode(decode(kind_of(record), once)) == once


@given(json_values, json_values)
def test_what_was_written_once_is_the_same_record(one, other):
    """A capture that many runs share is made into JSON for all of them."""
    content = {"one": one, "$float": other, "ü": [other]}
    plain, shared = CaptureSet("a1", "code", content), CaptureSet("a1", "code", Written(content))
    assert encode(shared) == encode(plain)
    assert same(members(decode(kinds.CAPTURE_SET, encode(shared))), members(plain))


@given(st.sampled_from("aé😀\0"), st.integers(0, 8))
def test_a_longer_name_than_names_may_be_is_damage(character, more):
    longest = character * (NAME_MAX_BYTES // len(character.encode()))
    assert decode(kinds.NAME_SET, encode(NameSet(longest))) == NameSet(longest)
    assert decode(kinds.TAGS_SET, encode(TagsSet({longest: "v"}))) == TagsSet({longest: "v"})
    longer = longest + character * (more + 1)
    for record in (NameSet(longer), TagsSet({longer: None}), ExperimentSet(longer), ArtifactLogged(longer)):
        with pytest.raises(Damaged):
            decode(kind_of(record), encode(record))


@given(words)
def test_an_id_that_no_run_can_have_is_damage(run_id):
    record = RunLifecycleSet(run_id, "deleted")
    if is_run_id(run_id):
        assert decode(kinds.RUN_LIFECYCLE_SET, encode(record)) == record
    else:
        with pytest.raises(Damaged):
            decode(kinds.RUN_LIFECYCLE_SET, encode(record))


@given(records, st.integers(0, 2**64 - 1), int64)
def test_a_frame_carries_its_envelope(record, seq, time_ns):
    data = encode_frame(record, seq, time_ns)
    assert len(data) % 8 == 0
    found = scan(memoryview(data), 0, final=True)
    assert (found.offsets, found.damages, found.tail, found.position) == ([0], [], "end", len(data))
    assert header_at(memoryview(data), 0) == (len(data), kind_of(record), seq, time_ns)
    assert same(members(decode(kind_of(record), payload_at(memoryview(data), 0, len(data)))), members(record))


json_text = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
MEMBERS = [
    "tenant", "run_id", "writer", "attempt", "primary", "segment", "host", "labels", "number", "step", "series", "last_seq",
    "next", "experiment", "name", "params", "tags", "text", "content", "goal", "unit", "path", "size_bytes", "digest", "uri",
    "reason", "count", "lifecycle", "status", "error", "pid", "fork_step", "$float",
    "version", "source", "schema", "context", "model_id", "model_type", "role",
]  # fmt: skip


@given(
    st.sampled_from(sorted(kinds.KNOWN - {kinds.POINTS_APPENDED})), st.dictionaries(st.sampled_from(MEMBERS), json_text)
)
def test_a_payload_of_nonsense_is_a_record_or_damaged_never_another_error(kind, payload):
    try:
        record = decode(kind, json.dumps(payload).encode())
    except Damaged:
        return
    assert kind_of(record) == kind


@given(st.sampled_from(sorted(kinds.KNOWN - {kinds.POINTS_APPENDED})), st.binary(max_size=64))
def test_a_payload_of_bytes_is_damaged(kind, payload):
    try:
        decode(kind, payload)
    except Damaged:
        pass
