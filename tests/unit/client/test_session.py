"""init: what it refuses, naming the argument and leaving nothing half done; resume in all its ways; the current run."""

from __future__ import annotations

import argparse
import os
import pickle

import pytest

import lineal
from lineal.client.content_id import content_id
from lineal.journal.layout import FOLDER_VERSION


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lineal"


@pytest.fixture(autouse=True)
def nothing_left_open():
    yield
    while (run := lineal.current_run()) is not None:
        run.finish()


LOOP: dict = {}
LOOP["loop"] = LOOP

BAD = [
    ("experiment", {"experiment": 5}),
    ("experiment", {"experiment": "x" * 256}),
    ("name", {"name": 5}),
    ("name", {"name": "é" * 600}),
    ("description", {"description": "x" * 1001}),
    ("description", {"description": 5}),
    ("user_id", {"user_id": 5}),
    ("run_id", {"run_id": "../../etc"}),
    ("run_id", {"run_id": "-x"}),
    ("run_id", {"run_id": "x" * 257}),
    ("run_id", {"run_id": 5}),
    ("run_id", {"resume": "must"}),
    ("run_id", {"run_id": "unknown", "resume": "must"}),
    ("resume", {"run_id": "r", "resume": "perhaps"}),
    ("parent_run_id", {"parent_run_id": "a b"}),
    ("fork_from", {"fork_from": "a b@3"}),
    ("fork_from", {"fork_from": "run@three"}),
    ("fork_from", {"fork_from": "run@--3"}),
    ("fork_from", {"fork_from": "run@99999999999999999999"}),
    ("fork_from", {"fork_from": 5}),
    ("rank", {"run_id": "r", "rank": "one"}),
    ("rank", {"run_id": "r", "rank": -1}),
    ("rank", {"run_id": "r", "rank": 1.5}),
    ("tenant", {"tenant": "A/B"}),
    ("tenant", {"tenant": 5}),
    ("params", {"params": 5}),
    ("params", {"params": "no-such-file.yaml"}),
    ("params", {"params": LOOP}),
    ("tags", {"tags": 5}),
    ("tags", {"tags": ["a"]}),
    ("tag name", {"tags": {"": "x"}}),
    ("k", {"tags": {"k": "x" * 70_000}}),
    ("text", {"note": "x" * 1_100_000}),
    ("url", {"url": "s3://bucket/runs"}),
    ("url", {"url": "a\0b"}),
    ("url", {"url": 5}),
]


@pytest.mark.parametrize(("field", "arguments"), BAD, ids=[f"{f}-{n}" for n, (f, _) in enumerate(BAD)])
def test_a_bad_argument_is_named_and_nothing_is_half_done(folder, field, arguments):
    with pytest.raises(lineal.LinealError) as caught:
        lineal.init(**{"url": folder, "params": {"lr": 0.1}, **arguments})
    assert caught.value.field == field, caught.value
    assert lineal.current_run() is None
    assert not folder.exists(), "a run was begun"


def test_a_url_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    for url in (path, path / "below"):
        with pytest.raises(lineal.NotWritable) as caught:
            lineal.init(url=url)
        assert caught.value.field == "url"
    assert path.read_text() == "mine"
    assert lineal.current_run() is None


def test_a_folder_of_a_newer_version_is_refused_and_not_touched(folder):
    folder.mkdir()
    (folder / "VERSION").write_text(f"{FOLDER_VERSION + 1}\n")
    with pytest.raises(lineal.NewerFormat):
        lineal.init(url=folder)
    with pytest.raises(lineal.NewerFormat), lineal.open_store(folder) as store:
        store.runs()
    assert os.listdir(folder) == ["VERSION"]


def test_an_existing_folder_keeps_its_mode(folder):
    """Somebody may point at a shared folder, or at /tmp."""
    folder.mkdir()
    folder.chmod(0o1777)
    lineal.init(url=folder).finish()
    assert folder.stat().st_mode & 0o7777 == 0o1777


def test_everything_of_a_new_folder_is_its_owners_alone(folder):
    old = os.umask(0)
    try:
        with lineal.init(url=folder, params={"a": 1}) as run:
            run.log({"x": 1})
            run.log_text("text", "a.txt")
            lineal.get_run(run.run_id, url=folder)
    finally:
        os.umask(old)
    lineal.get_run(run.run_id, url=folder)
    for place, folders, files in os.walk(folder.parent):
        for name in [*folders, *files]:
            path = os.path.join(place, name)
            assert os.stat(path).st_mode & 0o077 == 0, path


# -- resuming ----------------------------------------------------------------------------------------------------


