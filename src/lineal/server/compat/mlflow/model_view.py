"""Logged models as MLflow has them."""

from __future__ import annotations

from lineal.model.entities import Experiment
from lineal.model.errors import NotFound
from lineal.model.lineage import LoggedModel, ModelMetric
from lineal.model.vocabulary import ModelStatus
from lineal.server.compat.mlflow.answers import filled, pairs_of
from lineal.server.compat.mlflow.errors import MISSING, Json, MlflowError
from lineal.server.compat.mlflow.experiment_ids import number_of, unmade
from lineal.server.compat.mlflow.experiments import location_of
from lineal.server.compat.mlflow.given import number
from lineal.store.contracts import TenantReader

STATUS_OF: dict[ModelStatus, str] = {
    "pending": "LOGGED_MODEL_PENDING",
    "ready": "LOGGED_MODEL_READY",
    "failed": "LOGGED_MODEL_UPLOAD_FAILED",
}
SHOWN_AS: dict[ModelStatus, str] = {"pending": "PENDING", "ready": "READY", "failed": "FAILED"}
"""In filters."""
NUMBER_OF: dict[int, ModelStatus] = {1: "pending", 2: "ready", 3: "failed"}


def no_model(model_id: str) -> MlflowError:
    return MlflowError(f"Logged model with ID '{model_id}' not found.", MISSING)


def read_model(reader: TenantReader, model_id: str, *, deleted: bool = True) -> LoggedModel:
    try:
        model = reader.get_logged_model(model_id)
    except NotFound:
        raise no_model(model_id) from None
    if model.lifecycle == "deleted" and not deleted:
        raise no_model(model_id)
    return model


def experiment_of(reader: TenantReader, tenant: str, model: LoggedModel) -> Experiment:
    try:
        return reader.get_experiment(model.experiment_id)
    except NotFound:
        return unmade(tenant)


def location_of_model(experiment: Experiment, model_id: str) -> str:
    place, mark, query = location_of(experiment).partition("?")
    return f"{place.rstrip('/')}/models/{model_id}/artifacts{mark}{query}"


def model_json(model: LoggedModel, experiment: Experiment) -> Json:
    info = filled(
        model_id=model.model_id,
        experiment_id=number_of(experiment),
        name=model.name,
        creation_timestamp_ms=model.created_ms,
        last_updated_timestamp_ms=model.updated_ms,
        artifact_uri=location_of_model(experiment, model.model_id),
        status=STATUS_OF[model.status],
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        tags=pairs_of(model.tags),
    )
    data = filled(
        params=pairs_of(model.params), metrics=[_metric_json(metric, model.model_id) for metric in model.metrics]
    )
    return {"info": info, "data": data}


def _metric_json(metric: ModelMetric, model_id: str) -> Json:
    return filled(
        key=metric.name,
        value=number(metric.value),
        timestamp=metric.time_ms,
        step=int(metric.step),
        dataset_name=metric.dataset_name,
        dataset_digest=metric.dataset_digest,
        model_id=model_id,
        run_id=metric.run_id,
    )
