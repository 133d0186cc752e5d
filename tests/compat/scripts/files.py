"""Artifacts, by the client, by the fluent functions, and by the addresses that the dashboard asks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mlflow
import requests
from drive import refusal
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts, list_artifacts, load_dict, load_text

BASE = os.environ["MLFLOW_TRACKING_URI"]


def main(say: Any) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("files")
    run_id = client.create_run(experiment, start_time=1, run_name="files").info.run_id
    place = Path("to-log")
    (place / "deep" / "er").mkdir(parents=True)
    (place / "a.txt").write_text("eins\n")
    (place / "deep" / "b.bin").write_bytes(bytes(range(256)) * 300)
    (place / "deep" / "er" / "with space & ünï.txt").write_text("x")
    (place / "empty").touch()
    say("nothing yet", client.list_artifacts(run_id))
    client.log_artifact(run_id, str(place / "a.txt"))
    client.log_artifact(run_id, str(place / "a.txt"), "below/here")
    client.log_artifacts(run_id, str(place), "all")
    client.log_text(run_id, "words", "texts/words.txt")
    client.log_text(run_id, "other words", "texts/words.txt")
    client.log_dict(run_id, {"b": [1, 2.5], "a": None}, "config.json")
    client.log_dict(run_id, {"b": [1, 2.5], "a": None}, "config.yaml")
    for path in (None, "all", "all/deep", "all/deep/er", "texts/words.txt", "nothing"):
        say(f"list {path}", refusal(lambda path=path: client.list_artifacts(run_id, path)))
    say("text", Path(client.download_artifacts(run_id, "texts/words.txt")).read_text())
    tree = Path(client.download_artifacts(run_id, "all"))
    say("tree", sorted(str(path.relative_to(tree)) for path in tree.rglob("*")))
    for bad in ("../x", "/etc/passwd", "a/../../x"):
        say(f"download {bad}", type(refusal(lambda bad=bad: client.download_artifacts(run_id, bad))).__name__)
    _tables_and_images(client, say, run_id)
    _fluent(say)
    _addresses(say, run_id)


def _tables_and_images(client: MlflowClient, say: Any, run_id: str) -> None:
    import pandas as pd

    client.log_table(run_id, data={"q": ["one", "two"], "n": [1, 2]}, artifact_file="tables/t.json")
    client.log_table(run_id, data=pd.DataFrame({"q": ["three"], "n": [3]}), artifact_file="tables/t.json")
    table = client.load_table(
        client.get_run(run_id).info.experiment_id, "tables/t.json", [run_id], extra_columns=["run_id"]
    )
    say("table", [table["q"].tolist(), table["n"].tolist(), len(set(table["run_id"]))])
    import matplotlib
    import numpy
    from PIL import Image

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    client.log_figure(run_id, figure, "figures/line.png")
    mlflow.set_experiment("files")
    with mlflow.start_run(run_id=run_id):
        mlflow.log_figure(figure, "figures/fluent.png")
        mlflow.log_image(Image.new("L", (3, 3)), "images/grey.png")
        mlflow.log_image(Image.new("L", (3, 3)), key="cats", step=1, synchronous=False)
        mlflow.flush_artifact_async_logging()
    client.log_image(run_id, Image.new("RGB", (4, 4)), "images/black.png")
    client.log_image(run_id, numpy.zeros((4, 4, 3), dtype=numpy.uint8), key="dogs", step=2, timestamp=1_000)
    plt.close(figure)


def _fluent(say: Any) -> None:
    mlflow.set_experiment("fluent files")
    with mlflow.start_run(run_name="fluent files") as run:
        say("uri ends", mlflow.get_artifact_uri("x/y").rpartition("/artifacts/")[2])
        mlflow.log_artifact("to-log/a.txt", "one")
        mlflow.log_artifacts("to-log", "all")
        mlflow.log_text("t", "t.txt")
        mlflow.log_dict({"k": 1}, "d.json")
        mlflow.log_table({"a": [1]}, "table.json")
        say("table", mlflow.load_table("table.json")["a"].tolist())
        if hasattr(mlflow, "log_stream"):
            import io

            mlflow.log_stream(io.BytesIO(b"streamed"), "stream.bin")
    uri = f"runs:/{run.info.run_id}"
    say("load text", load_text(f"{uri}/t.txt"))
    say("load dict", load_dict(f"{uri}/d.json"))
    say("list", sorted(one.path for one in list_artifacts(f"{uri}/all")))
    say("list by run", sorted(one.path for one in list_artifacts(run_id=run.info.run_id, artifact_path="all")))
    say("by its uri", load_text(run.info.artifact_uri + "/t.txt"))
    local = Path(download_artifacts(artifact_uri=f"{uri}/all", dst_path="fetched"))
    say("fetched", sorted(str(path.relative_to(local)) for path in local.rglob("*")))
    say("not there", type(refusal(lambda: load_text(f"{uri}/nothing.txt"))).__name__)
    _delete(say, run)


def _delete(say: Any, run: Any) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    kept = get_artifact_repository(run.info.artifact_uri)
    kept.delete_artifacts("one/a.txt")
    say("deleted", sorted(one.path for one in list_artifacts(run_id=run.info.run_id) if one.path != "one"))


def _addresses(say: Any, run_id: str) -> None:
    """What is in the address bar of a browser that shows a run."""
    for path in ("texts/words.txt", "config.json", "all/deep/b.bin"):
        answer = requests.get(f"{BASE}/get-artifact", params={"run_id": run_id, "path": path})
        kept = {name: answer.headers.get(name, "") for name in ("content-type", "x-content-type-options")}
        kept["content-disposition"] = answer.headers.get("content-disposition", "").partition(";")[0]
        say(f"get-artifact {path}", [answer.status_code, len(answer.content), kept])
    say(
        "get-artifact of none",
        requests.get(f"{BASE}/get-artifact", params={"run_id": run_id, "path": "no"}).status_code,
    )
    url = f"{BASE}/ajax-api/2.0/mlflow/upload-artifact"
    answer = requests.post(url, params={"run_uuid": run_id, "path": "up/loaded.txt"}, data=b"from the page")
    say("upload-artifact", answer.status_code)
    listed = requests.get(f"{BASE}/ajax-api/2.0/mlflow/artifacts/list", params={"run_id": run_id, "path": "up"})
    say("artifacts/list", listed.json()["files"])
