"""`lineal import tensorboard`: golden files of real writers, held against what TensorBoard's EventAccumulator found in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command

GOLDEN = Path(__file__).resolve().parents[1] / "unit" / "formats" / "events" / "golden"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    folder = tmp_path / "board"
    for place, name in (("a", "tensorboardX"), ("deep/b", "tensorboard"), ("a/session", "hparams")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(GOLDEN / f"{name}.tfevents", folder / place / "events.out.tfevents.1.host")
    return folder


def take(board: Path, notebook: Path, *more: str, code: int = 0) -> Any:
    result = CliRunner().invoke(command, ["import", "tensorboard", str(board), "--url", str(notebook), "--json", *more])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def expected(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def assert_whole(run: lineal.LoggedRun, name: str) -> None:
    wanted = expected(name)
    for tag, rows in wanted["scalars"].items():
        history = run.history(tag)
        found = sorted(zip(history.step, history.time_ms, map(repr, map(float, history.value)), strict=True))
        assert found == sorted((row[1], round(row[0] * 1000), repr(float(row[2]))) for row in rows)
    assert set(run.metrics) == set(wanted["scalars"])
    assert dict(run.params) == wanted["hparams"]


def test_each_folder_is_a_run_and_twice_changes_nothing(board: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook"
    first = take(board, notebook, "--experiment", "boards")
    assert first["runs"] == {"new": 3, "changed": 0, "unchanged": 0}
    assert first["found"] == first["there"]
    assert first["found"]["artifacts"] > 0
    runs = {run.name: run for run in lineal.runs(url=notebook)}
    assert set(runs) == {"a", "deep/b", "a/session"}
    assert_whole(runs["a"], "tensorboardX")
    assert_whole(runs["deep/b"], "tensorboard")
    assert_whole(runs["a/session"], "hparams")
    assert {name: run.status for name, run in runs.items()} == {
        "a": "finished",
        "deep/b": "failed",
        "a/session": "finished",
    }
    assert {run.experiment for run in runs.values()} == {"boards"}
    paths = {artifact.path for artifact in runs["a"].details.artifacts}
    assert {"tensorboard/images/scan/10.png", "tensorboard/histograms/given.jsonl"} <= paths
    moved = board.rename(tmp_path / "moved")
    for _ in range(2):
        again = take(moved, notebook, "--experiment", "boards")
        assert again["runs"] == {"new": 0, "changed": 0, "unchanged": 3}
        assert again["found"] == again["there"]
    assert {run.run_id for run in lineal.runs(url=notebook)} == {run.run_id for run in runs.values()}
    for name, golden in (("a", "tensorboardX"), ("deep/b", "tensorboard")):
        assert_whole(lineal.get_run(runs[name].run_id, url=notebook), golden)


def test_what_was_added_is_taken(board: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook"
    whole = (GOLDEN / "tensorboardX.tfevents").read_bytes()
    (board / "a" / "events.out.tfevents.1.host").write_bytes(whole[:20_001])
    take(board, notebook)
    (board / "a" / "events.out.tfevents.1.host").write_bytes(whole)
    again = take(board, notebook)
    assert again["runs"] == {"new": 0, "changed": 1, "unchanged": 2}
    assert again["found"] == again["there"]
    assert_whole(next(run for run in lineal.runs(url=notebook) if run.name == "a"), "tensorboardX")


def test_damage_is_named_and_the_rest_taken(board: Path, tmp_path: Path) -> None:
    path = board / "a" / "events.out.tfevents.1.host"
    content = bytearray(path.read_bytes())
    content[80] ^= 0xFF
    path.write_bytes(bytes(content))
    told = take(board, tmp_path / "notebook", code=1)
    assert [problem["why"] for problem in told["problems"]] == [f"{path}: 1 damaged events were stepped over"]
    assert told["runs"]["new"] == 3


def test_two_copies_are_one_run(board: Path, tmp_path: Path) -> None:
    shutil.copytree(board / "deep" / "b", board / "other" / "b")
    told = take(board, tmp_path / "notebook", code=1)
    assert "are the same run" in told["problems"][0]["why"]
    assert told["runs"]["new"] == 3


def test_no_event_files(tmp_path: Path) -> None:
    assert take(tmp_path, tmp_path / "notebook", code=2)["error"]["code"] == "invalid_input"
    assert take(tmp_path / "missing", tmp_path / "notebook", code=3)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, b"no events at all, and longer than a header"], ids=["empty", "short", "damaged"]
)
def test_a_folder_without_events_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in" / "events.out.tfevents.1.host"
    path.parent.mkdir()
    path.write_bytes(content)
    told = take(path.parent, tmp_path / "notebook", code=1)
    assert told["found"]["runs"] == told["there"]["runs"] == 0
    whys = [problem["why"] for problem in told["problems"]]
    assert whys[0].startswith(f"{path}: no event could be read: it is {'damaged' if content else 'empty'}")
    assert whys[1].startswith(f"in {path.parent} nothing was found")


def test_a_damaged_file_beside_a_healthy_run_is_named(board: Path, tmp_path: Path) -> None:
    beside, below = board / "a" / "events.out.tfevents.2.host", board / "other" / "events.out.tfevents.1.host"
    below.parent.mkdir()
    for path in (beside, below):
        path.write_bytes(b"no events at all, and longer than a header")
    told = take(board, tmp_path / "notebook", code=1)
    assert told["runs"]["new"] == told["there"]["runs"] == 3
    whys = "\n".join(problem["why"] for problem in told["problems"])
    assert f"{beside}: no event could be read" in whys and f"{below}: no event could be read" in whys
    assert f"in {below.parent} nothing was found" in whys


def test_damage_at_the_end_is_named_and_what_grows_is_not(board: Path, tmp_path: Path) -> None:
    path = board / "a" / "events.out.tfevents.1.host"
    whole = path.read_bytes()
    for cut in (len(whole) - 1, 20_001):
        path.write_bytes(whole[:cut])
        assert take(board, tmp_path / "notebook")["problems"] == []
    for damage in (whole + b"no events at all, and longer than a header", whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(damage)
        told = take(board, tmp_path / "notebook", code=1)
        assert [problem["why"] for problem in told["problems"]] == [f"{path}: 1 damaged events were stepped over"]


def test_a_run_stays_in_its_experiment(board: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook"
    assert take(board, notebook, "--experiment", "boards")["notices"] == []
    told = take(board, notebook, "--experiment", "other")
    assert told["notices"] == ["3 runs stay in experiment 'boards', where they are: an import moves none"]
    assert {run.experiment for run in lineal.runs(url=notebook)} == {"boards"}
    assert take(board, notebook, "--experiment", "boards")["notices"] == []


def test_kinds_that_are_not_read_are_said(tmp_path: Path) -> None:
    tensorboardx = pytest.importorskip("tensorboardX")
    with tensorboardx.SummaryWriter(str(tmp_path / "board" / "one")) as writer:
        writer.add_scalar("loss", 0.5, 0)
        for step in range(2):
            writer.add_pr_curve("curve", [0, 1], [0.1, 0.9], step)
    answer = take(tmp_path / "board", tmp_path / "notebook")
    assert answer["problems"] == [] and answer["found"]["points"] == 1
    [notice] = answer["notices"]
    assert notice.endswith("one: events of kinds that are not read: 2 pr_curves")
