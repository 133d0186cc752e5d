"""What is asked through a server is answered as the folder would answer it."""

from __future__ import annotations

import builtins
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner, Result

import lineal
from lineal.cli.main import lineal as command
from tests.network.conftest import url_of

BIG = 2**60 + 1


def log_runs(url: str) -> list[str]:
    ids = []
    for number in range(5):
        params = {"lr": 0.1 * number, "model": {"kind": "mlp" if number % 2 else "cnn"}, "seed": number, "none": None}
        with lineal.init(
            "digits" if number else "letters",
            f"run-{number}",
            run_id=f"run{number}x",
            params=params,
            tags={"team": "red", "odd key": "é"},
            note="*note*",
            url=url,
        ) as run:
            for step in range(40):
                run.log({"loss": 1 / (step + 1 + number), "count": BIG + step}, step=step)
            run.log({"odd/näme": math.nan}, step=0.5)
            run.define_metric("loss", goal="min")
            run.set_json("review", {"score": number})
            run.log_text(f"hello {number}", "notes/hello.txt")
        ids.append(run.run_id)
    return ids


@pytest.fixture
def urls(server: httpx.Client, tmp_path: Path) -> tuple[str, str]:
    """A folder and a server with the same runs."""
    folder = str(tmp_path / "notebook")
    assert log_runs(folder) == log_runs(url_of(server))
    return folder, url_of(server)


@pytest.fixture(autouse=True)
def close_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The readers of one test are not another's."""
    stores: dict[Any, Any] = {}
    monkeypatch.setattr("lineal.api._open_stores", stores)
    yield
    for store in stores.values():
        store.close()


TIMES = {
    *("start_time", "end_time", "duration_seconds", "last_time", "time", "time_ms", "latest_start_time"),
    *("created_at", "last_updated", "attempt_id", "attempt", "pid", "artifact_uri", "attributes", "equal_count"),
}


def timeless(said: Any) -> Any:
    """Without what differs between two recordings of the same."""
    if isinstance(said, dict):
        return {key: timeless(value) for key, value in said.items() if key not in TIMES}
    if isinstance(said, list):
        return [timeless(one) for one in said if not (isinstance(one, dict) and one.get("name") in TIMES)]
    return said


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": "params.lr > 0.15 and tags.team = 'red'", "order_by": "metrics.loss desc"},
        {"filter": "json.review.score >= 3 or params.model/kind in ('cnn')", "order_by": ["params.seed"]},
        {"experiment": "letters"},
        {"limit": 2, "offset": 1},
        {"filter": "name ilike 'RUN-%' and not metrics.`loss` is null and user_id is not null"},
    ],
)
def test_runs(urls: tuple[str, str], asked: dict[str, Any]) -> None:
    here, there = (lineal.runs(**asked, url=url) for url in urls)
    assert len(there) and there.total == here.total
    assert repr(timeless(there.to_list())) == repr(timeless(here.to_list()))  # NaN is not equal to itself
    assert repr(timeless([run.to_dict() for run in there])) == repr(timeless([run.to_dict() for run in here]))


def test_pages(urls: tuple[str, str]) -> None:
    found, token = [], None
    while True:
        page = lineal.runs(order_by="params.seed", limit=2, page_token=token, url=urls[1])
        found += [run.params["seed"] for run in page]
        token = page.next_page_token
        if token is None:
            break
    assert found == [0, 1, 2, 3, 4]


def test_a_wrong_filter_is_refused_with_its_place(urls: tuple[str, str]) -> None:
    with pytest.raises(lineal.InvalidInput) as caught:
        lineal.runs("params.lr >", url=urls[1])
    assert caught.value.position == 11


def test_one_run_whole(urls: tuple[str, str]) -> None:
    here, there = (lineal.get_run("run3", url=url) for url in urls)
    assert repr(timeless(there.to_dict())) == repr(timeless(here.to_dict()))
    assert (there.params, there.tags, there.note, there.losses) == (here.params, here.tags, here.note, here.losses)
    assert [(info.key, info.summary.count, info.summary.last) for info in there.series][:2] == [
        (info.key, info.summary.count, info.summary.last) for info in here.series
    ][:2]
    assert there.document("review") == {"score": 3}
    assert there.artifact_path("notes/hello.txt").read_text() == "hello 3"
    assert there.artifact_path("notes/hello.txt").read_text() == "hello 3"
    with pytest.raises(lineal.NotFound):
        lineal.get_run("nobody", url=urls[1])
    with pytest.raises(lineal.InvalidInput, match="ambiguous"):
        lineal.get_run("run", url=urls[1])


def test_points_come_bit_for_bit(urls: tuple[str, str]) -> None:
    here, there = (lineal.get_run("run2x", url=url) for url in urls)
    for name in ("loss", "count", "odd/näme"):
        one, other = here.history(name), there.history(name)
        assert other.value.dtype == one.value.dtype and other.step.dtype == one.step.dtype
        assert other.value.tobytes() == one.value.tobytes() and other.step.tobytes() == one.step.tobytes()
    assert int(there.history("count").value[-1]) == BIG + 39
    drawn, same = (run.history("loss", max_points=5) for run in (there, here))
    assert drawn.buckets is not None and same.buckets is not None
    assert np.array_equal(drawn.buckets.count, same.buckets.count) and np.array_equal(
        drawn.buckets.max, same.buckets.max
    )
    with pytest.raises(lineal.NotFound):
        there.history("nothing")


