"""`Why` as plain dictionaries: the JSON of the command, of Python and of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineal.model.entities import RunDetails
from lineal.model.registry import ModelVersion, RegisteredModel, Transition, VersionContent
from lineal.model.values import from_json, value_text
from lineal.store.captures import searched_code
from lineal.store.run_view import iso_time, run_dict
from lineal.store.why import Choice, Side, Why

CODE_TAGS = ("git.", "code.", "lineal.git.", "lineal.code.", "mlflow.source.")
"""Beginnings of tags that say which code ran."""


def why_dict(why: Why) -> dict[str, Any]:
    return {
        "model": model_dict(why.model, why.stages),
        "alias": why.alias,
        **side_dict(why.chosen),
        "choice": None if why.choice is None else _choice(why.choice),
        "no_choice": why.no_choice or None,
        "before": None if why.before is None else {"rule": why.before_rule, **side_dict(why.before)},
        "difference": None if why.difference is None else _difference(why),
        "transitions": [transition_dict(one) for one in why.transitions],
    }


def model_dict(model: RegisteredModel, stages: Mapping[str, int]) -> dict[str, Any]:
    """As GET /models/{name} answers. `stages`: the highest number in each."""
    return {
        "name": model.name,
        "description": model.description,
        "tags": dict(model.tags),
        "lifecycle_stage": model.lifecycle,
        "created_at": iso_time(model.created_ms),
        "last_updated": iso_time(model.updated_ms),
        "version_count": model.version_count,
        "last_version": model.last_version,
        "aliases": dict(model.aliases),
        "stages": dict(stages),
    }


def version_dict(version: ModelVersion) -> dict[str, Any]:
    """As GET /models/{name}/versions answers of each."""
    return {
        "version_id": version.version_id,
        "name": version.name,
        "version": version.version,
        "run_id": version.run_id,
        "model_id": version.model_id,
        "source": version.source,
        "path": version.path,
        "location": version.location,
        "run_link": version.run_link,
        "format": version.format,
        "description": version.description,
        "tags": dict(version.tags),
        "stage": version.stage,
        "status": version.status,
        "lifecycle_stage": version.lifecycle,
        "aliases": list(version.aliases),
        "created_at": iso_time(version.created_ms),
        "last_updated": iso_time(version.updated_ms),
    }


def content_dict(content: VersionContent) -> dict[str, Any]:
    return {
        "files": [{"path": one.path, "size_bytes": one.size_bytes, "digest": one.digest} for one in content.files],
        "signature": None if content.signature is None else from_json(content.signature),
        "input_example": None if content.input_example is None else from_json(content.input_example),
    }


def side_dict(side: Side) -> dict[str, Any]:
    run = None
    if side.run is not None:
        run = run_dict(side.run, side.metrics) | {
            "experiment": side.run.run.experiment_name,
            "locked": side.run.run.is_locked,
            "note": side.run.note,
        }
    return {
        "version": version_dict(side.version) | content_dict(side.content),
        "run": run,
        "code": code_of(side),
        "data": data_of(side.run),
    }


def code_of(side: Side) -> dict[str, str]:
    """What is recorded of the code: name -> text. What the run recorded by itself goes before what tags say."""
    run = side.run
    if run is None:
        return {}
    said = {"content_digest": run.run.content_digest} if run.run.content_digest else {}
    said |= {name: text for name, text in sorted(run.tags.items()) if name.startswith(CODE_TAGS)}
    if side.code is not None:
        recorded = searched_code(side.code.json_text)
        said |= {f"git.{name}": value_text(value) for name, value in recorded.items() if value is not None}
        digest = side.code.content.get("digest")
        said |= {"code.digest": digest} if isinstance(digest, str) and digest else {}
    return said


def data_of(run: RunDetails | None) -> list[dict[str, Any]]:
    """The datasets that the run used."""
    return [
        {
            "name": use.dataset.name,
            "version": use.dataset.version,
            "digest": use.dataset.digest,
            "source": use.dataset.source,
            "context": use.context,
        }
        for use in ([] if run is None else run.datasets)
    ]


def transition_dict(one: Transition) -> dict[str, Any]:
    """As GET /models/{name}/transitions answers of each."""
    return {
        "number": one.number,
        "time": iso_time(one.time_ms),
        "time_ms": one.time_ms,
        "writer": one.writer,
        "seq": one.seq,
        "actor": one.actor,
        "kind": one.kind,
        "version": one.version,
        "alias": one.alias,
        "before": one.before,
        "after": one.after,
        "why": one.why,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "experiment": choice.experiment,
        "metric": choice.metric,
        "rule": choice.rule,
        "goal": choice.goal,
        "goal_is_declared": choice.goal_is_declared,
        "as_of": iso_time(choice.as_of_ms),
        "value": choice.value,
        "rank": choice.rank,
        "equal_count": choice.equal_count,
        "run_count": choice.run_count,
        "later_count": choice.later_count,
        "chosen_over": [
            {
                "run_id": one.run.run_id,
                "name": one.run.name,
                "status": one.run.status,
                "start_time": iso_time(one.run.started_ms),
                "value": one.value,
                "params": {name: {"its": its, "chosen": chosen} for name, (its, chosen) in one.params.items()},
            }
            for one in choice.rivals
        ],
    }


def _difference(why: Why) -> list[Mapping[str, Any]]:
    assert why.difference is not None
    before_id, chosen_id = why.difference.run_ids
    return [
        {
            "section": row.section,
            "name": row.name,
            "before": row.values.get(before_id),
            "chosen": row.values.get(chosen_id),
            "better": None
            if len(row.best_run_ids) != 1
            else ("chosen" if row.best_run_ids[0] == chosen_id else "before"),
        }
        for row in why.difference.rows
        if row.differs
    ]
