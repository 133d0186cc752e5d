"""Files of runs by MLflow's routes, and what must not be reached by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from lineal.record.records import ArtifactLogged
from lineal.server.hosted import HostedSource
from tests.server.compat.asking import API, FILES, Mlflow, asking
from tests.server.conftest import sqlite_place
from tests.server.test_lineage import post


@pytest.fixture
def run(mlflow: Mlflow) -> str:
    run = mlflow.run()
    for path, content in (
        ("a.txt", b"hello"),
        ("d/MLmodel", b"flavors: {}"),
        ("d/e/ü ß.bin", b"\0\1"),
        ("d/page.html", b"<p>"),
    ):
        put(mlflow, run, path, content)
    return run


def put(mlflow: Mlflow, run: str, path: str, content: bytes, experiment: str = "0") -> None:
    answer = mlflow.client.put(f"{FILES}/{experiment}/{run}/artifacts/{quote(path)}", content=content)
    assert answer.status_code == 200, answer.text


def listed(mlflow: Mlflow, run: str, path: str | None = None) -> list[tuple[str, bool, int | None]]:
    found = mlflow.get("artifacts/list", run_id=run, **({} if path is None else {"path": path}))
    assert found["root_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"
    return [(one["path"], one["is_dir"], one.get("file_size")) for one in found.get("files", [])]


def test_files_are_kept_listed_and_handed_out(mlflow: Mlflow, run: str) -> None:
    assert listed(mlflow, run) == [("a.txt", False, 5), ("d", True, None)]
    assert listed(mlflow, run, "d") == [("d/MLmodel", False, 11), ("d/e", True, None), ("d/page.html", False, 3)]
    assert listed(mlflow, run, "d/e") == [("d/e/ü ß.bin", False, 2)]
    assert listed(mlflow, run, "a.txt") == listed(mlflow, run, "none") == []
    root = f"0/{run}/artifacts"
    proxied = mlflow.client.get(FILES, params={"path": f"{root}/d"}).json()["files"]
    assert [one["path"] for one in proxied] == ["MLmodel", "e", "page.html"]
    for path, content, kind in (
        ("a.txt", b"hello", "text/plain"),
        ("d/MLmodel", b"flavors: {}", "text/plain"),
        ("d/e/ü ß.bin", b"\0\1", "application/octet-stream"),
        ("d/page.html", b"<p>", "text/html"),
    ):
        for answer in (
            mlflow.client.get(f"{FILES}/{root}/{quote(path)}"),
            mlflow.client.get("/get-artifact", params={"run_uuid": run, "path": path}),
        ):
            assert answer.status_code == 200 and answer.content == content
            assert answer.headers["content-type"].partition(";")[0] == kind
            name = path.rpartition("/")[2]
            shown = f"filename={name}" if name.isascii() else f"filename*=UTF-8''{quote(name, safe='')}"
            assert answer.headers["content-disposition"] == f"attachment; {shown}"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
    answer = mlflow.client.get(f"{FILES}/{root}/a.txt", headers={"range": "bytes=1-2"})
    assert (answer.status_code, answer.content) == (206, b"el")


def test_what_lineal_keeps_for_itself_is_not_among_them(mlflow: Mlflow, run: str) -> None:
    before = listed(mlflow, run)
    with httpx.Client(base_url=f"{mlflow.client.base_url}/api/v1") as client:
        post(client, run, "c" * 15, [ArtifactLogged(".lineal/x", 1, "a" * 64)])
    assert listed(mlflow, run) == before and listed(mlflow, run, ".lineal") == []
    assert ".lineal/x" in mlflow.client.get(f"/api/v1/experiments/runs/{run}/artifacts").text
    answer = mlflow.client.put(f"{FILES}/0/{run}/artifacts/.lineal/y", content=b"y")
    assert answer.status_code == 400 and "Lineal keeps" in answer.text
    address = f"/api/v1/experiments/runs/{run}/log-artifact"
    answer = mlflow.client.post(address, files={"file": ("y", b"y")}, data={"artifact_path": ".lineal"})
    assert answer.status_code == 400 and answer.json()["field"] == "artifact_path"


def test_the_same_file_again_is_one_version_and_another_is_the_next(mlflow: Mlflow, run: str) -> None:
    put(mlflow, run, "a.txt", b"hello")
    put(mlflow, run, "a.txt", b"other")
    found = mlflow.client.get(f"/api/v1/experiments/runs/{run}/artifacts").json()["artifacts"]
    assert [one["version"] for one in found if one["path"] == "a.txt"] == [1, 2]
    assert mlflow.client.get(f"{FILES}/0/{run}/artifacts/a.txt").content == b"other"


def test_files_are_removed(mlflow: Mlflow, run: str) -> None:
    for _ in range(2):
        answer = mlflow.client.request("DELETE", f"{FILES}/0/{run}/artifacts/d")
        assert (answer.status_code, answer.json()) == (200, {})
    assert listed(mlflow, run) == [("a.txt", False, 5)]
    answer = mlflow.client.get(f"{FILES}/0/{run}/artifacts/d/MLmodel")
    assert answer.status_code == 404 and answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    put(mlflow, run, "d/MLmodel", b"again")
    assert listed(mlflow, run, "d") == [("d/MLmodel", False, 5)]


def test_a_page_of_mlflow_uploads_a_file(mlflow: Mlflow) -> None:
    run = mlflow.run()
    path = "/ajax-api/2.0/mlflow/upload-artifact"
    answer = mlflow.client.post(path, params={"run_uuid": run, "path": "x/y.txt"}, content=b"hi")
    assert answer.status_code == 200, answer.text
    assert listed(mlflow, run, "x") == [("x/y.txt", False, 2)]
    for params, content, fragment in (
        ({"path": "x"}, b"x", "Request must specify run_uuid"),
        ({"run_uuid": run}, b"x", "Request must specify path"),
        ({"run_uuid": run, "path": "x"}, b"", "Request must specify data"),
        ({"run_uuid": run, "path": "../x"}, b"x", "Invalid path"),
    ):
        answer = mlflow.client.post(path, params=params, content=content)
        assert answer.status_code == 400 and fragment in answer.json()["message"]
    answer = mlflow.client.post(path, params={"run_uuid": run, "path": "x"}, content=b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413 and answer.json()["error_code"] == "BAD_REQUEST"


# -- what must not be reached --------------------------------------------------------------------

EVIL = (
    "../../secret",
    "..%2f..%2fsecret",
    "%2e%2e/%2e%2e/secret",
    "%252e%252e/secret",
    "a/../../secret",
    "..\\secret",
    "/etc/passwd",
    "//etc/passwd",
    "C:/windows",
    "file:///etc/passwd",
    "a/b#c",
    "a\0b",
)


@pytest.mark.parametrize("path", EVIL)
def test_a_path_that_leaves_the_run_is_refused(one_mlflow: Mlflow, path: str) -> None:
    run = one_mlflow.run()
    put(one_mlflow, run, "a.txt", b"hello")
    client = one_mlflow.client
    whole = f"0/{run}/artifacts/{path}"
    answers = [
        client.get(f"{API}/artifacts/list", params={"run_id": run, "path": path}),
        client.get("/get-artifact", params={"run_id": run, "path": path}),
        client.get(FILES, params={"path": path}),
        client.post("/ajax-api/2.0/mlflow/upload-artifact", params={"run_uuid": run, "path": path}, content=b"x"),
    ]
    if not path.startswith("/"):
        quoted = quote(whole, safe="")
        answers += [client.request(method, f"{FILES}/{quoted}") for method in ("GET", "PUT", "DELETE")]
    for answer in answers:
        assert answer.status_code in (400, 404), (answer.request.method, answer.request.url, answer.text)
        assert "root:" not in answer.text
    assert listed(one_mlflow, run) == [("a.txt", False, 5)]


@pytest.mark.parametrize(
    "location",
    [
        "s3://bucket/a#b",
        "s3://bucket/a;b",
        "http://host/?a=../b",
        "mlflow-artifacts:/../../x",
        "file:///tmp/%2e%2e/x",
        "runs:/abc/x",
        "x" * 2_049,
    ],
)
def test_an_evil_place_for_artifacts_is_refused(one_mlflow: Mlflow, location: str) -> None:
    one_mlflow.refused(
        "POST", "experiments/create", "INVALID_PARAMETER_VALUE", json={"name": "x", "artifact_location": location}
    )


def test_a_place_for_artifacts_is_never_opened_here(one_mlflow: Mlflow, tmp_path: Path) -> None:
    """A file that the server could read is none of a run's, wherever its experiment says that it keeps them."""
    folder = tmp_path / "secret"
    number = one_mlflow.experiment("x", artifact_location=folder.as_uri())
    run = one_mlflow.run(number)
    place = folder / run / "artifacts"
    place.mkdir(parents=True)
    (place / "key.txt").write_text("secret")
    found = one_mlflow.get("artifacts/list", run_id=run)
    assert found == {"root_uri": f"{folder.as_uri()}/{run}/artifacts"}
    answer = one_mlflow.client.get("/get-artifact", params={"run_id": run, "path": "key.txt"})
    assert answer.status_code == 404 and "secret" not in answer.text
    answer = one_mlflow.client.get(f"{FILES}/{number}/{run}/artifacts/key.txt")
    assert answer.status_code == 404


