"""Event files that a tracked command writes. What they hold is real: golden files of tensorboardX and TensorBoard, which the
command copies piece by piece."""

from __future__ import annotations

import json
import math
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from lineal.formats.events.crc import masked
from tests.track.conftest import Tracker, wait_until

GOLDEN = Path(__file__).resolve().parents[1] / "unit" / "formats" / "events" / "golden"
COPY = """
import os, sys
def write(source, target, start=0, end=None):
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with open(source, "rb") as file, open(target, "ab") as out:
        out.write(file.read()[start:end])
"""


def golden(name: str) -> str:
    return str(GOLDEN / f"{name}.tfevents")


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def assert_scalars(run: Any, name: str, prefix: str = "") -> None:
    """Every point that EventAccumulator found, bit for bit; times to the millisecond."""
    for tag, rows in expected(name)["scalars"].items():
        history = run.history(prefix + tag)
        assert [int(step) for step in history.step] == [row[1] for row in rows]
        assert [repr(float(value)) for value in history.value] == [repr(float(row[2])) for row in rows]
        assert [int(at) for at in history.time_ms] == [round(row[0] * 1000) for row in rows]


def test_everything_in_an_event_file_becomes_the_runs(tracker: Tracker) -> None:
    script = COPY + "write(sys.argv[1], 'runs/today/events.out.tfevents.1.host')"
    code, _, err = tracker.python(script, golden("tensorboardX"))
    assert (code, err) == (0, "")
    run = tracker.only
    assert_scalars(run, "tensorboardX")
    assert not run.losses
    wanted = expected("tensorboardX")
    files = {artifact.path: artifact for artifact in run.artifacts}
    assert {path for path in files if "/images/" in path} == {
        f"tensorboard/images/scan/{row[1]}.png" for row in wanted["images"]["scan"]
    }
    assert "tensorboard/texts/thoughts/text_summary.md" in files
    assert {"tensorboard/histograms/weights.jsonl", "tensorboard/histograms/given.jsonl"} <= set(files)


def test_the_newer_form_and_hyperparameters(tracker: Tracker) -> None:
    """Of one command that writes two files at once."""
    script = COPY + "write(sys.argv[1], 'logs/train/a.tfevents.1'); write(sys.argv[2], 'logs/validation/a.tfevents.1')"
    script += "\nwrite(sys.argv[3], 'logs/train/1700000000.123/a.tfevents.1')"
    code, _, err = tracker.python(script, golden("tensorboard"), golden("tensorboardX"), golden("hparams"))
    assert (code, err) == (0, "")
    run = tracker.only
    assert_scalars(run, "tensorboard", "train/")
    assert_scalars(run, "tensorboardX", "validation/")
    assert_scalars(run, "hparams", "train/")
    params = {**expected("tensorboard")["hparams"], **expected("hparams")["hparams"]}
    assert dict(run.params) == params
    assert type(run.params["batch_size"]) is int
    paths = {artifact.path for artifact in run.artifacts}
    assert {"tensorboard/images/train/views/0-0.png", "tensorboard/images/train/views/0-1.png"} <= paths
    assert "tensorboard/audio/train/beep/5.wav" in paths


def test_points_arrive_while_the_command_runs_and_a_torn_tail_waits(tracker: Tracker) -> None:
    script = (
        COPY
        + """
target = 'anywhere/events.out.tfevents.1'
os.makedirs('anywhere')
with open(sys.argv[1], 'rb') as file, open(target, 'wb') as out:
    content = file.read()
    out.write(content[:20_001]); out.flush()
    print('half', flush=True)
    sys.stdin.readline()
    out.write(content[20_001:])
"""
    )
    tracker.write("train.py", script)
    with tracker.start("--", sys.executable, "train.py", golden("tensorboardX"), stdin=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        if sys.platform == "linux":  # nowhere else is it known what the command has open

            def is_there() -> bool:
                (run,) = tracker.runs()
                return any(info == "train/loss" for info in run.metrics)

            wait_until(is_there, "the first points are there")
            assert tracker.runs()[0].status == "running"
        _, err = process.communicate("go on\n", timeout=60)
    assert (process.returncode, err) == (0, "")
    if sys.platform == "linux":
        assert_scalars(tracker.only, "tensorboardX")
        assert not tracker.only.losses


def test_what_was_there_before_is_not_this_runs(tracker: Tracker) -> None:
    old = tracker.work / "runs" / "old" / "a.tfevents.1"
    old.parent.mkdir(parents=True)
    old.write_bytes((GOLDEN / "tensorboardX.tfevents").read_bytes())
    assert tracker.python("print('nothing')")[0] == 0
    assert not tracker.only.metrics


def test_only_the_named_folder_is_followed(tracker: Tracker) -> None:
    script = COPY + "write(sys.argv[1], 'board/a.tfevents.1'); write(sys.argv[2], 'runs/a.tfevents.1')"
    given = (golden("hparams"), golden("tensorboardX"))
    code, _, _ = tracker.python(script, *given, options=("--tensorboard", "board"))
    assert code == 0
    assert set(tracker.only.metrics) == set(expected("hparams")["scalars"])


def scalar(wall_time: float, step: int, value: float) -> bytes:
    """A record: an event of the times and the step, with one value called "loss" (event.proto, summary.proto)."""
    one = b"\x0a\x04loss" + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(one)]) + one
    data = b"\x09" + struct.pack("<d", wall_time) + b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def test_a_time_that_is_none_costs_no_other_point(tracker: Tracker, tmp_path: Path) -> None:
    times = [1e9, math.nan, math.inf, -math.inf, 1e300, 1e9 + 1]
    source = tmp_path / "odd"
    source.write_bytes(b"".join(scalar(at, step, step / 2) for step, at in enumerate(times)))
    code, _, err = tracker.python(COPY + "write(sys.argv[1], 'runs/events.out.tfevents.1.host')", str(source))
    assert (code, err) == (0, "") and not tracker.only.losses
    history = tracker.only.history("loss")
    assert list(map(float, history.value)) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert (history.time_ms[0], history.time_ms[5]) == (10**12, 10**12 + 1000)


def test_damage_is_counted_and_the_rest_is_taken(tracker: Tracker) -> None:
    content = bytearray((GOLDEN / "tensorboardX.tfevents").read_bytes())
    content[80] ^= 0xFF
    (tracker.place / "hurt").write_bytes(bytes(content))
    script = COPY + "write(sys.argv[1], 'runs/a.tfevents.1')"
    code, _, err = tracker.python(script, str(tracker.place / "hurt"))
    assert code == 0
    assert "1 damaged events were stepped over" in err
    run = tracker.only
    assert run.losses == {"damaged_event": 1}
    points = sum(len(run.history(tag).value) for tag in run.metrics)
    assert points == sum(map(len, expected("tensorboardX")["scalars"].values())) - 1


def test_with_the_package_itself(tracker: Tracker) -> None:
    pytest.importorskip("tensorboardX")
    script = """
from tensorboardX import SummaryWriter
with SummaryWriter() as writer:
    for step in range(100):
        writer.add_scalar("loss", 1 / (step + 1), step)
"""
    code, _, err = tracker.python(script)
    assert code == 0, err
    assert len(tracker.only.history("loss").value) == 100
