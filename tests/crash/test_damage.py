"""A journal cut at any byte, with any bit flipped: whole frames come back, at most one record is lost, and that is said.

All 4,096 cuts and 32,768 flips with `make torture`; a seeded sample otherwise."""

import os
import random
from pathlib import Path

import pytest

import lineal
from lineal.ingest.follow import Follower
from lineal.journal.layout import Folder
from lineal.store.memory import MemoryStore
from lineal.testing.crash import flip_bit, read_segment

RUN_ID = "run1"
CALLS = 50
STATUS = {True: "finished", False: "lost"}
TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
PARTS = 64


def bits(size):
    """Every 37th, a random sample, and every bit where a flip costs most; or all."""
    if TORTURE:
        return range(size * 8)
    return sorted({*range(0, size * 8, 37), *random.Random(20_26).sample(range(size * 8), 400)})


def make_journal(root, *, finish):
    """A real 4 KiB segment of a run with everything in it."""
    run = lineal.init(
        experiment="vision",
        name="mlp",
        params={"lr": 0.1, "model": {"width": 64}},
        tags={"kind": "test"},
        url=root,
        run_id=RUN_ID,
    )
    for step in range(CALLS):
        run.log({"loss": 1 / (step + 1), "seen": step * 64}, step=step)
    run.log({"val/acc": 0.5}, step=CALLS)
    run.set_note("a note")
    run.set_json("review", {"score": 4})
    run.define_metric("loss", goal="min")
    (path,) = [segment.path for segment in Folder(root).list_segments()]
    if finish:
        run.finish()
        data = Path(path).read_bytes()
    else:
        data = Path(path).read_bytes()
        whole = read_segment(data, final=False)
        data = data[: 8 + sum(said.header.length for said in whole.said)].ljust(4096, b"\0")
        run.finish()
    return os.path.basename(path), data


@pytest.fixture(scope="module", params=[True, False], ids=["finished", "killed"])
def journal(request, tmp_path_factory):
    name, data = make_journal(tmp_path_factory.mktemp("made") / "lineal", finish=request.param)
    assert 3072 < len(data) <= 4096 + 512
    return name, data, request.param


def take_in(root, name, data):
    """The state that a reader makes of one segment whose writer is dead."""
    os.makedirs(root / "journals", exist_ok=True)
    (root / "journals" / name).write_bytes(data)
    store = MemoryStore()
    done = Follower(Folder(root), store, keep_files=True).catch_up()
    reader = store.tenant("default")
    if RUN_ID not in reader.find_run_ids(RUN_ID):
        return None, done
    details = reader.get_details(RUN_ID)
    points = []
    for metric in ("loss", "seen", "val/acc"):
        for piece in reader.read_points(RUN_ID, metric):
            points += [
                (metric, *pair) for pair in zip(piece.columns.step.tolist(), piece.columns.value.tolist(), strict=True)
            ]
    facts = [
        *(("point", *point) for point in points),
        *(("param", *item) for item in details.params.items()),
        *(("tag", *item) for item in details.tags.items()),
        *(("document", name, reader.get_document(RUN_ID, name)) for name in details.document_names),
        *(("metric", name) for name in details.metric_definitions),
        ("note", details.note),
        ("experiment", details.run.experiment_name),
        ("name", details.run.name),
        ("status", details.run.status),
    ]
    return (set(facts), details), done


# What one record may hold: a call of log two points; AttemptStarted the experiment and the name.
RECORD_FACTS = 2


def test_every_cut(journal, tmp_path):
    name, data, _ = journal
    whole = read_segment(data)
    for cut in range(len(data)) if TORTURE else sorted({*range(0, len(data), 17), *range(600)}):
        found = read_segment(data[:cut])
        ends = [8 + sum(said.header.length for said in whole.said[: index + 1]) for index in range(len(whole.said))]
        assert [said.header for said in found.said] == [
            said.header for said, end in zip(whole.said, ends, strict=True) if end <= cut
        ], f"cut at {cut}"
        state, done = take_in(tmp_path / "lineal", name, data[:cut])
        calls = [said for said in found.said if said.points is not None]
        if state is None:
            assert not any(said.header.seq for said in found.said), f"cut at {cut}"
            assert done.problems or cut & ~7 in (0, 8, *ends), f"cut at {cut}: nobody is told"
            continue
        facts, details = state
        assert len([fact for fact in facts if fact[0] == "point"]) == sum(
            len(said.points[1]) for said in calls if said.points
        )
        rest = data[max([end for end in ends if end <= cut], default=8) : cut & ~7]
        assert details.losses == ({"torn": 1} if rest.strip(b"\0") else {}), f"cut at {cut}"
        started = any(said.header.kind == 16 for said in found.said)
        ended = any(said.header.kind == 17 for said in found.said)
        assert details.run.status == ("finished" if ended else "lost"), f"cut at {cut}"
        assert details.run.experiment_name == ("vision" if started else "Default")


@pytest.mark.parametrize("part", range(PARTS if TORTURE else 4))
def test_every_flip(journal, tmp_path, part):
    name, data, finished = journal
    parts = PARTS if TORTURE else 4
    (expected, before), _ = take_in(tmp_path / "lineal", name, data)
    assert before.run.status == STATUS[finished]
    whole = read_segment(data)
    assert before.losses == {}
    for bit in bits(len(data))[part::parts]:
        damaged = flip_bit(data, bit)
        where = f"bit {bit} (byte {bit >> 3} of {name})"
        found = read_segment(damaged)
        assert len(whole.said) - len(found.said) in (0, 1), where
        state, _ = take_in(tmp_path / "lineal", name, damaged)
        assert state is not None, where
        facts, details = state
        gone = {fact for fact in expected - facts if fact[0] != "status"}
        assert len(gone) <= RECORD_FACTS, f"{where}: {sorted(map(str, gone))[:5]}"
        if gone:
            assert sum(details.losses.values()) == 1, f"{where}: {gone} is lost in silence"
        invented = {fact for fact in facts - expected if fact[0] not in ("status", "experiment", "name", "note")}
        assert not invented, where
        if not any(said.header.kind == 17 for said in found.said):
            assert details.run.status == "lost", where
        else:
            assert details.run.status == "finished", where


def test_no_frame_may_be_lost_in_the_middle_of_a_long_run(tmp_path):
    """The reader's short cut for equal frames, over a run long enough to take it at every size."""
    root = tmp_path / "made"
    run = lineal.init(url=root, run_id=RUN_ID)
    for step in range(5000):
        run.log({"loss": step / 7}, step=step)
    run.finish()
    seed = int(os.environ.get("LINEAL_TEST_SEED", "1"))
    print("seed", seed)
    draw = random.Random(seed)
    files = [(os.path.basename(s.path), Path(s.path).read_bytes()) for s in Folder(root).list_segments()]
    _, data = max(files, key=lambda file: len(file[1]))
    whole = read_segment(data)
    for _ in range(2000 if TORTURE else 40):
        bit = draw.randrange(8 * 8, len(data) * 8)
        found = read_segment(flip_bit(data, bit))
        assert len(found.said) == len(whole.said) - 1, bit
        assert len(found.damages) == 1, bit
