"""The datasets and logged models that a run used: what is known of them, and what a transaction adds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, replace
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.lineage import Dataset, DatasetUse, ModelUse
from lineal.model.values import from_json, to_json
from lineal.store.lineage import DatasetKey, ModelKey, dataset_key, say_first, searched_fields
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.database import Connection, list_text

_DATASET = "name, digest, version, source_type, source"
_SHORT = ", ".join(f"dataset.{name}" for name in _DATASET.split(", "))
_WHOLE = f"{_SHORT}, dataset.schema, dataset.profile"


class UsesDraft:
    """Of one run. `model_ids`: of which models points were appended."""

    def __init__(self, connection: Connection, run: int, *, is_new: bool) -> None:
        self._connection = connection
        self._run = run
        self._datasets: dict[DatasetKey, tuple[Stamp, DatasetUse]] | None = {} if is_new else None
        self._models: dict[ModelKey, tuple[Stamp, ModelUse]] | None = {} if is_new else None
        self._searched: dict[str, str] = {}
        self._datasets_changed: set[DatasetKey] = set()
        self._models_changed: set[ModelKey] = set()
        self.model_ids: set[str] = set()

    @property
    def is_changed(self) -> bool:
        return bool(self._datasets_changed or self._models_changed)

    def use_dataset(self, use: DatasetUse, stamp: Stamp) -> bool:
        """True if this is the first word."""
        if self._datasets is None:
            self._datasets = read_dataset_uses(self._connection, [self._run]).get(self._run, {})
            self._searched = searched_fields(known for _, known in self._datasets.values())
        key = dataset_key(use)
        is_first = say_first(self._datasets, key, stamp, replace(use, used_ms=stamp.time_ms))
        if is_first:
            self._datasets_changed.add(key)
        return is_first

    def use_model(self, use: ModelUse, stamp: Stamp) -> bool:
        """True if this is the first word."""
        if self._models is None:
            self._models = read_model_uses(self._connection, [self._run]).get(self._run, {})
        key = use.role, use.model_id
        is_first = say_first(self._models, key, stamp, replace(use, used_ms=stamp.time_ms))
        if is_first:
            self._models_changed.add(key)
        return is_first

    def flush(self, tenant: int, index: AttributeIndex) -> None:
        if self._datasets_changed:
            assert self._datasets is not None
            self._write_datasets(tenant, [self._datasets[key] for key in sorted(self._datasets_changed)])
            self._datasets_changed.clear()
            searched = searched_fields(use for _, use in self._datasets.values())
            for name in [*self._searched, *searched]:
                index.set_text(self._run, "dataset", name, searched.get(name))
            self._searched = searched
        if self._models_changed:
            assert self._models is not None
            changed = [(key, *self._models[key]) for key in sorted(self._models_changed)]
            self._connection.executemany(
                "INSERT INTO model_use (run, role, model_id, time_ms, writer, seq, step) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (run, role, model_id) DO UPDATE SET time_ms = excluded.time_ms, writer = excluded.writer,"
                " seq = excluded.seq, step = excluded.step",
                [(self._run, *key, *stamp, use.step) for key, stamp, use in changed],
            )
            self._models_changed.clear()
        if self.model_ids:
            self._connection.executemany(
                "INSERT INTO model_run (tenant, model_id, run) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(tenant, model_id, self._run) for model_id in sorted(self.model_ids)],
            )
            self.model_ids.clear()

    def _write_datasets(self, tenant: int, changed: list[tuple[Stamp, DatasetUse]]) -> None:
        self._connection.executemany(
            "INSERT INTO dataset_use (run, name, digest, context, time_ms, writer, seq, dataset, tags)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, name, digest, context) DO UPDATE SET"
            " time_ms = excluded.time_ms, writer = excluded.writer, seq = excluded.seq, dataset = excluded.dataset,"
            " tags = excluded.tags",
            [
                (
                    self._run,
                    *dataset_key(use),
                    *stamp,
                    self._describe(tenant, use.dataset),
                    to_json([list(tag) for tag in sorted(use.tags.items())]),
                )
                for stamp, use in changed
            ],
        )

    def _describe(self, tenant: int, dataset: Dataset) -> int:
        """The number of that very description."""
        description = hashlib.sha256(to_json(astuple(dataset)).encode()).digest()[:16]
        row = self._connection.execute(
            "SELECT pk FROM dataset WHERE tenant = ? AND description = ?", (tenant, description)
        ).fetchone()
        if row is None:
            row = self._connection.execute(
                f"INSERT INTO dataset (tenant, description, {_DATASET}, schema, profile)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING pk",
                (tenant, description, *astuple(dataset)),
            ).fetchone()
        return int(row[0])


def read_dataset_uses(
    connection: Connection, runs: Iterable[int], *, whole: bool = False
) -> dict[int, dict[DatasetKey, tuple[Stamp, DatasetUse]]]:
    """By run. `whole`: with schemas and profiles."""
    wanted = list_text(list(runs))
    rows = connection.execute(
        "SELECT run, name, digest, context, time_ms, writer, seq, dataset, tags FROM dataset_use"
        " WHERE run IN (SELECT value FROM json_each(?))",
        (wanted,),
    ).fetchall()
    datasets = _read_datasets(connection, {row[7] for row in rows}, whole=whole)
    found: dict[int, dict[DatasetKey, tuple[Stamp, DatasetUse]]] = {}
    for run, name, digest, context, time_ms, writer, seq, dataset, tags in rows:
        use = DatasetUse(datasets[dataset], context, dict(from_json(tags)), time_ms)
        found.setdefault(run, {})[name, digest, context] = (Stamp(time_ms, writer, seq), use)
    return found


def _read_datasets(connection: Connection, pks: Iterable[int], *, whole: bool) -> dict[int, Dataset]:
    wanted = sorted(pks)
    if not wanted:
        return {}
    rows: Iterable[Any] = connection.execute(
        f"SELECT dataset.pk, {_WHOLE if whole else _SHORT} FROM dataset"
        " WHERE dataset.pk IN (SELECT value FROM json_each(?))",
        (list_text(wanted),),
    )
    return {pk: Dataset(*values) for pk, *values in rows}


def read_model_uses(connection: Connection, runs: Iterable[int]) -> dict[int, dict[ModelKey, tuple[Stamp, ModelUse]]]:
    """By run."""
    found: dict[int, dict[ModelKey, tuple[Stamp, ModelUse]]] = {}
    for run, role, model_id, step, *said in connection.execute(
        "SELECT run, role, model_id, step, time_ms, writer, seq FROM model_use"
        " WHERE run IN (SELECT value FROM json_each(?))",
        (list_text(list(runs)),),
    ):
        stamp = Stamp(*said)
        found.setdefault(run, {})[role, model_id] = (stamp, ModelUse(model_id, role, step, stamp.time_ms))
    return found
