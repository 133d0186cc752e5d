"""What a run used and made, as MLflow has it."""

from __future__ import annotations

from collections.abc import Iterable

from lineal.model.entities import RunDetails
from lineal.model.lineage import DatasetUse
from lineal.server.compat.mlflow.answers import filled, pairs_of
from lineal.server.compat.mlflow.errors import Json
from lineal.store.lineage import dataset_key

CONTEXT_TAG = "mlflow.data.context"


def inputs_json(details: RunDetails, whole: Iterable[DatasetUse]) -> Json:
    """`whole`: the run's datasets with their schemas. Of one that was used in several ways the first is shown."""
    seen: set[tuple[str, ...]] = set()
    datasets = []
    for use in whole:
        key = dataset_key(use)[:2]
        if key not in seen:
            seen.add(key)
            datasets.append(_dataset_input(use))
    models = [{"model_id": use.model_id} for use in details.models if use.role == "input"]
    return filled(dataset_inputs=datasets, model_inputs=models)


def _dataset_input(use: DatasetUse) -> Json:
    data = use.dataset
    tags = {**use.tags, **({CONTEXT_TAG: use.context} if use.context else {})}
    dataset = filled(
        name=data.name,
        digest=data.digest,
        source_type=data.source_type or "",
        source=data.source or "",
        schema=data.schema,
        profile=data.profile,
    )
    return filled(tags=pairs_of(tags), dataset=dataset)


def outputs_json(details: RunDetails) -> Json:
    models = [{"model_id": use.model_id, "step": use.step or 0} for use in details.models if use.role == "output"]
    return filled(model_outputs=models)
