"""The demo really trains, records as a user would, and ranks by what the store says."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import lineal

pytest.importorskip("sklearn", reason="the demo's libraries are not installed")
pytest.importorskip("matplotlib", reason="the demo's libraries are not installed")

from lineal.cli.demo import Heard
from lineal.cli.demo import print_sweep as show
from lineal.demo.leaderboard import METRIC, read_leaderboard
from lineal.demo.settings import EPOCHS, SEEDS, SETTINGS
from lineal.demo.sweep import ALIAS, MODEL, Sweep, Trained, run_sweep
from lineal.demo.training import Network, load_digits

SRC = Path(__file__).resolve().parents[1] / "src"
TEST_EPOCHS = 3
TEST_SETTINGS = SETTINGS[:4]
TEST_SEEDS = (0, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / ".lineal"


@pytest.fixture(scope="module")
def seen() -> list[Trained]:
    return []


@pytest.fixture(scope="module")
def sweep(folder: Path, seen: list[Trained]) -> Sweep:
    """A small one, but real."""
    return run_sweep(
        load_digits(), seen.append, url=str(folder), settings=TEST_SETTINGS, seeds=TEST_SEEDS, epochs=TEST_EPOCHS
    )


def test_the_demo_is_what_was_promised() -> None:
    assert len({setting.name for setting in SETTINGS}) * len(set(SEEDS)) == 24
    assert EPOCHS >= 20


def test_every_setting_is_trained_with_every_seed(sweep: Sweep, seen: list[Trained]) -> None:
    pairs = [(setting.name, seed) for setting in TEST_SETTINGS for seed in TEST_SEEDS]
    assert [(trained.setting.name, trained.seed) for trained in seen] == pairs
    assert [(trained.number, trained.total) for trained in seen] == [(number, 8) for number in range(1, 9)]


def test_they_learn(sweep: Sweep) -> None:
    """Ten digits: chance is 0.1, and three epochs are enough to be far from it."""
    assert sweep.rows[0].mean > 0.85
    assert sweep.rows[0].test > 0.85
    for row in sweep.rows:
        assert row.curve[-1] > row.curve[0], row.setting.name
    assert len({run_id for row in sweep.rows for run_id in row.run_ids}) == 8


def test_a_run_of_the_demo_has_everything(sweep: Sweep, folder: Path) -> None:
    run = lineal.get_run(sweep.rows[0].best_run_id, url=folder)
    assert (run.status, run.experiment, run.details.run.parent_run_id) == ("finished", "digits", sweep.run_id)
    assert run.params["optimizer/lr"] == sweep.rows[0].setting.learning_rate
    assert run.params["data/scans/train"] == 1_078
    assert run.tags["setting"] == sweep.rows[0].setting.name
    assert run.losses == {}
    for name in ("train/loss", "train/accuracy", "val/loss", "val/accuracy"):
        assert run.history(name).step.tolist() == list(range(TEST_EPOCHS))
    assert run.artifact_path("plots/confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "Misreads" in run.note


def test_the_model_file_is_the_model(sweep: Sweep, folder: Path) -> None:
    """Loaded without scikit-learn, it reads as many test scans right as the run says."""
    import numpy as np

    run = lineal.get_run(sweep.rows[0].best_run_id, url=folder)

    test = load_digits().test
    with np.load(run.artifact_path("model/network.npz")) as arrays:
        values = test.scans
        layers = len(arrays.files) // 2
        for layer in range(1, layers + 1):
            values = values @ arrays[f"weights{layer}"] + arrays[f"biases{layer}"]
            values = np.maximum(values, 0) if layer < layers else values
    assert float((values.argmax(axis=1) == test.digits).mean()) == pytest.approx(
        run.metrics["test/accuracy"], abs=0.003
    )


def test_the_leaderboard_is_what_the_store_says(sweep: Sweep, folder: Path) -> None:
    """Read again by a process that knows only the folder, and reckoned here from single runs."""
    assert read_leaderboard(sweep.run_id, TEST_SETTINGS, url=str(folder)) == sweep.rows
    children = lineal.runs(f"parent_run_id = '{sweep.run_id}'", url=folder)
    assert children.total == 8
    for row in sweep.rows:
        finals = [run.history(METRIC).value[-1] for run in children if run.tags["setting"] == row.setting.name]
        assert len(finals) == 2
        assert row.mean == pytest.approx(statistics.fmean(finals))
        assert row.spread == pytest.approx(statistics.stdev(finals))
    assert [row.mean for row in sweep.rows] == sorted((row.mean for row in sweep.rows), reverse=True)


def test_the_sweep_itself_is_a_run(sweep: Sweep, folder: Path) -> None:
    run = lineal.get_run(sweep.run_id, url=folder)
    assert (run.name, run.status, run.tags["best"]) == ("sweep", "finished", sweep.rows[0].setting.name)
    assert f"| {sweep.rows[-1].setting.name} |" in run.note


def test_the_best_network_is_in_production_and_says_why(sweep: Sweep, folder: Path) -> None:
    found = lineal.get_model_version(f"{MODEL}@{ALIAS}", url=folder)
    assert (found.version, found.stage) == (sweep.version, "production")
    why = found.why()
    choice = why["choice"]
    assert (choice["metric"], choice["rank"], choice["run_count"]) == (METRIC, 1, 8)
    assert why["transitions"] and all("validation scans" in one["why"] for one in why["transitions"])
    arrays = lineal.load_model(f"{MODEL}@{ALIAS}", url=folder)
    import numpy as np

    test = load_digits().test
    values = test.scans
    layers = len(arrays) // 2
    for layer in range(1, layers + 1):
        values = values @ arrays[f"weights{layer}"] + arrays[f"biases{layer}"]
        values = np.maximum(values, 0) if layer < layers else values
    accuracy = float((values.argmax(axis=1) == test.digits).mean())
    assert accuracy == pytest.approx(why["run"]["metrics"]["test/accuracy"], abs=0.003)


# -- the command --------------------------------------------------------------------------------


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", "demo", *arguments],
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
        capture_output=True,
        text=True,
        timeout=150,
    )


def test_the_command_trains_them_all(tmp_path: Path) -> None:
    """A twentieth of the epochs."""
    there = tmp_path / "there"
    # A run id from somebody's shell must not make one run of 24.
    done = command("--json", "--no-ui", "--epochs", "2", "--folder", str(there), LINEAL_RUN_ID="mine")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("val/accuracy") == 24, "a line a training where there is no terminal"
    answer = json.loads(done.stdout)
    assert (answer["total"], answer["folder"], answer["metric"]) == (24, str(there), METRIC)
    assert {row["setting"] for row in answer["leaderboard"]} == {setting.name for setting in SETTINGS}
    assert set(answer["leaderboard"][0]) == {"setting", "mean", "spread", "test_accuracy", "curve", "run_ids"}
    finished = lineal.runs("status = 'finished'", url=there)
    recorded = {run_id for row in answer["leaderboard"] for run_id in row["run_ids"]} | {answer["run_id"]}
    assert {run.run_id for run in finished} == recorded and len(recorded) == 25


def test_what_it_prints(sweep: Sweep, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(sweep, 12.3, str(folder))
    text = capsys.readouterr().out
    assert text.startswith("Leaderboard: val/accuracy, mean and spread over 2 seeds")
    lines = text.splitlines()
    for place, row in enumerate(sweep.rows, 1):
        [line] = [line for line in lines if line.startswith(f"{place}  {row.setting.name} ")]
        assert f"{row.mean:.4f}  {row.spread:.4f}" in line
    points = 8 * (4 * TEST_EPOCHS + 1)
    assert f"8 runs with {points} points, read back from" in text and "(12 s in all)" in text
    assert f"lineal runs show {sweep.rows[0].best_run_id[:8]} --url {folder}" in text
    assert max(map(len, text.partition("Try next")[0].splitlines())) <= 80 or len(str(folder)) > 20


@pytest.mark.parametrize("library", ["sklearn", "matplotlib"])
def test_a_missing_library_is_named_with_the_way_out(tmp_path: Path, library: str) -> None:
    (tmp_path / library).mkdir()
    (tmp_path / library / "__init__.py").write_text(f"raise ModuleNotFoundError('gone', name='{library}')")
    done = command("--folder", str(tmp_path / "there"), PYTHONPATH=f"{tmp_path}{os.pathsep}{SRC}")
    assert (done.returncode, done.stdout) == (2, "")
    assert library in done.stderr and "pip install 'lineal[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "there").exists()


def test_interrupting_it_leaves_true_runs(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", "demo", "--folder", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "linear-0" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    # CPython cannot raise from a weak reference's callback: it prints what it drops there, and the demo raises it later.
    assert "interrupted" in err and ("Traceback" not in err or "Exception ignored" in err)
    assert lineal.runs("status = 'killed' and name = 'sweep'", url=tmp_path).total == 1
    assert lineal.runs("status = 'running'", url=tmp_path).total == 0


def test_scikit_learn_does_not_swallow_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """It catches KeyboardInterrupt within a fit and says so in a warning."""
    from sklearn.neural_network import MLPClassifier

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MLPClassifier, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(Network(SETTINGS[0], 0).train(load_digits(), 1))


def test_an_interrupt_that_python_dropped_is_heard_all_the_same() -> None:
    heard = Heard()
    heard.check()
    with pytest.raises(KeyboardInterrupt):
        heard(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        heard.check()


def test_the_dashboard_comes_after_the_leaderboard(tmp_path: Path) -> None:
    program = [
        sys.executable,
        "-m",
        "lineal.cli.main",
        "demo",
        "--ui",
        "--epochs",
        "1",
        "--folder",
        str(tmp_path / "runs"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            while not said or not said[-1].startswith("http://localhost:"):
                said.append(process.stdout.readline())
                assert said[-1], "it ended without a dashboard"
            assert any("Leaderboard" in line for line in said)
            with urllib.request.urlopen(f"{said[-1].strip()}api/v1/experiments") as answer:
                assert json.load(answer)["experiments"][0]["run_count"] == 25
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
