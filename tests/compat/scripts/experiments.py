"""Experiments, by the client and by the fluent functions."""

from __future__ import annotations

from typing import Any

import mlflow
from drive import refusal
from mlflow import MlflowClient
from mlflow.entities import ViewType


def main(say: Any) -> None:
    client = MlflowClient()
    first = client.create_experiment("first", tags={"team": "blue", "round": "1"})
    second = client.create_experiment("Second", tags={"team": "red"})
    elsewhere = client.create_experiment("elsewhere", artifact_location="s3://bucket/place")
    say("same name", refusal(lambda: client.create_experiment("first")))
    say("no name", refusal(lambda: client.create_experiment("")))
    say("blank name", refusal(lambda: client.create_experiment("   ")))
    say("long name", refusal(lambda: client.create_experiment("n" * 501)))
    say("get", client.get_experiment(first))
    say("default", client.get_experiment("0"))
    say("by name", client.get_experiment_by_name("Second"))
    say("by no name", client.get_experiment_by_name("nobody's"))
    say("no such", refusal(lambda: client.get_experiment("987654321")))
    say("elsewhere", client.get_experiment(elsewhere).artifact_location)
    client.set_experiment_tag(first, "note", "with ünïcode, and more: " + "x" * 100)
    client.set_experiment_tag(first, "round", "2")
    if hasattr(client, "delete_experiment_tag"):
        client.set_experiment_tag(first, "gone", "soon")
        client.delete_experiment_tag(first, "gone")
        say("tag that is not there", refusal(lambda: client.delete_experiment_tag(first, "gone")))
    say("long tag", refusal(lambda: client.set_experiment_tag(first, "k", "v" * 20_001)))
    client.rename_experiment(second, "second")
    say("renamed", client.get_experiment(second).name)
    say("rename to a name in use", refusal(lambda: client.rename_experiment(second, "first")))
    _searches(client, say)
    _life(client, say, second)
    _fluent(say)


def _searches(client: MlflowClient, say: Any) -> None:
    for text in [
        "name = 'first'",
        "name != 'first'",
        "name LIKE 'fir%'",
        "name ILIKE 'FIR%'",
        "attribute.name = 'second'",
        "tags.team = 'blue'",
        "tag.team != 'blue'",
        "tags.`team` LIKE 'r%'",
        "tags.team = 'blue' AND name LIKE '%rst'",
        "creation_time > 0",
        "last_update_time < 5",
        "tags.nothing IS NULL AND name = 'first'",
        "tags.team IS NOT NULL",
    ]:
        say(f"search {text}", [one.name for one in client.search_experiments(filter_string=text, order_by=["name"])])
    for text in [
        "name",
        "name = first",
        "tags.team > 'a'",
        "nothing = 'x'",
        "name = 'a' OR name = 'b'",
        "name IN ('a')",
    ]:
        say(f"search {text}", refusal(lambda text=text: len(client.search_experiments(filter_string=text))))
    for order in [["name ASC"], ["name DESC"], ["experiment_id DESC"], ["creation_time ASC", "name"]]:
        say(f"order {order}", [one.name for one in client.search_experiments(order_by=order)])
    say("order by nothing known", refusal(lambda: client.search_experiments(order_by=["colour"])))
    page = client.search_experiments(max_results=2, order_by=["name"])
    names = [[one.name for one in page]]
    while page.token:
        page = client.search_experiments(max_results=2, order_by=["name"], page_token=page.token)
        names.append([one.name for one in page])
    say("pages", names)
    say("too many", refusal(lambda: client.search_experiments(max_results=50_001)))
    say("none", refusal(lambda: client.search_experiments(max_results=0)))
    say("a token that is none", refusal(lambda: client.search_experiments(page_token="nonsense", max_results=1)))


def _life(client: MlflowClient, say: Any, experiment: str) -> None:
    run = client.create_run(experiment, start_time=1, run_name="in a deleted one")
    client.delete_experiment(experiment)
    say("deleted", client.get_experiment(experiment).lifecycle_stage)
    say("deleted twice", refusal(lambda: client.delete_experiment(experiment)))
    say("its run", client.get_run(run.info.run_id).info.lifecycle_stage)
    say("a run of it", refusal(lambda: client.create_run(experiment)))
    say("a tag of it", refusal(lambda: client.set_experiment_tag(experiment, "a", "b")))
    say("a name of it", refusal(lambda: client.rename_experiment(experiment, "other")))
    say("its name is in use", refusal(lambda: client.create_experiment("second")))
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
        say(f"view {view}", [one.name for one in client.search_experiments(view_type=view, order_by=["name"])])
    client.restore_experiment(experiment)
    say("restored", client.get_experiment(experiment).lifecycle_stage)
    say("its run again", client.get_run(run.info.run_id).info.lifecycle_stage)
    say("restored twice", refusal(lambda: client.restore_experiment(experiment)))


def _fluent(say: Any) -> None:
    made = mlflow.set_experiment("fluent")
    say("set", made.name)
    mlflow.set_experiment_tag("one", "1")
    mlflow.set_experiment_tags({"two": 2, "three": [3]})
    if hasattr(mlflow, "delete_experiment_tag"):
        mlflow.delete_experiment_tag("one")
    other = mlflow.create_experiment("fluent-deleted", tags={"x": "y"})
    say("fluent get", mlflow.get_experiment(other))
    say("fluent by name", mlflow.get_experiment_by_name("fluent-deleted"))
    mlflow.delete_experiment(other)
    say("set to a deleted one", refusal(lambda: mlflow.set_experiment("fluent-deleted")))
    if hasattr(mlflow, "restore_experiment"):
        mlflow.restore_experiment(other)
        mlflow.delete_experiment(other)
    say("fluent search", [one.name for one in mlflow.search_experiments(order_by=["name"])])
