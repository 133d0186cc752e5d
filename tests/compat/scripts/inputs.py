"""Datasets that runs used, and the histories that a page asks for in bulk."""

from __future__ import annotations

import os
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import requests
from drive import refusal
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag

BASE = os.environ["MLFLOW_TRACKING_URI"]


def main(say: Any) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("inputs")
    run_ids = [client.create_run(experiment, start_time=n, run_name=f"i{n}").info.run_id for n in range(3)]
    dataset = Dataset("d", "abc123", "local", '{"uri": "x.csv"}', schema='{"columns": []}', profile='{"rows": 3}')
    client.log_inputs(
        run_ids[0], [DatasetInput(dataset, [InputTag("mlflow.data.context", "training"), InputTag("k", "v")])]
    )
    client.log_inputs(run_ids[0], [DatasetInput(dataset, [InputTag("mlflow.data.context", "other")])])
    other = Dataset("e", "def456", "code", "{}")
    client.log_inputs(run_ids[1], [DatasetInput(other), DatasetInput(dataset)])
    for bad in (Dataset("n" * 501, "a", "b", "c"), Dataset("n", "d" * 37, "b", "c")):
        say(
            f"dataset {bad.name[:3]} {bad.digest[:3]}",
            refusal(lambda bad=bad: client.log_inputs(run_ids[0], [DatasetInput(bad)])),
        )
    for text in (
        "datasets.name = 'd'",
        "dataset.digest LIKE 'def%'",
        "datasets.context = 'training'",
        "datasets.name = 'x'",
    ):
        say(f"where {text}", sorted(run.info.run_name for run in client.search_runs([experiment], text)))
    url = f"{BASE}/ajax-api/2.0/mlflow/experiments/search-datasets"
    found = requests.post(url, json={"experiment_ids": [experiment]}).json()
    summaries = found.get("dataset_summaries", [])
    say("search-datasets", sorted([one["name"], one["digest"], one.get("context", "")] for one in summaries))
    _bulk(client, say, run_ids)
    mlflow.set_experiment("fluent inputs")
    with mlflow.start_run(run_name="fluent inputs"):
        frame = pd.DataFrame({"a": [1, 2, 3], "y": [0.5, 1.5, 2.5]})
        mlflow.log_input(
            mlflow.data.from_pandas(frame, name="frame", targets="y"), context="training", tags={"more": "yes"}
        )
        mlflow.log_input(mlflow.data.from_numpy(np.arange(6).reshape(2, 3), name="array"), context="test")
        if hasattr(mlflow, "log_inputs"):
            mlflow.log_inputs([mlflow.data.from_pandas(frame, name="again")], contexts=["eval"], tags_list=[{"x": "y"}])


def _bulk(client: MlflowClient, say: Any, run_ids: list[str]) -> None:
    for number, run_id in enumerate(run_ids):
        for step in range(50):
            client.log_metric(run_id, "loss", 1.0 / (number + step + 1), timestamp=step, step=step)
        client.set_terminated(run_id, end_time=100 + number)
    bulk = f"{BASE}/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    found = requests.get(bulk, params={"run_id": run_ids, "metric_key": "loss"}).json()
    say(
        "bulk",
        [len(found["metrics"]), sorted([one["value"], one["step"], one["timestamp"]] for one in found["metrics"])[:3]],
    )
    interval = f"{BASE}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
    asked = {"run_ids": run_ids, "metric_key": "loss"}
    for more in (
        {"max_results": 10},
        {"start_step": 5, "end_step": 8},
        {"start_step": 10, "end_step": 40, "max_results": 4},
    ):
        found = requests.get(interval, params={**asked, **more}).json()
        say(f"interval {more}", sorted([one["step"], one["value"]] for one in found.get("metrics", [])))
    for wrong in ({"start_step": 5}, {"max_results": 2_501}, {"start_step": 8, "end_step": 5}):
        say(f"interval {wrong}", requests.get(interval, params={**asked, **wrong}).status_code)
    page = requests.get(
        f"{BASE}/api/2.0/mlflow/metrics/get-history", params={**asked, "run_id": run_ids[0], "max_results": 20}
    )
    token = page.json().get("next_page_token")
    again = {**asked, "run_id": run_ids[0], "max_results": 40, "page_token": token}
    rest = requests.get(f"{BASE}/api/2.0/mlflow/metrics/get-history", params=again).json()
    say("pages", [len(page.json()["metrics"]), len(rest["metrics"]), bool(rest.get("next_page_token"))])
