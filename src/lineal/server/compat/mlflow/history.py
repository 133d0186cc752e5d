"""metrics/get-history and its kin."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lineal.series.columns import Int64s, Numbers
from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.given import Param, at_most, given, number
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import Piece

HISTORY_MAX_COUNT = 25_000
BULK_RUNS_MAX_COUNT = 100
INTERVAL_MAX_COUNT = 2_500
_METRIC = Param("metric_key", required=True)


class Points(NamedTuple):
    step: Int64s
    time_ms: Int64s
    value: Numbers

    def at(self, which: Any) -> Points:
        return Points(self.step[which], self.time_ms[which], self.value[which])


def get_history(context: Context, asked: Asked[Any, None]) -> Content:
    """By time, step and value. Without `max_results` all of it."""
    values = given(
        asked,
        Param("run_id", required=True),
        _METRIC,
        Param("page_token"),
        Param("max_results", "int", check=at_most("max_results", HISTORY_MAX_COUNT)),
    )
    key = values["metric_key"]
    points = read_points(context, [values["run_id"]], key)[0]
    points = points.at(np.lexsort((points.value, points.step, points.time_ms)))
    start = offset_of(values.get("page_token"))
    end = len(points.step) if "max_results" not in values else start + values["max_results"]
    token = token_of(end) if end < len(points.step) else None
    return answer(metrics=_entries(key, points.at(slice(start, end))), next_page_token=token)


def get_history_bulk(context: Context, asked: Asked[Any, None]) -> Content:
    run_ids = [value for name, value in asked.pairs if name == "run_id"]
    if not run_ids:
        raise MlflowError("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(run_ids) > BULK_RUNS_MAX_COUNT:
        raise MlflowError(
            f"GetMetricHistoryBulk request cannot specify more than {BULK_RUNS_MAX_COUNT} run_ids."
            f" Received {len(run_ids)} run_ids."
        )
    values = given(asked, Param("metric_key"), Param("max_results", "int"))
    if "metric_key" not in values:
        raise MlflowError("GetMetricHistoryBulk request must specify a metric_key.")
    left = max(0, min(values.get("max_results", HISTORY_MAX_COUNT), HISTORY_MAX_COUNT))
    run_ids = sorted(set(run_ids))
    entries: list[dict[str, Any]] = []
    for run_id, points in zip(run_ids, read_points(context, run_ids, values["metric_key"]), strict=True):
        ordered = points.at(np.lexsort((points.value, points.step, points.time_ms))[: left - len(entries)])
        entries += _entries(values["metric_key"], ordered, run_id)
    return answer_always(metrics=entries)


def answer_always(**values: Any) -> Content:
    """With empty lists, where the stock server answers without protobuf."""
    found = answer(**values)
    return Content(b'{"metrics":[]}', "application/json") if found.content == b"{}" else found


def get_history_bulk_interval(context: Context, asked: Asked[Any, None]) -> Content:
    """Of some steps, the same for all runs: at most so many, spread over those that there are, the last one always among them."""
    values = given(
        asked,
        Param("run_ids", "texts", required=True, check=_few_runs),
        _METRIC,
        Param("start_step", "int"),
        Param("end_step", "int"),
        Param("max_results", "int", check=_some_results),
    )
    first, last = values.get("start_step"), values.get("end_step")
    if (first is None) != (last is None):
        raise MlflowError("If either start step or end step are specified, both must be specified.")
    if first is not None and last is not None and first > last:
        raise MlflowError(f"end_step must be greater than start_step. Found start_step={first} and end_step={last}.")
    run_ids = list(dict.fromkeys(values["run_ids"]))
    histories = read_points(context, run_ids, values["metric_key"])
    steps = _sampled(histories, first, last, values.get("max_results", INTERVAL_MAX_COUNT))
    entries: list[dict[str, Any]] = []
    for run_id, points in zip(run_ids, histories, strict=True):
        chosen = points.at(np.isin(points.step, steps))
        ordered = chosen.at(np.lexsort((chosen.value, chosen.time_ms, chosen.step))[:HISTORY_MAX_COUNT])
        entries += _entries(values["metric_key"], ordered, run_id)
    return answer(metrics=entries)


def _few_runs(run_ids: Any) -> None:
    if len(run_ids) > BULK_RUNS_MAX_COUNT:
        raise MlflowError(
            f"GetMetricHistoryBulkInterval request must specify at most {BULK_RUNS_MAX_COUNT} run_ids."
            f" Received {len(run_ids)} run_ids. See the API docs for more information about request parameters."
        )


def _some_results(value: Any) -> None:
    if not 1 <= int(value) <= INTERVAL_MAX_COUNT:
        raise MlflowError(
            f"max_results must be between 1 and {INTERVAL_MAX_COUNT}."
            " See the API docs for more information about request parameters."
        )


def _sampled(histories: Sequence[Points], first: int | None, last: int | None, count: int) -> list[int]:
    with_points = [points.step for points in histories if len(points.step)]
    if not with_points:
        return []
    steps = np.unique(np.concatenate(with_points)).tolist()
    first, last = (0, steps[-1]) if first is None or last is None else (first, last)
    ends = {end for step in with_points for end in (int(step.min()), int(step.max())) if first <= end <= last}
    begin, end = bisect_left(steps, first), bisect_right(steps, last)
    if end - begin <= count:
        return sorted({*steps[begin:end], *ends})
    apart = (end - begin) / count
    chosen = {steps[begin + int(place * apart)] for place in range(count)}
    return sorted({*chosen, steps[end - 1], *ends})


def read_points(context: Context, run_ids: Sequence[str], key: str) -> list[Points]:
    """In no order. Of a run that is not there: none."""
    reader = context.reader
    known = [run_id for run_id in run_ids if reader.find_run_ids(run_id, limit=1) == [run_id]]
    read = dict(zip(known, reader.read_points_of([(run_id, (key, ())) for run_id in known]), strict=True))
    return [_together(read.get(run_id, [])) for run_id in run_ids]


def _together(pieces: Sequence[Piece]) -> Points:
    if not pieces:
        none = np.empty(0, np.int64)
        return Points(none, none, np.empty(0, np.float64))
    columns = [piece.columns for piece in pieces]
    return Points(
        np.concatenate([one.step for one in columns]).astype(np.int64),
        np.concatenate([one.time_ms for one in columns]),
        np.concatenate([one.value for one in columns]),
    )


def _entries(key: str, points: Points, run_id: str | None = None) -> list[dict[str, Any]]:
    rows = zip(points.step.tolist(), points.time_ms.tolist(), points.value.tolist(), strict=True)
    more = {} if run_id is None else {"run_id": run_id}
    return [
        {"key": key, "value": number(value), "timestamp": time_ms, "step": step, **more}
        for step, time_ms, value in rows
    ]


def offset_of(token: str | None) -> int:
    """MlflowError for what is no token of ours."""
    if not token:
        return 0
    try:
        parsed = json.loads(base64.b64decode(token, validate=True))
        offset = parsed["offset"] if isinstance(parsed, dict) else None
    except (ValueError, binascii.Error, KeyError, RecursionError):
        offset = None
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 < offset < 2**53:
        raise MlflowError("Invalid page token, could not base64-decode")
    return offset


def token_of(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()