def test_a_server_may_leave_files_to_clients(tmp_path: Path) -> None:
    """What was said of an experiment's place stays, whatever the server is told later."""
    place: Any = sqlite_place(tmp_path / "srv")
    with HostedSource(place.url, tmp_path / "srv" / "blobs") as source:
        with asking(source, artifact_root=(tmp_path / "root").as_uri()) as mlflow:
            number, own = mlflow.experiment("x"), mlflow.experiment("y", artifact_location="s3://b/y")
            run = mlflow.run(number)
            folder = tmp_path / "root" / number / run / "artifacts"
            folder.mkdir(parents=True)
            (folder / "key.txt").write_text("secret")
            found = mlflow.get("runs/get", run_id=run)["run"]["info"]["artifact_uri"]
            assert found == folder.as_uri()
            answer = mlflow.client.get("/get-artifact", params={"run_id": run, "path": "key.txt"})
            assert answer.status_code == 404 and "secret" not in answer.text
            assert mlflow.get("experiments/get", experiment_id=own)["experiment"]["artifact_location"] == "s3://b/y"
            for default in (mlflow.run(), mlflow.run()):
                found = mlflow.get("runs/get", run_id=default)["run"]["info"]["artifact_uri"]
                assert found == (tmp_path / "root" / "0" / default / "artifacts").as_uri()
        with asking(source) as mlflow:
            assert mlflow.get("runs/get", run_id=run)["run"]["info"]["artifact_uri"] == folder.as_uri()
            other = mlflow.get("experiments/get", experiment_id=mlflow.experiment("z"))["experiment"]
            assert other["artifact_location"] == f"mlflow-artifacts:/{other['experiment_id']}"


