"""The links of a lineage graph, each question a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from lineal.model.entities import Artifact, Stamp
from lineal.model.registry import VersionFile
from lineal.model.values import from_json
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.lineage import in_order_said
from lineal.store.links import (
    OWN_FOLDER,
    ArtifactId,
    ArtifactUser,
    Below,
    DataUse,
    DataWords,
    ModelLinks,
    ModelUser,
    RunLinks,
    VersionLinks,
    VersionUser,
    is_beginning,
)
from lineal.store.rules import artifact_versions
from lineal.store.sql.database import Connection, Row, list_text
from lineal.store.sql.details import read_runs
from lineal.store.sql.uses import read_artifact_uses, read_dataset_uses, read_model_uses, read_version_uses

# Words are constants, so that the partial index on the tag is used.
_REPRODUCES = f"kind = 'tag' AND name = '{REPRODUCES_TAG}'"
# An artifact `a` of run `r` that has the content of a dataset, and had it first.
_IS_SOURCE = (
    "NOT EXISTS (SELECT 1 FROM dataset_use own WHERE own.run = a.run AND own.digest = a.digest)"
    " AND a.time_ms <= (SELECT min(u.time_ms) FROM dataset_use u JOIN run o ON o.pk = u.run"
    " WHERE o.tenant = r.tenant AND u.digest = a.digest)"
)
_VERSION = (
    "SELECT v.version_id, m.name, v.number, v.run_id, v.stage, CASE WHEN m.lifecycle = 'deleted' THEN 'deleted' ELSE"
    " v.lifecycle END, v.content, v.model_id FROM model_version v JOIN registered_model m ON m.pk = v.model WHERE v.tenant = ?"
)
_WORDS = (
    "SELECT DISTINCT d.name, d.digest, d.version, d.source FROM dataset d WHERE d.tenant = ?"
    " AND EXISTS (SELECT 1 FROM dataset_use u WHERE u.digest = d.digest AND u.dataset = d.pk)"
)


class SqlLinks:
    """See `links.Links`. Within one snapshot."""

    def __init__(self, connection: Connection, tenant: int) -> None:
        self._connection = connection
        self._tenant = tenant

    # -- runs ----------------------------------------------------------------------------------------------

    def runs(self, run_ids: Collection[str]) -> dict[str, RunLinks]:
        pks = list(self._numbers(run_ids).values())
        wanted = list_text(pks)
        datasets = read_dataset_uses(self._connection, pks)
        models = read_model_uses(self._connection, pks)
        artifacts, versions = read_artifact_uses(self._connection, pks), read_version_uses(self._connection, pks)
        attempts = self._by_run(
            "SELECT run, count(*) FROM attempt WHERE opened_ms IS NOT NULL AND {} GROUP BY run", wanted
        )
        reproduces = self._by_run(
            f"SELECT run, value FROM run_setting WHERE {_REPRODUCES} AND value IS NOT NULL AND {{}}", wanted
        )
        return {
            run.run_id: RunLinks(
                run,
                attempts.get(pk, 0),
                reproduces.get(pk),
                in_order_said(datasets.get(pk, {}).values()),
                in_order_said(artifacts.get(pk, {}).values()),
                in_order_said(versions.get(pk, {}).values()),
                [use for use in in_order_said(models.get(pk, {}).values()) if use.role == "input"],
            )
            for pk, run in read_runs(self._connection, pks).items()
        }

    def runs_below(self, run_ids: Collection[str], limit: int) -> list[Below]:
        found: list[Below] = []
        # "+ 0": or the index on starts is gone through for the order, and with it every run there is.
        for relation, column in (("parent", "parent_run_id"), ("forked", "forked_from")):
            rows = self._texts(
                f"SELECT '{relation}', {column}, run_id FROM run WHERE tenant = ? AND {column} IN ({{}})"
                " ORDER BY started_ms + 0, run_id LIMIT ?",
                run_ids,
                limit,
            )
            found += [Below(*row) for row in rows]
        rows = self._texts(
            "SELECT 'reproduction', s.value, r.run_id FROM run_setting s JOIN run r ON r.pk = s.run WHERE r.tenant + 0 = ?"
            f" AND s.kind = 'tag' AND s.name = '{REPRODUCES_TAG}' AND s.value IN ({{}}) ORDER BY r.started_ms + 0, r.run_id LIMIT ?",
            run_ids,
            limit,
        )
        return found + [Below(*row) for row in rows]

    # -- uses ----------------------------------------------------------------------------------------------

    def uses_of_data(self, digests: Collection[str], limit: int) -> list[DataUse]:
        rows = self._texts(
            "SELECT u.time_ms, r.run_id, u.name, u.digest, u.context FROM dataset_use u JOIN run r ON r.pk = u.run"
            " WHERE r.tenant = ? AND u.digest IN ({}) ORDER BY 1, 2, 3, 4, 5 LIMIT ?",
            digests,
            limit,
        )
        return [DataUse(*row) for row in rows]

    def uses_of_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactUser]:
        rows = self._texts(
            "SELECT u.time_ms, r.run_id, u.source_run_id, u.path, u.digest FROM artifact_use u JOIN run r ON r.pk = u.run"
            " WHERE r.tenant = ? AND u.source_run_id IN ({}) ORDER BY 1, 2, 3, 4, 5 LIMIT ?",
            run_ids,
            limit,
        )
        return [ArtifactUser(used_ms, run_id, tuple(artifact)) for used_ms, run_id, *artifact in rows]

    def uses_of_versions(self, version_ids: Collection[str], limit: int) -> list[VersionUser]:
        rows = self._texts(
            "SELECT u.time_ms, r.run_id, u.version_id FROM version_use u JOIN run r ON r.pk = u.run"
            " WHERE r.tenant = ? AND u.version_id IN ({}) ORDER BY 1, 2, 3 LIMIT ?",
            version_ids,
            limit,
        )
        return [VersionUser(*row) for row in rows]

    # -- logged models -------------------------------------------------------------------------------------

    def uses_of_models(self, model_ids: Collection[str], limit: int) -> list[ModelUser]:
        rows = self._texts(
            "SELECT u.time_ms, r.run_id, u.model_id, u.role FROM model_use u JOIN run r ON r.pk = u.run"
            " WHERE r.tenant = ? AND u.model_id IN ({}) ORDER BY 1, 2, 3, 4 LIMIT ?",
            model_ids,
            limit,
        )
        return [ModelUser(*row) for row in rows]

    def logged_models(self, model_ids: Collection[str]) -> list[ModelLinks]:
        rows = self._texts(
            "SELECT model_id, name, source_run_id, path, CASE is_deleted WHEN 1 THEN 'deleted' ELSE 'active' END"
            " FROM logged_model WHERE tenant = ? AND model_id IN ({})",
            model_ids,
        )
        return [ModelLinks(*row) for row in rows]

    def models_of(self, run_ids: Collection[str], limit: int) -> list[tuple[str, str]]:
        made = self._texts(
            "SELECT source_run_id, model_id FROM logged_model WHERE tenant = ? AND source_run_id IN ({})"
            " ORDER BY 1, 2 LIMIT ?",
            run_ids,
            limit,
        )
        put_out = self._texts(
            "SELECT r.run_id, u.model_id FROM model_use u JOIN run r ON r.pk = u.run"
            " WHERE r.tenant = ? AND r.run_id IN ({}) AND u.role = 'output' ORDER BY 1, 2 LIMIT ?",
            run_ids,
            limit,
        )
        return sorted({(run_id, model_id) for run_id, model_id in (*made, *put_out)})[:limit]

    def versions_of_models(self, model_ids: Collection[str], limit: int) -> list[VersionLinks]:
        rows = self._texts(f"{_VERSION} AND v.model_id IN ({{}}) ORDER BY v.version_id LIMIT ?", model_ids, limit)
        return [_version(row) for row in rows]

    # -- model versions ------------------------------------------------------------------------------------

    def versions(self, version_ids: Collection[str]) -> list[VersionLinks]:
        return [_version(row) for row in self._texts(f"{_VERSION} AND v.version_id IN ({{}})", version_ids)]

    def versions_of(self, run_ids: Collection[str], limit: int) -> list[VersionLinks]:
        rows = self._texts(f"{_VERSION} AND v.run_id IN ({{}}) ORDER BY v.version_id LIMIT ?", run_ids, limit)
        return [_version(row) for row in rows]

    # -- artifacts -----------------------------------------------------------------------------------------

    def artifacts_of(self, run_ids: Collection[str], each: int) -> list[ArtifactId]:
        run_of = {pk: run_id for run_id, pk in self._numbers(run_ids).items()}
        rows = self._connection.execute(
            "SELECT run, path, digest FROM (SELECT run, path, digest, row_number() OVER (PARTITION BY run ORDER BY path, digest)"
            " AS place FROM (SELECT DISTINCT run, path, coalesce(digest, '') AS digest FROM artifact"
            " WHERE run IN (SELECT value FROM json_each(?)) AND NOT (path >= ? AND path < ?)) AS one) AS placed"
            " WHERE place <= ?",
            (list_text(list(run_of)), f"{OWN_FOLDER}/", f"{OWN_FOLDER}0", each),  # "0" comes after "/"
        )
        return sorted((run_of[run], path, digest) for run, path, digest in rows)

    def artifacts_at(self, places: Collection[tuple[str, str]]) -> dict[str, list[Artifact]]:
        run_of = {pk: run_id for run_id, pk in self._numbers({run_id for run_id, _ in places}).items()}
        said: dict[str, list[tuple[Stamp, Artifact]]] = {}
        for run, time_ms, writer, seq, path, *values in self._texts(
            "SELECT a.run, a.time_ms, a.writer, a.seq, a.path, a.size_bytes, a.digest, a.uri, a.media_type, a.logged_ms"
            " FROM artifact a JOIN run r ON r.pk = a.run"
            " WHERE r.tenant = ? AND a.path IN ({}) AND a.run IN (SELECT value FROM json_each(?))",
            {path for _, path in places},
            list_text(list(run_of)),
        ):
            if (run_of[run], path) in places:
                said.setdefault(run_of[run], []).append((Stamp(time_ms, writer, seq), Artifact(path, 0, *values)))
        return {run_id: artifact_versions(of_run) for run_id, of_run in said.items()}

    def sources_of_data(self, digests: Collection[str], limit: int) -> list[ArtifactId]:
        rows = self._texts(
            "SELECT DISTINCT r.run_id, a.path, a.digest FROM artifact a JOIN run r ON r.pk = a.run"
            f" WHERE r.tenant = ? AND a.digest IN ({{}}) AND {_IS_SOURCE} ORDER BY 1, 2, 3 LIMIT ?",
            digests,
            limit,
        )
        return [tuple(row) for row in rows]

    def data_in_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactId]:
        rows = self._texts(
            "SELECT DISTINCT r.run_id, a.path, a.digest FROM artifact a JOIN run r ON r.pk = a.run"
            f" WHERE r.tenant = ? AND r.run_id IN ({{}}) AND {_IS_SOURCE} ORDER BY 1, 2, 3 LIMIT ?",
            run_ids,
            limit,
        )
        return [tuple(row) for row in rows]

    # -- words on datasets ---------------------------------------------------------------------------------

    def words_on_data(self, digests: Collection[str]) -> list[DataWords]:
        return [DataWords(*row) for row in self._texts(f"{_WORDS} AND d.digest IN ({{}})", digests)]

    def find_data(self, text: str) -> list[DataWords]:
        until = f"{text}g" if is_beginning(text) else text
        rows = self._connection.execute(
            f"{_WORDS} AND (d.name = ? OR d.digest = ? OR (d.digest >= ? AND d.digest < ?))",
            (self._tenant, text, text, text, until),
        )
        return [DataWords(*row) for row in rows]

    # -- inside --------------------------------------------------------------------------------------------

    def _numbers(self, run_ids: Collection[str]) -> dict[str, int]:
        """Of the runs that are known."""
        return dict(self._texts("SELECT run_id, pk FROM run WHERE tenant = ? AND run_id IN ({})", run_ids))

    def _texts(self, sql: str, texts: Collection[str], *more: object) -> list[Row]:
        """A statement about the tenant and a list of texts. Lists have one of few lengths, so that few statements are prepared."""
        if not texts:
            return []
        values: list[Any] = sorted(texts)
        length = 4
        while length < len(values):
            length *= 4
        values += [values[-1]] * (length - len(values))
        places = ", ".join("?" * length)
        return self._connection.execute(sql.format(places), (self._tenant, *values, *more)).fetchall()

    def _by_run(self, sql: str, wanted: str) -> dict[int, Any]:
        return dict(
            self._connection.execute(sql.format("run IN (SELECT value FROM json_each(?))"), (wanted,)).fetchall()
        )


def _version(row: Sequence[Any]) -> VersionLinks:
    version_id, name, number, run_id, stage, lifecycle, content, model_id = row
    files = (VersionFile(*file) for file in from_json(content)[0]) if content is not None else ()
    known = tuple(file for file in files if file.digest is not None)
    return VersionLinks(version_id, name, number, run_id, stage, lifecycle, known, model_id)
