"""Following a folder of journals: the good are taken in whatever lies beside them, and nothing that is not applied is removed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import lineal
from lineal.ingest.follow import Follower
from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.journal.locks import locks_of
from lineal.model.limits import KIB
from lineal.record.frame import frame
from lineal.record.kinds import MAGIC
from lineal.record.records import (
    AttemptEnded,
    AttemptStarted,
    LayoutDefined,
    NoteSet,
    SegmentSealed,
    TagsSet,
)
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store
from lineal.testing.crash import flip_bit
from tests.unit.ingest.journals import LAYOUT, names_in, opened, points, put, said, segment_bytes, whole_run, writer_id
from tests.unit.record.strategies import points_frame


@pytest.fixture
def root(tmp_path):
    return tmp_path / "lineal"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else open_store(f"sqlite:///{tmp_path / 'db' / 'lineal.db'}")
    yield store
    store.close()


def catch_up(root, store, **settings):
    return Follower(Folder(root), store, **settings).catch_up()


def values(store, run_id="r", name="x"):
    pieces = store.tenant("default").read_points(run_id, name)
    return [value for piece in pieces for value in piece.columns.value.tolist()]


def run_of(store, run_id="r"):
    return store.tenant("default").get_details(run_id)


# -- the good, beside the bad ------------------------------------------------------------------------------------

ZEROS = bytes(4 * KIB)
BAD = {
    "empty": b"",
    "a few bytes": b"LNL",
    "only magic": MAGIC,
    "zeros": ZEROS,
    "magic and zeros": MAGIC + ZEROS,
    "noise": bytes(np.random.default_rng(1).integers(0, 256, 5000, np.uint8)),
    "text": b"hello, I am not a segment\r\n" * 100,
    "another format": b"PK\x03\x04" + bytes(100),
    "line ends rewritten": MAGIC.replace(b"\r\n", b"\n") + whole_run(writer_id(2), "bad")[8:].replace(b"\r\n", b"\n"),
    "both heads damaged": MAGIC + bytes(len(segment_bytes()) - 8) + whole_run(writer_id(2), "bad")[len(segment_bytes()) :],
    "someone else's name": whole_run(writer_id(3), "bad"),
    "tenant that is none": segment_bytes(said(NoteSet("x"), 1), writer=writer_id(2), tenant="../etc"),
    "run id that is none": segment_bytes(said(NoteSet("x"), 1), writer=writer_id(2), run_id=""),
    "no JSON": segment_bytes(frame(18, 1, 0, b"{not json"), writer=writer_id(2)),
    "JSON of another shape": segment_bytes(frame(18, 1, 0, b'[1, "x"]'), frame(19, 2, 0, b'{"tags": 5}'), writer=writer_id(2)),
    "numbers beyond any column": segment_bytes(
        frame(24, 1, 0, b'{"path": "p", "size_bytes": %d}' % 2**70),
        frame(25, 2, 0, b'{"reason": "x", "count": %d}' % 10**30),
        frame(25, 3, 0, b'{"reason": "x", "count": -5}'),
        frame(16, 4, 0, b'{"attempt": "a", "experiment": "e", "pid": %d, "fork_step": %d}' % (2**80, -(2**80))),
        frame(2, 0, 0, b'{"number": %d, "step": "q", "series": []}' % 2**80),
        frame(3, 0, 0, b'{"last_seq": %d}' % 2**80),
        writer=writer_id(2),
    ),
    "text that is no Unicode": segment_bytes(
        frame(16, 1, 0, b'{"attempt": "a\\ud800", "experiment": "e\\ud800", "name": "\\udfff", "user_id": "\\ud800"}'),
        frame(18, 2, 0, b'{"attempt": "a\\ud800", "params": {"p\\ud800": "v\\ud800"}}'),
        frame(19, 3, 0, b'{"tags": {"k\\ud800": "v\\ud800"}}'),
        frame(20, 4, 0, b'{"text": "\\ud800"}'),
        frame(21, 5, 0, b'{"name": "\\ud800"}'),
        frame(22, 6, 0, b'{"name": "\\ud800", "content": {"\\ud800": "\\ud800"}}'),
        frame(23, 7, 0, b'{"name": "\\ud800", "unit": "\\ud800", "step_metric": "\\ud800"}'),
        frame(24, 8, 0, b'{"path": "\\ud800", "uri": "\\ud800", "digest": "\\ud800", "media_type": "\\ud800"}'),
        frame(25, 9, 0, b'{"reason": "\\ud800", "count": 1, "detail": "\\ud800"}'),
        frame(17, 10, 0, b'{"attempt": "a\\ud800", "status": "failed", "error": "\\ud800"}'),
        frame(2, 0, 0, b'{"number": 1, "step": "q", "series": [["\\ud800", "d", {"\\ud800": "\\ud800"}]]}'),
        points(1.0, first_seq=11),
        writer=writer_id(2),
        run_id="bad",
    ),
    "our own notation, misused": segment_bytes(
        frame(22, 1, 0, b'{"name": "d", "content": {"$float": [1]}}'),
        frame(18, 2, 0, b'{"attempt": "a", "params": {"p": {"$float": null}}}'),
        frame(18, 3, 0, b'{"attempt": "a", "params": {"p": {"$float": %d}}}' % 10**400),
        writer=writer_id(2),
    ),
    "statements with nothing in them": segment_bytes(
        *[frame(kind, number, 0, b"{}") for number, kind in enumerate([16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 48, 49], 1)],
        frame(2, 0, 0, b"{}"),
        frame(3, 0, 0, b"{}"),
        writer=writer_id(2),
    ),
    "layouts that make no sense": segment_bytes(
        *[
            frame(2, 0, 0, text)
            for text in (
                b'{"number": 1, "step": "q", "series": [["x"]]}',
                b'{"number": 1, "step": "z", "series": [["x", "d"]]}',
                b'{"number": 1, "step": "q", "series": [["x", "z"]]}',
                b'{"number": 1, "step": "q", "series": [[5, "d"]]}',
                b'{"number": 1, "step": "q", "series": [["x", "d", "labels"]]}',
                b'{"number": 1, "step": "q", "series": [["x", "d", {}, 4, 5]]}',
                b'{"number": 1, "step": "q", "series": [["x", ["d"]]]}',
                b'{"number": 1, "step": ["q"], "series": []}',
            )
        ],
        points(1.0, first_seq=1),
        writer=writer_id(2),
    ),
    "points of a layout unknown": segment_bytes(points(1.0, 2.0, first_seq=1, number=7), writer=writer_id(2)),
    "points of another width": segment_bytes(
        said(LAYOUT, 0), points_frame(1, 0, (1.0, 2.0)), points_frame(2, 0, (1.0,)), frame(26, 3, 0, b"1234"), writer=writer_id(2)
    ),
    "sequences that go back": segment_bytes(said(NoteSet("a"), 5), said(NoteSet("b"), 3), said(NoteSet("c"), 5), writer=writer_id(2)),
    "a sequence beyond any": segment_bytes(said(NoteSet("a"), 2**64 - 1), said(NoteSet("b"), 2**63), writer=writer_id(2)),
    "times beyond any": segment_bytes(
        said(TagsSet({"a": "b"}), 1, 0), frame(19, 2, 2**63 - 1, b'{"tags": {"a": "c"}}'), frame(19, 3, -(2**63), b'{"tags": {"a": "d"}}'),
        writer=writer_id(2),
    ),
    "a tenant's record in a run": segment_bytes(
        frame(48, 1, 0, b'{"name": "e2"}'), frame(49, 2, 0, b'{"run_id": "zz", "lifecycle": "deleted"}'), writer=writer_id(2)
    ),
    "a run's record in a tenant": segment_bytes(
        said(NoteSet("x"), 1), said(LAYOUT, 0), points(1.0, first_seq=2), writer=writer_id(2), run_id=None
    ),
    "a seal in the middle": segment_bytes(said(SegmentSealed(99, False), 0), said(NoteSet("x"), 1), writer=writer_id(2)),
    "deep JSON": segment_bytes(frame(22, 1, 0, b'{"name": "d", "content": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"), writer=writer_id(2)),
    "long integers": segment_bytes(frame(18, 1, 0, b'{"attempt": "a", "params": {"p": ' + b"9" * 5000 + b"}}"), writer=writer_id(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_bad_journal_among_others(root, store, name):
    """It is taken in as far as it makes sense, or put aside and named; never an error, and the others are whole."""
    put(root, whole_run(writer_id(1), "first", (1.0, 2.0)), writer_id(1))
    put(root, BAD[name], writer_id(2))
    put(root, whole_run(writer_id(0xF), "last", (3.0,)), writer_id(0xF))
    done = catch_up(root, store)
    assert (values(store, "first"), values(store, "last")) == ([1.0, 2.0], [3.0])
    assert run_of(store, "first").run.status == run_of(store, "last").run.status == "finished"
    again = catch_up(root, store)
    assert again.records == 0
    assert (values(store, "first"), values(store, "last")) == ([1.0, 2.0], [3.0])
    kept = os.listdir(Folder(root).kept) if os.path.exists(Folder(root).kept) else []
    if kept:
        assert any(writer_id(2) in problem for problem in done.problems), "put aside, and nobody is told"
        assert len(kept) == 1
    assert store.list_tenants() in ([], ["default"])
    for run_id in store.tenant("default").find_run_ids("", 100):
        run_of(store, run_id)
        store.tenant("default").list_series(run_id)


def test_one_corrupt_journal_among_a_hundred(root, store):
    for number in range(100):
        data = whole_run(writer_id(number), f"run{number}", (float(number),))
        put(root, bytes(len(data)) if number == 37 else data, writer_id(number))
    done = catch_up(root, store)
    assert [problem for problem in done.problems if writer_id(37) in problem]
    assert len(done.problems) == 1
    for number in range(100):
        if number != 37:
            assert values(store, f"run{number}") == [float(number)]
            assert run_of(store, f"run{number}").run.status == "finished"


# -- a newer Lineal ----------------------------------------------------------------------------------------------


def newer(version):
    return MAGIC[:4] + version.to_bytes(2, "little") + MAGIC[6:]


@pytest.mark.parametrize("version", [2, 4, 7, 300])
@pytest.mark.parametrize("alike", [True, False])
def test_a_segment_of_a_newer_format_is_left_as_it_is(root, store, version, alike):
    """Even if its frames look like ours."""
    data = whole_run(writer_id(2), "newer")
    data = newer(version) + data[8:] if alike else newer(version) + bytes(range(256)) * 10
    path = put(root, data, writer_id(2))
    put(root, whole_run(writer_id(1), "ours"), writer_id(1))
    done = catch_up(root, store)
    assert [problem for problem in done.problems if "newer" in problem and path in problem]
    assert values(store, "ours") == [1.0, 2.0, 3.0]
    assert store.tenant("default").find_run_ids("newer") == []
    with open(path, "rb") as file:
        assert file.read() == data


def test_a_flipped_bit_in_the_version_is_not_a_newer_format(root, store):
    for bit in range(64):
        damaged = flip_bit(whole_run(writer_id(bit + 1), f"run{bit}"), bit)
        put(root, damaged, writer_id(bit + 1))
    catch_up(root, store)
    for bit in range(64):
        assert values(store, f"run{bit}") == [1.0, 2.0, 3.0], f"bit {bit}"


def unknown(seq):
    return frame(40, seq, 0, b'{"of": "tomorrow"}')


def test_records_of_a_newer_kind_are_kept_for_a_newer_lineal(root, store):
    data = segment_bytes(said(AttemptStarted("a1", "e"), 1), unknown(2), said(LAYOUT, 0), points(1.0, first_seq=3), unknown(4),
                         said(AttemptEnded("a1", "finished"), 5), said(SegmentSealed(5), 0))  # fmt: skip
    put(root, data)
    done = catch_up(root, store)
    assert values(store) == [1.0]
    assert run_of(store).losses == {}
    assert len(done.problems) == 1
    (name,) = os.listdir(Folder(root).kept)
    assert Path(Folder(root).kept, name).read_bytes() == data
    assert names_in(root) == ["kept"]


def test_a_living_writer_of_newer_records_keeps_its_segment(root, store):
    """Two programs of different age on one folder: what the newer one still writes must not be moved away under it."""
    folder = Folder(root)
    path = put(
        root, segment_bytes(said(AttemptStarted("a1", "e"), 1), unknown(2), said(LAYOUT, 0), points(1.0, first_seq=3))
    )
    locks_of(folder.locks).hold(writer_id(1))
    catch_up(root, store)
    assert values(store) == [1.0]
    assert os.path.exists(path), "moved away while its writer lives"
    with open(path, "ab") as file:
        file.write(points(2.0, first_seq=4) + unknown(5) + points(3.0, first_seq=6))
    catch_up(root, store)
    assert values(store) == [1.0, 2.0, 3.0]
    locks_of(folder.locks).release(writer_id(1))
    catch_up(root, store)
    assert os.listdir(folder.kept) == [os.path.basename(path)], "the newer records are gone"
    assert run_of(store).losses == {}


# -- life and death ----------------------------------------------------------------------------------------------


def test_a_segment_that_grows_is_read_on_from_where_it_was(root, store):
    folder = Folder(root)
    parts = [segment_bytes(said(AttemptStarted("a1", "e"), 1)), said(LAYOUT, 0) + points(1.0, first_seq=2)]
    parts += [points(float(n), first_seq=n + 1) for n in range(2, 30)]
    path = put(root, b"")
    locks_of(folder.locks).hold(writer_id(1))
    whole = b"".join(parts)
    follower = Follower(folder, store)
    for end in range(0, len(whole) + 1, 24):
        put(root, whole[:end] + bytes(96))
        follower.catch_up()
    put(root, whole)
    follower.catch_up()
    assert values(store) == [float(n) for n in range(1, 30)]
    assert (run_of(store).run.status, run_of(store).losses) == ("running", {})
    assert os.path.exists(path)
    locks_of(folder.locks).release(writer_id(1))
    follower.catch_up()
    assert (run_of(store).run.status, run_of(store).losses) == ("lost", {})
    assert names_in(root) == []


@pytest.mark.parametrize("gap", [b"", bytes(64)])
def test_segments_follow_each_other(root, store, gap):
    first = segment_bytes(
        said(AttemptStarted("a1", "e"), 1), said(LAYOUT, 0), points(1.0, first_seq=2), said(SegmentSealed(2, True), 0)
    )
    second = segment_bytes(
        said(LAYOUT, 0),
        points(2.0, first_seq=3),
        said(AttemptEnded("a1", "failed", "why"), 4),
        said(SegmentSealed(4), 0),
        segment=2,
    )
    put(root, first + gap)
    put(root, second + gap, number=2)
    catch_up(root, store)
    assert values(store) == [1.0, 2.0]
    assert (run_of(store).run.status, run_of(store).attempts[0].error, run_of(store).losses) == ("failed", "why", {})


def test_a_missing_segment_is_a_counted_loss(root, store):
    first = segment_bytes(said(AttemptStarted("a1", "e"), 1), said(LAYOUT, 0), points(1.0, first_seq=2))
    third = segment_bytes(
        said(LAYOUT, 0),
        points(9.0, first_seq=50),
        said(AttemptEnded("a1", "finished"), 51),
        said(SegmentSealed(51), 0),
        segment=3,
    )
    put(root, first)
    put(root, third, number=3)
    catch_up(root, store)
    assert values(store) == [1.0, 9.0]
    assert (run_of(store).run.status, run_of(store).losses) == ("finished", {"damaged": 47})


def test_a_lost_beginning(root, store):
    """The record that starts the attempt is gone: the run is in no experiment that anyone named, but its end is true."""
    put(
        root,
        segment_bytes(
            said(LAYOUT, 0),
            points(1.0, first_seq=2),
            said(AttemptEnded("a1", "failed", "why"), 3),
            said(SegmentSealed(3), 0),
        ),
    )
    catch_up(root, store)
    details = run_of(store)
    assert (details.run.status, details.run.experiment_name, details.losses) == ("failed", "Default", {"damaged": 1})
    assert values(store) == [1.0]


def test_a_lost_end(root, store):
    put(
        root,
        segment_bytes(
            said(AttemptStarted("a1", "e"), 1), said(LAYOUT, 0), points(1.0, first_seq=2), said(SegmentSealed(3), 0)
        ),
    )
    catch_up(root, store)
    assert (run_of(store).run.status, run_of(store).losses) == ("lost", {"damaged": 1})


def test_a_definition_that_comes_later_finds_its_points(root, store):
    first = segment_bytes(
        said(AttemptStarted("a1", "e"), 1), points(1.0, 2.0, first_seq=2), said(SegmentSealed(3, True), 0)
    )
    put(root, first)
    put(root, segment_bytes(segment=2), number=2)
    locks_of(Folder(root).locks).hold(writer_id(1))
    catch_up(root, store)
    assert values(store) == []
    assert run_of(store).losses == {"undefined": 2}
    put(root, segment_bytes(said(LAYOUT, 0), points(3.0, first_seq=4), segment=2), number=2)
    catch_up(root, store)
    assert values(store) == [1.0, 2.0, 3.0]
    locks_of(Folder(root).locks).release(writer_id(1))


def test_a_run_of_which_nothing_was_said_is_none(root, store):
    """Killed within init, before its first record."""
    put(root, segment_bytes())
    put(root, segment_bytes() + said(AttemptStarted("a1", "e"), 1)[:40], writer_id(2))
    done = catch_up(root, store)
    assert store.tenant("default").find_run_ids("", 10) == []
    assert len(done.problems) <= 1


def test_another_hosts_writer_is_not_called_dead(root, store):
    put(root, segment_bytes(said(AttemptStarted("a1", "e"), 1)))
    catch_up(root, store, host="elsewhere", boot="another")
    assert run_of(store).run.status == "running"
    assert names_in(root) == [f"{writer_id(1)}-000001.seg"]
    catch_up(root, store, host="host", boot="another")
    assert run_of(store).run.status == "lost"


def test_keep_files_leaves_everything_and_changes_nothing_twice(root, store):
    put(root, whole_run())
    put(root, b"noise" * 100, writer_id(2))
    put(root, segment_bytes(unknown(1), writer=writer_id(3)), writer_id(3))
    before = names_in(root)
    for _ in range(3):
        catch_up(root, store, keep_files=True)
        assert names_in(root) == before
        assert values(store) == [1.0, 2.0, 3.0]


def test_what_is_no_segment_is_not_touched(root, store):
    put(root, whole_run())
    folder = Folder(root)
    strange = [
        "README",
        "x-000001.seg",
        f"{writer_id(1)}-1.seg",
        f"{writer_id(1)}-000001.seg.bak",
        "ABCDEF000000000-000001.seg",
        ".hidden",
    ]
    for name in strange:
        with open(os.path.join(folder.journals, name), "w") as file:
            file.write("mine")
    os.mkdir(os.path.join(folder.journals, "subfolder"))
    catch_up(root, store)
    assert names_in(root) == sorted([*strange, "subfolder"])


def test_a_folder_where_a_segment_should_be(root, store):
    put(root, whole_run())
    os.mkdir(Folder(root).segment(writer_id(2), 1))
    catch_up(root, store)
    assert values(store) == [1.0, 2.0, 3.0]


def test_a_segment_that_cannot_be_read(root, store, monkeypatch):
    """A bad sector in one file must not keep the other runs away."""
    put(root, whole_run(writer_id(1), "first"), writer_id(1))
    bad = put(root, whole_run(writer_id(2), "bad"), writer_id(2))
    put(root, whole_run(writer_id(3), "last"), writer_id(3))
    real = os.pread

    def pread(fd, size, offset):
        if os.readlink(f"/proc/self/fd/{fd}") == bad:
            raise OSError(5, "Input/output error")
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    done = catch_up(root, store)
    assert values(store, "first") == values(store, "last") == [1.0, 2.0, 3.0]
    assert [problem for problem in done.problems if bad in problem]
    assert os.path.exists(bad)
    monkeypatch.undo()
    catch_up(root, store)
    assert values(store, "bad") == [1.0, 2.0, 3.0]


def test_a_large_segment_with_zeros_inside(root, store):
    """A long frame of zeros is no end of what is written, wherever the reader's own buffers end."""
    wide = LayoutDefined(2, "q", [[f"w{number}", "d"] for number in range(1000)])
    frames, seq = [said(AttemptStarted("a1", "e"), 1), said(wide, 0), said(LAYOUT, 0)], 2
    while sum(map(len, frames)) < 600 * KIB:
        frames.append(points_frame(seq, 0, (0.0,) * 1000, 2, 0))
        frames.append(points_frame(seq + 1, 0, (float(seq),), 1, 0))
        seq += 2
    for shift in (0, 8, 2000, 4096):
        data = segment_bytes(said(NoteSet("x" * shift), 0), *frames, writer=writer_id(shift + 1), run_id=f"run{shift}")
        put(root, data + bytes(300 * KIB), writer_id(shift + 1))
    # The damaged frame ends exactly where the first buffer does.
    catch_up(root, store)
    for shift in (0, 8, 2000, 4096):
        assert len(values(store, f"run{shift}")) == len(values(store, f"run{shift}", "w1")) == (seq - 2) // 2


