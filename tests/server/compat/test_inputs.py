"""Datasets and logged models that runs used, as clients of MLflow say and read them."""

from __future__ import annotations

from typing import Any

import pytest

from lineal.server.hosted import HostedSource
from tests.server.compat.asking import Mlflow, asking

TRAIN = {
    "name": "train",
    "digest": "d1",
    "source_type": "local",
    "source": "data.csv",
    "schema": '{"mlflow_colspec":[]}',
    "profile": '{"num_rows":3}',
}


def used(dataset: dict[str, Any], context: str | None = None, **tags: str) -> dict[str, Any]:
    named = {**({"mlflow.data.context": context} if context else {}), **tags}
    return {"dataset": dataset, "tags": [{"key": key, "value": value} for key, value in named.items()]}


def run_of(mlflow: Mlflow, run: str) -> Any:
    return mlflow.get("runs/get", run_id=run)["run"]


def test_what_a_run_used_comes_back_as_it_was_said(mlflow: Mlflow) -> None:
    run = mlflow.run()
    assert run_of(mlflow, run)["inputs"] == {} and run_of(mlflow, run)["outputs"] == {}
    mlflow.post("runs/log-inputs", run_id=run, datasets=[used(TRAIN, "training", k="v")], models=[{"model_id": "m-0"}])
    mlflow.post("runs/outputs", run_id=run, models=[{"model_id": "m-1", "step": 3}, {"model_id": "m-2"}])
    found = run_of(mlflow, run)
    [dataset] = found["inputs"]["dataset_inputs"]
    assert dataset["dataset"] == TRAIN
    assert sorted((tag["key"], tag["value"]) for tag in dataset["tags"]) == [
        ("k", "v"),
        ("mlflow.data.context", "training"),
    ]
    assert found["inputs"]["model_inputs"] == [{"model_id": "m-0"}]
    assert found["outputs"] == {"model_outputs": [{"model_id": "m-1", "step": 3}, {"model_id": "m-2", "step": 0}]}
    [searched] = mlflow.post("runs/search", experiment_ids=["0"])["runs"]
    assert (searched["inputs"], searched["outputs"]) == (found["inputs"], found["outputs"])


def test_the_same_request_twice_and_other_words_on_a_dataset_change_nothing(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for _ in range(2):
        mlflow.post("runs/log-inputs", run_id=run, datasets=[used(TRAIN, "training"), used(TRAIN, "twice")])
        mlflow.post("runs/outputs", run_id=run, models=[{"model_id": "m-1", "step": 3}])
    before = run_of(mlflow, run)
    assert len(before["inputs"]["dataset_inputs"]) == len(before["outputs"]["model_outputs"]) == 1
    mlflow.post("runs/log-inputs", run_id=run, datasets=[used({**TRAIN, "source": "x", "profile": None}, "testing")])
    assert run_of(mlflow, run) == before
    mlflow.post("runs/log-inputs", run_id=run, datasets=[used({**TRAIN, "digest": "d2"})])
    digests = [one["dataset"]["digest"] for one in run_of(mlflow, run)["inputs"]["dataset_inputs"]]
    assert digests == ["d1", "d2"]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("datasets.name = 'train'", "ab"),
        ("dataset.digest = 'd1'", "a"),
        ("dataset.context = 'training'", "ab"),
        ("datasets.context ILIKE 'TEST%'", "b"),
        ("datasets.name = 'train' AND datasets.digest = 'd3'", "b"),
        ("datasets.name IN ('other', 'none')", "bc"),
        ("datasets.name != 'train'", "bc"),
        ("datasets.digest LIKE 'd%' AND params.p = '1'", "b"),
    ],
)
def test_runs_are_found_by_any_of_their_datasets(mlflow: Mlflow, filter: str, expected: str) -> None:
    runs = {name: mlflow.run(run_name=name) for name in "abcd"}
    mlflow.post("runs/log-parameter", run_id=runs["b"], key="p", value="1")
    other = {**TRAIN, "name": "other", "digest": "d3"}
    mlflow.post("runs/log-inputs", run_id=runs["a"], datasets=[used(TRAIN, "training")])
    mlflow.post(
        "runs/log-inputs",
        run_id=runs["b"],
        datasets=[used({**TRAIN, "digest": "d2"}, "training"), used(other, "testing")],
    )
    mlflow.post("runs/log-inputs", run_id=runs["c"], datasets=[used(other)])
    assert sorted(mlflow.found("0", filter=filter)) == sorted(runs[name] for name in expected)


