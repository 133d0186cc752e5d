"""Why this version: each sentence of the answer is compared with what was logged."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

import lineal
from lineal.api import say_outside
from lineal.cli.output import json_line
from lineal.record.records import CaptureSet, DatasetUsed, ModelVersionCreated, TagsSet
from lineal.store.why import is_held_out
from lineal.store.why_text import why_markdown, why_text


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    return tmp_path / "notebook"


def fit(name, metrics, params=None, *, model="digits", experiment="exp", goal=None):
    with lineal.init(experiment, name, params=params or {}) as run:
        if goal:
            run.define_metric(*goal[:1], goal=goal[1])
        for metric, value in metrics.items():
            run.log({metric: value})
        if model:
            run.log_model(model, {"w": np.zeros(2)})
    return run.run_id


def test_the_runs_that_it_was_chosen_over_best_first():
    worst = fit("worst", {"val/acc": 0.5, "train/loss": 0.1}, {"lr": 1.0, "seed": 0}, model=None)
    other = fit("other", {"val/acc": 0.8, "train/loss": 0.3}, {"lr": 0.1, "seed": 0}, model=None)
    chosen = fit("chosen", {"val/acc": 0.9, "train/loss": 0.2}, {"lr": 0.01, "seed": 0, "wide": True})
    fit("of another experiment", {"val/acc": 0.99}, experiment="elsewhere", model=None)
    said = lineal.why("digits/1")
    assert said["run"]["run_id"] == chosen and said["run"]["params"] == {"lr": "0.01", "seed": "0", "wide": "True"}
    choice = said["choice"]
    assert (choice["metric"], choice["rule"], choice["goal"], choice["goal_is_declared"]) == (
        "val/acc",
        "logged",
        "max",
        False,
    )
    assert (choice["value"], choice["rank"], choice["run_count"], choice["later_count"]) == (0.9, 1, 3, 0)
    assert [(one["run_id"], one["value"]) for one in choice["chosen_over"]] == [(other, 0.8), (worst, 0.5)]
    assert choice["chosen_over"][0]["params"] == {
        "lr": {"its": 0.1, "chosen": 0.01},
        "wide": {"its": None, "chosen": True},
    }


def test_a_run_that_was_not_the_best_is_said_to_be_none():
    fit("better", {"loss": 0.1}, model=None)
    fit("same", {"loss": 0.2}, model=None)
    fit("chosen", {"loss": 0.2})
    choice = lineal.why("digits/1")["choice"]
    assert (choice["goal"], choice["rank"], choice["equal_count"], choice["run_count"]) == ("min", 2, 1, 3)
    text = why_text(lineal.get_model_version("digits/1").explained())
    assert "number 2 (as good as 1 run more) of 3 runs of experiment exp by then; 1 run had a better value." in text


@pytest.mark.parametrize(
    ("metric", "goal", "expected"),
    [
        (None, None, ("val/f1", "logged", "max", False)),
        (None, ("score", "min"), ("score", "declared", "min", True)),
        ("train/loss", ("score", "min"), ("train/loss", "asked", "min", False)),
        ("rare", None, ("rare", "asked", "max", False)),
    ],
)
def test_which_metric_and_by_which_rule(metric, goal, expected):
    fit("one", {"score": 1.0, "train/loss": 1.0, "val/f1": 1.0}, model=None)
    fit("two", {"score": 1.0, "train/loss": 1.0, "val/f1": 1.0, "rare": 1.0}, goal=goal)
    choice = lineal.why("digits/1", metric)["choice"]
    assert (choice["metric"], choice["rule"], choice["goal"], choice["goal_is_declared"]) == expected


def test_a_metric_that_nobody_has_is_not_found_and_one_that_others_have_is_said():
    fit("one", {"rare": 1.0}, model=None)
    fit("two", {"val/f1": 1.0, "nan": float("nan")})
    with pytest.raises(lineal.NotFound, match="no run of experiment 'exp' has a metric 'nothing'"):
        lineal.why("digits/1", "nothing")
    choice = lineal.why("digits/1", "rare")["choice"]
    assert (choice["value"], choice["rank"], choice["run_count"]) == (None, None, 1)
    assert "Its run has no rare; 1 run of experiment exp had one by then." in why_text(
        lineal.get_model_version("digits/1").explained("rare")
    )


def test_the_machine_s_own_series_choose_nothing():
    fit("one", {"system/cpu": 1.0, "nan": float("nan")})
    said = lineal.why("digits/1")
    assert said["choice"] is None and said["no_choice"] == "its run logged no metric to compare by"


def test_runs_that_began_later_were_not_chosen_over():
    fit("chosen", {"acc": 0.5})
    made_ms = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == made_ms:
        pass  # what began within one millisecond began at once
    fit("later", {"acc": 0.9}, model=None)
    choice = lineal.why("digits/1")["choice"]
    assert (choice["rank"], choice["run_count"], choice["later_count"], choice["chosen_over"]) == (1, 1, 1, [])
    lineal.promote("digits/1", alias="champion")
    choice = lineal.why("digits@champion")["choice"]
    assert (choice["rank"], choice["run_count"], choice["later_count"]) == (2, 2, 0)


def test_the_version_before_is_what_the_alias_meant():
    for number in (1, 2, 3):
        fit(f"run {number}", {"acc": number / 10}, {"lr": number})
    lineal.promote("digits/1", alias="champion")
    lineal.promote("digits/3", alias="champion", why="better")
    by_alias, by_number = lineal.why("digits@champion")["before"], lineal.why("digits/3")["before"]
    assert (by_alias["rule"], by_alias["version"]["version"]) == ("alias", 1)
    assert (by_number["rule"], by_number["version"]["version"]) == ("number", 2)
    assert lineal.why("digits/1")["before"] is None
    rows = {(one["section"], one["name"]): one for one in lineal.why("digits@champion")["difference"]}
    assert (rows["param", "lr"]["before"], rows["param", "lr"]["chosen"]) == (1, 3)
    assert rows["metric", "acc"]["better"] == "chosen"


def test_transitions_of_the_version_and_of_no_other():
    for _ in range(2):
        fit("run", {"acc": 1.0})
    lineal.promote("digits/1", to="production", alias="champion", why="first")
    lineal.promote("digits/2", alias="champion", why="second")
    said = [(one["kind"], one["before"], one["after"], one["why"]) for one in lineal.why("digits/1")["transitions"]]
    assert said == [
        ("stage", "none", "production", "first"),
        ("alias", None, "1", "first"),
        ("alias", "1", "2", "second"),
    ]
    assert [one["why"] for one in lineal.why("digits/2")["transitions"]] == ["second"]
    text = why_text(lineal.get_model_version("digits/2").explained())
    assert "second" in text and "not in a folder" in text and "when what why" in " ".join(text.split())


def test_without_a_run_it_says_so():
    say_outside(None, ModelVersionCreated("e" * 32, "given", source="s3://bucket/model"), None, None)
    said = lineal.why("given/1")
    assert said["run"] is None and said["choice"] is None and said["no_choice"] == "no run is known to have made it"
    text = why_text(lineal.get_model_version("given/1").explained())
    assert "No run made this version: whoever registered it named none." in text
    assert "s3://bucket/model" in text and "It has no stage and no alias, and never had." in text


def test_a_run_that_is_not_here_is_said():
    said = ModelVersionCreated("e" * 32, "given", run_id="from-another-store", source="x")
    say_outside(None, said, None, None)
    found = lineal.why("given/1")
    if found["run"] is None:
        assert found["no_choice"] == "its run is not here"


def test_code_and_data_are_what_was_recorded():
    run_id = fit("run", {"acc": 1.0})
    say_outside(run_id, TagsSet({"git.commit": "a1b2c3", "mlflow.source.name": "train.py", "other": "x"}), None, None)
    say_outside(
        run_id, DatasetUsed("train", "d1gest", version="v2", source="data/train.csv", context="training"), None, None
    )
    said = lineal.why("digits/1")
    assert said["code"] == {"git.commit": "a1b2c3", "mlflow.source.name": "train.py"}
    assert said["data"] == [
        {"name": "train", "version": "v2", "digest": "d1gest", "source": "data/train.csv", "context": "training"}
    ]
    text = why_text(lineal.get_model_version("digits/1").explained())
    assert "git.commit" in text and "v2, digest d1gest, training, data/train.csv" in text


def test_what_the_run_recorded_by_itself_goes_before_tags():
    run_id = fit("run", {"acc": 1.0})
    code = {"kind": "git", "commit": "ab" * 20, "branch": "main", "is_dirty": True, "digest": "d" * 64}
    say_outside(run_id, CaptureSet("a1", "code", code), None, None)
    say_outside(run_id, TagsSet({"git.commit": "other", "git.host": "h"}), None, None)
    assert lineal.why("digits/1")["code"] == {
        "git.commit": "ab" * 20,
        "git.branch": "main",
        "git.dirty": "True",
        "git.host": "h",
        "code.digest": "d" * 64,
    }


def test_the_content_digest_is_code():
    with lineal.init("exp", run_id=lineal.content_id(code="c", data="d", params={"a": 1})) as run:
        run.log_model("digits", {"w": np.zeros(1)})
    assert lineal.why("digits/1")["code"]["content_digest"] == lineal.get_run(run.run_id).details.run.content_digest


def test_names_and_notes_forge_no_line_and_no_mark():
    name = "evil\n# Not a heading | [x](y) <b>"
    with lineal.init("exp\nReal: yes", name, params={"p|q": "a\n| b\x1b[31m"}) as run:
        run.log({"val/acc": 1.0})
        run.log_model("digits", {"w": np.zeros(1)}, description="note\n\nThe run\n  run  forged")
    found = lineal.get_model_version("digits/1").explained()
    text, markdown = why_text(found), why_markdown(found)
    assert "\x1b" not in text + markdown
    assert text.count("\nThe run\n") == 1 and "\n# Not a heading" not in markdown
    assert r"\[x\](y) \<b\>" in markdown and "[x](y)" not in markdown
    assert all(line.startswith(("#", "-", "|")) or "|" not in line.replace("\\|", "") for line in markdown.splitlines())


def test_of_many_files_some_are_named(tmp_path):
    (tmp_path / "many").mkdir()
    for number in range(30):
        (tmp_path / "many" / f"{number:02}").write_text("x")
    with lineal.init("exp") as run:
        run.log_model("many", tmp_path / "many")
    text = why_text(lineal.get_model_version("many/1").explained())
    assert "models/many/19 " in text and "models/many/20" not in text and "10 more" in text


def test_infinities_are_floats_in_python_and_words_in_json():
    fit("run", {"acc": float("inf")})
    found = lineal.why("digits/1")
    assert found["run"]["metrics"]["acc"] == found["choice"]["value"] == float("inf")
    said = json.loads(json_line(found), parse_constant=pytest.fail)
    assert said["run"]["metrics"]["acc"] == said["choice"]["value"] == "Infinity"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("val/acc", True),
        ("test_loss", True),
        ("validLoss", True),
        ("latest", False),
        ("train/acc", False),
        ("evaluate", False),
    ],
)
def test_what_was_measured_on_held_out_data(name, answer):
    assert is_held_out(name) is answer