def test_damage_just_where_the_reader_would_stop(root, store):
    """A flipped bit in a frame of zeros that spans the reader's first buffer: what is behind it is still read."""
    wide = LayoutDefined(2, "q", [[f"w{number}", "d"] for number in range(2000)])
    head = segment_bytes(said(AttemptStarted("a1", "e"), 1), said(LAYOUT, 0), said(wide, 0))
    filler = b"".join(points_frame(2 + n, n, (1.0,), 1, 0) for n in range((256 * KIB - len(head) - 8000) // 48))
    count = len(filler) // 48
    zeros = points_frame(2 + count, 0, (0.0,) * 2000, 2, 0)
    after = b"".join(points_frame(3 + count + n, n, (2.0,), 1, 0) for n in range(100))
    data = head + filler + zeros + after
    damaged = flip_bit(data, (len(head) + len(filler)) * 8 + 13)  # the length says 7,848 bytes instead of 16,040
    put(root, damaged)
    catch_up(root, store)
    assert len(values(store)) == count + 100
    assert run_of(store).losses == {"damaged": 1}


def test_spares_of_the_dead_are_removed_and_those_of_the_living_kept(root, store):
    folder = Folder(root)
    put(root, whole_run())
    for number in (5, 6):
        with open(f"{folder.spare(writer_id(number))}-abcd", "wb") as file:
            file.write(MAGIC)
    locks_of(folder.locks).hold(writer_id(6))
    catch_up(root, store)
    assert names_in(root) == [f"{writer_id(6)}.spare-abcd"]
    locks_of(folder.locks).release(writer_id(6))


def test_two_followers_and_a_copied_folder(root, store, tmp_path):
    """The same journal met again (restored from a backup) changes nothing: cursors outlive it."""
    import shutil

    put(root, whole_run())
    shutil.copytree(root, tmp_path / "backup")
    catch_up(root, store)
    before = store.change_number()
    catch_up(tmp_path / "backup", store)
    assert values(store) == [1.0, 2.0, 3.0]
    assert store.change_number() <= before + 1


def test_a_real_journal_with_its_side_journal(root, store):
    journal = Journal(Folder(root), Identity("default", "r", "a1", True), mode="write")
    journal.append(AttemptStarted("a1", "e"))
    journal.append_points({"x": 1.0}, 0, 0)
    journal._busy = True
    journal.append_points({"x": 2.0}, 1, 0)
    journal._busy = False
    journal.append(AttemptEnded("a1", "finished"))
    journal.close()
    catch_up(root, store)
    assert sorted(values(store)) == [1.0, 2.0]
    assert run_of(store).run.status == "finished"
    assert opened(journal.writer).writer == journal.writer


def test_lineals_own_runs_are_read_while_a_bad_journal_lies_there(root):
    with lineal.init(url=root, run_id="r") as run:
        run.log({"x": 1.0})
    put(root, b"noise" * 1000, writer_id(7))
    put(root, newer(2) + b"abc" * 100, writer_id(8))
    assert lineal.get_run("r", url=root).history("x").value.tolist() == [1.0]
    with lineal.init(url=root, run_id="r", resume="allow") as run:
        run.log({"x": 2.0})
    assert lineal.get_run("r", url=root).history("x").value.tolist() == [1.0, 2.0]
