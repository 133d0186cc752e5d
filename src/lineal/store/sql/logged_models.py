"""Logged models as a transaction changes them and as readers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.errors import NotFound
from lineal.model.lineage import DatasetSummary, LoggedModel, ModelFile
from lineal.model.values import from_json
from lineal.model.vocabulary import MODEL_LABEL
from lineal.store.lineage import ModelPage, ModelQuery, ModelSettings, model_of
from lineal.store.model_search import (
    Candidate,
    ModelSeries,
    is_plain,
    metrics_of,
    page_of_models,
    place_of,
    wanted_of,
)
from lineal.store.rules import DEFAULT_EXPERIMENT
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.columns import find_experiments
from lineal.store.sql.database import Connection, list_text

RUNS_AT_ONCE = 500  # whose summaries are decoded together

_MODEL = (
    "SELECT m.pk, m.model_id, m.name, e.experiment_id, coalesce(e.shown, e.name), m.source_run_id, m.model_type, m.path,"
    " m.status, CASE m.is_deleted WHEN 1 THEN 'deleted' ELSE 'active' END, m.created_ms, m.updated_ms FROM logged_model m"
    " JOIN experiment said ON said.pk = m.experiment JOIN experiment e ON e.pk = coalesce(said.home, said.pk)"
)


class ModelDraft:
    """One model. `settings`: the words that count; `changed`: those of them that are to be written."""

    def __init__(self, connection: Connection, tenant: int, model_id: str, pk: int, *, is_new: bool) -> None:
        self._connection = connection
        self._tenant = tenant
        self.model_id = model_id
        self.pk = pk
        self.is_new = is_new
        self.settings: ModelSettings = {} if is_new else read_settings(connection, [pk]).get(pk, {})
        self.changed: list[tuple[str, str]] = []

    @classmethod
    def find(cls, connection: Connection, tenant: int, model_id: str) -> ModelDraft | None:
        row = connection.execute(
            "SELECT pk FROM logged_model WHERE tenant = ? AND model_id = ?", (tenant, model_id)
        ).fetchone()
        return None if row is None else cls(connection, tenant, model_id, int(row[0]), is_new=False)

    @classmethod
    def make(cls, connection: Connection, tenant: int, model_id: str) -> ModelDraft:
        row = connection.execute(
            "INSERT INTO logged_model (tenant, model_id) VALUES (?, ?) RETURNING pk", (tenant, model_id)
        ).fetchone()
        return cls(connection, tenant, model_id, int(row[0]), is_new=True)

    def flush(self, experiment_pk: Callable[[str], int]) -> None:
        if not self.changed and not self.is_new:
            return
        self._connection.executemany(
            "INSERT INTO logged_model_setting (logged_model, tenant, kind, name, time_ms, writer, seq, value)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (logged_model, kind, name) DO UPDATE SET"
            " time_ms = excluded.time_ms, writer = excluded.writer, seq = excluded.seq, value = excluded.value",
            [
                (self.pk, self._tenant, *key, *self.settings[key][0], self.settings[key][1])
                for key in dict.fromkeys(self.changed)
            ],
        )
        self.changed, self.is_new = [], False
        _, experiment = self.settings.get(("experiment", ""), (None, None))
        model = model_of(self.model_id, self.settings, ("", ""))
        self._connection.execute(
            "UPDATE logged_model SET experiment = ?, name = ?, source_run_id = ?, model_type = ?, path = ?, status = ?,"
            " is_deleted = ?, created_ms = ?, updated_ms = ? WHERE pk = ?",
            (
                experiment_pk(experiment or DEFAULT_EXPERIMENT),
                model.name,
                model.source_run_id,
                model.model_type,
                model.path,
                model.status,
                model.lifecycle == "deleted",
                model.created_ms,
                model.updated_ms,
                self.pk,
            ),
        )


def read_settings(connection: Connection, pks: Sequence[int], kinds: str = "") -> dict[int, ModelSettings]:
    """By model. `kinds`: a condition on them."""
    found: dict[int, ModelSettings] = {}
    for pk, kind, name, time_ms, writer, seq, value in connection.execute(
        "SELECT logged_model, kind, name, time_ms, writer, seq, value FROM logged_model_setting"
        f" WHERE logged_model IN (SELECT value FROM json_each(?)){kinds}",
        (list_text(pks),),
    ):
        found.setdefault(pk, {})[kind, name] = (Stamp(time_ms, writer, seq), value)
    return found


def read_digests(connection: Connection, tenant: int, beginning: str) -> list[tuple[str, int]]:
    """Of files of models, those that begin so; with sizes."""
    rows = connection.execute(
        "SELECT value FROM logged_model_setting WHERE tenant = ? AND kind = 'file' AND value LIKE ?",
        (tenant, f'["{beginning}%'),
    )
    files = (ModelFile(*from_json(text)) for (text,) in rows)
    return [(file.digest, file.size_bytes) for file in files]


def read_datasets(connection: Connection, tenant: int, experiments: Sequence[str], limit: int) -> list[DatasetSummary]:
    """See `LineageReader.list_datasets`."""
    rows = connection.execute(
        "SELECT DISTINCT e.experiment_id, u.name, u.digest, u.context FROM run r JOIN dataset_use u ON u.run = r.pk"
        " JOIN experiment said ON said.pk = r.experiment JOIN experiment e ON e.pk = coalesce(said.home, said.pk)"
        " WHERE r.experiment IN (SELECT value FROM json_each(?)) ORDER BY 1, 2, 3, 4 LIMIT ?",
        (list_text(find_experiments(connection, tenant, experiments)), limit),
    )
    return [DatasetSummary(*row) for row in rows]


class ModelReader:
    """Within one snapshot."""

    def __init__(self, connection: Connection, catalog: Catalog, tenant: int) -> None:
        self._connection = connection
        self._catalog = catalog
        self._tenant = tenant

    def get(self, model_id: str) -> LoggedModel:
        row = self._connection.execute(
            f"{_MODEL} WHERE m.tenant = ? AND m.model_id = ?", (self._tenant, model_id)
        ).fetchone()
        if row is None:
            raise NotFound(f"no logged model has the id {model_id!r:.80}", field="model_id")
        return self._whole([_model(row)])[0]

    def page(self, query: ModelQuery) -> ModelPage:
        rows = self._rows(query)
        models, token = page_of_models(self._candidates(rows, query), query)
        numbers = {model_id: pk for pk, model_id, *_ in rows}
        return ModelPage(self._whole([(numbers[model.model_id], model) for model in models]), token)

    def _rows(self, query: ModelQuery) -> list[Any]:
        sql = f"{_MODEL} WHERE m.tenant = ?"
        values: list[Any] = [self._tenant]
        if query.experiments is not None:
            sql += " AND m.experiment IN (SELECT value FROM json_each(?))"
            values.append(list_text(find_experiments(self._connection, self._tenant, query.experiments)))
        if query.lifecycle is not None:
            sql += " AND m.is_deleted = ?"
            values.append(query.lifecycle == "deleted")
        if is_plain(query):  # an index has them in this order
            start = place_of(query)
            if start is not None:
                sql += " AND m.created_ms <= ? AND (m.created_ms < ? OR m.model_id > ?)"
                values += [start.started_ms, start.started_ms, start.run_id]
            sql += " ORDER BY m.created_ms DESC, m.model_id LIMIT ?"
            values.append(query.limit + 1)
        return self._connection.execute(sql, values).fetchall()

    def _candidates(self, rows: list[Any], query: ModelQuery) -> Iterator[Candidate]:
        wanted = wanted_of(query)
        pks = [row[0] for row in rows]
        words = read_settings(self._connection, pks, " AND kind IN ('param', 'tag', 'file')") if wanted.words else {}
        series = self._series(pks) if wanted.series else {}
        for pk, model in map(_model, rows):
            yield Candidate(_with_words(model, words.get(pk, {})), series.get(model.model_id, ()))

    def _whole(self, found: Sequence[tuple[int, LoggedModel]]) -> list[LoggedModel]:
        pks = [pk for pk, _ in found]
        words = read_settings(self._connection, pks, " AND kind IN ('param', 'tag', 'file')")
        series = self._series(pks)
        return [
            replace(_with_words(model, words.get(pk, {})), metrics=metrics_of(series.get(model.model_id, ())))
            for pk, model in found
        ]

    def _series(self, pks: Sequence[int]) -> dict[str, list[ModelSeries]]:
        """Model id -> what runs logged of it."""
        rows = self._connection.execute(
            "SELECT m.model_id, mr.run, r.run_id FROM logged_model m"
            " JOIN model_run mr ON mr.tenant = m.tenant AND mr.model_id = m.model_id JOIN run r ON r.pk = mr.run"
            " WHERE m.pk IN (SELECT value FROM json_each(?))",
            (list_text(pks),),
        ).fetchall()
        models: dict[int, set[str]] = {}
        for model_id, run, _ in rows:
            models.setdefault(run, set()).add(model_id)
        run_ids = {run: run_id for _, run, run_id in rows}
        found: dict[str, list[ModelSeries]] = {}
        for model_id, one in self._series_of_runs(models, run_ids):
            found.setdefault(model_id, []).append(one)
        return found

    def _series_of_runs(
        self, models: dict[int, set[str]], run_ids: dict[int, str]
    ) -> Iterator[tuple[str, ModelSeries]]:
        if not models:
            return
        from lineal.series.stats import summary_of
        from lineal.store.sql.summary_reader import read_pieces
        from lineal.store.summaries import merge_in_order

        runs = sorted(models)
        for first in range(0, len(runs), RUNS_AT_ONCE):
            some = runs[first : first + RUNS_AT_ONCE]
            for run, pieces in read_pieces(self._connection, self._catalog, some).items():
                for pk, of_series in pieces.items():
                    key = self._catalog.series_key(self._connection, pk)
                    model_id = dict(key.labels).get(MODEL_LABEL)
                    if model_id in models[run]:
                        summary = summary_of(merge_in_order(of_series))
                        yield model_id, ModelSeries(run_ids[run], key, summary)


def _model(row: Sequence[Any]) -> tuple[int, LoggedModel]:
    return row[0], LoggedModel(*row[1:])


def _with_words(model: LoggedModel, words: ModelSettings) -> LoggedModel:
    if not words:
        return model
    said = model_of(model.model_id, words, ("", ""))
    return replace(model, params=said.params, tags=said.tags, files=said.files)