def test_datasets_of_experiments_are_summed_up(mlflow: Mlflow) -> None:
    number = mlflow.experiment("digits")
    for experiment, context in (("0", "training"), (number, "training"), (number, "testing"), (number, "testing")):
        mlflow.post("runs/log-inputs", run_id=mlflow.run(experiment), datasets=[used(TRAIN, context)])
    mlflow.post("runs/log-inputs", run_id=mlflow.run("0"), datasets=[used({**TRAIN, "name": "bare"})])
    found = mlflow.post("experiments/search-datasets", experiment_ids=[number])["dataset_summaries"]
    assert found == [
        {"experiment_id": number, "name": "train", "digest": "d1", "context": context}
        for context in ("testing", "training")
    ]
    both = mlflow.post("experiments/search-datasets", experiment_ids=["0", number])["dataset_summaries"]
    assert len(both) == 4 and {"experiment_id": "0", "name": "bare", "digest": "d1"} in both
    assert mlflow.post("experiments/search-datasets", experiment_ids=["77"]) == {}
    for wrong in ([], ["0"] * 21):
        message = "at least one" if not wrong else "more than 20"
        body = {"experiment_ids": wrong}
        mlflow.refused("POST", "experiments/search-datasets", "INVALID_PARAMETER_VALUE", message, json=body)


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"datasets": "train"}, "Invalid value \"train\" for parameter 'datasets'"),
        ({"datasets": [{}]}, "Missing value for required parameter 'datasets[0].dataset'"),
        ({"datasets": [used({**TRAIN, "name": ""})]}, "'datasets[0].dataset.name'"),
        ({"datasets": [used({**TRAIN, "digest": "d" * 37})]}, "'digest' exceeds the maximum length of 36"),
        ({"datasets": [used({**TRAIN, "name": "n" * 501})]}, "'name' exceeds the maximum length of 500"),
        ({"datasets": [used({**TRAIN, "source": "s" * 65_536})]}, "'source' exceeds"),
        ({"datasets": [used({**TRAIN, "schema": "s" * 1_048_576})]}, "'schema' exceeds"),
        ({"datasets": [used(TRAIN, k="v" * 501)]}, "'value' exceeds the maximum length of 500"),
        ({"datasets": [used(TRAIN, **{"k" * 256: "v"})]}, "'key' exceeds the maximum length of 255"),
        ({"datasets": [used(TRAIN)] * 10_001}, "at most 10000 datasets"),
        ({"models": [{}]}, "'models[0].model_id'"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(one_mlflow: Mlflow, body: Any, fragment: str) -> None:
    run = one_mlflow.run()
    one_mlflow.refused("POST", "runs/log-inputs", "INVALID_PARAMETER_VALUE", fragment, json={"run_id": run, **body})
    assert run_of(one_mlflow, run)["inputs"] == {}


def test_a_profile_of_many_megabytes_is_kept(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    profile = "é" * 8_000_000
    one_mlflow.post("runs/log-inputs", run_id=run, datasets=[used({**TRAIN, "profile": profile})])
    assert run_of(one_mlflow, run)["inputs"]["dataset_inputs"][0]["dataset"]["profile"] == profile


def test_runs_that_are_not_there_or_deleted_take_nothing(mlflow: Mlflow) -> None:
    for path, more in (
        ("runs/log-inputs", {"datasets": [used(TRAIN)]}),
        ("runs/outputs", {"models": [{"model_id": "m"}]}),
    ):
        mlflow.refused("POST", path, "RESOURCE_DOES_NOT_EXIST", "not found", json={"run_id": "none", **more})
        run = mlflow.run()
        mlflow.post("runs/delete", run_id=run)
        body = {"run_id": run, **more}
        mlflow.refused("POST", path, "INVALID_PARAMETER_VALUE", "must be in the 'active' state", json=body)
        mlflow.refused("POST", path, "INVALID_PARAMETER_VALUE", "'run_id'", json=more)


def test_tenants_do_not_see_each_others(source: HostedSource) -> None:
    with asking(source) as one:
        acme, zeta = Mlflow(one.client, "/t/acme"), Mlflow(one.client, "/t/zeta")
        acme.post("runs/log-inputs", run_id=acme.run(), datasets=[used(TRAIN)])
        zeta.run()
        assert zeta.post("experiments/search-datasets", experiment_ids=["0"]) == {}
        assert zeta.found("0", filter="datasets.name = 'train'") == []
