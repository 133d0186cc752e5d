"""Runs: params, metrics, tags, batches, statuses, deletion, searches."""

from __future__ import annotations

import math
from typing import Any

import mlflow
from drive import refusal
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType


def main(say: Any) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("runs")
    run = client.create_run(
        experiment, start_time=1_000, run_name="plain", tags={"kind": "plain", "mlflow.note.content": "# hi"}
    )
    run_id = run.info.run_id
    say("made", run)
    _values(client, say, run_id)
    _batches(client, say, run_id)
    _tags(client, say, run_id)
    client.update_run(run_id, status="SCHEDULED")
    client.update_run(run_id, name="plain, renamed")
    say("renamed", [client.get_run(run_id).info.run_name, client.get_run(run_id).data.tags.get("mlflow.runName")])
    client.set_terminated(run_id, end_time=5_000)
    say("ended", dict(client.get_run(run_id).info))
    client.log_metric(run_id, "late", 1.0, timestamp=9, step=0)
    for start, name, status in ((2_000, "failed", "FAILED"), (2_001, "killed", "KILLED")):
        other = client.create_run(experiment, start_time=start, run_name=name)
        client.set_terminated(other.info.run_id, status=status, end_time=3_000)
    say("no such run", refusal(lambda: client.get_run("0" * 32)))
    say("a metric of none", refusal(lambda: client.log_metric("0" * 32, "a", 1.0)))
    say("a run of no experiment", refusal(lambda: client.create_run("987654")))
    _life(client, say, experiment)
    _searches(client, say)
    _fluent(say)


def _values(client: MlflowClient, say: Any, run_id: str) -> None:
    for step, value in enumerate([0.5, 0.25, 0.125]):
        client.log_metric(run_id, "loss", value, timestamp=10 + step, step=step)
    client.log_metric(run_id, "loss", 7.0, timestamp=99, step=1)  # back
    client.log_metric(run_id, "loss", 0.25, timestamp=11, step=1)  # said twice
    client.log_metric(run_id, "odd", math.nan, timestamp=1, step=0)
    client.log_metric(run_id, "odd", math.inf, timestamp=2, step=-3)
    client.log_metric(run_id, "val/acc - top_1. x", 1 / 3, timestamp=3, step=2**40)
    client.log_metric(run_id, "only value", 3)
    say("history", [(m.value, m.step, m.timestamp) for m in client.get_metric_history(run_id, "loss")])
    say("history of none", list(client.get_metric_history(run_id, "nothing")))
    say("latest", client.get_run(run_id).data.metrics["loss"])
    client.log_param(run_id, "lr", 0.01)
    client.log_param(run_id, "lr", 0.01)
    client.log_param(run_id, "empty", "")
    client.log_param(run_id, "long", "p" * 6_000)
    client.log_param(run_id, "nested/name", {"a": [1, None]})
    say("another value", refusal(lambda: client.log_param(run_id, "lr", 0.02)))
    for bad in ("", "/a", "../a", "a//b", "a/../b", "a" * 251, "a=b", "./a"):
        say(f"param {bad[:9]}", refusal(lambda bad=bad: client.log_param(run_id, bad, 1)))
        say(f"metric {bad[:9]}", refusal(lambda bad=bad: client.log_metric(run_id, bad, 1.0)))
        say(f"tag {bad[:9]}", refusal(lambda bad=bad: client.set_tag(run_id, bad, "x")))


def _batches(client: MlflowClient, say: Any, run_id: str) -> None:
    metrics = [Metric(f"m{n % 5}", float(n), 1_000 + n, n) for n in range(400)]
    client.log_batch(run_id, metrics, [Param("p1", "1"), Param("p2", "two")], [RunTag("t1", "1")])
    client.log_batch(run_id, metrics[:10], [Param("p1", "1")], [RunTag("t1", "2")])
    client.log_batch(run_id, [], [], [])
    conflict = [Param("p1", "other"), Param("p3", "new")]
    say("a batch with a conflict", refusal(lambda: client.log_batch(run_id, [], conflict, [])))
    say("nothing of it stays", client.get_run(run_id).data.params.get("p3"))
    twice = [Param("p4", "1"), Param("p4", "2")]
    say("a batch against itself", refusal(lambda: client.log_batch(run_id, [], twice, [])))


