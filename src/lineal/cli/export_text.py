"""CSV, JSON and JSON Lines of an export. Nothing is held but a page: CSV, whose columns are known only at the end, goes
through a temporary file."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from lineal.cli.export_rows import ATTRIBUTES, PointRows, RunRow
from lineal.cli.output import json_line
from lineal.model.values import ParamValue, from_json, to_json, value_text

POINT_COLUMNS = ("run_id", "metric", "labels", "attempt", "step", "time_ms", "value")


class _Lines:
    """What a CSV writer writes to: its rows end in \\r\\n, so that it quotes both within a cell, and get a plain line end here."""

    def __init__(self, out: TextIO) -> None:
        self._write = out.write

    def write(self, row: str) -> int:
        return self._write(row.removesuffix("\r\n") + "\n")


def _csv_writer(out: TextIO) -> Any:
    return csv.writer(_Lines(out), lineterminator="\r\n")


# -- runs ---------------------------------------------------------------------------------------


class Spool:
    """Rows put by in a temporary file, with the names of the columns they need. A context manager."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed by __exit__
        self._names: dict[str, set[str]] = {"params": set(), "metrics": set(), "tags": set()}
        self.row_count = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fill(self, rows: Iterable[RunRow]) -> None:
        for row in rows:
            groups: tuple[tuple[str, Mapping[str, ParamValue]], ...] = (
                ("params", row.params),
                ("metrics", row.metrics),
                ("tags", row.tags),
            )
            cells = dict(row.attributes)
            for group, values in groups:
                self._names[group].update(values)
                cells.update((f"{group}.{name}", value) for name, value in values.items())
            self._file.write(to_json(cells) + "\n")
            self.row_count += 1

    def columns(self) -> list[str]:
        """Attributes, then params, metrics and tags by name."""
        found = [f"{group}.{name}" for group, names in self._names.items() for name in sorted(names)]
        return [*ATTRIBUTES, *found]

    def rows(self) -> Iterator[dict[str, ParamValue]]:
        """From the first; a row lacks the columns that it has no value for."""
        self._file.seek(0)
        for line in self._file:
            yield from_json(line)


def runs_csv(rows: Iterable[RunRow], out: TextIO) -> int:
    with Spool() as spool:
        spool.fill(rows)
        columns = spool.columns()
        writer = _csv_writer(out)
        writer.writerow(columns)
        for row in spool.rows():
            writer.writerow([_cell(row, name) for name in columns])
        return spool.row_count


def _cell(row: dict[str, ParamValue], name: str) -> str:
    """Nothing for what a run lacks and for an attribute without a value; a param that is None says so."""
    value = row.get(name)
    if value is None and not (name in row and name.startswith("params.")):
        return ""
    return value_text(value)


def runs_jsonl(rows: Iterable[RunRow], out: TextIO) -> int:
    count = 0
    for row in rows:
        out.write(json_line(row.body) + "\n")
        count += 1
    return count


def runs_json(rows: Iterable[RunRow], out: TextIO) -> int:
    return _document("runs", (row.body for row in rows), out)


# -- points -------------------------------------------------------------------------------------


def points_csv(rows: Iterable[PointRows], out: TextIO) -> int:
    writer = _csv_writer(out)
    writer.writerow(POINT_COLUMNS)
    count = 0
    for some in rows:
        labels = json_line(dict(some.labels)) if some.labels else ""
        head = (some.run_id, some.metric, labels, some.attempt)
        writer.writerows(
            (*head, value_text(step), time_ms, value_text(value))
            for step, time_ms, value in zip(some.step, some.time_ms, some.value, strict=True)
        )
        count += len(some.value)
    return count


def points_jsonl(rows: Iterable[PointRows], out: TextIO) -> int:
    count = 0
    for point in _points(rows):
        out.write(json_line(point) + "\n")
        count += 1
    return count


def points_json(rows: Iterable[PointRows], out: TextIO) -> int:
    return _document("points", _points(rows), out)


def _points(rows: Iterable[PointRows]) -> Iterator[dict[str, Any]]:
    for some in rows:
        labels = dict(some.labels)
        for step, time_ms, value in zip(some.step, some.time_ms, some.value, strict=True):
            yield {
                "run_id": some.run_id,
                "metric": some.metric,
                "labels": labels,
                "attempt": some.attempt,
                "step": step,
                "time_ms": time_ms,
                "value": value,
            }


# -- JSON ---------------------------------------------------------------------------------------


def _document(name: str, items: Iterable[dict[str, Any]], out: TextIO) -> int:
    """{name: [...], "total": n}, an item a line."""
    out.write(f'{{"{name}": [')
    count = 0
    for item in items:
        out.write(",\n" if count else "\n")
        out.write(json_line(item))
        count += 1
    out.write(f'\n], "total": {count}}}\n')
    return count
