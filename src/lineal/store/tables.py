"""Answers as rows of plain values, and as tables of pandas and polars where those are installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lineal.model.entities import RunDetails
from lineal.model.values import INT64_MAX, INT64_MIN, float_text
from lineal.query.syntax import Field
from lineal.query.text import field_text

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_PARTS = {"params": "param", "metrics": "metric", "tags": "tag"}


def run_row(details: RunDetails, metrics: Mapping[str, float | int]) -> dict[str, Any]:
    """A run as a dict: attributes by the names that filters know them by, times as datetimes in UTC, duration in seconds;
    params (typed), metrics (logged last) and tags as dicts."""
    run = details.run
    return {
        "run_id": run.run_id,
        "name": run.name,
        "experiment": run.experiment_name,
        "status": run.status,
        "start_time": _time(run.started_ms),
        "end_time": None if run.ended_ms is None else _time(run.ended_ms),
        "duration_seconds": None if run.duration_ms is None else run.duration_ms / 1000,
        "user_id": run.user_id,
        "description": run.description,
        "parent_run_id": run.parent_run_id,
        "params": dict(details.params),
        "metrics": dict(metrics),
        "tags": dict(details.tags),
    }


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns by name, None where a row has no value. Params, metrics and tags become a column each, named as filters name
    them (`params.lr`), sorted; there are always the columns of `run_row`."""
    flat: list[dict[str, Any]] = []
    names: dict[str, None] = dict.fromkeys(name for row in rows[:1] for name in row if name not in _PARTS)
    nested: dict[str, set[str]] = {part: set() for part in _PARTS}
    for row in rows:
        values = {name: value for name, value in row.items() if name not in _PARTS}
        for part, kind in _PARTS.items():
            for name, value in row.get(part, {}).items():
                column = field_text(Field(kind, name))  # type: ignore[arg-type]
                values[column] = value
                nested[part].add(column)
        flat.append(values)
    for part in _PARTS:
        names.update(dict.fromkeys(sorted(nested[part])))
    return {name: [values.get(name) for values in flat] for name in names}


def to_pandas(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """ImportError if pandas is not installed. A column of several types holds objects."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_pandas needs pandas, which is not installed: pip install pandas") from error
    table = {}
    for name, values in columns.items():
        given = [value for value in values if value is not None]
        if given and all(isinstance(value, datetime) for value in given):
            table[name] = pandas.Series(pandas.to_datetime(values, utc=True))
        elif given and len({type(value) for value in given}) > 1 and not all(map(_is_number, given)):
            table[name] = pandas.Series(values, dtype=object)
        else:
            table[name] = pandas.Series(values, dtype=None if given else object)
    return pandas.DataFrame(table, columns=list(columns))


def to_polars(columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    """ImportError if polars is not installed. A column of several types holds texts."""
    try:
        import polars
    except ImportError as error:
        raise ImportError("to_polars needs polars, which is not installed: pip install polars") from error
    return polars.DataFrame([_polars_series(name, values) for name, values in columns.items()])


def _polars_series(name: str, values: list[Any]) -> pl.Series:
    import polars

    given = [value for value in values if value is not None]
    if not given:
        return polars.Series(name, values, polars.Null)
    if all(isinstance(value, datetime) for value in given):
        return polars.Series(name, values, polars.Datetime("ms", "UTC"))
    if all(isinstance(value, bool) for value in given):
        return polars.Series(name, values, polars.Boolean)
    if all(map(_is_number, given)):
        if all(isinstance(value, int) and INT64_MIN <= value <= INT64_MAX for value in given):
            return polars.Series(name, values, polars.Int64)
        return polars.Series(name, [None if value is None else float(value) for value in values], polars.Float64)
    if all(isinstance(value, tuple) for value in given):
        return polars.Series(name, [None if value is None else list(value) for value in values])
    return polars.Series(name, [None if value is None else _text(value) for value in values], polars.String)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) < 10**300


def _text(value: object) -> str:
    return float_text(value) if isinstance(value, float) else str(value)


def _time(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
