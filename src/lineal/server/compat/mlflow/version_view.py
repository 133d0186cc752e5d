"""Versions of registered models as MLflow has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lineal.model.errors import NotFound
from lineal.model.registry import STAGES, ModelVersion, Stage
from lineal.model.vocabulary import ModelStatus
from lineal.server.compat.mlflow.answers import filled, pairs_of
from lineal.server.compat.mlflow.errors import MISSING, Json, MlflowError
from lineal.store.registry import RegistryReader

STATUS_OF: dict[ModelStatus, str] = {
    "ready": "READY",
    "pending": "PENDING_REGISTRATION",
    "failed": "FAILED_REGISTRATION",
}
_NUMBER = re.compile(r"[0-9]{1,18}")


def version_json(one: ModelVersion) -> Json:
    return filled(
        name=one.name,
        version=str(one.version),
        creation_timestamp=one.created_ms,
        last_updated_timestamp=one.updated_ms,
        current_stage=one.stage.capitalize(),
        description=one.description,
        source=one.source,
        run_id=one.run_id or "",
        status=STATUS_OF[one.status],
        tags=pairs_of(one.tags),
        run_link=one.run_link or "",
        aliases=list(one.aliases),
        model_id=one.model_id,
    )


def version_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise MlflowError(f"Parameter 'version' must be an integer, got '{text}'.")
    return int(text)


def get_version(registry: RegistryReader, name: str, number: int) -> ModelVersion:
    """The version, one that is not deleted. MlflowError where there is none."""
    try:
        found = registry.get_version(name, number)
    except NotFound:
        found = None
    if found is None or found.lifecycle != "active":
        raise MlflowError(f"Model Version (name={name}, version={number}) not found", MISSING)
    return found


def stage_of(text: str) -> Stage:
    """Whatever its case."""
    for stage in STAGES:
        if text.lower() == stage:
            return stage
    raise MlflowError(
        f"Invalid Model Version stage: {text}. Value must be one of {', '.join(stage.capitalize() for stage in STAGES)}."
    )


def stages_of(texts: Sequence[str]) -> tuple[Stage, ...]:
    return tuple(stage_of(text) for text in texts) or STAGES
