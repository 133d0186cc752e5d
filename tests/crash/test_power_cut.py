"""A power cut leaves what was synced and, at worst, nothing else: at most a second of points, and no statement that was synced.

The images are made from a spy on fsync and fdatasync: only the bytes and the names that such a call had covered are in them."""

import itertools
import os
import random
import shutil
import time

import pytest

import lineal
from lineal.testing.crash import SYNC_SPY, durable_image, read_journals

PROGRAM = (
    SYNC_SPY
    + """
import lineal, os, sys, time
folder, shadow = sys.argv[1:]
spy_on_syncs(shadow)
run = lineal.init(url=folder, run_id="r", experiment="power", params={"lr": 0.1})
said("ready")
artifact = folder + ".file"
def tell(*words):
    said(time.monotonic(), *words)
for step in range(10**9):
    run.log({"x": step}, step=step)
    tell("log", step)
    if step % 300 == 0:
        run.log_params({f"p{step}": step})
        tell("param", step)
    if step % 500 == 100:
        with open(artifact, "wb") as file:
            file.write(b"%d" % step * 1000)
        run.log_artifact(artifact, f"at/{step}")
        tell("artifact", step)
    time.sleep(0.0005)
"""
)
POINTS_S = 1.0
BARRIER_S = 0.05
SLACK_S = 0.5  # two shared cores; and however long the program itself had no turn


def image_of(folder, shadow, place):
    image = place / "lineal"
    if image.exists():
        shutil.rmtree(image)
    durable_image(folder, shadow, image)
    return image


def longest_silence_s(times_s):
    """Of a program that says something every millisecond: what kept it kept its other threads as well."""
    return max((after - before for before, after in itertools.pairwise(times_s)), default=0.0)


@pytest.mark.parametrize("cut", range(3))
def test_power_is_cut_while_the_run_logs(writer, folder, tmp_path, child, seed, cut):
    draw = random.Random(f"{seed} {writer} {cut}")
    shadow = tmp_path / "shadow"
    started = child(PROGRAM, folder, shadow)
    started.wait_for("ready")
    time.sleep(0.7 + draw.random() * 2)
    cut_s = time.monotonic()
    started.kill()
    started.end()
    said = [line.split() for line in started.lines()[1:]]
    slack_s = SLACK_S + longest_silence_s([float(words[0]) for words in said] + [cut_s])
    image = image_of(folder, shadow, tmp_path / "image")
    assert image.exists(), "the folder itself was never made durable"
    with lineal.open_store(image) as store:
        run = store.get_run("r")
        got = run.history("x").value.tolist() if run.series else []
        blobs = {
            artifact.path: store.get_run("r").artifact_path(artifact.path).read_bytes() for artifact in run.artifacts
        }
    assert got == list(range(len(got))), "order kept, nothing missing in between"
    old = [int(words[2]) for words in said if words[1] == "log" and float(words[0]) < cut_s - POINTS_S - slack_s]
    assert len(got) > max(old, default=-1), f"{max(old, default=-1) - len(got)} points older than {POINTS_S} s are lost"
    for when, what, step in said:
        if what == "param" and float(when) < cut_s - BARRIER_S - slack_s:
            assert run.params[f"p{step}"] == int(step)
        if what == "artifact" and float(when) < cut_s - BARRIER_S - slack_s:
            assert blobs[f"at/{step}/{os.path.basename(folder)}.file"] == step.encode() * 1000
    assert run.status == "lost"
    for path, content in blobs.items():
        step = path.split("/")[1]
        assert content == step.encode() * 1000, "an artifact is there whole or not at all"


