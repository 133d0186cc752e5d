"""experiments/..., but for the search."""

from __future__ import annotations

import time
from typing import Any

from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import Work
from lineal.ingest.reserve import Freeing
from lineal.model.entities import Experiment
from lineal.model.ids import experiment_id
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.values import check_name
from lineal.model.vocabulary import Lifecycle
from lineal.record.records import ExperimentRenamed, ExperimentSet
from lineal.server.answers import Content, Submitted
from lineal.server.compat.mlflow.answers import answer, filled, pairs_of, said
from lineal.server.compat.mlflow.errors import EXISTS, MISSING, STATE, Json, MlflowError
from lineal.server.compat.mlflow.experiment_ids import (
    find_experiment,
    meant_experiment,
    number_of,
    unknown,
    unmade,
)
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import (
    EXPERIMENT_NAME_MAX_CHARS,
    EXPERIMENT_TAG_MAX_CHARS,
    check_key,
    check_location,
    too_long,
)
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.rules import DEFAULT_EXPERIMENT

NOTE_TAG = "mlflow.note.content"
_ID = Param("experiment_id", required=True)
STARTED_MS = time.time_ns() // 1_000_000  # what is there before anybody made it is as old as the server


def experiment_json(one: Experiment) -> Json:
    number = number_of(one)
    tags = dict(one.tags)
    if one.description:
        tags.setdefault(NOTE_TAG, one.description)
    return filled(
        experiment_id=number,
        name=one.name,
        artifact_location=location_of(one),
        lifecycle_stage=one.lifecycle,
        last_update_time=one.updated_ms or STARTED_MS,
        creation_time=one.created_ms or STARTED_MS,
        tags=pairs_of(tags),
    )


def location_of(one: Experiment) -> str:
    return one.artifact_location or f"mlflow-artifacts:/{number_of(one)}"


def create_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, Param("name", required=True), Param("artifact_location"), Param("tags", "list"))
    name = given_name(values["name"])
    location = check_location(values["artifact_location"]) if values.get("artifact_location") else None
    if location is None and context.artifact_root:
        location = f"{context.artifact_root}/{int(experiment_id(context.tenant, name), 16)}"
    tags: dict[str, str | None] = {}
    for tag in values.get("tags", []):
        key, value = tag.get("key"), tag.get("value")
        tags[check_key(key, "key", "key")] = checked_tag(value)

    def work(desk: Desk) -> Said:
        known = desk.find_experiment(name)
        if known is not None or name == DEFAULT_EXPERIMENT:
            raise MlflowError(f"Experiment(name={name}) already exists.", EXISTS)
        desk.say_of_tenant([ExperimentSet(name, None, location, tags or None)])
        return said(experiment_id=str(int(desk.experiment_id(name), 16)))

    return context.submit(work)


def given_name(name: str) -> str:
    if not name.strip():
        raise MlflowError(f"Invalid experiment name: '{name}'")
    if len(name) > EXPERIMENT_NAME_MAX_CHARS:
        raise too_long("name", EXPERIMENT_NAME_MAX_CHARS)
    return check_name(name, field="name", max_bytes=NAME_MAX_BYTES)


def checked_tag(value: Any) -> str:
    text = "" if value is None else str(value)
    if len(text) > EXPERIMENT_TAG_MAX_CHARS:
        raise too_long("value", EXPERIMENT_TAG_MAX_CHARS)
    return text


def get_experiment(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, _ID)
    found = find_experiment(context.reader, context.tenant, values["experiment_id"])
    return answer(experiment=experiment_json(found))


def get_experiment_by_name(context: Context, asked: Asked[Any, None]) -> Content:
    name = given(asked, Param("experiment_name", required=True))["experiment_name"]
    found = context.reader.find_experiment(name)
    if found is None and name == DEFAULT_EXPERIMENT:
        found = unmade(context.tenant)
    if found is None:  # (a former name of one means it still: docs/adr/0021)
        raise MlflowError(f"Could not find experiment with name '{name}'", MISSING)
    return answer(experiment=experiment_json(found))


def update_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, _ID, Param("new_name", required=True))
    name = given_name(values["new_name"])

    def work(desk: Desk) -> Said:
        known = meant_experiment(desk, values["experiment_id"])
        if known.lifecycle != "active":
            raise MlflowError("Cannot rename a non-active experiment.", STATE)
        if name != known.name:
            other = desk.find_experiment(name)
            if other is not None and other.experiment_id != known.experiment_id:
                raise MlflowError(f"Experiment(name={name}) already exists.", EXISTS)
            desk.say_of_tenant([ExperimentRenamed(known.first_name, name)])
        return said()

    return context.submit(work)


def delete_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    """Its runs count as deleted until it is restored."""
    return context.submit(Freeing(_setting(given(asked, _ID)["experiment_id"], "deleted")))


def restore_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    return context.submit(_setting(given(asked, _ID)["experiment_id"], "active"))


def _setting(number: str, lifecycle: Lifecycle) -> Work:
    def work(desk: Desk) -> Said:
        known = meant_experiment(desk, number)
        if known.lifecycle == lifecycle:
            raise unknown(number)
        desk.say_of_tenant([ExperimentSet(known.first_name, lifecycle=lifecycle)])
        return said()

    return work


def set_experiment_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, _ID, Param("key", required=True), Param("value"))
    key = check_key(values["key"], "key", "key")
    value = checked_tag(values.get("value", ""))

    def work(desk: Desk) -> Said:
        known = _active(meant_experiment(desk, values["experiment_id"]))
        desk.say_of_tenant([ExperimentSet(known.first_name, tags={key: value})])
        return said()

    return context.submit(work)


def delete_experiment_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, _ID, Param("key", required=True))
    key = values["key"]

    def work(desk: Desk) -> Said:
        known = _active(meant_experiment(desk, values["experiment_id"]))
        if key not in known.tags:
            raise MlflowError(f"No tag with name: {key} in experiment with id {number_of(known)}", MISSING)
        desk.say_of_tenant([ExperimentSet(known.first_name, tags={key: None})])
        return said()

    return context.submit(work)


def _active(experiment: Experiment) -> Experiment:
    if experiment.lifecycle != "active":
        raise MlflowError(
            f"The experiment {number_of(experiment)} must be in the 'active' state. Current state is deleted."
        )
    return experiment
