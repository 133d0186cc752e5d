"""Names and texts are data: never a path, never an error of ours; over a limit they are refused with the limit, and counted."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

import lineal
from lineal.model.errors import OverLimit
from lineal.model.limits import DOCUMENT_MAX_DEPTH, NAME_MAX_BYTES, PARAM_VALUE_MAX_BYTES, SERIES_PER_RUN_MAX_COUNT


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lineal"


NAMES = [
    "a/b/c",
    "/",
    "//",
    "..",
    "../../../../tmp/x",
    "C:\\x",
    "🦊🦊",
    "nul\0inside",
    "\0",
    "\u202egnitaler",
    "\u200f",
    "new\nline",
    "tab\t",
    " ",
    "%s %d {0} ${x}",
    "'; drop table runs; --",
    "<script>alert(1)</script>",
    "é" * 512,
    "x" * NAME_MAX_BYTES,
    "NaN",
    "__class__",
    "metrics.a",
    "`",
]


def test_strange_names_are_kept_as_they_are(folder):
    with lineal.init(url=folder, run_id="r") as run:
        for number, name in enumerate(NAMES):
            run.log({name: number}, step=number)
        run.log_params({name: name for name in NAMES})
        run.set_tags({name: name for name in NAMES})
        for name in NAMES:
            run.set_json(name, {name: name})
            run.define_metric(name, goal="max")
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {}
    for number, name in enumerate(NAMES):
        assert logged.history(name).value.tolist() == [number], name
        assert logged.document(name) == {name: name}
    assert logged.params == {name: name for name in NAMES}
    assert logged.tags == {name: name for name in NAMES}
    assert set(logged.details.metric_definitions) == set(NAMES)
    assert {name.partition("-")[0] for name in os.listdir(folder)} == {
        ".gitignore",
        "VERSION",
        "ingest.lock",
        "journals",
        "lineal.db",
    }
    assert sorted(os.listdir(folder.parent)) == ["lineal"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * (NAME_MAX_BYTES + 1),
        "é" * (NAME_MAX_BYTES // 2 + 1),
        "x" * 10_000,
        5,
        None,
        1.5,
        ("a", 10**5000),
        b"bytes",
        True,
    ],
    ids=lambda name: f"{type(name).__name__}",
)
def test_a_bad_metric_name_is_refused_and_takes_nothing_with_it(folder, caplog, name):
    with lineal.init(url=folder, run_id="r") as run:
        for step in range(3):
            run.log({"good": step, name: 1.0, "also": 2}, step=step)
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {"bad_name": 3}
    assert logged.history("good").value.tolist() == [0, 1, 2]
    assert logged.history("also").value.tolist() == [2, 2, 2]
    assert len(caplog.records) == 1


def test_names_that_become_one(folder, caplog):
    with lineal.init(url=folder, run_id="r") as run:
        run.log({"a": {"b": 1.0}, "a/b": 2.0, "c": 3.0})
        run.log({"s\ud800": 1.0, "s" + chr(0xD801): 2.0})
    logged = lineal.get_run("r", url=folder)
    assert logged.history("a/b").value.tolist() == [1.0]
    assert logged.history("c").value.tolist() == [3.0]
    assert logged.losses == {"same_name": 2}


def test_an_artifact_path_stays_within_the_run(folder, tmp_path):
    file = tmp_path / "f.txt"
    file.write_text("x")
    with lineal.init(url=folder, run_id="r") as run:
        for path in ("..", "a/../../b", "a\0b", "\\..\\x", "x" * 2000):
            with pytest.raises(lineal.InvalidInput) as caught:
                run.log_artifact(file, path)
            assert caught.value.field == "path"
            with pytest.raises(lineal.InvalidInput):
                run.log_text("x", f"{path}/f")
        for path in ("/abs", "C:\\dir", "a//b/./c", "🦊", "\u202e", " "):
            run.log_artifact(file, path)
        for path in ("", "/", "."):
            with pytest.raises(lineal.InvalidInput):
                run.log_text("x", path)
    logged = lineal.get_run("r", url=folder)
    assert [artifact.path for artifact in logged.artifacts] == sorted(
        ["abs/f.txt", "C:/dir/f.txt", "a/b/c/f.txt", "🦊/f.txt", "\u202e/f.txt", " /f.txt"]
    )
    blobs = [
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(folder / "blobs")
        for name in names
    ]
    assert len(blobs) == 1


def test_what_is_no_file(folder, tmp_path):
    with lineal.init(url=folder, run_id="r") as run:
        with pytest.raises(lineal.InvalidInput):
            run.log_artifact("a\0b")
        for path in (tmp_path / "missing", tmp_path / "missing" / "deeper"):
            with pytest.raises(lineal.NotFound) as caught:
                run.log_artifact(path)
            assert caught.value.field == "local_path"
        os.mkfifo(tmp_path / "fifo")
        for path in (tmp_path / "fifo", "/dev/null"):
            with pytest.raises(lineal.InvalidInput) as refused:
                run.log_artifact(path)
            assert refused.value.field == "local_path"
        with pytest.raises(lineal.InvalidInput):
            run.log_artifact(tmp_path, mode="steal")  # type: ignore[arg-type]
        os.symlink(tmp_path / "nowhere", tmp_path / "dangling")
        with pytest.raises(lineal.NotFound):
            run.log_artifact(tmp_path / "dangling")
    assert lineal.get_run("r", url=folder).artifacts == []


def test_params_over_their_limits(folder, caplog):
    """10 MB of them: each value within the limit is kept, each above refused by name."""
    many = {f"p{n}": "🦊" * 10_000 for n in range(256)}
    with lineal.init(url=folder, run_id="r", params={"lr": 0.1}) as run:
        run.log_params({"big": "x" * 10_000_000, "long int": 10**2000, "longer int": 10**5000, "ok": 1})
        run.log_params({"x" * 2000: 1, "ok2": 2})
        run.log_params({"nested": {"int": 10**5000, "ok3": 3}})
        run.log_params(many)
        run.log_params({"limit": "x" * PARAM_VALUE_MAX_BYTES})
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {"param_refused": 5}
    assert logged.params == {
        "lr": 0.1,
        "ok": 1,
        "ok2": 2,
        "nested/ok3": 3,
        "limit": "x" * PARAM_VALUE_MAX_BYTES,
        **many,
    }
    assert str(PARAM_VALUE_MAX_BYTES).replace("65536", "65,536") in caplog.text


def test_tags_notes_and_documents_over_their_limits(folder):
    with lineal.init(url=folder, run_id="r") as run:
        run.set_tags({f"t{n}": "\0" * 60_000 for n in range(200)})
        for refuse in (
            lambda: run.set_tags({"t": "x" * 70_000}),
            lambda: run.set_note("x" * 1_100_000),
            lambda: run.set_json("doc", ["x" * 5_000_000]),
            lambda: run.set_json("doc", {1, 2}),
            lambda: run.set_json("doc", [10**5000]),
            lambda: run.set_json("", 1),
            lambda: run.set_name(""),
            lambda: run.define_metric("x", goal="up"),  # type: ignore[arg-type]
            lambda: run.define_metric("x", unit=5),  # type: ignore[arg-type]
            lambda: run.define_metric("x", step_metric=5),  # type: ignore[arg-type]
            lambda: run.set_tags(5),  # type: ignore[arg-type]
        ):
            with pytest.raises(lineal.InvalidInput):
                refuse()
        run.set_note("\0" * 1_000_000)
        run.set_json("doc", ["\0" * 600_000])
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {}
    assert logged.tags == {f"t{n}": "\0" * 60_000 for n in range(200)}
    assert logged.note == "\0" * 1_000_000
    assert logged.document("doc") == ["\0" * 600_000]


@pytest.mark.parametrize(
    "value", [{"$float": "NaN"}, {"$float": "x"}, {"$float": [1]}, {"a": {"$float": None}}, {"$$float": 1}]
)
def test_a_document_that_looks_like_our_own_notation(folder, value):
    with lineal.init(url=folder, run_id="r") as run:
        run.set_json("doc", value)
        if isinstance(value, dict) and "$$float" in value:
            run.set_json("doc", {"$float": 1})
    assert repr(lineal.get_run("r", url=folder).document("doc")) == repr(
        value if "$$float" not in value else {"$float": 1}
    )


@pytest.mark.parametrize("value", [{"$float": "x"}, {"$float": [1]}, {"$float": None}, {"$float": 10**400}])
def test_such_a_document_harms_nothing_else(folder, value):
    with lineal.init(url=folder, run_id="r", params={"$float": 0.5}, tags={"$float": "t"}) as run:
        run.set_json("doc", value)
        run.log({"$float": 1.0})
    logged = lineal.get_run("r", url=folder)
    assert logged.status == "finished"
    assert logged.history("$float").value.tolist() == [1.0]


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.torture)])
def test_many_metric_names(folder, count):
    """One by one and then all in one call. Memory is bounded: what a name costs does not grow."""
    tracemalloc.start()
    run = lineal.init(url=folder, run_id="r")
    before, _ = tracemalloc.get_traced_memory()
    for number in range(count):
        run.log({f"metric/{number}": number / 7}, step=0)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / count < 3_000
    run.log({f"metric/{number}": number / 7 for number in range(count)}, step=1)
    run.finish()
    logged = lineal.get_run("r", url=folder)
    assert logged.losses == {}
    assert len(logged.series) == count
    for number in (0, 1, count // 2, count - 1):
        assert logged.history(f"metric/{number}").value.tolist() == [number / 7] * 2


def test_more_names_than_a_run_may_have(folder, monkeypatch):
    monkeypatch.setattr("lineal.journal.points.SERIES_PER_RUN_MAX_COUNT", 50)
    with lineal.init(url=folder, run_id="r") as run:
        for number in range(60):
            run.log({f"m{number}": 1.0, "x": number}, step=number)
        run.log({"x": 60, "m0": 2.0}, step=60)
    logged = lineal.get_run("r", url=folder)
    assert len(logged.series) == 50
    assert logged.losses == {"name_over_limit": 22}
    assert SERIES_PER_RUN_MAX_COUNT >= 100_000


def test_changing_sets_of_names(folder):
    """Losses of the classes that a batch happens to hold: each call another set. Memory must not grow with their number."""
    import random

    draw = random.Random(1)
    names = [f"class{number}" for number in range(40)]
    run = lineal.init(url=folder, run_id="r")
    count = 3_000
    expected = dict.fromkeys(names, 0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for step in range(count):
        chosen = draw.sample(names, 20)
        run.log(dict.fromkeys(chosen, 0.5), step=step)
        for name in chosen:
            expected[name] += 1
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    run.finish()
    logged = lineal.get_run("r", url=folder)
    assert {info.key.name: info.summary.count for info in logged.series} == expected
    print(f"{(after - before) / count:.0f} bytes a call")


def test_a_document_nested_too_deeply_is_refused_with_the_limit(tmp_path: Path) -> None:
    def nested(levels: int) -> object:
        value: object = 1
        for _ in range(levels):
            value = [value]
        return value

    ring: list[object] = []
    ring += [ring, ring]
    with lineal.init(experiment="e", url=tmp_path) as run:
        run.set_json("fits", nested(DOCUMENT_MAX_DEPTH))
        for value in (nested(DOCUMENT_MAX_DEPTH + 1), ring):
            with pytest.raises(OverLimit, match="100 levels"):
                run.set_json("deep", value)
