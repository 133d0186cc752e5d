"""Logged models, as clients of MLflow make, change, search and read them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lineal.server.hosted import HostedSource
from tests.server.compat.asking import API, FILES, Mlflow, asking, pairs


def make(mlflow: Mlflow, experiment: str = "0", **more: Any) -> str:
    made: str = mlflow.post("logged-models", experiment_id=experiment, **more)["model"]["info"]["model_id"]
    return made


def change(mlflow: Mlflow, method: str, path: str, body: Any = None) -> Any:
    answer = mlflow.client.request(method, f"{mlflow.prefix}{API}/{path}", json={} if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tags(**named: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in named.items()]


def found(mlflow: Mlflow, *experiments: str, **more: Any) -> list[str]:
    """Names."""
    models = mlflow.post("logged-models/search", experiment_ids=experiments or ["0"], **more).get("models", [])
    return [model["info"]["name"] for model in models]


def measure(mlflow: Mlflow, run: str, model: str, value: float, step: int = 0, **dataset: str) -> None:
    body = {"run_id": run, "key": "acc", "value": value, "step": step, "timestamp": 1_000 + step}
    mlflow.post("runs/log-metric", **body, model_id=model, **dataset)


def test_a_model_is_made_finished_and_read(mlflow: Mlflow) -> None:
    number = mlflow.experiment("digits")
    run = mlflow.run(number)
    made = mlflow.post(
        "logged-models",
        experiment_id=number,
        name="mlp",
        model_type="torch",
        source_run_id=run,
        params=tags(lr="0.1"),
        tags=tags(team="red"),
    )["model"]
    info = made["info"]
    assert re.fullmatch("m-[0-9a-f]{32}", info["model_id"])
    assert (info["experiment_id"], info["name"], info["model_type"]) == (number, "mlp", "torch")
    assert (info["source_run_id"], info["status"]) == (run, "LOGGED_MODEL_PENDING")
    assert info["artifact_uri"] == f"mlflow-artifacts:/{number}/models/{info['model_id']}/artifacts"
    assert (info["creation_timestamp_ms"], pairs(info["tags"])) == (info["last_updated_timestamp_ms"], {"team": "red"})
    assert pairs(made["data"]["params"]) == {"lr": "0.1"} and "metrics" not in made["data"]
    path = f"logged-models/{info['model_id']}"
    ready = change(mlflow, "PATCH", path, {"model_id": info["model_id"], "status": "LOGGED_MODEL_READY"})["model"]
    assert ready["info"]["status"] == "LOGGED_MODEL_READY"
    assert change(mlflow, "PATCH", path, {"status": 3})["model"]["info"]["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    change(mlflow, "PATCH", f"{path}/tags", {"tags": tags(team="blue", k="v")})
    change(mlflow, "DELETE", f"{path}/tags/k")
    for _ in range(2):
        change(mlflow, "POST", f"{path}/params", {"params": tags(lr="0.1", depth="3")})
    body = {"params": tags(depth="4", late="5")}
    mlflow.refused("POST", f"{path}/params", "BAD_REQUEST", "Changing param values is not allowed", json=body)
    read = mlflow.get(path)["model"]
    assert pairs(read["info"]["tags"]) == {"team": "blue"}
    assert pairs(read["data"]["params"]) == {"lr": "0.1", "depth": "3"}
    assert read["info"]["last_updated_timestamp_ms"] >= info["creation_timestamp_ms"]


def test_a_deleted_model_is_shown_only_when_asked_for(mlflow: Mlflow) -> None:
    model = make(mlflow, name="gone")
    assert found(mlflow) == ["gone"]
    for _ in range(2):
        change(mlflow, "DELETE", f"logged-models/{model}", {"model_id": model})
    mlflow.refused(
        "GET", f"logged-models/{model}", "RESOURCE_DOES_NOT_EXIST", f"Logged model with ID '{model}' not found."
    )
    assert mlflow.get(f"logged-models/{model}", allow_deleted="true")["model"]["info"]["name"] == "gone"
    assert found(mlflow) == []


def test_metrics_of_a_model_are_those_that_any_run_logged_of_it(mlflow: Mlflow) -> None:
    run, other = mlflow.run(), mlflow.run()
    model = make(mlflow, source_run_id=run)
    measure(mlflow, run, model, 0.5)
    measure(mlflow, run, model, 0.7, 1)
    measure(mlflow, other, model, 0.9, dataset_name="val", dataset_digest="d1")
    mlflow.post(
        "runs/log-batch",
        run_id=other,
        metrics=[{"key": "loss", "value": "NaN", "timestamp": 5, "model_id": model, "dataset_name": "val"}],
    )
    metrics = mlflow.get(f"logged-models/{model}")["model"]["data"]["metrics"]
    common = {"model_id": model}
    assert metrics == [
        {"key": "acc", "value": 0.7, "timestamp": 1_001, "step": 1, "run_id": run, **common},
        {
            "key": "acc",
            "value": 0.9,
            "timestamp": 1_000,
            "step": 0,
            "dataset_name": "val",
            "dataset_digest": "d1",
            "run_id": other,
            **common,
        },
        {"key": "loss", "value": "NaN", "timestamp": 5, "step": 0, "dataset_name": "val", "run_id": other, **common},
    ]
    data = mlflow.get("runs/get", run_id=other)["run"]["data"]["metrics"]
    assert {one["key"]: one["value"] for one in data} == {"acc": 0.9, "loss": "NaN"}
    assert mlflow.found("0", filter="metrics.acc > 0.8") == [other]


@pytest.fixture
def searched(mlflow: Mlflow) -> Mlflow:
    """a, b and c in experiment 0, with metrics; d elsewhere, ready."""
    run = mlflow.run()
    made = {name: make(mlflow, name=name, source_run_id=run, params=tags(n=name), model_type="x") for name in "abc"}
    measure(mlflow, run, made["a"], 0.1)
    measure(mlflow, run, made["a"], 0.9, 1)
    measure(mlflow, run, made["a"], 0.2, dataset_name="val", dataset_digest="d0")
    measure(mlflow, run, made["b"], 0.5, dataset_name="val", dataset_digest="d1")
    measure(mlflow, run, made["c"], 0.7, dataset_name="val", dataset_digest="d2")
    mlflow.experiment("other")
    change(mlflow, "PATCH", f"logged-models/{made['c']}", {"status": "LOGGED_MODEL_READY"})
    change(mlflow, "PATCH", f"logged-models/{made['b']}/tags", {"tags": tags(team="red")})
    return mlflow


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("", "abc"),
        ("name = 'a'", "a"),
        ("name != 'a' AND params.n IN ('b', 'a')", "b"),
        ("attributes.name LIKE '%b'", "b"),
        ("name in ('a', \"c\")", "ac"),
        ("tags.team = 'red'", "b"),
        ("tags.`team` ILIKE 'RED' and model_type = 'x'", "b"),
        ("metrics.acc > 0.6", "ac"),
        ("metrics.acc < 0.4", ""),
        ("metrics.acc = 0.5 AND metrics.acc >= 0.5", "b"),
        ("status = 'READY'", "c"),
        ("status != 'READY'", "ab"),
        ("status IN ('READY', 'FAILED')", "c"),
        ("creation_time > 1000 AND creation_timestamp < 99999999999999", "abc"),
        ("last_updated_timestamp_ms < 1000", ""),
        ("source_run_id = 'none'", ""),
    ],
)
def test_models_are_found(searched: Mlflow, filter: str, expected: str) -> None:
    assert sorted(found(searched, filter=filter)) == sorted(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([{"field_name": "name", "ascending": False}], "cba"),
        ([{"field_name": "metrics.acc", "ascending": False}], "acb"),
        ([{"field_name": "metrics.acc", "ascending": True}], "bca"),
        ([{"field_name": "metrics.acc", "ascending": True, "dataset_name": "val", "dataset_digest": "d2"}], "c??"),
        ([{"field_name": "metrics.acc", "ascending": True, "dataset_name": "val"}], "abc"),
        ([{"field_name": "creation_time", "ascending": True}, {"field_name": "name"}], "???"),
    ],
)
def test_models_are_ordered(searched: Mlflow, order: Any, expected: str) -> None:
    names = found(searched, order_by=order)
    assert sorted(names) == ["a", "b", "c"]
    assert all(one in (name, "?") for name, one in zip(names, expected, strict=True)), names


def test_datasets_say_which_metrics_count(searched: Mlflow) -> None:
    assert sorted(found(searched, datasets=[{"dataset_name": "val"}])) == ["a", "b", "c"]
    assert found(searched, datasets=[{"dataset_name": "val"}], filter="metrics.acc < 0.4") == ["a"]
    one = [{"dataset_name": "val", "dataset_digest": "d1"}]
    assert found(searched, datasets=one, filter="metrics.acc > 0.1") == ["b"]
    assert found(searched, datasets=one, filter="metrics.acc > 0.6") == []
    body = {"experiment_ids": ["0"], "datasets": [{"dataset_digest": "d1"}]}
    searched.refused("POST", "logged-models/search", "INVALID_PARAMETER_VALUE", "must be specified", json=body)


def test_pages_lead_through_all_models_and_belong_to_their_question(searched: Mlflow) -> None:
    body = {"experiment_ids": ["0"], "max_results": 2, "order_by": [{"field_name": "name", "ascending": True}]}
    first = searched.post("logged-models/search", **body)
    second = searched.post("logged-models/search", **body, page_token=first["next_page_token"])
    assert [one["info"]["name"] for one in first["models"] + second["models"]] == ["a", "b", "c"]
    assert "next_page_token" not in second
    token = first["next_page_token"]
    for wrong, fragment in (
        ({"page_token": "x"}, "Invalid page token: x"),
        ({"page_token": token[:-3]}, "damaged"),
        ({"page_token": token, "filter": "name = 'a'"}, "Filter string in the page token does not match"),
        ({"page_token": token, "order_by": []}, "Order by in the page token does not match"),
        ({"page_token": token, "experiment_ids": ["0", "77"]}, "Experiment IDs in the page token do not match"),
        ({"page_token": token, "datasets": [{"dataset_name": "val"}]}, "another question"),
    ):
        asked = {**body, **wrong}
        searched.refused("POST", "logged-models/search", "INVALID_PARAMETER_VALUE", fragment, json=asked)
    assert found(searched, "77") == []


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"filter": "name = 'a' OR name = 'b'"}, "Expected a list of comparisons separated by 'AND'"),
        ({"filter": "name = 'a' AND"}, "Expected a list of comparisons"),
        ({"filter": "name"}, "Expected a list of comparisons"),
        ({"filter": "datasets.name = 'x'"}, "Invalid entity type: 'datasets'"),
        ({"filter": "nothing = 'x'"}, "Invalid attribute key 'nothing'"),
        ({"filter": "metrics.acc LIKE 'x'"}, "Invalid comparison operator"),
        ({"filter": "metrics.acc > 'x'"}, "Expected a number"),
        ({"filter": "name > 'x'"}, "Invalid comparison operator"),
        ({"filter": "name IN ()"}, "Invalid list"),
        ({"filter": "name IN (1, 2)"}, "Invalid list"),
        ({"order_by": [{"field_name": "nothing"}]}, "Invalid order by field name: nothing"),
        ({"order_by": [{"field_name": "params.x"}]}, "Only metrics are supported"),
        ({"max_results": -1}, "positive integer"),
        ({"experiment_ids": None}, "Missing value for required parameter 'experiment_ids'"),
    ],
)
def test_what_cannot_be_asked_is_refused(one_mlflow: Mlflow, body: Any, fragment: str) -> None:
    asked = {"experiment_ids": ["0"], **body}
    one_mlflow.refused("POST", "logged-models/search", "INVALID_PARAMETER_VALUE", fragment, json=asked)


@pytest.mark.parametrize(
    ("body", "code", "fragment"),
    [
        ({"name": "x"}, "INVALID_PARAMETER_VALUE", "'experiment_id'"),
        ({"experiment_id": "77"}, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77"),
        ({"experiment_id": "0", "name": "a/b"}, "INVALID_PARAMETER_VALUE", "Invalid model name ('a/b')"),
        ({"experiment_id": "0", "params": [{"value": "1"}]}, "INVALID_PARAMETER_VALUE", "'params[0].key'"),
        ({"experiment_id": "0", "tags": {"k": "v"}}, "INVALID_PARAMETER_VALUE", "'tags'"),
        ({"experiment_id": "0", "source_run_id": "../x"}, "INVALID_PARAMETER_VALUE", "'run_id'"),
    ],
)
def test_what_cannot_be_made_is_refused(one_mlflow: Mlflow, body: Any, code: str, fragment: str) -> None:
    one_mlflow.refused("POST", "logged-models", code, fragment, json=body)
    assert found(one_mlflow) == []


def test_models_that_are_not_there_change_nothing(mlflow: Mlflow) -> None:
    path = "logged-models/m-0"
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"status": "LOGGED_MODEL_READY"}),
        ("DELETE", path, {}),
        ("PATCH", f"{path}/tags", {"tags": tags(k="v")}),
        ("DELETE", f"{path}/tags/k", {}),
        ("POST", f"{path}/params", {"params": tags(k="v")}),
        ("GET", f"{path}/artifacts/directories", None),
    ):
        more = {} if body is None else {"json": body}
        mlflow.refused(method, where, "RESOURCE_DOES_NOT_EXIST", "Logged model with ID 'm-0' not found.", **more)
    model = make(mlflow)
    mlflow.refused("DELETE", f"logged-models/{model}/tags/k", "RESOURCE_DOES_NOT_EXIST", "No tag with key 'k'", json={})
    mlflow.refused("PATCH", f"logged-models/{model}", "INVALID_PARAMETER_VALUE", "status", json={"status": "SO_SO"})
    number = mlflow.experiment("digits")
    mlflow.post("experiments/delete", experiment_id=number)
    body = {"experiment_id": number}
    mlflow.refused("POST", "logged-models", "INVALID_PARAMETER_VALUE", "must be in the 'active' state", json=body)


def test_files_of_a_model_are_its_own_and_not_in_the_runs_list(mlflow: Mlflow) -> None:
    run = mlflow.run()
    model = make(mlflow, source_run_id=run)
    place = f"{FILES}/0/models/{model}/artifacts"
    for path, text in (("MLmodel", b"flavors: {}"), ("data/weights.bin", b"\0\1")):
        assert mlflow.client.put(f"{place}/{path}", content=text).status_code == 200
    mlflow.client.put(f"{FILES}/0/{run}/artifacts/notes.txt", content=b"hi")
    assert mlflow.client.get(f"{place}/MLmodel").content == b"flavors: {}"
    listed = mlflow.client.get(FILES, params={"path": f"0/models/{model}/artifacts"}).json()["files"]
    assert [(one["path"], one["is_dir"]) for one in listed] == [("MLmodel", False), ("data", True)]
    found = mlflow.get(f"logged-models/{model}/artifacts/directories")
    assert found["root_uri"] == f"mlflow-artifacts:/0/models/{model}/artifacts"
    assert [(one["path"], one["is_dir"]) for one in found["files"]] == [("MLmodel", False), ("data", True)]
    inside = mlflow.get(f"logged-models/{model}/artifacts/directories", artifact_directory_path="data")["files"]
    assert inside == [{"path": "data/weights.bin", "is_dir": False, "file_size": 2}]
    page = f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files"
    assert mlflow.client.get(page, params={"artifact_file_path": "data/weights.bin"}).content == b"\0\1"
    mine = mlflow.get("artifacts/list", run_id=run)["files"]
    assert [one["path"] for one in mine] == ["notes.txt"]
    assert mlflow.client.delete(f"{FILES}/0/{run}/artifacts").status_code == 200
    assert "files" not in mlflow.get("artifacts/list", run_id=run)
    assert mlflow.client.get(f"{place}/MLmodel").status_code == 200
    assert mlflow.client.delete(f"{place}/data").status_code == 200
    assert [one["path"] for one in mlflow.get(f"logged-models/{model}/artifacts/directories")["files"]] == ["MLmodel"]


def test_no_path_leads_out_of_a_models_folder(mlflow: Mlflow) -> None:
    run = mlflow.run()
    model, bare = make(mlflow, source_run_id=run), make(mlflow)
    mlflow.client.put(f"{FILES}/0/{run}/artifacts/secret.txt", content=b"of the run")
    page = f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files"
    for path in ("../../secret.txt", "%2e%2e/%2e%2e/secret.txt", "/secret.txt", "x/../../../secret.txt"):
        assert mlflow.client.get(page, params={"artifact_file_path": path}).status_code in (400, 404)
        mlflow.refused(
            "GET",
            f"logged-models/{model}/artifacts/directories",
            "INVALID_PARAMETER_VALUE",
            "Invalid path",
            params={"artifact_directory_path": path},
        )
    answer = mlflow.client.put(f"{FILES}/0/models/{model}/artifacts/%252e%252e/%252e%252e/x", content=b"x")
    assert answer.status_code == 400
    # One without a run keeps its own, and no more than those.
    own = f"{FILES}/0/models/{bare}/artifacts"
    assert mlflow.client.put(f"{own}/MLmodel", content=b"x").status_code == 200
    assert mlflow.client.put(f"{own}/%252e%252e/%252e%252e/x", content=b"x").status_code == 400
    page = page.replace(model, bare)
    for path in ("../../secret.txt", "/secret.txt", "secret.txt"):
        assert mlflow.client.get(page, params={"artifact_file_path": path}).status_code in (400, 404)


def test_a_model_that_no_run_made_keeps_its_own_files(mlflow: Mlflow) -> None:
    model, absent = make(mlflow), make(mlflow, source_run_id="nobody-knows-it")
    for one in (model, absent):
        place = f"{FILES}/0/models/{one}/artifacts"
        for path, text in (("MLmodel", b"old"), ("MLmodel", b"flavors: {}"), ("data/w.bin", b"\0\1"), ("data/v", b"")):
            assert mlflow.client.put(f"{place}/{path}", content=text).status_code == 200
        got = mlflow.client.get(f"{place}/MLmodel")
        assert got.content == b"flavors: {}" and got.headers["content-disposition"].startswith("attachment")
        listed = mlflow.client.get(FILES, params={"path": f"0/models/{one}/artifacts/data"}).json()["files"]
        assert [one["path"] for one in listed] == ["v", "w.bin"]
        whole = mlflow.get(f"logged-models/{one}/artifacts/directories")["files"]
        assert [(entry["path"], entry["is_dir"]) for entry in whole] == [("MLmodel", False), ("data", True)]
        page = f"/ajax-api/2.0/mlflow/logged-models/{one}/artifacts/files"
        assert mlflow.client.get(page, params={"artifact_file_path": "data/w.bin"}).content == b"\0\1"
        assert mlflow.client.delete(f"{place}/data").status_code == 200
        assert [f["path"] for f in mlflow.get(f"logged-models/{one}/artifacts/directories")["files"]] == ["MLmodel"]
        assert mlflow.client.get(f"{place}/data/v").status_code == 404
    assert mlflow.found("0") == []


def test_a_locked_run_makes_no_models_and_tenants_see_their_own(source: HostedSource) -> None:
    with asking(source) as one:
        acme, zeta = Mlflow(one.client, "/t/acme"), Mlflow(one.client, "/t/zeta")
        run = acme.run()
        model = make(acme, name="mine")
        assert found(zeta) == []
        zeta.refused("GET", f"logged-models/{model}", "RESOURCE_DOES_NOT_EXIST")
        zeta.run()
        zeta.refused("DELETE", f"logged-models/{model}", "RESOURCE_DOES_NOT_EXIST", json={})
        acme.post("runs/update", run_id=run, status="FINISHED")
        locked = one.client.post("/t/acme/api/v1/runs/lock", json={"run_ids": [run]})
        assert locked.status_code == 200
        body = {"experiment_id": "0", "source_run_id": run}
        acme.refused("POST", "logged-models", "RESOURCE_CONFLICT", "locked", json=body)
        assert found(acme) == ["mine"]
