"""`lineal reproduce`, from the command line to the verdict, over real trainings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import lineal
from lineal.client import reproducing
from lineal.client.datasets.files import digest_of
from lineal.record.records import CaptureSet
from lineal.reproduce import reproduction
from tests.unit.reproduce.conftest import SEEDED, UNSEEDED, Recorder, git, wheel

Reproduce = Callable[..., tuple[int, Any]]


def recorded(recorder: Recorder, repository: Path, script: str = SEEDED, *words: str, **other: Any) -> str:
    (repository / "train.py").write_text(script)
    run_id = recorder.train(repository, "train.py", *words)
    recorder.capture(run_id, repository, "train.py", *words, **other)
    return run_id


def test_a_seeded_training_is_identical(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorded(recorder, repository, SEEDED + "# not committed\n", "7")
    (repository / "train.py").write_text("raise SystemExit('the tree of now is not what is run')")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), answer
    assert answer["counts"] == {"identical": 2} and answer["folder"] is None and answer["differences"] == []
    made = lineal.get_run(answer["run_id"], url=recorder.folder)
    assert made.run_id != run_id and made.tags["lineal.reproduces"] == run_id
    assert (made.experiment, made.name, made.params, made.status) == (
        "walk",
        "seed-7",
        {"seed": 7, "lr": 0.5},
        "finished",
    )
    document: Any = made.document("reproduction")
    assert document["verdict"] == "identical" and document["of"] == run_id
    assert len(lineal.runs(f"tags.`lineal.reproduces` = '{run_id}'", url=recorder.folder)) == 1


def test_an_unseeded_training_is_different_and_says_where(
    recorder: Recorder, repository: Path, reproduce: Reproduce, page: Callable[..., Result]
) -> None:
    run_id = recorded(recorder, repository, UNSEEDED)
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (1, "different")
    assert answer["metrics"]["count"] == {"verdict": "identical"}
    loss = answer["metrics"]["loss"]
    assert loss["verdict"] == "different" and loss["first_step"] == 0 and loss["original"] != loss["reproduced"]
    assert (Path(answer["folder"]) / "tree" / "train.py").exists()
    status, answer = reproduce(run_id, "--tolerance", "loss=1e9", "--tolerance", "1e-9")
    assert (status, answer["verdict"], answer["folder"]) == (0, "within tolerance", None)
    status, answer = reproduce(run_id, "--ignore", "loss")
    assert (status, answer["verdict"]) == (0, "identical")
    said = page(run_id)
    assert said.exit_code == 1 and "Different: 1 of 2 metrics part, loss first, at step 0." in said.stdout


def test_a_dry_run_tells_everything_and_runs_nothing(
    recorder: Recorder, repository: Path, reproduce: Reproduce, page: Callable[..., Result], tmp_path: Path
) -> None:
    marker = tmp_path / "started"
    run_id = recorded(recorder, repository, SEEDED)
    (repository / "train.py").write_text(f"open({str(marker)!r}, 'w')")
    recorder.capture(run_id, repository, "train.py")
    status, answer = reproduce(run_id, "--dry-run")
    assert status == 0 and answer["can_start"] and answer["verdict"] is None and answer["problems"] == []
    assert answer["command"] == [sys.executable, "train.py"] and answer["origin"] == str(repository)
    assert not marker.exists() and not list((tmp_path / "temporary").glob("lineal-reproduce-*"))
    said = page(run_id, "--dry-run")
    assert said.exit_code == 0 and f"{sys.executable}train.py" in "".join(said.stdout.split())
    assert len(lineal.runs(url=recorder.folder)) == 1


def test_data_that_changed_stops_it_and_anyway_does_not(
    recorder: Recorder, repository: Path, reproduce: Reproduce, page: Callable[..., Result], tmp_path: Path
) -> None:
    data = tmp_path / "train.csv"
    data.write_text("1,2\n")
    run_id = recorded(recorder, repository)
    recorder.use_data(run_id, "digits", str(data), digest_of(str(data)))
    assert reproduce(run_id)[0] == 0
    data.write_text("1,3\n")
    status, answer = reproduce(run_id)
    (problem,) = answer["problems"]
    assert status == 3 and problem["name"] == "digits" and "has changed" in problem["text"] and not answer["can_start"]
    assert len(lineal.runs(url=recorder.folder)) == 2  # nothing was started
    said = page(run_id)
    assert said.exit_code == 3 and "Cannot be had" in said.stdout and "--anyway" in said.stdout
    status, answer = reproduce(run_id, "--anyway")
    assert (status, answer["verdict"]) == (0, "identical")
    assert [item["name"] for item in answer["differences"]] == ["digits"]
    said = page(run_id, "--anyway")
    assert "It is started all the same." in said.stdout and "not started" not in said.stdout
    data.unlink()
    status, answer = reproduce(run_id, "--dry-run")
    assert status == 3 and "moved or deleted" in answer["problems"][0]["text"]


def test_a_dry_run_says_of_large_data_that_it_was_not_read(
    recorder: Recorder,
    repository: Path,
    reproduce: Reproduce,
    page: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "train.csv"
    data.write_text("1,2\n")
    run_id = recorded(recorder, repository)
    recorder.use_data(run_id, "digits", str(data), "0" * 64)
    monkeypatch.setattr("lineal.reproduce.data_files.REPRODUCED_DATA_MAX_BYTES", 3)
    dry, started = page(run_id, "--dry-run"), page(run_id)
    assert dry.exit_code == 0 and "not compared by a dry run" in " ".join(dry.stdout.split())
    assert started.exit_code == 3 and "has changed" in " ".join(started.stdout.split())


def test_code_that_changed_is_named(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorded(recorder, repository)
    status, answer = reproduce(run_id, "--code", "current")
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", [])
    (repository / "train.py").write_text(SEEDED.replace("0.5 *", "0.25 *"))
    status, answer = reproduce(run_id, "--code", "current")
    assert (status, answer["verdict"]) == (1, "different")
    assert [item["text"] for item in answer["differences"]] == ["train.py has changed since the run"]
    assert (repository / "rates.py").exists()
    assert reproduce(run_id, "--code", "current", "--link", "x")[0] == 2


def test_a_package_that_changed_is_named(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorded(recorder, repository, environment={"packages": {"numpy": "1.0", "gone": "2"}})
    status, answer = reproduce(run_id)
    assert status == 0
    assert [(item["topic"], item["name"]) for item in answer["differences"]] == [
        ("environment", "gone"),
        ("environment", "numpy"),
    ]


def test_packages_that_a_large_environment_does_not_name_are_not_gone(tmp_path: Path) -> None:
    for run_id, names, left_out in (("then", "acz", 0), ("now", "ab", 3)):
        with lineal.init("e", run_id=run_id, url=tmp_path) as run:
            said = {"packages": dict.fromkeys(names, "1"), "packages_left_out": left_out}
            run._say(CaptureSet(run._journal.identity.attempt, "environment", said))
    with lineal.open_store(tmp_path) as store:
        assert reproduction._differences(store.get_run("then"), store.get_run("now")) == []
        assert [one.name for one in reproduction._differences(store.get_run("now"), store.get_run("then"))] == ["b"]


def test_a_clean_environment(
    recorder: Recorder, repository: Path, reproduce: Reproduce, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(wheels, "tinydep", "1.0", "RATE = 3.0")
    wheel(wheels, "tinydep", "2.0", "RATE = 4.0")
    script = "import lineal, tinydep\nwith lineal.init(experiment='e') as run:\n    run.log({'rate': tinydep.RATE})\n"
    (repository / "train.py").write_text(script)
    (repository / "tinydep.py").write_text("RATE = 3.0")
    run_id = recorder.train(repository, "train.py")
    (repository / "tinydep.py").unlink()
    monkeypatch.delenv("PYTHONPATH")
    for lock, verdict in (("tinydep==1.0\n", "identical"), ("tinydep==2.0\n", "different")):
        kept = recorder.keep(run_id, ".lineal/environment/requirements.txt", lock.encode())
        recorder.capture(run_id, repository, "train.py", environment={"lock": kept})
        status, answer = reproduce(run_id, environment="rebuild")
        assert (answer["verdict"], answer["environment"]) == (verdict, "rebuild"), answer
    kept = recorder.keep(run_id, ".lineal/environment/requirements.txt", b"tinydep==3.0\n")
    recorder.capture(run_id, repository, "train.py", environment={"lock": kept})
    status, answer = reproduce(run_id, environment="rebuild")
    assert status == 3 and [item["name"] for item in answer["problems"]] == ["tinydep"]


def test_a_program_cannot_lead_its_run_elsewhere(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    script = (
        "import lineal, os, sys\n"
        "with lineal.init('e', run_id='mine', resume='never', url=sys.argv[1], tags={'a': 'b'}) as run:\n"
        "    with lineal.init('e', run_id='child', parent_run_id='mine', url=sys.argv[1]) as child:\n"
        "        child.log({'x': 1})\n"
        "    run.log({'loss': 1.0})\n"
    )
    (repository / "train.py").write_text(script)
    before = {"mine", "child"}
    with pytest.raises(ValueError, match="too many values"):  # the recorder expects one run; there are two
        recorder.train(repository, "train.py", str(recorder.folder))
    recorder.capture("mine", repository, "train.py", str(recorder.folder / "elsewhere"))
    status, answer = reproduce("mine")
    assert (status, answer["verdict"]) == (0, "identical"), answer
    assert answer["run_id"] not in before and not (recorder.folder / "elsewhere").exists()
    assert len(lineal.get_run("mine", url=recorder.folder).attempts) == 1
    made = lineal.runs("tags.`lineal.reproduces` = 'mine'", url=recorder.folder)
    parents = {run.run_id: run.details.run.parent_run_id for run in made}
    assert parents.pop(answer["run_id"]) is None and list(parents.values()) == [answer["run_id"]]


def test_a_command_that_knows_nothing_of_lineal(
    recorder: Recorder, repository: Path, reproduce: Reproduce, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "train.py").write_text(
        "import argparse, random\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\n"
        "parser.parse_args()\nopen('out.txt', 'w').write('done')\n"
    )
    words = ("-m", "lineal.cli.main", "track", "--name", "quiet", "--", sys.executable, "train.py", "--lr", "0.5")
    run_id = recorder.train(repository, *words, LINEAL_CAPTURE="execution,sources")
    assert lineal.get_run(run_id, url=recorder.folder).params == {"lr": 0.5}
    recorder.say(run_id, "code", recorder.code_of(run_id, repository))
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", []), answer
    made = lineal.get_run(answer["run_id"], url=recorder.folder)
    assert (made.params, made.name, made.tags["lineal.reproduces"]) == ({"lr": 0.5}, "quiet", run_id)


REGISTERS = """
import numpy as np
import lineal

