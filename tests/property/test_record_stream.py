"""The reader of frames against a naive one, whatever was done to the bytes; and fed in any portions."""

from hypothesis import example, given
from hypothesis import strategies as st

from lineal.record.kinds import MAGIC
from lineal.record.stream import scan
from lineal.testing.crash import flip_bit
from tests.unit.record.strategies import frames, naive_scan, points_frame

segments = st.lists(frames, max_size=8).map(lambda found: MAGIC + b"".join(found))
# Runs of equal frames take the reader's short cut; something of another length stands between them or not.
runs = st.tuples(st.integers(0, 400), frames, st.integers(0, 60), st.integers(0, 3)).map(
    lambda t: (
        MAGIC
        + b"".join(points_frame(seq, seq, (float(seq),), time_ns=seq) for seq in range(1, t[0] + 1))
        + t[1]
        + b"".join(points_frame(seq, seq, (1.5, seq), time_ns=seq) for seq in range(1, t[2] + 1))
        + b"".join(points_frame(seq) for seq in range(t[3]))
    )
)
tails = st.one_of(st.just(b""), st.just(bytes(64)), st.just(bytes(5000)), st.binary(max_size=70))


def real_scan(data, position=8, *, final=True):
    found = scan(memoryview(data), position, final=final)
    return found.offsets, [tuple(damage) for damage in found.damages], found.position, found.tail


def same_in_substance(data, final):
    """The naive reader looks at whole multiples of 8, as the real one does."""
    assert real_scan(data, final=final) == naive_scan(data, final=final)


@given(st.one_of(segments, runs), tails, st.booleans())
def test_good_segments(data, tail, final):
    same_in_substance(data + tail, final)


@given(st.one_of(segments, runs), st.data())
def test_one_flipped_bit(data, draw):
    bit = draw.draw(st.integers(64, max(64, len(data) * 8 - 1)))
    if bit < len(data) * 8:
        damaged = flip_bit(data, bit)
        same_in_substance(damaged, True)
        lost = set(real_scan(data)[0]) - set(real_scan(damaged)[0])
        assert len(lost) == 1, "one flip costs one frame, no more and no less"


@given(st.one_of(segments, runs), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=12))
def test_many_bad_bytes(data, changes):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    same_in_substance(bytes(damaged), True)


@given(st.one_of(segments, runs), st.integers(0), st.integers(0, 300))
def test_zeroed_stretch(data, place, size):
    """What a power cut leaves: a page that never came to the disk."""
    damaged = bytearray(data)
    start = 8 + place % max(1, len(damaged) - 8)
    end = min(start + size, len(damaged))
    damaged[start:end] = bytes(end - start)
    same_in_substance(bytes(damaged), True)


@given(st.one_of(segments, runs), st.integers(0), st.booleans())
def test_cut_anywhere(data, place, final):
    same_in_substance(data[: 8 + place % (len(data) - 7)], final)


@given(st.one_of(segments, runs), st.integers(0), st.integers(0), st.binary(max_size=100))
def test_something_else_in_between(data, place, size, junk):
    start = 8 + place % (len(data) - 7)
    same_in_substance(data[:start] + junk + data[start + size % 200 :], True)


@given(st.binary(max_size=200))
@example(b"")
@example(MAGIC[:3])
@example(MAGIC + b"\x20\0\0\0")
def test_any_bytes(data):
    same_in_substance(MAGIC + data, True)
    scan(memoryview(data), 0, final=True)
    scan(memoryview(data), 8, final=False)


@given(st.one_of(segments, runs), st.lists(st.integers(0), max_size=12), st.integers(0, 100))
def test_fed_in_portions(data, places, zeros):
    """A reader that follows a live writer sees any prefix, then more; the file beyond may be zeros already."""
    whole = real_scan(data)[0]
    offsets, position = [], 8
    for cut in sorted(8 + place % (len(data) - 7) for place in places):
        view = data[:cut] + bytes(zeros)
        found, damages, position, _ = real_scan(view, position, final=False)
        offsets += found
        assert not damages
        assert position <= cut
    found, damages, position, tail = real_scan(data, position, final=True)
    assert (offsets + found, damages, position, tail) == (whole, [], len(data), "end")


@given(st.integers(17, 1500), st.integers(0), st.integers(0))
def test_two_flips_in_a_run_of_equal_frames(count, first, second):
    """The short cut checks many frames with one checksum: two damages must not hide each other."""
    data = MAGIC + b"".join(points_frame(seq, seq, (seq / 3,), time_ns=seq * 1000) for seq in range(1, count + 1))
    size = (len(data) - 8) * 8
    damaged = flip_bit(flip_bit(data, 64 + first % size), 64 + second % size)
    same_in_substance(damaged, True)
