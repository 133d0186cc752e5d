"""What a reader finds, outcome by outcome, as spec/record.md tells them apart."""

from __future__ import annotations

import pytest

from lineal.model.errors import Damaged, NewerFormat, OverLimit
from lineal.model.limits import FRAME_MAX_BYTES
from lineal.record import kinds
from lineal.record.codec import decode, encode, encode_frame
from lineal.record.frame import FRAME_MIN_BYTES, OVERHEAD_BYTES, frame
from lineal.record.kinds import MAGIC
from lineal.record.records import AttemptStarted, Lost, NoteSet, ParamsSet, SegmentOpened, TagsSet
from lineal.record.stream import Damage, header_at, payload_at, scan, start_of
from lineal.testing.crash import flip_bit
from tests.unit.record.strategies import points_frame

ONE, TWO, THREE = (encode_frame(NoteSet(text * 20), seq, 5) for seq, text in enumerate("abc", 1))


def outcome(data, position=8, *, final=True):
    found = scan(memoryview(data), position, final=final)
    return found.offsets, found.damages, found.position, found.tail


def test_a_record():
    assert outcome(MAGIC + ONE) == ([8], [], 8 + len(ONE), "end")
    view = memoryview(MAGIC + ONE)
    assert header_at(view, 8) == (len(ONE), kinds.NOTE_SET, 1, 5)
    assert decode(kinds.NOTE_SET, payload_at(view, 8, len(ONE))) == NoteSet("a" * 20)


@pytest.mark.parametrize("final", [True, False])
def test_a_zero_length_is_the_end_of_what_is_written(final):
    data = MAGIC + ONE
    assert outcome(data + bytes(4096), final=final) == ([8], [], len(data), "end")
    assert outcome(data + bytes(4), final=final) == ([8], [], len(data), "end")
    # ... also where something follows: the reader does not look behind zeros.
    assert outcome(data + bytes(64) + TWO, final=final) == ([8], [], len(data), "end")


def test_truncated_waits_while_the_writer_lives_and_is_damage_when_it_is_dead():
    for cut in range(8, len(TWO)):
        data = MAGIC + ONE + TWO[:cut]
        end = 8 + len(ONE)
        assert outcome(data, final=False) == ([8], [], end, "torn")
        assert outcome(data, final=True) == ([8], [Damage(end, cut)], end, "torn")
        assert outcome(data + bytes(4096), final=False)[2:] == (end, "torn")


def test_corrupt_goes_on_behind_it():
    for bit in range(len(TWO) * 8):
        data = MAGIC + ONE + flip_bit(TWO, bit) + THREE
        third = 8 + len(ONE) + len(TWO)
        for final in (True, False):
            assert outcome(data, final=final) == ([8, third], [Damage(8 + len(ONE), len(TWO))], len(data), "end"), bit


def test_a_length_that_promises_more_than_there_is():
    for length in (len(TWO) + 8, 4096, FRAME_MAX_BYTES, FRAME_MAX_BYTES + 8, 2**32 - 8, len(TWO) + 1, 24, 8):
        bad = length.to_bytes(4, "little") + TWO[4:]
        data = MAGIC + ONE + bad + THREE
        assert outcome(data)[0] == [8, 8 + len(ONE) + len(TWO)], length


def test_an_unknown_kind_is_a_frame_like_any_other():
    data = MAGIC + ONE + frame(999, 2, 0, b"{}") + THREE
    assert len(outcome(data)[0]) == 3


def test_damage_at_the_very_beginning_and_everywhere():
    assert outcome(MAGIC + b"\xff" * 800) == ([], [Damage(8, 800)], 8, "torn")
    assert outcome(MAGIC + b"\xff" * 800 + ONE) == ([808], [Damage(8, 800)], 808 + len(ONE), "end")


def test_a_living_reader_does_not_look_far_behind_what_is_torn():
    data = MAGIC + b"\xff" * 200_000 + ONE
    assert outcome(data, final=False) == ([], [], 8, "torn")
    assert outcome(data, final=True)[0] == [200_008]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 31, 39])
def test_short_files(size):
    data = (MAGIC + ONE)[:size]
    assert outcome(data, start_of(memoryview(data)))[0] == []
    assert start_of(memoryview(data)) == 8


def test_the_version_in_the_magic_bytes():
    for version in (2, 4, 6, 7, 255, 256, 65535):
        data = MAGIC[:4] + version.to_bytes(2, "little") + MAGIC[6:]
        with pytest.raises(NewerFormat, match=str(version)):
            start_of(memoryview(data + ONE))
        with pytest.raises(NewerFormat):
            start_of(memoryview(data + bytes(100)))
    for bit in range(64):
        assert start_of(memoryview(flip_bit(MAGIC, bit) + ONE)) == 8
    for bit in (33, 34, 40):
        with pytest.raises(NewerFormat):
            start_of(memoryview(flip_bit(MAGIC, bit) + bytes(64)))


