"""Experiments are made, changed, put away and brought back."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import Work
from lineal.ingest.reserve import Freeing
from lineal.model import entities
from lineal.model.errors import Conflict
from lineal.model.values import clean_text
from lineal.model.vocabulary import Lifecycle
from lineal.record.records import ExperimentRenamed, ExperimentSet, Record
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
            raise _taken(name, known)
        desk.say_of_tenant([ExperimentSet(name, description or None, location, tags or None)])
        made = entities.Experiment(
            desk.experiment_id(name),
            name,
            description,
            location,
            created_ms=desk.time_ms,
            updated_ms=desk.time_ms,
            tags={key: value for key, value in tags.items() if value is not None},
            first_name=name,
        )
        return Said(201, _to_json(experiment_of(made, 0)))

    return context.submit(work)


def change_experiment(context: Context, asked: Asked[Any, EditExperiment]) -> Submitted:
    """Sets what is given. The old name of one that is renamed goes on meaning it: a program that logs there reaches it. A name
    in use is refused, also a former one of another experiment."""
    body = asked.body
    name = None if body.name is None else given_name(body.name)
    tags = None if body.tags is None else given_tags(body.tags)
    description = None if body.description is None else clean_text(body.description)

    def work(desk: Desk) -> Said:
        known = desk.get_experiment(asked.path["experiment_id"])
        said: list[Record] = []
        if name is not None and name != known.name:
            other = desk.find_experiment(name)
            if other is not None and other.experiment_id != known.experiment_id:
                raise _taken(name, other)
            said.append(ExperimentRenamed(known.first_name, name))
        if description is not None or tags:
            said.append(ExperimentSet(known.first_name, description, None, tags or None))
        if said:
            desk.say_of_tenant(said)
        return Said(200, b"")

    return context.submit(work, lambda after: get_experiment(after, asked))


def _taken(name: str, known: entities.Experiment) -> Conflict:
    if known.name != name:
        return Conflict(
            f"{name!r:.80} is a former name of experiment {known.name!r:.80}, and still means it", field="name"
        )
    return Conflict(f"there is an experiment {name!r:.80} already ({known.lifecycle})", field="name")


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
            desk.say_of_tenant([ExperimentSet(known.first_name, lifecycle=lifecycle)])
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
            known.first_name,
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
        refusals=(404, 409),
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
