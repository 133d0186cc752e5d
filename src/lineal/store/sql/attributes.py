"""The search index: what params, tags and metrics of runs compare as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lineal.model.entities import Summary
from lineal.model.values import ParamValue, value_text
from lineal.query.evaluate import comparable, operand_of
from lineal.store.sql.database import Connection
from lineal.store.sql.names import Names

AttributeKind: TypeAlias = Literal["param", "tag", "json", "dataset", "git"]


class Stored(NamedTuple):
    """A value as the table has it. Without a text it compares as the text of its number."""

    number: int | float | None
    text: str | None


def stored(value: ParamValue) -> Stored | None:
    """None if the value satisfies no comparison, and so has no row."""
    operand = None if value is None else operand_of(value)
    if operand is None:
        return None
    number = operand.number
    if number is not None and value_text(number) == operand.text:
        return Stored(number, None)
    return Stored(number, operand.text)


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """A metric's summary as it compares: None for what is NaN."""

    last: int | float | None
    first: int | float | None
    min: int | float | None
    max: int | float | None
    mean: int | float | None
    count: int


def stored_metric(summary: Summary) -> StoredMetric:
    return StoredMetric(
        _comparable(summary.last),
        _comparable(summary.first),
        _comparable(summary.min),
        _comparable(summary.max),
        _comparable(summary.mean),
        summary.count,
    )


def _comparable(number: int | float | None) -> int | float | None:
    return None if number is None or number != number else comparable(number)


class AttributeIndex:
    """Gathers changes of many runs and writes them in the tables' own order."""

    def __init__(self, connection: Connection, names: Names, tenant: int) -> None:
        self._connection = connection
        self._names = names
        self._tenant = tenant
        self._rows: dict[tuple[int, int], Stored | None] = {}
        self._metrics: dict[tuple[int, int], StoredMetric] = {}

    def keep_metric_names(self, names: Sequence[str]) -> None:
        """Those of many metrics are looked up together."""
        self._names.keep_attribute_keys(self._tenant, "metric", names)

    def set_metric(self, run: int, name: str, metric: StoredMetric) -> None:
        self._metrics[self._names.attribute_key(self._tenant, "metric", name), run] = metric

    def set(self, run: int, kind: AttributeKind, name: str, value: ParamValue) -> None:
        self._rows[self._names.attribute_key(self._tenant, kind, name), run] = stored(value)

    def set_text(self, run: int, kind: AttributeKind, name: str, text: str | None) -> None:
        """Of a field that compares as a text only."""
        row = None if text is None else Stored(None, text)
        self._rows[self._names.attribute_key(self._tenant, kind, name), run] = row

    def write(self) -> None:
        rows = sorted(self._rows.items())
        self._rows = {}
        self._connection.executemany(
            "INSERT INTO attribute (attribute_key, run, number, text) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (attribute_key, run) DO UPDATE SET number = excluded.number, text = excluded.text"
            " WHERE attribute.number IS NOT excluded.number OR attribute.text IS NOT excluded.text",
            [(*key, *value) for key, value in rows if value is not None],
        )
        self._connection.executemany(
            "DELETE FROM attribute WHERE attribute_key = ? AND run = ?", [key for key, value in rows if value is None]
        )
        metrics, self._metrics = sorted(self._metrics.items()), {}
        self._connection.executemany(
            "INSERT INTO metric (attribute_key, run, last, first, min, max, mean, count)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (attribute_key, run) DO UPDATE SET last = excluded.last,"
            " first = excluded.first, min = excluded.min, max = excluded.max, mean = excluded.mean, count = excluded.count",
            [(*key, m.last, m.first, m.min, m.max, m.mean, m.count) for key, m in metrics],
        )