def test_a_path_of_a_run_or_a_model_that_is_not_there_is_refused(one_mlflow: Mlflow) -> None:
    client = one_mlflow.client
    for path in ("0/none/artifacts/a.txt", f"0/models/m-{'a' * 32}/artifacts/x", "a/b/c/artifacts", "0/none/artifacts"):
        answer = client.put(f"{FILES}/{path}", content=b"x")
        assert answer.status_code == 400 and "No run or model is there" in answer.json()["message"]
        assert client.get(f"{FILES}/{path}").status_code == 404
        assert client.delete(f"{FILES}/{path}").status_code == 404
    assert client.get(FILES).json() == {}
    run = one_mlflow.run()
    one_mlflow.post("runs/delete", run_id=run)
    answer = client.put(f"{FILES}/0/{run}/artifacts/a.txt", content=b"x")
    assert answer.status_code == 400 and "'active' state" in answer.json()["message"]


def test_loose_files_are_kept_listed_and_removed(mlflow: Mlflow) -> None:
    client = mlflow.client

    def names(path: str = "") -> list[tuple[str, bool, int | None]]:
        found = client.get(FILES, params={"path": path} if path else {}).json().get("files", [])
        return [(one["path"], one["is_dir"], one.get("file_size")) for one in found]

    run = mlflow.run()
    put(mlflow, run, "own.txt", b"a run's")
    for path in ("a.txt", "dir/b%20c.html", "dir/e/%C3%BC", "artifacts/x", "dir.txt"):
        assert client.put(f"{FILES}/{path}", content=b"first").status_code == 200
        assert client.put(f"{FILES}/{path}", content=b"later").status_code == 200
        answer = client.get(f"{FILES}/{path}")
        assert (answer.status_code, answer.content) == (200, b"later")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert names() == [("a.txt", False, 5), ("artifacts", True, None), ("dir", True, None), ("dir.txt", False, 5)]
    assert names("dir") == [("b c.html", False, 5), ("e", True, None)]
    assert names("none") == names("a.txt") == []
    assert client.get(f"{FILES}/dir").status_code == 404
    for _ in range(2):
        assert client.delete(f"{FILES}/dir").json() == {}
    assert names() == [("a.txt", False, 5), ("artifacts", True, None), ("dir.txt", False, 5)]
    assert client.get(f"{FILES}/dir/e/%C3%BC").status_code == 404
    assert listed(mlflow, run) == [("own.txt", False, 7)]


