"""runs/log-metric, log-parameter, set-tag, delete-tag, log-batch, log-model.

Everything that is said twice, as clients do that got no answer, counts once: a point that is there is dropped, a param with
the value that it has is accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lineal.ingest.desk import Desk, Later, Said
from lineal.ingest.known_runs import KnownRun
from lineal.model.errors import NotFound
from lineal.model.frozen import replace
from lineal.model.values import ParamValue, value_text
from lineal.record.records import ParamsSet, Record, TagsSet
from lineal.server.answers import Submitted
from lineal.server.compat.mlflow.answers import said
from lineal.server.compat.mlflow.errors import MISSING, MlflowError, missing_value
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import (
    BATCH_MAX_COUNT,
    BATCH_METRICS_MAX_COUNT,
    BATCH_PARAMS_MAX_COUNT,
    PARAM_MAX_CHARS,
    TAG_MAX_CHARS,
    check_key,
    check_run_id,
    cut,
)
from lineal.server.compat.mlflow.points import NOTHING, Batch, batch_of, text_of
from lineal.server.compat.mlflow.run_view import NAME_TAG, tags_of
from lineal.server.compat.mlflow.runs import (
    RUN_ID,
    active_run,
    given_run_name,
    given_tags,
    later_captures,
    name_records,
    tag_records,
)
from lineal.server.context import Context
from lineal.server.endpoint import Asked

MODELS_TAG = "mlflow.log-model.history"
_KEY = Param("key", required=True)


def log_metric(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(
        asked,
        RUN_ID,
        _KEY,
        Param("value", "double", required=True),
        Param("timestamp", "int", required=True),
        Param("step", "int"),
        Param("model_id"),
        Param("dataset_name"),
        Param("dataset_digest"),
    )
    return context.submit(_logging(values["run_id"], batch_of([values], one=True), {}, {}))


def log_param(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, _KEY, Param("value"))
    key = check_key(values["key"], "key", "Param key")
    return context.submit(_logging(values["run_id"], NOTHING, {key: cut(values.get("value", ""), PARAM_MAX_CHARS)}, {}))


def set_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, _KEY, Param("value"))
    key = check_key(values["key"], "key", "key")
    return context.submit(_logging(values["run_id"], NOTHING, {}, {key: cut(values.get("value", ""), TAG_MAX_CHARS)}))


def delete_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, _KEY)
    run_id, key = values["run_id"], values["key"]

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        try:
            tags = tags_of(desk.reader.get_details(run_id))
        except NotFound:  # this transaction made it
            raise Later from None
        if key not in tags:
            raise MlflowError(f"No tag with name: {key} in run with id {run_id}", MISSING)
        desk.say(run, [TagsSet({NAME_TAG: ""})] if key == NAME_TAG else tag_records({key: None}))
        return said()

    return context.submit(work)


def log_batch(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(
        asked,
        RUN_ID,
        Param("metrics", "list", check=_present("metrics", "key", "value", "timestamp")),
        Param("params", "list", check=_present("params", "key")),
        Param("tags", "list", check=_present("tags", "key")),
    )
    run_id = check_run_id(values["run_id"])
    metrics, params, tags = values.get("metrics", []), values.get("params", []), values.get("tags", [])
    points = batch_of(metrics)
    checked_params = _batch_params(params)
    checked_tags = given_tags(tags, "tags")
    _check_counts(len(metrics), len(params), len(tags))
    return context.submit(_logging(run_id, points, checked_params, checked_tags, batch=True))


def log_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The old way of saying that a model was logged: a list in a tag."""
    values = given(asked, RUN_ID, Param("model_json", required=True))
    run_id = values["run_id"]
    try:
        model = json.loads(values["model_json"])
    except ValueError:
        model = None
    if not isinstance(model, dict):
        raise MlflowError(f"Malformed model info. \n {values['model_json']} \n is not a valid JSON.")
    missing = {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model)
    if missing:
        raise MlflowError(f"Model json is missing mandatory fields: {missing}")
    for flavor in model["flavors"].values() if isinstance(model["flavors"], dict) else ():
        if isinstance(flavor, dict):
            flavor.pop("config", None)

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        try:
            known = json.loads(desk.reader.get_details(run_id).tags.get(MODELS_TAG, "[]"))
        except (NotFound, ValueError):
            known = []
        if model not in known:  # a request that came again
            desk.say(run, [TagsSet({MODELS_TAG: json.dumps([*known, model])})])
        return said()

    return context.submit(work)


