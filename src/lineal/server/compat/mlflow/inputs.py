"""runs/log-inputs, runs/outputs, experiments/search-datasets: which datasets and logged models a run used and made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineal.ingest.desk import Desk, Said
from lineal.model.errors import NotFound
from lineal.model.limits import NAME_MAX_BYTES, SHORT_NAME_MAX_LENGTH
from lineal.model.lineage import DatasetUse
from lineal.model.values import check_name
from lineal.record.records import DatasetUsed, ModelUsed, Record
from lineal.server.answers import Content, Submitted
from lineal.server.compat.mlflow.answers import answer, filled, said
from lineal.server.compat.mlflow.errors import MlflowError, invalid_value, missing_value
from lineal.server.compat.mlflow.experiment_ids import known_experiments, number_of
from lineal.server.compat.mlflow.given import Param, as_int, given, typed
from lineal.server.compat.mlflow.inputs_view import CONTEXT_TAG
from lineal.server.compat.mlflow.names import too_long
from lineal.server.compat.mlflow.runs import RUN_ID, active_run
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.lineage import dataset_key

NAME_MAX_CHARS = 500
DIGEST_MAX_CHARS = 36
SOURCE_MAX_CHARS = 65_535
SCHEMA_MAX_CHARS = 1_048_575
PROFILE_MAX_CHARS = 16_777_215
TAG_KEY_MAX_CHARS = 255
TAG_VALUE_MAX_CHARS = 500
DATASETS_MAX_COUNT = 10_000  # of one request: ten times what clients send at once
EXPERIMENTS_MAX_COUNT = 20
_BOUNDS = {
    "name": NAME_MAX_CHARS,
    "digest": DIGEST_MAX_CHARS,
    "source": SOURCE_MAX_CHARS,
    "schema": SCHEMA_MAX_CHARS,
    "profile": PROFILE_MAX_CHARS,
}
_DATASET = tuple(Param(name) for name in ("name", "digest", "source_type", "source", "schema", "profile"))


def log_inputs(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The first word on a dataset stands for the run: saying it again, with other tags too, changes nothing."""
    values = given(asked, RUN_ID, Param("datasets", "list"), Param("models", "list"))
    run_id = values["run_id"]
    entries = values.get("datasets", [])
    if len(entries) > DATASETS_MAX_COUNT:
        raise MlflowError(f"A request names at most {DATASETS_MAX_COUNT} datasets. Got {len(entries)}.")
    datasets: dict[tuple[str, str], DatasetUsed] = {}
    for at, entry in enumerate(entries):
        used = _dataset_used(entry, f"datasets[{at}]")
        datasets.setdefault((used.name, used.digest), used)
    models = [
        ModelUsed(_model_id(entry, f"models[{at}]"), "input") for at, entry in enumerate(values.get("models", []))
    ]

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        known = {dataset_key(use)[:2] for use in _known_uses(desk, run_id)}
        records: list[Record] = [used for key, used in datasets.items() if key not in known]
        records += models
        if records:
            desk.say(run, records)
        return said()

    return context.submit(work)


def _known_uses(desk: Desk, run_id: str) -> Sequence[DatasetUse]:
    try:
        return desk.reader.get_details(run_id).datasets
    except NotFound:  # this transaction made it
        return ()


def log_outputs(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, Param("models", "list", required=True))
    run_id = values["run_id"]
    records: list[Record] = []
    for at, entry in enumerate(values["models"]):
        try:
            step = as_int(entry.get("step") or 0)
        except (ValueError, OverflowError):
            raise invalid_value(f"models[{at}].step", entry.get("step")) from None
        records.append(ModelUsed(_model_id(entry, f"models[{at}]"), "output", step))

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        if records:
            desk.say(run, records)
        return said()

    return context.submit(work)


def search_datasets(context: Context, asked: Asked[Any, None]) -> Content:
    numbers = given(asked, Param("experiment_ids", "texts")).get("experiment_ids", [])
    if not numbers:
        raise MlflowError("SearchDatasets request must specify at least one experiment_id.")
    if len(numbers) > EXPERIMENTS_MAX_COUNT:
        raise MlflowError(
            f"SearchDatasets request cannot specify more than {EXPERIMENTS_MAX_COUNT} experiment_ids. Received"
            f" {len(numbers)} experiment_ids."
        )
    experiments = known_experiments(context.reader, context.tenant, numbers)
    by_id = {one.experiment_id: number_of(one) for one in experiments}
    found = context.reader.list_datasets([one.name for one in experiments])
    return answer(
        dataset_summaries=[
            filled(
                experiment_id=by_id[one.experiment_id], name=one.name, digest=one.digest, context=one.context or None
            )
            for one in found
        ]
    )


# -- as they come ----------------------------------------------------------------------------------


def _dataset_used(entry: Mapping[str, Any], place: str) -> DatasetUsed:
    if not isinstance(entry.get("dataset"), dict):
        raise missing_value(f"{place}.dataset")
    values = typed(entry["dataset"], _DATASET)
    for name in ("name", "digest", "source_type", "source"):
        if not values.get(name):
            raise missing_value(f"{place}.dataset.{name}")
    for name, bound in _BOUNDS.items():
        if len(values.get(name) or "") > bound:
            raise too_long(name, bound)
    for name in ("name", "source_type"):
        check_name(values[name], field=name, max_bytes=NAME_MAX_BYTES)
    check_name(values["digest"], field="digest", max_bytes=SHORT_NAME_MAX_LENGTH)
    tags = _input_tags(entry.get("tags") or [], f"{place}.tags")
    purpose = tags.pop(CONTEXT_TAG, "")
    if purpose:
        check_name(purpose, field=CONTEXT_TAG, max_bytes=SHORT_NAME_MAX_LENGTH)
    return DatasetUsed(
        values["name"],
        values["digest"],
        source_type=values["source_type"],
        source=values["source"],
        schema=values.get("schema"),
        profile=values.get("profile"),
        context=purpose or None,
        tags=tags,
    )


def _input_tags(entries: Any, place: str) -> dict[str, str]:
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise invalid_value(place, entries)
    tags: dict[str, str] = {}
    for at, entry in enumerate(entries):
        values = typed(entry, (Param("key"), Param("value")))
        key, value = values.get("key"), values.get("value", "")
        if not key:
            raise missing_value(f"{place}[{at}].key")
        if len(key) > TAG_KEY_MAX_CHARS:
            raise too_long("key", TAG_KEY_MAX_CHARS)
        if len(value) > TAG_VALUE_MAX_CHARS:
            raise too_long("value", TAG_VALUE_MAX_CHARS)
        tags[key] = value
    return tags


def _model_id(entry: Mapping[str, Any], place: str) -> str:
    model_id = entry.get("model_id")
    if not isinstance(model_id, str) or not model_id:
        raise missing_value(f"{place}.model_id")
    return check_name(model_id, field="model_id", max_bytes=SHORT_NAME_MAX_LENGTH)