def test_loose_files_are_not_removed_all_at_once(one_mlflow: Mlflow) -> None:
    client = one_mlflow.client
    assert client.put(f"{FILES}/a.txt", content=b"x").status_code == 200
    for path in (".", "%2E", "%2E/%2E", "%252E", "", "/"):
        answer = client.request("DELETE", f"{FILES}/{path}")
        assert answer.status_code in (400, 404) or path == "%252E", path  # which is a name like others
    assert client.get(f"{FILES}/a.txt").content == b"x"


def test_a_version_registered_from_loose_files_keeps_them(one_mlflow: Mlflow) -> None:
    client = one_mlflow.client
    assert client.put(f"{FILES}/shared/MLmodel", content=b"one").status_code == 200
    one_mlflow.post("registered-models/create", name="m")
    one_mlflow.post("model-versions/create", name="m", source="mlflow-artifacts:/shared")
    [version] = client.get("/api/v1/models/m/versions").json()["versions"]
    found = client.get(f"/api/v1/models/m/versions/{version['version']}").json()
    assert [(file["path"], file["size_bytes"]) for file in found["files"]] == [("shared/MLmodel", 3)]
    params = {"name": "m", "version": "1", "path": "MLmodel"}
    assert client.get("/model-versions/get-artifact", params=params).content == b"one"


def test_another_tenants_files_are_not_reached(source: HostedSource) -> None:
    with asking(source) as mlflow:
        red, blue = Mlflow(mlflow.client, "/t/red"), Mlflow(mlflow.client, "/t/blue")
        run = red.run()
        answer = red.client.put(f"/t/red{FILES}/0/{run}/artifacts/a.txt", content=b"x")
        assert answer.status_code == 200
        for path in (f"{FILES}/0/{run}/artifacts/a.txt", f"/get-artifact?run_id={run}&path=a.txt"):
            assert blue.client.get(f"/t/red{path}").status_code == 200
            assert blue.client.get(f"/t/blue{path}").status_code == 404
        assert blue.client.put(f"/t/blue{FILES}/0/{run}/artifacts/b.txt", content=b"x").status_code == 400
        assert red.client.put(f"/t/red{FILES}/loose.txt", content=b"x").status_code == 200
        assert blue.client.get(f"/t/blue{FILES}/loose.txt").status_code == 404
        assert blue.client.delete(f"/t/blue{FILES}/loose.txt").status_code in (200, 404)
        assert blue.client.get(f"/t/blue{FILES}").json() == {}
        assert red.client.get(f"/t/red{FILES}/loose.txt").content == b"x"


def test_multipart_uploads_are_not_served(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    for method, path in (("POST", "mpu/create"), ("POST", "mpu/complete"), ("POST", "mpu/abort"), ("GET", "presigned")):
        answer = one_mlflow.client.request(method, f"/api/2.0/mlflow-artifacts/{path}/0/{run}/artifacts/../x")
        assert answer.status_code in (404, 501), answer.text
    answer = one_mlflow.client.post(f"/api/2.0/mlflow-artifacts/mpu/create/0/{run}/artifacts/x", json={"num_parts": 2})
    assert answer.status_code == 501 and answer.json()["error_code"] == "NOT_IMPLEMENTED"