def test_groups_names_and_experiments(urls: tuple[str, str]) -> None:
    here, there = (lineal.group_runs("params.model/kind", metrics="metrics.loss", url=url) for url in urls)
    assert there.to_list() == here.to_list() and there.total == here.total == 2
    for order, most in (("metrics.loss", "max"), ("metrics.loss desc", "min")):
        here, there = (
            lineal.group_runs("params.model/kind", metrics="metrics.loss", order_by=order, url=url) for url in urls
        )
        means = [group.metrics["metrics.loss"].mean for group in there]
        assert there.to_list() == here.to_list() and means[-1] == getattr(builtins, most)(means) != means[0]
    with lineal.open_store(urls[0]) as folder, lineal.open_store(urls[1]) as server:
        assert server.names("param") == folder.names("param")
        assert server.values("params.model/kind") == folder.values("params.model/kind")
        assert [one.name for one in server.experiments()] == [one.name for one in folder.experiments()]
        assert repr(server.compare_dict(["run1x", "run2x"])) == repr(folder.compare_dict(["run1x", "run2x"]))
        with pytest.raises(lineal.NotFound):
            server.get_experiment("nothing")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "list", "params.seed > 1"),
        ("runs", "list", "--group-by", "params.model/kind", "--metric", "loss"),
        ("runs", "show", "run1"),
        ("runs", "diff", "run1", "run2"),
        ("runs", "export", "--points", "--format", "json"),
        ("experiments", "list"),
        ("experiments", "show", "digits"),
    ],
)
def test_commands_answer_the_same(urls: tuple[str, str], arguments: tuple[str, ...]) -> None:
    here, there = (invoke(*arguments, "--json", "--url", url) for url in urls)
    assert there.exit_code == here.exit_code == 0, there.output
    assert timeless(json.loads(there.stdout)) == timeless(json.loads(here.stdout))
    assert invoke(*arguments, "--url", urls[1]).exit_code == 0


def test_what_is_changed_through_a_server(urls: tuple[str, str], server: httpx.Client) -> None:
    _, url = urls
    assert invoke("runs", "tag", "run1x", "stage=best", "--url", url).exit_code == 0
    assert invoke("runs", "rename", "run1x", "the best", "--url", url).exit_code == 0
    assert invoke("runs", "note", "run1x", "looked at", "--url", url).exit_code == 0
    assert invoke("runs", "delete", "run2x", "--yes", "--url", url).exit_code == 0
    run = lineal.get_run("run1x", url=url)
    assert (run.name, run.tags["stage"], run.note) == ("the best", "best", "looked at")
    assert lineal.runs(url=url).total == 4 and lineal.runs(url=url, deleted=True).total == 1
    assert invoke("runs", "restore", "run2x", "--url", url).exit_code == 0
    assert lineal.runs(url=url).total == 5
    lineal.tag_run("run1x", {"stage": None}, url=url)
    assert "stage" not in lineal.get_run("run1x", url=url).tags


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(lineal.LinealError) as caught:
        lineal.runs(url="http://localhost:9")
    assert caught.value.code == "unreachable"
    assert invoke("runs", "list", "--url", "http://localhost:9").exit_code == 5
    assert invoke("runs", "tag", "x", "a=b", "--url", "http://localhost:9").exit_code == 5


def test_a_run_that_is_known_is_resumed(urls: tuple[str, str]) -> None:
    _, url = urls
    with lineal.init(run_id="run1x", url=url) as finished:
        assert finished.finished
    with lineal.init(run_id="run1x", resume="allow", url=url) as run:
        assert run.resumed and run.experiment == "digits"
        run.log({"loss": 5.0})
    history = lineal.get_run("run1x", url=url).history("loss")
    assert len(history) == 41 and history.step[-1] == 40 and len(history.attempts) == 2
    with pytest.raises(lineal.Conflict):
        lineal.init(run_id="run1x", resume="never", url=url)
    with pytest.raises(lineal.NotFound):
        lineal.init(run_id="other", resume="must", url=url)


def test_the_tracker_works_against_a_server(server: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("weights")
    tracker = lineal.ExperimentTracker(tracking_uri=url_of(server))
    experiment_id = tracker.create_experiment(lineal.ExperimentConfig("fraud", description="d", tags={"a": "b"}))
    assert experiment_id
    with pytest.raises(lineal.Conflict):
        tracker.create_experiment(lineal.ExperimentConfig("fraud"))
    ids = []
    for number in range(2):
        config = lineal.RunConfig(run_name=f"run-{number}", user_id="alice", tags={"k": "v"})
        with tracker.start_run("fraud", config) as run:
            run.log_params({"lr": 0.01 * (number + 1)})
            for step in range(3):
                run.log_metrics({"val_loss": 0.5 - 0.1 * step - 0.01 * number}, step=step)
            run.log_artifact(tmp_path / "model.txt", artifact_path="models")
            run.log_dict({"a": 1}, "config/model.json")
        ids.append(run.run_id)
    history = tracker.get_metric_history(ids[0], "val_loss")
    assert [(one["key"], one["value"], one["step"]) for one in history] == [
        ("val_loss", 0.5, 0),
        ("val_loss", 0.4, 1),
        ("val_loss", 0.5 - 0.2, 2),
    ]
    found = tracker.search_runs(["fraud"], "metrics.val_loss < 0.4", order_by=["metrics.val_loss ASC"])
    assert [run["run_id"] for run in found] == ids[::-1]
    assert tracker.compare_runs(ids)["comparison"]["best_run"] == ids[1]
    assert tracker.get_run(ids[0])["params"] == {"lr": "0.01"}
    tracker.end_run(ids[0], "failed")
    assert tracker.get_run(ids[0])["status"] == "failed"
