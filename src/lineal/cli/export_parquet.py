"""Parquet of an export, by polars if that is installed: a part of so many rows after the other, joined at the end."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from lineal.cli.exits import USAGE, Refusal
from lineal.cli.export_rows import PointRows, RunRow
from lineal.cli.export_text import Spool
from lineal.model.values import INT64_MAX, INT64_MIN, ParamValue, value_text

_ROWS_OF_PART = 5_000
_TIMES = ("start_time", "end_time")


def check_parquet() -> None:
    """Raises Refusal with what to install."""
    if importlib.util.find_spec("polars") is None:
        raise Refusal(
            "Parquet needs polars: pip install polars (or choose --format csv, json or jsonl)",
            USAGE,
            "export_needs_more",
        )


def runs_parquet(rows: Iterable[RunRow], path: Path) -> int:
    import polars as pl

    with Spool() as spool, _Parts(path) as parts:
        spool.fill(rows)
        kinds = _kinds_of(spool)
        types = {"int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean, "text": pl.String}
        schema: dict[str, Any] = {
            name: pl.Datetime("ms", "UTC") if name in _TIMES else types[kinds.get(name, "text")]
            for name in spool.columns()
        }
        waiting = spool.rows()
        while (some := list(islice(waiting, _ROWS_OF_PART))) or not parts.count:
            columns = {name: [_typed(row.get(name), kinds.get(name, "text"), name) for row in some] for name in schema}
            parts.add(pl.DataFrame(columns, schema=schema))
        parts.join()
        return spool.row_count


def points_parquet(rows: Iterable[PointRows], path: Path) -> int:
    """Steps and values are float64 here, whatever they were logged as."""
    import polars as pl

    schema = {
        "run_id": pl.String,
        "metric": pl.String,
        "labels": pl.String,
        "attempt": pl.String,
        "step": pl.Float64,
        "time_ms": pl.Int64,
        "value": pl.Float64,
    }
    count = 0
    with _Parts(path) as parts:
        parts.add(pl.DataFrame(schema=schema))
        for some in _gathered(rows):
            frames = [_frame(pl, one, schema) for one in some]
            parts.add(pl.concat(frames))
            count += sum(len(one.value) for one in some)
        parts.join()
    return count


def _gathered(rows: Iterable[PointRows], row_count: int = 200_000) -> Iterator[list[PointRows]]:
    some: list[PointRows] = []
    count = 0
    for one in rows:
        some.append(one)
        count += len(one.value)
        if count >= row_count or len(some) >= 1_000:
            yield some
            some, count = [], 0
    if some:
        yield some


def _frame(pl: Any, rows: PointRows, schema: dict[str, Any]) -> Any:
    from lineal.model.values import to_json

    count = len(rows.value)
    return pl.DataFrame(
        {
            "run_id": [rows.run_id] * count,
            "metric": [rows.metric] * count,
            "labels": [to_json(dict(rows.labels)) if rows.labels else ""] * count,
            "attempt": [rows.attempt] * count,
            "step": [float(step) for step in rows.step],
            "time_ms": rows.time_ms,
            "value": [float(value) for value in rows.value],
        },
        schema=schema,
    )


def _kinds_of(spool: Spool) -> dict[str, str]:
    """The narrowest type that holds every value of a column; texts for what has values of several kinds."""
    kinds: dict[str, str] = {}
    for row in spool.rows():
        for name, value in row.items():
            kind = _kind(value)
            if kind is not None:
                known = kinds.get(name, kind)
                kinds[name] = kind if known == kind else "float" if {known, kind} == {"int", "float"} else "text"
    return kinds


def _kind(value: ParamValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if INT64_MIN <= value <= INT64_MAX else "text"
    return "float" if isinstance(value, float) else "text"


def _typed(value: ParamValue, kind: str, name: str) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    if kind == "text":
        return value if isinstance(value, str) else value_text(value)
    return float(value) if kind == "float" else value


class _Parts:
    """Parquet files of one schema, joined into one without holding more than a part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix="lineal-export-", ignore_cleanup_errors=True)
        self.count = 0

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, frame: Any) -> None:
        frame.write_parquet(Path(self._folder.name, f"{self.count:08}.parquet"))
        self.count += 1

    def join(self) -> None:
        import polars as pl

        files = sorted(Path(self._folder.name).glob("*.parquet"))
        pl.scan_parquet(files).sink_parquet(self._path)
