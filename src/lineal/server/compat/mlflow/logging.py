"""runs/log-metric, log-parameter, set-tag, delete-tag, log-batch, log-model.

Everything that is said twice, as clients do that got no answer, counts once: a point that is there is dropped, a param with
the value that it has is accepted."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lineal.ingest.desk import Desk, Later, Said
from lineal.ingest.known_runs import KnownRun
from lineal.ingest.repeats import Point, fresh_of, remember
from lineal.ingest.rows import Metrics, Rows, read_metrics
from lineal.model.entities import Layout, SeriesKey
from lineal.model.errors import NotFound
from lineal.model.values import INT64_MAX, ParamValue, value_text
from lineal.model.vocabulary import Labels
from lineal.record.records import ParamsSet, Record, TagsSet
from lineal.server.answers import Submitted
from lineal.server.compat.mlflow.answers import said
from lineal.server.compat.mlflow.errors import MISSING, MlflowError, invalid_value, missing_value
from lineal.server.compat.mlflow.given import Param, as_double, as_int, given
from lineal.server.compat.mlflow.names import (
    BATCH_MAX_COUNT,
    BATCH_METRICS_MAX_COUNT,
    BATCH_PARAMS_MAX_COUNT,
    PARAM_MAX_CHARS,
    TAG_MAX_CHARS,
    check_key,
    check_run_id,
    cut,
    is_known_key,
)
from lineal.server.compat.mlflow.run_view import NAME_TAG, tags_of
from lineal.server.compat.mlflow.runs import RUN_ID, active_run, given_run_name, given_tags, name_records, tag_records
from lineal.server.context import Context
from lineal.server.endpoint import Asked

MODELS_TAG = "mlflow.log-model.history"
_KEY = Param("key", required=True)
_LABELS = ("model_id", "dataset_name", "dataset_digest")


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
    return context.submit(_logging(values["run_id"], points_of([values], one=True), {}, {}))


def log_param(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, _KEY, Param("value"))
    key = check_key(values["key"], "key", "Param key")
    return context.submit(_logging(values["run_id"], [], {key: cut(values.get("value", ""), PARAM_MAX_CHARS)}, {}))


def set_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, _KEY, Param("value"))
    key = check_key(values["key"], "key", "key")
    return context.submit(_logging(values["run_id"], [], {}, {key: cut(values.get("value", ""), TAG_MAX_CHARS)}))


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
    points = points_of(metrics)
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


def points_of(entries: Sequence[Mapping[str, Any]], *, one: bool = False) -> list[Point]:
    """In the order that tells which is the latest: by step, then time, then value. Raises MlflowError."""
    points: list[Point] = []
    for at, entry in enumerate(entries):
        key, value, time_ms, step = entry.get("key"), entry.get("value"), entry.get("timestamp"), entry.get("step", 0)
        is_plain = type(value) is float and type(time_ms) is int and type(step) is int and 0 <= time_ms <= INT64_MAX
        if not is_plain or not is_known_key(key):
            key, value, time_ms, step = _checked(entry, "" if one else f"metrics[{at}].")
        point = Point((key, ()), step, time_ms, value)  # type: ignore[arg-type]
        points.append(point)
        if entry.get("model_id"):
            labels = tuple(sorted((name, str(entry[name])) for name in _LABELS if entry.get(name)))
            points.append(point._replace(series=(point.series[0], labels)))
    if len(points) > 1:
        points.sort(key=_latest_last)
    return points


def _checked(entry: Mapping[str, Any], where: str) -> tuple[str, float, int, int]:
    """Key, value, time and step. Raises MlflowError."""
    key = check_key(_text(entry.get("key"), f"{where}name"), f"{where}name", "Metric name")
    value = _value(entry, key, where)
    try:
        step = as_int(entry.get("step") or 0)
        time_ms = as_int(entry["timestamp"])
    except (ValueError, OverflowError):
        raise invalid_value(f"{where}timestamp", entry.get("timestamp")) from None
    if time_ms < 0:
        raise invalid_value(
            f"{where}timestamp",
            time_ms,
            f"metric '{key}' (value={value}). Timestamp must be a nonnegative long (64-bit integer) ",
        )
    return key, value, time_ms, step


def _text(value: Any, place: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid_value(place, value)
    return value


def _value(entry: Mapping[str, Any], key: str, where: str) -> float:
    try:
        return as_double(entry["value"])
    except (ValueError, OverflowError):
        raise invalid_value(
            f"{where}value",
            entry["value"],
            f"(timestamp={entry.get('timestamp')}). Please specify value as a valid double (64-bit floating point)",
        ) from None


def _latest_last(point: Point) -> tuple[int, int, bool, float]:
    is_number = not math.isnan(point.value)
    return point.step, point.time_ms, is_number, point.value if is_number else 0.0


def _batch_params(entries: Sequence[Mapping[str, Any]]) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {}
    twice = []
    for at, entry in enumerate(entries):
        where = f"params[{at}].key"
        key = check_key(_text(entry.get("key"), where), where, "Param key")
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
    points: Sequence[Point],
    params: dict[str, ParamValue],
    tags: dict[str, str],
    *,
    batch: bool = False,
) -> Any:
    now_ms = time.time_ns() // 1_000_000
    whole = metrics_of(points, now_ms)
    name = tags.pop(NAME_TAG, None)
    name = given_run_name(name) if name else None

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        new_params = _fresh_params(run, params, batch)
        metrics = whole
        if points:
            desk.check_series(run, whole)
            fresh = fresh_of(desk, run, points)
            if len(fresh) != len(points):
                metrics = metrics_of(fresh, now_ms)
        else:
            fresh = []
        ended_ms = run.ended_ms
        ending = desk.reopen(run) if new_params or metrics.point_count else None
        records: list[Record] = []
        if new_params:
            records.append(ParamsSet(run.attempt, new_params))
        if tags:
            records += tag_records(tags)
        if name is not None:
            records += name_records(run, name)
        if records:
            desk.say(run, records)
        desk.append(run, metrics)
        remember(run, fresh)
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


def metrics_of(points: Sequence[Point], now_ms: int) -> Metrics:
    """As rows; of a logged model's points the labels say whose they are."""
    of_labels: dict[Labels, list[Point]] = {}
    for point in points:
        of_labels.setdefault(point.series[1], []).append(point)
    rows: list[Rows] = []
    count = 0
    for labels, mine in of_labels.items():
        part = read_metrics(
            [point.series[0] for point in mine],
            [point.value for point in mine],
            [point.step for point in mine],
            [point.time_ms for point in mine],
            now_ms,
        )
        # Sequence numbers go by the place in the request, and no two rows may share one.
        placed = [replace(one, order=one.order + count) for one in part.rows] if count else part.rows
        rows += [replace(one, layout=_labelled(one.layout, labels)) for one in placed] if labels else placed
        count += part.point_count
    return Metrics(tuple(rows), count, 0)


def _labelled(layout: Layout, labels: Labels) -> Layout:
    return Layout(layout.step_type, tuple(SeriesKey(key.name, labels, key.value_type) for key in layout.series))