def _tags(client: MlflowClient, say: Any, run_id: str) -> None:
    client.set_tag(run_id, "colour", "blue")
    client.set_tag(run_id, "colour", "green")
    client.set_tag(run_id, "number", 5)
    client.set_tag(run_id, "gone", "soon")
    client.set_tag(run_id, "long", "t" * 5_000)
    client.delete_tag(run_id, "gone")
    say("a tag that is not there", refusal(lambda: client.delete_tag(run_id, "gone")))
    say("kept", client.get_run(run_id).data.tags.get("colour"))


def _life(client: MlflowClient, say: Any, experiment: str) -> None:
    run_id = client.create_run(experiment, start_time=4_000, run_name="deleted").info.run_id
    client.delete_run(run_id)
    say("deleted", client.get_run(run_id).info.lifecycle_stage)
    say("a metric of it", refusal(lambda: client.log_metric(run_id, "a", 1.0)))
    say("a param of it", refusal(lambda: client.log_param(run_id, "a", 1)))
    say("a tag of it", refusal(lambda: client.set_tag(run_id, "a", "b")))
    say("its status", refusal(lambda: client.set_terminated(run_id)))
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
        found = client.search_runs([experiment], run_view_type=view, order_by=["attributes.start_time"])
        say(f"view {view}", [run.info.run_name for run in found])
    client.restore_run(run_id)
    client.log_metric(run_id, "a", 1.0, timestamp=5)
    again = client.create_run(experiment, start_time=4_500, run_name="stays deleted").info.run_id
    client.delete_run(again)
    client.set_terminated(run_id, end_time=4_100)


def _searches(client: MlflowClient, say: Any) -> None:
    experiment = client.create_experiment("searched")
    for number in range(6):
        tags = {"even": str(number % 2 == 0), **({"rare": "yes"} if number == 3 else {})}
        run = client.create_run(experiment, start_time=100 + number, run_name=f"s{number}", tags=tags)
        client.log_param(run.info.run_id, "n", number)
        client.log_param(run.info.run_id, "odd key", f"v{number}")
        if number != 4:
            client.log_metric(run.info.run_id, "score", math.nan if number == 5 else number / 10, timestamp=1)
        client.log_metric(run.info.run_id, "val/odd key", float(number), timestamp=1)
        client.set_terminated(run.info.run_id, status="FAILED" if number == 1 else "FINISHED", end_time=200 + number)
    for text in FILTERS:
        found = refusal(lambda text=text: sorted(run.info.run_name for run in client.search_runs([experiment], text)))
        say(f"where {text}", found)
    for order in ORDERS:
        found = refusal(
            lambda order=order: [run.info.run_name for run in client.search_runs([experiment], order_by=order)]
        )
        say(f"order {order}", found)
    page = client.search_runs([experiment], max_results=4, order_by=["params.n DESC"])
    rest = client.search_runs([experiment], max_results=4, order_by=["params.n DESC"], page_token=page.token)
    say("pages", [[run.info.run_name for run in page], [run.info.run_name for run in rest], bool(rest.token)])
    say("a token that is none", refusal(lambda: client.search_runs([experiment], page_token="nonsense")))
    say("too many", refusal(lambda: client.search_runs([experiment], max_results=50_001)))
    say("of no experiment", refusal(lambda: list(client.search_runs(["987654"]))))