# -- frames ------------------------------------------------------------------------------------------------------


def test_a_frame_is_a_multiple_of_eight_at_least_32():
    for size in range(200):
        data = frame(20, 1, 0, b"x" * size)
        assert len(data) % 8 == 0
        assert FRAME_MIN_BYTES <= len(data) < size + OVERHEAD_BYTES + 8


def test_the_largest_frame():
    largest = FRAME_MAX_BYTES - OVERHEAD_BYTES
    data = MAGIC + frame(20, 1, 0, b"x" * largest)
    assert outcome(data)[0] == [8]
    with pytest.raises(OverLimit):
        frame(20, 1, 0, b"x" * (largest + 1))


def test_points_are_as_small_as_the_specification_says():
    assert len(points_frame(1, 0, (1.0,))) == 48
    assert len(points_frame(1, 0, (1.0,) * 20)) == 200


# -- records -----------------------------------------------------------------------------------------------------


def test_members_with_their_default_are_left_out():
    assert encode(AttemptStarted("a", "e")) == b'{"attempt":"a","experiment":"e"}'
    assert encode(TagsSet({})) == b"{}"
    assert decode(kinds.TAGS_SET, b"{}") == TagsSet({})
    assert decode(
        kinds.SEGMENT_OPENED, b'{"tenant":"t","writer":"w","attempt":"a","primary":false,"segment":1}'
    ) == SegmentOpened("t", None, "w", "a", False, 1)


def test_unknown_members_are_ignored():
    assert decode(kinds.NOTE_SET, b'{"text":"x","of":"tomorrow"}') == NoteSet("x")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (kinds.NOTE_SET, b"{}"),
        (kinds.NOTE_SET, b'{"text":5}'),
        (kinds.NOTE_SET, b'{"text":null}'),
        (kinds.NOTE_SET, b'["text"]'),
        (kinds.NOTE_SET, b""),
        (kinds.NOTE_SET, b'{"text":"x"'),
        (kinds.NOTE_SET, b'{"text":"\xff"}'),
        (kinds.LOST, b'{"reason":"x","count":true}'),
        (kinds.LOST, b'{"reason":"x","count":1.0}'),
        (kinds.LOST, b'{"reason":"x","count":-1}'),
        (kinds.LOST, b'{"reason":"x","count":9223372036854775808}'),
        (kinds.ATTEMPT_ENDED, b'{"attempt":"a","status":"running"}'),
        (kinds.PARAMS_SET, b'{"attempt":"a","params":{"x":[1]}}'),
        (kinds.PARAMS_SET, b'{"attempt":"a","params":{"x":{"$float":[1]}}}'),
        (kinds.TAGS_SET, b'{"tags":{"x":1}}'),
        (kinds.METRIC_DEFINED, b'{"name":"x","goal":"up"}'),
        (kinds.RUN_LIFECYCLE_SET, b'{"run_id":"x","lifecycle":"gone"}'),
        (kinds.RUN_TAGS_SET, b'{"run_id":"x","tags":{"x":1}}'),
        (kinds.LAYOUT_DEFINED, b'{"number":1,"step":"q","series":{"x":"d"}}'),
        (kinds.DOCUMENT_SET, b'{"name":"x","content":' + b"[" * 100_000 + b"}"),
    ],
)
def test_what_is_no_such_record(kind, payload):
    with pytest.raises(Damaged):
        decode(kind, payload)


def test_text_that_is_no_unicode_is_mended_at_the_door():
    assert decode(kinds.NOTE_SET, b'{"text":"a\\ud800b"}') == NoteSet("a?b")
    assert decode(kinds.TAGS_SET, b'{"tags":{"\\udfff":"\\uDFFF"}}') == TagsSet({"?": "?"})
    assert decode(kinds.NOTE_SET, b'{"text":"\\ud83e\\udd8a"}') == NoteSet("🦊")
    assert decode(kinds.NOTE_SET, '{"text":"🦊"}'.encode()) == NoteSet("🦊")


def test_large_ints_are_params_only():
    assert decode(kinds.PARAMS_SET, b'{"attempt":"a","params":{"n":%d}}' % 2**200) == ParamsSet("a", {"n": 2**200})
    assert decode(kinds.LOST, b'{"reason":"x","count":%d}' % (2**63 - 1)) == Lost("x", 2**63 - 1)