def _present(name: str, *keys: str) -> Any:
    def check(entries: Any) -> None:
        for at, entry in enumerate(entries):
            for key in keys:
                if entry.get(key) in (None, ""):
                    message = missing_value(f"{name}[{at}].{key}").message
                    raise MlflowError(message + " See the API docs for more information about request parameters.")

    return check


def _batch_params(entries: Sequence[Mapping[str, Any]]) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {}
    twice = []
    for at, entry in enumerate(entries):
        where = f"params[{at}].key"
        key = check_key(text_of(entry.get("key"), where), where, "Param key")
        value = entry.get("value")
        if key in params:
            twice.append(key)
        params[key] = cut("" if value is None else str(value), PARAM_MAX_CHARS)
    if twice:
        raise MlflowError(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param value"
            " per param key."
        )
    return params


def _check_counts(metrics: int, params: int, tags: int) -> None:
    for name, bound, count in (
        ("metrics", BATCH_METRICS_MAX_COUNT, metrics),
        ("params", BATCH_PARAMS_MAX_COUNT, params),
        ("tags", BATCH_PARAMS_MAX_COUNT, tags),
        ("metrics, params, and tags", BATCH_MAX_COUNT, metrics + params + tags),
    ):
        if count > bound:
            raise MlflowError(
                f"A batch logging request can contain at most {bound} {name}. Got {count} {name}. Please split up {name}"
                " across multiple requests and try again."
            )


def _logging(
    run_id: str,
    said_points: Batch,
    params: dict[str, ParamValue],
    tags: dict[str, str],
    *,
    batch: bool = False,
) -> Any:
    name = tags.pop(NAME_TAG, None)
    name = given_run_name(name) if name else None

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        new_params = _fresh_params(run, params, batch)
        fresh = said_points.fresh(desk, run)
        ended_ms = run.ended_ms
        ending = desk.reopen(run) if new_params or fresh.metrics.point_count else None
        records: list[Record] = []
        if new_params:
            records.append(ParamsSet(run.attempt, new_params))
        if tags:
            records += [*tag_records(tags), *later_captures(desk, run, tags)]
        if name is not None:
            records += name_records(run, name)
        if records:
            desk.say(run, records)
        desk.append(run, fresh.metrics)
        fresh.remember(run)
        if ending is not None:
            desk.say(run, [replace(ending, ended_ms=ended_ms)])
        return said()

    return work


def _fresh_params(run: KnownRun, params: dict[str, ParamValue], batch: bool) -> dict[str, ParamValue]:
    """Those that the run does not have. MlflowError where it has another value."""
    fresh: dict[str, ParamValue] = {}
    wrong: list[dict[str, str]] = []
    for key, value in params.items():
        if key not in run.params:
            fresh[key] = value
        elif value_text(run.params[key]) != value:
            wrong.append({"key": key, "old_value": value_text(run.params[key]), "new_value": str(value)})
    if wrong and batch:
        raise MlflowError(
            f"Changing param values is not allowed. Params were already logged='{wrong}' for run ID='{run.run_id}'."
        )
    if wrong:
        raise MlflowError(
            "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old_value}' for run"
            " ID='{run_id}'. Attempted logging new value '{new_value}'.".format(run_id=run.run_id, **wrong[0])
        )
    return fresh