FILTERS = """metrics.score > 0.1
metrics.score >= 0.1 and metrics.score < 0.3
metrics.score = 0.2
metrics.score != 0.2
metric.score <= 0.1
metrics.`val/odd key` > 3
metrics."val/odd key" < 2
params.n = '3'
params.n != '3'
parameter.n = "3"
param.`odd key` LIKE 'v%'
params.n ILIKE '3'
params.nothing IS NULL
params.n IS NOT NULL and metrics.score > 0.2
tags.even = 'True'
tag.even != 'True'
tags.rare IS NULL
tags.rare IS NOT NULL
tags.rare LIKE 'y%'
attributes.status = 'FAILED'
status != 'FAILED'
attr.run_name LIKE 's%'
run_name = 's2'
`run name` = 's2'
attributes.start_time > 103
start_time >= 101 AND end_time < 204
created > 103
attribute.run_name IN ('s1', 's2')
run_name NOT IN ('s1', 's2')
attributes.artifact_uri LIKE '%artifacts'
tags.mlflow.runName = 's4'
metrics.score > 0.1 OR metrics.score < 0.3
(metrics.score > 0.1)
metrics.score LIKE 'a'
metrics.score > '0.1'
params.n > '3'
params.n = 3
nothing = 'a'
colour.n = 'a'
metrics.score
start_time = 'text'
status > 'FAILED'""".splitlines()

ORDERS = [
    ["metrics.score ASC"],
    ["metrics.score DESC"],
    ["params.n DESC"],
    ["tags.rare ASC", "attributes.start_time DESC"],
    ["attributes.start_time ASC"],
    ["start_time"],
    ["end_time DESC"],
    ["run_name DESC"],
    ["attribute.status ASC", "metrics.`val/odd key` DESC"],
    [],
    ["colour.x"],
    ["metrics.score UP"],
]


def _fluent(say: Any) -> None:
    mlflow.set_experiment("fluent runs")
    with mlflow.start_run(run_name="outer", description="words", tags={"a": "b"}, log_system_metrics=False) as outer:
        say("active", mlflow.active_run().info.run_id == outer.info.run_id)
        mlflow.log_param("one", 1)
        mlflow.log_params({f"many/{n}": n for n in range(150)})
        mlflow.log_metric("m", 1.5, step=3, timestamp=77)
        mlflow.log_metrics({"a": 1, "b": 2.0}, step=4, timestamp=78)
        mlflow.log_metric("soon", 1.0, step=0, timestamp=5, synchronous=False)
        mlflow.log_metrics({"soon": 2.0}, step=1, timestamp=6, synchronous=False)
        mlflow.log_params({"later": "yes"}, synchronous=False)
        mlflow.flush_async_logging()
        mlflow.set_tag("x", "y")
        mlflow.set_tags({"p": "q", "r": "s"})
        mlflow.delete_tag("r")
        with mlflow.start_run(run_name="inner", nested=True) as inner:
            mlflow.log_metric("m", 2.5, timestamp=79)
        say("parent", mlflow.get_parent_run(inner.info.run_id).info.run_id == outer.info.run_id)
        say("no parent", mlflow.get_parent_run(outer.info.run_id))
    say("client's parent", MlflowClient().get_parent_run(inner.info.run_id).info.run_name)
    try:
        with mlflow.start_run(run_name="raises"):
            raise ValueError("on purpose")
    except ValueError:
        pass
    say("last", mlflow.last_active_run().info.status)
    with mlflow.start_run(run_id=outer.info.run_id):
        mlflow.log_metric("again", 1.0, timestamp=80)
    say("got", mlflow.get_run(outer.info.run_id).info.status)
    mlflow.start_run()
    mlflow.end_run("KILLED")
    mlflow.delete_run(mlflow.last_active_run().info.run_id)
    if hasattr(mlflow, "restore_run"):
        mlflow.restore_run(mlflow.last_active_run().info.run_id)
        mlflow.delete_run(mlflow.last_active_run().info.run_id)
    found = mlflow.search_runs(experiment_names=["fluent runs"], filter_string="tags.a = 'b'", output_format="list")
    say("found", [run.info.run_name for run in found])
    table = mlflow.search_runs(experiment_names=["fluent runs"], order_by=["metrics.m DESC"])
    say(
        "as a table",
        [sorted(table.columns), [None if value != value else value for value in table["metrics.m"].tolist()]],
    )
