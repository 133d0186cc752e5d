"""Experiments are made, changed, put away and brought back."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import Work
from lineal.ingest.reserve import Freeing
from lineal.model import entities
from lineal.model.errors import Conflict, InvalidInput
from lineal.model.values import clean_text
from lineal.model.vocabulary import Lifecycle
from lineal.record.records import ExperimentSet
from lineal.server.answers import Submitted
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.given import first_tags, given_name, given_tags
from lineal.server.routes.experiments import get_experiment
from lineal.server.shapes.experiments import Experiment
from lineal.server.shapes.writes import CreateExperiment, EditExperiment
from lineal.server.views import experiment_of

_to_json = msgspec.json.Encoder().encode


def create_experiment(context: Context, asked: Asked[Any, CreateExperiment]) -> Submitted:
    """A name in use is refused, also that of an experiment that was put away: it can be restored."""
    body = asked.body
    name = given_name(body.name)
    tags = first_tags(body.tags or {})
    description = clean_text(body.description or "")
    location = None if body.artifact_location is None else clean_text(body.artifact_location)

    def work(desk: Desk) -> Said:
        known = desk.find_experiment(name)
        if known is not None:
            raise Conflict(f"there is an experiment {name!r:.80} already ({known.lifecycle})", field="name")
        desk.say_of_tenant([ExperimentSet(name, description or None, location, tags or None)])
        made = entities.Experiment(
            desk.experiment_id(name),
            name,
            description,
            location,
            created_ms=desk.time_ms,
            updated_ms=desk.time_ms,
            tags={key: value for key, value in tags.items() if value is not None},
        )
        return Said(201, _to_json(experiment_of(made, 0)))

    return context.submit(work)


def change_experiment(context: Context, asked: Asked[Any, EditExperiment]) -> Submitted:
    """Sets what is given. An experiment keeps its name."""
    body = asked.body
    tags = None if body.tags is None else given_tags(body.tags)
    description = None if body.description is None else clean_text(body.description)

    def work(desk: Desk) -> Said:
        known = desk.get_experiment(asked.path["experiment_id"])
        if body.name is not None and clean_text(body.name) != known.name:
            raise InvalidInput("an experiment keeps its name: runs are found by it", field="name")
        if description is not None or tags:
            desk.say_of_tenant([ExperimentSet(known.name, description, None, tags or None)])
        return Said(200, b"")

    return context.submit(work, lambda after: get_experiment(after, asked))


def delete_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    """Puts it away: lists leave it out, `restore` brings it back. Its runs stay as they are."""
    return context.submit(Freeing(_setting(asked, "deleted")), lambda after: get_experiment(after, asked))


def restore_experiment(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The opposite of deleting."""
    return context.submit(_setting(asked, "active"))


def _setting(asked: Asked[Any, None], lifecycle: Lifecycle) -> Work:
    def work(desk: Desk) -> Said:
        known = desk.get_experiment(asked.path["experiment_id"])
        changed_ms = known.updated_ms
        if known.lifecycle != lifecycle:
            desk.say_of_tenant([ExperimentSet(known.name, lifecycle=lifecycle)])
            changed_ms = desk.time_ms
        count = desk.reader.count_runs().by_experiment.get(known.experiment_id, 0)
        now = entities.Experiment(
            known.experiment_id,
            known.name,
            known.description,
            known.artifact_location,
            lifecycle,
            known.created_ms,
            changed_ms,
            known.tags,
        )
        return Said(200, _to_json(experiment_of(now, count)))

    return work


_ONE = "/api/v1/experiments/{experiment_id}"
ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/experiments",
        create_experiment,
        "Make an experiment",
        Experiment,
        body=CreateExperiment,
        made=True,
        refusals=(409,),
        access="writer",
    ),
    Endpoint(
        "PATCH",
        _ONE,
        change_experiment,
        "Change an experiment",
        Experiment,
        body=EditExperiment,
        refusals=(404,),
        access="writer",
    ),
    Endpoint("DELETE", _ONE, delete_experiment, "Put an experiment away", Experiment, refusals=(404,), access="writer"),
    Endpoint(
        "POST",
        f"{_ONE}/restore",
        restore_experiment,
        "Bring an experiment back",
        Experiment,
        refusals=(404, 409),
        access="writer",
    ),
)
