"""Which of the client's functions, and which addresses, are tiers A and B of docs/mlflow.md: the scripts have to reach them all."""

from __future__ import annotations

import re

# Traces, evaluation, prompts' administration, workspaces and what MLflow has newly for agents are not served here.
NOT_SERVED = re.compile(
    r"trace|span|mcp|skill|workspace|_dataset|datasets|assessment|prompt|scorer|feedback|expectation|issue|sessions"
)
# About this process, or no call of a server.
LOCAL = {
    "autolog",
    "context",
    "disable_system_metrics_logging",
    "doctor",
    "enable_system_metrics_logging",
    "evaluate",
    "get_tracking_uri",
    "import_checkpoints",
    "is_tracking_uri_set",
    "login",
    "run",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_telemetry_client",
    "set_tracking_uri",
    "test",
    "validate_evaluation_results",
}

ADDRESSES = {
    "experiments": "create get get-by-name search update delete restore set-experiment-tag delete-experiment-tag search-datasets",
    "runs": "create update get search delete restore log-metric log-parameter set-tag delete-tag log-batch log-inputs outputs",
    "metrics": "get-history get-history-bulk get-history-bulk-interval",
    "artifacts": "list",
    "registered-models": "create rename update delete get search get-latest-versions set-tag delete-tag alias",
    "model-versions": "create update transition-stage delete get search get-download-uri set-tag delete-tag get-artifact",
}
OTHERS = {
    "POST /api/2.0/mlflow/logged-models",
    "POST /api/2.0/mlflow/logged-models/search",
    "GET /api/2.0/mlflow/logged-models/{id}",
    "PATCH /api/2.0/mlflow/logged-models/{id}",
    "DELETE /api/2.0/mlflow/logged-models/{id}",
    "PATCH /api/2.0/mlflow/logged-models/{id}/tags",
    "DELETE /api/2.0/mlflow/logged-models/{id}/tags/{name}",
    "POST /api/2.0/mlflow/logged-models/{id}/params",
    "POST /api/2.0/mlflow/registered-models/alias",
    "GET /api/2.0/mlflow/registered-models/alias",
    "DELETE /api/2.0/mlflow/registered-models/alias",
    "GET /api/2.0/mlflow-artifacts/artifacts",
    "GET /api/2.0/mlflow-artifacts/artifacts/{name}",
    "PUT /api/2.0/mlflow-artifacts/artifacts/{name}",
    "DELETE /api/2.0/mlflow-artifacts/artifacts/{name}",
    "POST /api/2.0/mlflow/upload-artifact",
    "GET /get-artifact",
    "POST /api/2.0/mlflow/webhooks",
    "GET /api/2.0/mlflow/webhooks",
    "GET /api/2.0/mlflow/webhooks/{id}",
    "PATCH /api/2.0/mlflow/webhooks/{id}",
    "DELETE /api/2.0/mlflow/webhooks/{id}",
    "POST /api/2.0/mlflow/webhooks/{id}/test",
}


def unreached(offered: list[str], called: list[str]) -> set[str]:
    """Functions of the client that no script called."""
    names = {name for name in set(offered) - set(called) if not NOT_SERVED.search(name)}
    return {name for name in names if name.split()[1] not in LOCAL}


def unasked(asked: list[str]) -> set[str]:
    """Addresses that nothing asked."""
    ends = {line.rsplit("/mlflow/", 1)[-1].split(" /")[-1] for line in asked}
    wanted = {f"{noun}/{verb}" for noun, verbs in ADDRESSES.items() for verb in verbs.split()}
    return (wanted - ends) | (OTHERS - set(asked))
