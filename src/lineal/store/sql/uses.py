"""The datasets, logged models, artifacts and model versions that a run used: what is known of them, and what a transaction adds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, replace
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelUse, VersionUse
from lineal.model.values import from_json, to_json
from lineal.store.lineage import (
    ArtifactKey,
    DatasetKey,
    ModelKey,
    artifact_key,
    dataset_key,
    say_first,
    searched_fields,
)
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.database import Connection, list_text
from lineal.store.sql.dataset_names import DatasetCounts

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
        self._artifacts: dict[ArtifactKey, tuple[Stamp, ArtifactUse]] | None = {} if is_new else None
        self._versions: dict[str, tuple[Stamp, VersionUse]] | None = {} if is_new else None
        self._searched: dict[str, str] = {}
        self._datasets_written: set[DatasetKey] = set()
        self._datasets_changed: set[DatasetKey] = set()
        self._models_changed: set[ModelKey] = set()
        self._artifacts_changed: set[ArtifactKey] = set()
        self._versions_changed: set[str] = set()
        self.model_ids: set[str] = set()

    @property
    def is_changed(self) -> bool:
        changed = self._datasets_changed, self._models_changed, self._artifacts_changed, self._versions_changed
        return any(changed)

    def use_dataset(self, use: DatasetUse, stamp: Stamp) -> bool:
        """True if this is the first word."""
        if self._datasets is None:
            self._datasets = read_dataset_uses(self._connection, [self._run]).get(self._run, {})
            self._datasets_written = set(self._datasets)
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

    def use_artifact(self, use: ArtifactUse, stamp: Stamp) -> bool:
        """True if this is the first word."""
        if self._artifacts is None:
            self._artifacts = read_artifact_uses(self._connection, [self._run]).get(self._run, {})
        key = artifact_key(use)
        is_first = say_first(self._artifacts, key, stamp, replace(use, used_ms=stamp.time_ms))
        if is_first:
            self._artifacts_changed.add(key)
        return is_first

    def use_version(self, use: VersionUse, stamp: Stamp) -> bool:
        """True if this is the first word."""
        if self._versions is None:
            self._versions = read_version_uses(self._connection, [self._run]).get(self._run, {})
        is_first = say_first(self._versions, use.version_id, stamp, replace(use, used_ms=stamp.time_ms))
        if is_first:
            self._versions_changed.add(use.version_id)
        return is_first

    def flush(self, tenant: int, index: AttributeIndex, counts: DatasetCounts) -> None:
        if self._datasets_changed:
            assert self._datasets is not None
            self._write_datasets(tenant, [self._datasets[key] for key in sorted(self._datasets_changed)], counts)
            self._datasets_written |= self._datasets_changed
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
        self._write_registered()
        if self.model_ids:
            self._connection.executemany(
                "INSERT INTO model_run (tenant, model_id, run) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(tenant, model_id, self._run) for model_id in sorted(self.model_ids)],
            )
            self.model_ids.clear()

    def _write_registered(self) -> None:
        """Artifacts and model versions."""
        if self._artifacts_changed:
            assert self._artifacts is not None
            artifacts = [(key, *self._artifacts[key]) for key in sorted(self._artifacts_changed)]
            self._connection.executemany(
                "INSERT INTO artifact_use (run, source_run_id, path, digest, time_ms, writer, seq, version)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, source_run_id, path, digest) DO UPDATE SET"
                " time_ms = excluded.time_ms, writer = excluded.writer, seq = excluded.seq, version = excluded.version",
                [(self._run, *key, *stamp, use.version) for key, stamp, use in artifacts],
            )
            self._artifacts_changed.clear()
        if self._versions_changed:
            assert self._versions is not None
            versions = [self._versions[version_id] for version_id in sorted(self._versions_changed)]
            self._connection.executemany(
                "INSERT INTO version_use (run, version_id, time_ms, writer, seq, name) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (run, version_id) DO UPDATE SET time_ms = excluded.time_ms, writer = excluded.writer,"
                " seq = excluded.seq, name = excluded.name",
                [(self._run, use.version_id, *stamp, use.name) for stamp, use in versions],
            )
            self._versions_changed.clear()

    def _write_datasets(self, tenant: int, changed: list[tuple[Stamp, DatasetUse]], counts: DatasetCounts) -> None:
        known = {(name, digest) for name, digest, _ in self._datasets_written}
        numbers = counts.use(known, [((use.dataset.name, use.dataset.digest), stamp.time_ms) for stamp, use in changed])
        self._connection.executemany(
            "INSERT INTO dataset_use (run, name, digest, context, time_ms, writer, seq, dataset, tags, dataset_name)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, name, digest, context) DO UPDATE SET"
            " time_ms = excluded.time_ms, writer = excluded.writer, seq = excluded.seq, dataset = excluded.dataset,"
            " tags = excluded.tags",
            [
                (
                    self._run,
                    *dataset_key(use),
                    *stamp,
                    self._describe(tenant, use.dataset),
                    to_json([list(tag) for tag in sorted(use.tags.items())]),
                    numbers[use.dataset.name],
                )
                for stamp, use in changed
            ],
        )
        for _, use in changed:
            if dataset_key(use) in self._datasets_written:
                counts.date_back(numbers[use.dataset.name], use.dataset.digest)

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


def read_artifact_uses(
    connection: Connection, runs: Iterable[int]
) -> dict[int, dict[ArtifactKey, tuple[Stamp, ArtifactUse]]]:
    """By run."""
    found: dict[int, dict[ArtifactKey, tuple[Stamp, ArtifactUse]]] = {}
    for run, whose, path, digest, version, *said in connection.execute(
        "SELECT run, source_run_id, path, digest, version, time_ms, writer, seq FROM artifact_use"
        " WHERE run IN (SELECT value FROM json_each(?))",
        (list_text(list(runs)),),
    ):
        stamp = Stamp(*said)
        use = ArtifactUse(whose, path, digest, version, stamp.time_ms)
        found.setdefault(run, {})[artifact_key(use)] = (stamp, use)
    return found


def read_version_uses(connection: Connection, runs: Iterable[int]) -> dict[int, dict[str, tuple[Stamp, VersionUse]]]:
    """By run."""
    found: dict[int, dict[str, tuple[Stamp, VersionUse]]] = {}
    for run, version_id, name, *said in connection.execute(
        "SELECT run, version_id, name, time_ms, writer, seq FROM version_use WHERE run IN (SELECT value FROM json_each(?))",
        (list_text(list(runs)),),
    ):
        stamp = Stamp(*said)
        found.setdefault(run, {})[version_id] = (stamp, VersionUse(version_id, name, stamp.time_ms))
    return found
