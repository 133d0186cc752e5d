"""What stock servers have been broken by, tried on the dialect's routes: ids that are paths, the second prefix, parts of uploads, addresses
that a server would call, places that it would open. `watched.py` listens to all of it: nothing foreign is opened, started or called.

(Paths of files and places of artifacts: `test_files.py`; sources of versions: `test_registry.py`; who may ask: `test_access.py`.)"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from lineal.server.hosted import HostedSource
from tests.server.compat.asking import API, FILES, Mlflow, asking

EVIL_IDS = ("../../etc", "..%2f..%2fetc", "/etc", "a/../../b", "file:///etc", "..", ".", "a\0b", "%2e%2e", "~root")
PRIVATE = (
    "http://127.0.0.1:1/x",
    "http://169.254.169.254/latest",
    "http://[::1]:1/",
    "file:///etc/passwd",
    "http://0x7f.1/",
)


@pytest.mark.parametrize("evil", EVIL_IDS)
def test_an_id_is_no_path(one_mlflow: Mlflow, evil: str) -> None:
    client = one_mlflow.client
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", f"{API}/artifacts/list", {"params": {"run_id": evil}}),
        ("GET", "/get-artifact", {"params": {"run_id": evil, "path": "passwd"}}),
        ("GET", f"{API}/runs/get", {"params": {"run_id": evil}}),
        ("GET", f"{API}/metrics/get-history", {"params": {"run_id": evil, "metric_key": "x"}}),
        ("GET", f"{API}/experiments/get", {"params": {"experiment_id": evil}}),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact", {"params": {"run_uuid": evil, "path": "x"}, "content": b"x"}),
        ("POST", f"{API}/runs/create", {"json": {"experiment_id": evil}}),
        ("POST", f"{API}/runs/log-batch", {"json": {"run_id": evil, "metrics": []}}),
        ("POST", f"{API}/runs/delete", {"json": {"run_id": evil}}),
        ("GET", f"{API}/logged-models/{quote(evil, safe='')}", {}),
        ("GET", f"{API}/logged-models/{quote(evil, safe='')}/artifacts/directories", {}),
        ("POST", f"{API}/registered-models/create", {"json": {"name": evil}}),
        ("GET", "/model-versions/get-artifact", {"params": {"name": evil, "version": "1", "path": "x"}}),
        ("GET", "/model-versions/get-artifact", {"params": {"name": "x", "version": evil, "path": "x"}}),
    )
    for method, path, more in asked:
        answer = client.request(method, path, **more)
        is_name = path.endswith("registered-models/create") and answer.status_code == 200  # a name may look like much
        assert answer.status_code in (400, 404) or is_name or answer.content == b"{}", (method, path, answer.text)
        assert "root:" not in answer.text and "Traceback" not in answer.text
    assert one_mlflow.found("0") == [] and client.get(FILES).json() == {}


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize(
    "path", ["../../secret", "%2e%2e/%2e%2e/secret", "..%5csecret", "/etc/passwd", "file:%2f%2f/etc/passwd"]
)
def test_uploads_in_parts_open_nothing(one_mlflow: Mlflow, prefix: str, path: str) -> None:
    client, run = one_mlflow.client, one_mlflow.run()
    bodies: tuple[dict[str, Any], ...] = (
        {"path": path, "num_parts": 2},
        {"path": path, "num_parts": 10**9},
        {"path": path, "upload_id": "../../x", "parts": [{"part_number": 1, "etag": "x", "url": PRIVATE[0]}]},
    )
    for action in ("create", "complete", "abort", "../create", ""):
        for place in (f"0/{run}/artifacts/{path}", path):
            for body in bodies:
                address = f"{prefix}/2.0/mlflow-artifacts/mpu/{action}/{quote(place, safe='')}"
                answer = client.post(address, json=body)
                assert answer.status_code in (400, 404, 405, 501), (address, answer.text)
    for place in (f"0/{run}/artifacts/{path}", path):
        answer = client.get(f"{prefix}/2.0/mlflow-artifacts/presigned/{quote(place, safe='')}")
        assert answer.status_code in (400, 404, 501)
    assert client.get(FILES).json() == {} and "files" not in one_mlflow.get("artifacts/list", run_id=run)


@pytest.mark.parametrize("address", PRIVATE)
def test_nobody_is_called_and_no_place_is_opened(one_mlflow: Mlflow, address: str) -> None:
    """What a client names stays a text: the gateway and its like are not there, and webhooks do not lead here
    (`tests/server/webhooks`)."""
    client, run = one_mlflow.client, one_mlflow.run()
    hook = {"name": "hook", "url": address, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
    for method, path, more in (
        ("POST", f"{API}/webhooks/1/test", {"json": hook}),
        ("GET", "/ajax-api/2.0/mlflow/gateway-proxy", {"params": {"gateway_path": address}}),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy", {"json": {"gateway_path": address}}),
        ("POST", "/graphql", {"json": {"query": "{ __schema { types { name } } }"}}),
        ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", {"json": {"model_route": address}}),
    ):
        answer = client.request(method, path, **more)
        assert answer.status_code == 404, (path, answer.text)
    one_mlflow.refused("POST", "webhooks", "INVALID_PARAMETER_VALUE", "webhook URL", json=hook)
    one_mlflow.refused(
        "POST", "webhooks", "INVALID_PARAMETER_VALUE", json={**hook, "url": address.replace("http:", "https:")}
    )
    assert one_mlflow.get("webhooks") == {}
    dataset = {"name": "d", "digest": "1", "source_type": "http", "source": json.dumps({"uri": address})}
    one_mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}])
    model = {"artifact_path": address, "flavors": {"python_function": {"loader_module": "os"}}, "run_id": run}
    one_mlflow.post("runs/log-model", run_id=run, model_json=json.dumps({**model, "utc_time_created": "now"}))
    one_mlflow.post("runs/set-tag", run_id=run, key="mlflow.source.name", value=address)
    found = one_mlflow.get("runs/get", run_id=run)["run"]
    assert found["inputs"]["dataset_inputs"][0]["dataset"]["source"] == dataset["source"]


def test_versions_do_not_reach_another_tenants_files(source: HostedSource) -> None:
    with asking(source) as mlflow:
        red, blue = Mlflow(mlflow.client, "/t/red"), Mlflow(mlflow.client, "/t/blue")
        run = red.run()
        for path in (f"0/{run}/artifacts/secret.txt", "secret.txt"):
            assert red.client.put(f"/t/red{FILES}/{path}", content=b"secret").status_code == 200
        red.post("registered-models/create", name="m")
        red.post("model-versions/create", name="m", source=f"runs:/{run}/", run_id=run)
        blue.post("registered-models/create", name="m")
        for place in (
            f"runs:/{run}/",
            f"mlflow-artifacts:/0/{run}/artifacts",
            "mlflow-artifacts:/",
            f"mlflow-artifacts:/../red/0/{run}",
        ):
            answer = blue.client.post(f"/t/blue{API}/model-versions/create", json={"name": "m", "source": place})
            if answer.status_code != 200:
                assert answer.status_code in (400, 404)
                continue
            number = answer.json()["model_version"]["version"]
            params = {"name": "m", "version": number, "path": "secret.txt"}
            answer = blue.client.get("/t/blue/model-versions/get-artifact", params=params)
            assert answer.status_code == 404 and "secret" not in answer.text.replace("secret.txt", "")
            found = blue.client.get(f"/t/blue/api/v1/models/m/versions/{number}").json()
            assert found["files"] == []
        blue.refused(
            "POST", "model-versions/create", "RESOURCE_DOES_NOT_EXIST", json={"name": "m", "source": "models:/other/1"}
        )
