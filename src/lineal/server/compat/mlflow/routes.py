"""Every route of the dialect: what is declared once is served below /api and, for browsers, below /ajax-api."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lineal.model.limits import BATCH_BODY_MAX_BYTES, REQUEST_BODY_MAX_BYTES
from lineal.server.compat.mlflow import (
    absent,
    artifacts,
    experiment_search,
    experiments,
    history,
    info,
    inputs,
    logged_models,
    logging,
    model_search,
    model_versions,
    proxy,
    registered_models,
    registry_search,
    run_search,
    runs,
    webhooks,
)
from lineal.server.compat.mlflow.errors import DIALECT
from lineal.server.endpoint import Access, Endpoint, Method

absent_routes = absent.absent_routes
PREFIXES = ("ajax-api/", "version", "get-artifact", "model-versions/", "v1/traces", "graphql")
"""Beside "api/", what is also served behind /t/TENANT/."""

Call = Callable[..., Any]


def _route(
    method: Method,
    path: str,
    call: Call,
    access: Access,
    receives: Any = None,
    max_bytes: int | None = None,
    keeps_answer: bool = True,
) -> Endpoint:
    if receives is None:
        receives = "json" if method == "GET" else "bytes"
    return Endpoint(
        method,
        path,
        call,
        path,
        receives=receives,
        access=access,
        dialect=DIALECT,
        keeps_answer=keeps_answer,
        body_max_bytes=max_bytes if max_bytes is not None else REQUEST_BODY_MAX_BYTES,
    )


def _twins(method: Method, path: str, call: Call, access: Access, version: str = "2.0", **more: Any) -> list[Endpoint]:
    return [_route(method, f"{root}/{version}{path}", call, access, **more) for root in ("/api", "/ajax-api")]


_FILES = "/mlflow-artifacts/artifacts"
_EXPERIMENTS = "/mlflow/experiments"
_RUNS = "/mlflow/runs"
_MODELS = "/mlflow/logged-models"
_MODEL = f"{_MODELS}/{{model_id}}"
_REGISTERED = "/mlflow/registered-models"
_VERSIONS = "/mlflow/model-versions"
_WEBHOOKS = "/mlflow/webhooks"
_WEBHOOK = f"{_WEBHOOKS}/{{webhook_id}}"

ENDPOINTS: tuple[Endpoint, ...] = (
    _route("GET", "/version", info.get_version, "open"),
    *_twins("GET", "/mlflow/server-info", info.get_server_info, "open", "3.0"),
    # -- experiments
    *_twins("POST", f"{_EXPERIMENTS}/create", experiments.create_experiment, "writer"),
    *_twins("GET", f"{_EXPERIMENTS}/search", experiment_search.search_experiments, "reader"),
    *_twins("POST", f"{_EXPERIMENTS}/search", experiment_search.search_experiments, "reader"),
    *_twins("GET", f"{_EXPERIMENTS}/get", experiments.get_experiment, "reader"),
    *_twins("GET", f"{_EXPERIMENTS}/get-by-name", experiments.get_experiment_by_name, "reader"),
    *_twins("POST", f"{_EXPERIMENTS}/update", experiments.update_experiment, "writer"),
    *_twins("POST", f"{_EXPERIMENTS}/delete", experiments.delete_experiment, "writer"),
    *_twins("POST", f"{_EXPERIMENTS}/restore", experiments.restore_experiment, "writer"),
    *_twins("POST", f"{_EXPERIMENTS}/set-experiment-tag", experiments.set_experiment_tag, "writer"),
    *_twins("POST", f"{_EXPERIMENTS}/delete-experiment-tag", experiments.delete_experiment_tag, "writer"),
    # -- runs
    *_twins("POST", f"{_RUNS}/create", runs.create_run, "writer"),
    *_twins("POST", f"{_RUNS}/update", runs.update_run, "writer"),
    *_twins("GET", f"{_RUNS}/get", runs.get_run, "reader"),
    *_twins("POST", f"{_RUNS}/search", run_search.search_runs, "reader"),
    *_twins("POST", f"{_RUNS}/delete", runs.delete_run, "writer"),
    *_twins("POST", f"{_RUNS}/restore", runs.restore_run, "writer"),
    *_twins("POST", f"{_RUNS}/log-metric", logging.log_metric, "writer"),
    *_twins("POST", f"{_RUNS}/log-parameter", logging.log_param, "writer"),
    *_twins("POST", f"{_RUNS}/set-tag", logging.set_tag, "writer"),
    *_twins("POST", f"{_RUNS}/delete-tag", logging.delete_tag, "writer"),
    *_twins("POST", f"{_RUNS}/log-batch", logging.log_batch, "writer", max_bytes=BATCH_BODY_MAX_BYTES),
    *_twins("POST", f"{_RUNS}/log-model", logging.log_model, "writer"),
    *_twins("POST", f"{_RUNS}/log-inputs", inputs.log_inputs, "writer", max_bytes=BATCH_BODY_MAX_BYTES),
    *_twins("POST", f"{_RUNS}/outputs", inputs.log_outputs, "writer"),
    *_twins("POST", f"{_EXPERIMENTS}/search-datasets", inputs.search_datasets, "reader"),
    # -- logged models
    *_twins("POST", _MODELS, logged_models.create_logged_model, "writer"),
    *_twins("POST", f"{_MODELS}/search", model_search.search_logged_models, "reader"),
    *_twins("GET", _MODEL, logged_models.get_logged_model, "reader"),
    *_twins("PATCH", _MODEL, logged_models.finalize_logged_model, "writer"),
    *_twins("DELETE", _MODEL, logged_models.delete_logged_model, "writer"),
    *_twins("PATCH", f"{_MODEL}/tags", logged_models.set_logged_model_tags, "writer"),
    *_twins("DELETE", f"{_MODEL}/tags/{{tag_key:text}}", logged_models.delete_logged_model_tag, "writer"),
    *_twins("POST", f"{_MODEL}/params", logged_models.log_logged_model_params, "writer"),
    *_twins("GET", f"{_MODEL}/artifacts/directories", logged_models.list_model_files, "reader"),
    _route("GET", f"/ajax-api/2.0{_MODEL}/artifacts/files", logged_models.get_model_file, "reader"),
    # -- metrics
    *_twins("GET", "/mlflow/metrics/get-history", history.get_history, "reader"),
    *_twins("GET", "/mlflow/metrics/get-history-bulk", history.get_history_bulk, "reader"),
    *_twins("GET", "/mlflow/metrics/get-history-bulk-interval", history.get_history_bulk_interval, "reader"),
    # -- the registry: what moves a model towards production is an approver's
    *_twins("POST", f"{_REGISTERED}/create", registered_models.create_model, "writer"),
    *_twins("POST", f"{_REGISTERED}/rename", registered_models.rename_model, "writer"),
    *_twins("PATCH", f"{_REGISTERED}/update", registered_models.update_model, "writer"),
    *_twins("DELETE", f"{_REGISTERED}/delete", registered_models.delete_model, "approver"),
    *_twins("GET", f"{_REGISTERED}/get", registered_models.read_model, "reader"),
    *_twins("GET", f"{_REGISTERED}/search", registry_search.search_models, "reader"),
    *_twins("GET", f"{_REGISTERED}/get-latest-versions", registered_models.get_latest_versions, "reader"),
    *_twins("POST", f"{_REGISTERED}/get-latest-versions", registered_models.get_latest_versions, "reader"),
    *_twins("POST", f"{_REGISTERED}/set-tag", registered_models.set_model_tag, "writer"),
    *_twins("DELETE", f"{_REGISTERED}/delete-tag", registered_models.delete_model_tag, "writer"),
    *_twins("POST", f"{_REGISTERED}/alias", registered_models.set_alias, "approver"),
    *_twins("DELETE", f"{_REGISTERED}/alias", registered_models.delete_alias, "approver"),
    *_twins("GET", f"{_REGISTERED}/alias", registered_models.get_by_alias, "reader"),
    *_twins("POST", f"{_VERSIONS}/create", model_versions.create_version, "writer"),
    *_twins("PATCH", f"{_VERSIONS}/update", model_versions.update_version, "writer"),
    *_twins("POST", f"{_VERSIONS}/transition-stage", model_versions.transition_stage, "approver"),
    *_twins("DELETE", f"{_VERSIONS}/delete", model_versions.delete_version, "approver"),
    *_twins("GET", f"{_VERSIONS}/get", model_versions.read_version, "reader"),
    *_twins("GET", f"{_VERSIONS}/search", registry_search.search_versions, "reader"),
    *_twins("GET", f"{_VERSIONS}/get-download-uri", model_versions.get_download_uri, "reader"),
    *_twins("POST", f"{_VERSIONS}/set-tag", model_versions.set_version_tag, "writer"),
    *_twins("DELETE", f"{_VERSIONS}/delete-tag", model_versions.delete_version_tag, "writer"),
    _route("GET", "/model-versions/get-artifact", model_versions.get_version_artifact, "reader"),
    # -- what is sent out of the house is an admin's
    *_twins("POST", _WEBHOOKS, webhooks.create_webhook, "admin", keeps_answer=False),
    *_twins("GET", _WEBHOOKS, webhooks.list_webhooks, "admin"),
    *_twins("GET", _WEBHOOK, webhooks.get_webhook, "admin"),
    *_twins("PATCH", _WEBHOOK, webhooks.update_webhook, "admin", keeps_answer=False),
    *_twins("DELETE", _WEBHOOK, webhooks.delete_webhook, "admin"),
    *_twins("POST", f"{_WEBHOOK}/test", webhooks.test_webhook, "admin"),
    # -- files
    *_twins("GET", "/mlflow/artifacts/list", artifacts.list_artifacts, "reader"),
    _route("GET", "/get-artifact", artifacts.get_artifact, "reader"),
    _route(
        "POST",
        "/ajax-api/2.0/mlflow/upload-artifact",
        artifacts.upload_artifact,
        "writer",
        "file",
        artifacts.UPLOAD_MAX_BYTES,
    ),
    *_twins("GET", _FILES, proxy.list_proxied, "reader"),
    *_twins("GET", f"{_FILES}/{{path:text}}", proxy.get_proxied, "reader"),
    *_twins("PUT", f"{_FILES}/{{path:text}}", proxy.put_proxied, "writer", receives="file", max_bytes=2**62),
    *_twins("DELETE", f"{_FILES}/{{path:text}}", proxy.delete_proxied, "writer"),
    *_twins("POST", "/mlflow-artifacts/mpu/{action}/{path:text}", proxy.no_multipart, "writer"),
    *_twins("GET", "/mlflow-artifacts/presigned/{path:text}", proxy.no_multipart, "reader"),
)
