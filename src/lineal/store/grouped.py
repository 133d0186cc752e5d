"""Groups of runs as Python users get them: values and spreads by the text of their field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from lineal.model.values import ParamValue
from lineal.query.syntax import Field
from lineal.query.text import field_text
from lineal.store.contracts import GroupPage, Spread
from lineal.store.tables import to_pandas, to_polars

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that have the same values of the fields grouped by."""

    values: dict[str, ParamValue]
    """By field ("params.lr"); None for runs that have no such value."""
    run_count: int
    metrics: dict[str, Spread]
    """By field: count, mean, std, min and max over the runs that have a finite value."""
    run_ids: tuple[str, ...]
    """The newest 100, newest first."""


class Groups(Sequence[Group]):
    """Largest group first; `total` counts all groups."""

    def __init__(self, page: GroupPage, by: Sequence[Field], metrics: Sequence[Field]) -> None:
        self.total = page.total
        self._by = [field_text(field) for field in by]
        self._metrics = [field_text(field) for field in metrics]
        self._groups = [
            Group(
                dict(zip(self._by, group.values, strict=True)),
                group.run_count,
                {field_text(field): spread for field, spread in group.aggregates.items()},
                group.run_ids,
            )
            for group in page.groups
        ]

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._groups[index]

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups)

    def __repr__(self) -> str:
        return f"<{len(self._groups)} of {self.total} groups by {', '.join(self._by)}>"

    def to_list(self) -> list[dict[str, Any]]:
        """A dict a group: a key for each field grouped by, `run_count`, and `FIELD.mean`, `FIELD.std` and so on."""
        rows = []
        for group in self._groups:
            row: dict[str, Any] = {**group.values, "run_count": group.run_count}
            for name, spread in group.metrics.items():
                row.update({f"{name}.{item.name}": getattr(spread, item.name) for item in fields(spread)})
            rows.append(row)
        return rows

    def to_pandas(self) -> pd.DataFrame:
        """`to_list` as a table. ImportError if pandas is not installed."""
        return to_pandas(self._columns())

    def to_polars(self) -> pl.DataFrame:
        """`to_list` as a table. ImportError if polars is not installed."""
        return to_polars(self._columns())

    def _columns(self) -> dict[str, list[Any]]:
        rows = self.to_list()
        spreads = [f"{name}.{item.name}" for name in self._metrics for item in fields(Spread)]
        return {name: [row[name] for row in rows] for name in dict.fromkeys([*self._by, "run_count", *spreads])}
