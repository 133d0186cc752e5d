"""MLflow's words for what Lineal has words for, wherever they stand."""

from __future__ import annotations

from lineal.model.registry import Stage
from lineal.model.vocabulary import Lifecycle, ModelStatus

CONTEXT_TAG = "mlflow.data.context"
DELETED_STAGE = "Deleted_Internal"
RUN_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_STAGES: dict[str, Stage] = {"staging": "staging", "production": "production", "archived": "archived"}
_MODEL_STATUSES: dict[object, ModelStatus] = {1: "pending", 2: "ready", 3: "failed"}


def lifecycle_of(stage: object) -> Lifecycle:
    return "deleted" if stage == "deleted" else "active"


def stage_of(text: object) -> Stage:
    return _STAGES.get(str(text).lower(), "none")


def version_status_of(text: object) -> ModelStatus:
    """Of a version: READY, PENDING_REGISTRATION, FAILED_REGISTRATION; where nothing is said, it is ready."""
    first = str(text or "READY").partition("_")[0].lower()
    return "pending" if first == "pending" else "failed" if first == "failed" else "ready"


def model_status_of(number: object) -> ModelStatus:
    return _MODEL_STATUSES.get(number, "pending")