def finished(folder, run_id="r", value=1.0, **settings):
    with lineal.init(url=folder, run_id=run_id, **settings) as run:
        run.log({"x": value}, step=0)


def values(folder, run_id="r"):
    return lineal.get_run(run_id, url=folder).history("x").value.tolist()


def test_a_finished_run_is_not_recorded_twice(folder, caplog):
    finished(folder, experiment="e", name="n")
    run = lineal.init(url=folder, run_id="r")
    assert (run.finished, run.resumed, run.experiment, run.name) == (True, True, "e", "n")
    assert lineal.current_run() is None
    run.log({"x": 2.0})
    run.finish()
    assert values(folder) == [1.0]
    assert "finished" in caplog.text


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_resume_adds_an_attempt(folder, resume):
    finished(folder, experiment="e", name="n", params={"lr": 0.1})
    with lineal.init(url=folder, run_id="r", resume=resume, experiment="other") as run:
        assert (run.resumed, run.experiment) == (True, "e")
        run.log({"x": 2.0})
        assert lineal.get_run("r", url=folder).status == "running"
    logged = lineal.get_run("r", url=folder)
    assert (logged.status, logged.experiment, len(logged.attempts)) == ("finished", "e", 2)
    assert [attempt.resumed for attempt in logged.attempts] == [False, True]
    assert logged.history("x").step.tolist() == [0, 1]
    assert logged.params == {"lr": 0.1}


def test_resume_never_forbids_a_known_run(folder):
    finished(folder)
    with pytest.raises(lineal.Conflict, match="exists already"):
        lineal.init(url=folder, run_id="r", resume="never")
    lineal.init(url=folder, run_id="new", resume="never").finish()


def test_a_failed_run_is_resumed_without_being_asked(folder):
    with pytest.raises(ZeroDivisionError), lineal.init(url=folder, run_id="r") as run:
        run.log({"x": 1.0}, step=7)
        1 / 0  # noqa: B018
    with lineal.init(url=folder, run_id="r") as run:
        run.log({"x": 2.0})
    logged = lineal.get_run("r", url=folder)
    assert [attempt.status for attempt in logged.attempts] == ["failed", "finished"]
    assert logged.history("x").step.tolist() == [7, 8]


def test_a_deleted_run_is_refused(folder):
    finished(folder)
    lineal.delete_run("r", url=folder)
    for resume in (None, "allow", "must", "never"):
        with pytest.raises(lineal.Conflict):
            lineal.init(url=folder, run_id="r", resume=resume)
    lineal.restore_run("r", url=folder)
    lineal.init(url=folder, run_id="r", resume="must").finish()


def test_two_writers_of_one_run_and_their_conflict(folder):
    with lineal.init(url=folder, run_id="r", params={"lr": 0.1, "same": 1}) as first:
        second = lineal.init(url=folder, run_id="r", params={"lr": 0.2, "same": 1, "new": True})
        assert (first.primary, second.primary) == (True, False)
        first.log({"x": 1.0}, step=0)
        second.log({"x": 2.0}, step=0)
        second.finish()
        assert lineal.get_run("r", url=folder).status == "running"
    run = lineal.get_run("r", url=folder)
    assert run.status == "finished"
    assert sorted(values(folder)) == [1.0, 2.0]
    assert run.params == {"lr": 0.1, "same": 1, "new": True}
    (conflict,) = run.details.conflicts
    assert (conflict.name, conflict.kept, conflict.refused) == ("lr", 0.1, 0.2)
    assert len(run.attempts) == 1


def test_a_rank_that_comes_first_does_not_choose_the_experiment(folder):
    """Rank 1 may be up before rank 0: what it logs makes the run known, but says nothing about it."""
    one = lineal.init(url=folder, run_id="r", rank=1, experiment="vision")
    one.log({"x": 1.0}, step=0)
    zero = lineal.init(url=folder, run_id="r", rank=0, experiment="vision", name="mlp")
    assert (zero.primary, zero.resumed, zero.experiment) == (True, False, "vision")
    zero.log({"x": 0.0})
    one.finish()
    zero.finish()
    run = lineal.get_run("r", url=folder)
    assert (run.experiment, run.name, run.status) == ("vision", "mlp", "finished")


def test_parent_child_and_fork(folder):
    with lineal.init(url=folder, run_id="parent") as parent:
        parent.log({"x": 1.0}, step=0)
        with lineal.init(url=folder, run_id="child", parent_run_id="parent") as child:
            assert lineal.current_run() is child
        assert lineal.current_run() is parent, "the outer run is current again"
    with lineal.init(url=folder, run_id="forked", fork_from="parent@0"):
        pass
    assert lineal.get_run("child", url=folder).details.run.parent_run_id == "parent"
    forked = lineal.get_run("forked", url=folder).details.run
    assert (forked.forked_from, forked.fork_step) == ("parent", 0)