with lineal.init("e") as run:
    run.log({"x": 1.5})
    made = run.log_model("digits", {"w": np.arange(3.0)}, description="mine", tags={"k": "v"}, input_example={"a": [1]})
    loaded = lineal.load_model(made.version_id)
    run.use_model(made.version_id)
    version = lineal.get_model_version(run.run_id)
    run.log({"sum": float(loaded["w"].sum()), "files": len(version.files), "described": int(version.description == "mine")})
    run.log({"signed": int(version.signature is not None), "input": version.input_example["a"][0], "tag": int(version.tags == {"k": "v"})})
promoted = lineal.promote(made.version_id, to="production", alias="champion", archive_existing=True, lock_run=False)
lineal.set_model("digits", description="of now", tags={"by": run.run_id})
lineal.set_model_version(promoted.version_id, description="other")
lineal.delete_alias("digits", "champion") if promoted.version > 1 else None
print(promoted.version, made.version_id)
"""


def registered(folder: Path) -> Any:
    model = lineal.get_model("digits", url=folder)
    return model.to_dict(), [one.to_dict() for one in model.versions()], model.transitions()


def test_registered_models_stay_as_they_are(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    """Those who serve @champion, or what is in production, are handed no reproduction."""
    run_id = recorded(recorder, repository, REGISTERS)
    before = registered(recorder.folder)
    assert [(one["version"], one["run_id"], one["description"]) for one in before[1]] == [(1, run_id, "other")]
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["differences"], answer["exit_status"]) == (0, "identical", [], 0), answer
    assert registered(recorder.folder) == before
    made = lineal.get_run(answer["run_id"], url=recorder.folder)
    assert [item.path for item in made.artifacts] == ["models/digits/model.safetensors"]
    assert made.details.version_uses == [] and not made.details.run.is_locked


def test_a_tracked_program_registers_nothing_either(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    (repository / "train.py").write_text(REGISTERS)
    words = ("-m", "lineal.cli.main", "track", "--", sys.executable, "train.py")
    run_id = recorder.train(repository, *words, LINEAL_CAPTURE="execution,sources")
    recorder.say(run_id, "code", recorder.code_of(run_id, repository))
    before = registered(recorder.folder)
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), answer
    assert registered(recorder.folder) == before


def test_a_reproduction_says_once_that_it_makes_no_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    with lineal.init("e") as run:
        run.log_model("digits", {"w": [1.0]})
    assert not caplog.records
    monkeypatch.setattr(reproducing, "_guards", [])
    monkeypatch.setattr(reproducing, "_ids", {})
    monkeypatch.setenv("LINEAL_REPRODUCES", run.run_id)
    with lineal.init("e") as again:
        for _ in range(2):
            again.log_model("digits", {"w": [1.0]})
    lineal.rename_model("digits", "digits")
    lineal.delete_model_version("digits/1")
    lineal.delete_model("digits")
    (said,) = caplog.records
    assert f"makes run {run.run_id} again" in said.message and "no new version" in said.message
    model = lineal.get_model("digits")
    assert [(one.version, one.run_id) for one in model.versions()] == [(1, run.run_id)]


def test_of_several_runs_of_one_program_the_right_one(
    recorder: Recorder, repository: Path, reproduce: Reproduce
) -> None:
    sweep = "import lineal\nfor lr in (1, 2, 3):\n    with lineal.init('e', params={'lr': lr}) as run:\n        run.log({'x': lr * 1.5})\n"
    (repository / "train.py").write_text(sweep)
    with pytest.raises(ValueError, match="too many values"):
        recorder.train(repository, "train.py")
    (second,) = lineal.runs("params.lr = 2", url=recorder.folder)
    recorder.capture(second.run_id, repository, "train.py")
    status, answer = reproduce(second.run_id)
    assert (status, answer["verdict"]) == (0, "identical"), answer
    assert lineal.get_run(answer["run_id"], url=recorder.folder).params == {"lr": 2}


def test_what_fails_is_failed(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    script = "import lineal, os, sys\nwith lineal.init() as r:\n    r.log({'x': 1})\n    assert not sys.exit(os.environ.get('BREAK'))\n"
    run_id = recorded(recorder, repository, script)
    recorder.capture(run_id, repository, "train.py", execution={"variables": {"BREAK": "1"}})
    status, answer = reproduce(run_id)
    assert (
        (status, answer["verdict"]) == (1, "failed") and "is failed" in answer["reason"] and answer["exit_status"] == 1
    )
    (repository / "train.py").write_text("pass")
    recorder.capture(run_id, repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["run_id"]) == (1, "failed", None) and "no run" in answer["reason"]


def test_params_and_files_that_differ_are_named(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    script = (
        "import lineal, os\nimport numpy as np\nwith lineal.init('e', params={'place': os.getcwd(), 'lr': 1}) as run:\n"
        "    run.log_dataset('rows', np.random.default_rng().normal(size=3))\n"
        "    run.log_text(str(os.getpid()), 'notes/pid.txt')\n    run.log_text('same', 'notes/same.txt')\n    run.log({'x': 1})\n"
    )
    run_id = recorded(recorder, repository, script)
    status, answer = reproduce(run_id)
    assert status == 0
    assert [(item["topic"], item["name"]) for item in answer["differences"]] == [
        ("command", "place"),
        ("data", "rows"),
        ("data", "notes/pid.txt"),
    ]


def test_a_folder_of_ones_own(recorder: Recorder, repository: Path, reproduce: Reproduce, tmp_path: Path) -> None:
    run_id = recorded(recorder, repository)
    (repository / "ignored.bin").write_bytes(b"big")
    place = tmp_path / "place"
    status, answer = reproduce(run_id, "--into", str(place), "--link", "ignored.bin")
    assert status == 0 and answer["folder"] == str(place)
    assert (place / "tree" / "ignored.bin").read_bytes() == b"big"
    assert reproduce(run_id, "--into", str(place))[0] == 2
    status, answer = reproduce(run_id, "--dry-run", "--link", "absent", "--link", "../out")
    assert status == 3 and [item["name"] for item in answer["problems"]] == ["absent", "../out"]


def test_what_was_not_captured_is_named(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorder.train(repository, "train.py")
    status, answer = reproduce(run_id, "--anyway")
    assert status == 3 and [item["topic"] for item in answer["problems"]] == ["code", "command"]
    assert reproduce("no-such-run")[0] == 3
    assert reproduce(run_id, "--tolerance", "x")[0] == 2


def test_a_run_that_is_not_over(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    with lineal.init(url=recorder.folder) as run:
        recorder.capture(run.run_id, repository, "train.py")
        status, answer = reproduce(run.run_id, "--dry-run")
        assert status == 3 and [item["name"] for item in answer["problems"]] == ["run"]


def test_tampered_bytes_are_noticed(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorded(recorder, repository, SEEDED + "# dirty\n")
    content = recorder.code_of(run_id, repository)
    content["patch"]["digest"] = "0" * 64
    recorder.say(run_id, "code", content)
    status, answer = reproduce(run_id, "--dry-run")
    assert status == 3 and "another digest" in answer["problems"][0]["text"]


def test_the_commit_survives_a_new_commit(recorder: Recorder, repository: Path, reproduce: Reproduce) -> None:
    run_id = recorded(recorder, repository)
    (repository / "train.py").write_text("raise SystemExit(1)")
    git(repository, "commit", "-q", "-am", "broken")
    assert reproduce(run_id)[1]["verdict"] == "identical"


def test_both_runs_say_what_came_of_it(
    recorder: Recorder, repository: Path, reproduce: Reproduce, show: Callable[[str], str]
) -> None:
    run_id = recorded(recorder, repository)
    assert "Reproductions" not in show(run_id)
    made = reproduce(run_id)[1]["run_id"]
    said = "identical: all 2 metrics are the same at every step (40 points)"
    assert f"{made} {said}" in show(run_id)
    assert f"of {run_id} {said}" in show(made)
    with lineal.init(url=recorder.folder, tags={"lineal.reproduces": run_id}) as other:
        other.set_json("reproduction", {"verdict": 3})
    assert f"{other.run_id} no verdict that can be read" in show(run_id)
    for _ in range(10):
        lineal.init(url=recorder.folder, tags={"lineal.reproduces": run_id}).finish()
    assert "no verdict: it is running" in show(run_id) and "and 2 more" in show(run_id)
