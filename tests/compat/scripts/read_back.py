"""Everything that the client can find on a server, in an order that does not depend on the server."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

INVENTED = re.compile(r"^[a-z]+-[a-z]+-\d{1,4}$")
AGES_AGO_MS = 1_000_000_000_000


def everything() -> dict[str, Any]:
    client = MlflowClient()
    kept: dict[str, Any] = {}
    for experiment in sorted(client.search_experiments(view_type=ViewType.ALL), key=lambda one: one.name):
        runs = sorted(_all_runs(client, experiment.experiment_id), key=_place)
        kept[experiment.name] = {"experiment": experiment, "runs": [_run(client, run.info.run_id) for run in runs]}
        if hasattr(client, "search_logged_models"):
            models = client.search_logged_models(experiment_ids=[experiment.experiment_id])
            kept[experiment.name]["logged models"] = [_logged_model(model) for model in sorted(models, key=_birth)]
    kept["registered models"] = _registry(client)
    return kept


def _registry(client: MlflowClient) -> Any:
    try:
        return [_registered(client, model) for model in client.search_registered_models()]
    except MlflowException as error:
        return {"refused": error.error_code}


def _all_runs(client: MlflowClient, experiment_id: str) -> list[Any]:
    return list(client.search_runs([experiment_id], run_view_type=ViewType.ALL, max_results=1000))


def _place(run: Any) -> tuple[Any, ...]:
    """Times of now and invented names put runs in an order of their own on every server."""
    name = run.info.run_name or ""
    given = run.info.start_time if run.info.start_time < AGES_AGO_MS else AGES_AGO_MS
    return given, "" if INVENTED.match(name) else name, sorted(run.data.params.items()), sorted(run.data.metrics)


def _birth(model: Any) -> tuple[int, str]:
    return model.creation_timestamp, model.name


def _run(client: MlflowClient, run_id: str) -> dict[str, Any]:
    run = client.get_run(run_id)
    histories = {
        key: [_point(point) for point in client.get_metric_history(run_id, key)] for key in sorted(run.data.metrics)
    }
    inputs = [
        {"dataset": dict(given.dataset), "tags": sorted((tag.key, tag.value) for tag in given.tags)}
        for given in run.inputs.dataset_inputs
    ]
    outputs = getattr(run, "outputs", None)
    more = {
        "inputs": sorted(inputs, key=lambda one: (str(one["dataset"].get("name")), str(one["tags"]))),
        "model inputs": [dict(given) for given in getattr(run.inputs, "model_inputs", [])],
        "model outputs": sorted([given.step, given.model_id] for given in outputs.model_outputs) if outputs else [],
    }
    data = {"params": run.data.params, "tags": run.data.tags, "metrics": run.data.metrics}
    return {
        "info": dict(run.info),
        "data": data,
        **more,
        "histories": histories,
        "artifacts": _artifacts(client, run_id),
    }


def _point(point: Any) -> dict[str, Any]:
    return {"value": point.value, "step": point.step, "timestamp": point.timestamp}


def _artifacts(client: MlflowClient, run_id: str, path: str = "") -> dict[str, Any]:
    try:
        files = client.list_artifacts(run_id, path or None)
    except MlflowException as error:  # of a run whose experiment keeps its files elsewhere
        return {"refused": error.error_code}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        for file in files:
            if file.is_dir:
                found[file.path] = _artifacts(client, run_id, file.path)
                continue
            local = client.download_artifacts(run_id, file.path, place)
            found[file.path] = _file(Path(local), file.file_size)
    return found


# What holds ids, times or compressed bytes that two saves of one thing do not share; their names are compared.
UNLIKE = {
    "MLmodel",
    "model.pkl",
    "python_model.pkl",
    "registered_model_meta",
    "model.xgb",
    "model.lgb",
    "cv_results.csv",
    "estimator.html",
}


def _file(local: Path, size: int | None) -> dict[str, Any]:
    if local.name in UNLIKE or local.suffix in {".png", ".webp", ".ckpt", ".pth", ".pt", ".pkl", ".skops"}:
        return {"size": size is not None}
    return {"size": size, "content": hashlib.sha256(local.read_bytes()).hexdigest()}


def _logged_model(model: Any) -> dict[str, Any]:
    return {
        "name": model.name,
        "experiment": model.experiment_id,
        "type": model.model_type,
        "run": model.source_run_id,
        "status": str(model.status),
        "tags": model.tags,
        "params": model.params,
        "metrics": sorted(
            [m.key, m.value, m.step, m.dataset_name, m.dataset_digest, m.run_id] for m in model.metrics or []
        ),
    }


def _registered(client: MlflowClient, model: Any) -> dict[str, Any]:
    versions = client.search_model_versions(f"name = '{model.name}'")
    found = client.get_registered_model(model.name)
    found._latest_version.sort(key=lambda one: int(one.version))
    kept = {
        "model": found,
        "versions": sorted(versions, key=lambda one: int(one.version)),
    }
    return {
        **kept,
        "download": [client.get_model_version_download_uri(model.name, one.version) for one in kept["versions"]],
    }