def test_the_module_level_functions_go_to_the_run_begun_last_and_not_finished(folder, monkeypatch):
    monkeypatch.setenv("LINEAL_URL", str(folder))
    with lineal.init(run_id="outer"):
        with lineal.init(run_id="inner"):
            lineal.log({"x": 1})
        lineal.log({"x": 2})
        lineal.log_params({"a": 1})
    assert values(folder, "inner") == [1]
    assert values(folder, "outer") == [2]
    assert len(lineal.runs(url=folder)) == 2


def test_content_ids(folder):
    same: dict = {"code": "abc", "data": "v1", "params": {"lr": 0.1}}
    run_id = content_id(**same)
    finished(folder, run_id=run_id)
    again = lineal.init(url=folder, run_id=content_id(**same))
    assert again.finished
    assert lineal.get_run(run_id, url=folder).details.run.content_digest == run_id.digest
    others = [
        content_id(**{**same, "params": {"lr": "0.1"}}),
        content_id(**{**same, "params": {"lr": 0.2}}),
        content_id(**{**same, "data": "v2"}),
        content_id(**{**same, "code": "abd"}),
    ]
    assert len({run_id, *others}) == 5
    assert content_id(code="c", params={"a": 1, "b": 2}) == content_id(code="c", params={"b": 2, "a": 1})
    copy = pickle.loads(pickle.dumps(run_id))
    assert (copy, copy.digest) == (run_id, run_id.digest)


def test_equal_beginnings_of_two_digests_are_a_conflict(folder):
    one = content_id(code="a")
    finished(folder, run_id=one)
    with pytest.raises(lineal.Conflict, match="other content"):
        lineal.init(url=folder, run_id=type(one)(one.digest[:12] + "0" * 52), resume="allow")


def test_a_finished_run_stays_finished_when_it_is_pickled(folder):
    run = lineal.init(url=folder, run_id="r")
    run.finish()
    again = pickle.loads(pickle.dumps(run))
    assert again.finished
    again.log({"x": 1})
    assert not lineal.get_run("r", url=folder).series


def test_the_environment_speaks_where_no_argument_does(folder, monkeypatch):
    monkeypatch.setenv("LINEAL_URL", str(folder))
    monkeypatch.setenv("LINEAL_EXPERIMENT", "from the environment")
    monkeypatch.setenv("LINEAL_TENANT", "team")
    monkeypatch.setenv("LINEAL_RUN_ID", "r")
    with lineal.init() as run:
        assert (run.run_id, run.experiment, run.tenant) == ("r", "from the environment", "team")
    monkeypatch.setenv("LINEAL_JOURNAL_WRITER", "quill")
    with pytest.raises(lineal.InvalidInput) as caught:
        lineal.init(run_id="s")
    assert caught.value.field == "LINEAL_JOURNAL_WRITER"


def test_text_that_is_no_unicode_comes_in_by_every_door(folder, monkeypatch):
    """A user name or a path of bytes that are no UTF-8 reaches Python as lone surrogates; no database takes them."""
    bad = "a\udcffb"
    monkeypatch.setenv("LOGNAME", bad)
    with lineal.init(
        url=folder,
        run_id="r",
        experiment=bad,
        name=bad,
        description=bad,
        params={bad: bad, "n": {bad: [bad]}},
        tags={bad: bad},
        note=bad,
    ) as run:
        run.log({bad: 1.0})
        run.set_json("doc", {bad: [bad]})
        run.define_metric(bad, goal="min", step_metric=bad, unit=bad)
        run.log_text(bad, f"{bad}.txt")
        run.log_artifact(f"/nowhere/{bad}", mode="reference", digest=bad)
        run.set_name(bad)
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {}
    assert (logged.name, logged.note, logged.params["a?b"], logged.tags) == ("a?b", "a?b", "a?b", {"a?b": "a?b"})
    assert logged.details.run.user_id == "a?b"
    assert len(logged.artifacts) == 2


def test_namespace_and_yaml_like_params_go_the_same_road(folder, tmp_path):
    (tmp_path / "p.json").write_text('{"lr": 0.1, "model": {"width": 64}}')
    for number, params in enumerate([argparse.Namespace(lr=0.1, model={"width": 64}), tmp_path / "p.json"]):
        lineal.init(url=folder, run_id=f"r{number}", params=params).finish()
        assert lineal.get_run(f"r{number}", url=folder).params == {"lr": 0.1, "model/width": 64}