def test_power_is_cut_when_finish_has_returned(writer, folder, tmp_path, child):
    shadow = tmp_path / "shadow"
    child(
        SYNC_SPY
        + """
import lineal, sys
spy_on_syncs(sys.argv[2])
with open(sys.argv[1] + ".txt", "w") as file:
    file.write("weights")
with lineal.init(url=sys.argv[1], run_id="r", params={"lr": 0.1}, tags={"a": "b"}, note="n") as run:
    for step in range(5000):
        run.log({"x": step, "y": 0.5}, step=step)
    run.log_artifact(sys.argv[1] + ".txt")
""",
        folder,
        shadow,
    ).end_well()
    image = image_of(folder, shadow, tmp_path / "image")
    for readings in read_journals(image).values():
        assert all(reading.tail == "end" and not reading.damages for reading in readings)
    with lineal.open_store(image) as store:
        run = store.get_run("r")
        assert (run.status, run.params, run.tags, run.note) == ("finished", {"lr": 0.1}, {"a": "b"}, "n")
        assert run.history("x").value.tolist() == list(range(5000))
        assert run.artifact_path("lineal.txt").read_text() == "weights"
        assert run.losses == {}


def test_an_artifact_is_durable_when_its_call_has_returned(folder, tmp_path, child):
    """The record may come 50 ms later, the bytes and their name may not."""
    shadow = tmp_path / "shadow"
    started = child(
        SYNC_SPY
        + """
import lineal, sys, time
run = lineal.init(url=sys.argv[1], run_id="r")
spy_on_syncs(sys.argv[2])
run.log_text("weights", "a.txt")
said("kept")
time.sleep(60)
""",
        folder,
        shadow,
    )
    started.wait_for("kept")
    started.kill()
    started.end()
    blobs = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    assert [path.read_text() for path in blobs] == ["weights"]
    for path in blobs:
        assert (shadow / str(path.stat().st_ino)).read_text() == "weights"
        for above in path.parents:
            synced = shadow / str(above.stat().st_ino)
            assert synced.exists(), f"the name of what is below {above.relative_to(folder.parent)} was never synced"
            if above == folder:
                break


@pytest.mark.parametrize("size", [0, 1])
def test_pages_of_a_mapped_segment_that_never_came_to_disk(folder, tmp_path, size, seed):
    """The kernel writes dirty pages in any order: behind the last sync any page may be zeros. What is before it stays."""
    draw = random.Random(f"{seed} {size}")
    run = lineal.init(url=folder, run_id="r")
    for step in range(400):
        run.log({"x": step}, step=step)
    run._journal.sync()
    (segment,) = [reading for readings in read_journals(folder).values() for reading in readings]
    assert run._journal._segment is not None
    synced = run._journal._segment.end
    for step in range(400, 1200):
        run.log({"x": step}, step=step)
    with open(segment.path, "rb") as file:
        data = file.read()
    name = os.path.basename(segment.path)
    run.finish()
    for number in range(40):
        image = bytearray(data)
        for page in range(synced // 4096 + 1, len(image) // 4096):
            if draw.random() < 0.5:
                image[page * 4096 : (page + 1) * 4096] = bytes(4096)
        place = tmp_path / f"image{number}"
        os.makedirs(place / "journals")
        (place / "journals" / name).write_bytes(image[: len(image) // 2] if size else image)
        with lineal.open_store(place) as store:
            got = store.get_run("r").history("x").value.tolist()
        assert got[:400] == list(range(400))
        assert got == sorted(set(got))


def test_a_segment_goes_only_when_what_it_held_is_on_disk(folder, tmp_path, child, strace):
    """The store's commit is synced before the journal is deleted, and the database's own name before that."""
    for number in range(3):
        with lineal.init(url=folder) as run:
            run.log({"x": number})
    log = tmp_path / "strace"
    prefix = [strace, "-f", "-y", "-o", str(log), "-e", "trace=unlink,unlinkat,fsync,fdatasync,pwrite64,write"]
    child(
        "import lineal, sys\nwith lineal.open_store(sys.argv[1]) as store:\n    store.runs()", folder, prefix=prefix
    ).end_well()
    calls = [line.split(" ", 1)[1].strip() for line in log.read_text().splitlines() if str(folder) in line]
    deleted = [number for number, call in enumerate(calls) if call.startswith("unlink") and ".seg" in call]
    assert len(deleted) == 3
    before = calls[: deleted[0]]
    written = max(number for number, call in enumerate(before) if "lineal.db-wal>" in call and "write" in call)
    assert [call for call in before[written:] if "sync" in call and "lineal.db-wal>" in call]
    assert [call for call in before if "sync" in call and f"<{folder}>" in call]
