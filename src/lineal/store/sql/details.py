"""Runs and all that belongs to them but their points, of many runs at a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lineal.model.entities import Artifact, MetricDefinition, ParamConflict, Run, RunDetails, Stamp
from lineal.model.values import ParamValue, from_json
from lineal.store.lineage import in_order_said
from lineal.store.rules import (
    AttemptFacts,
    SaidParams,
    artifact_versions,
    attempt_of,
    effective_params,
    loss_sums,
    param_conflicts,
    rank,
    started,
)
from lineal.store.sql.console import read_line_counts
from lineal.store.sql.database import Connection, list_text
from lineal.store.sql.draft import ATTEMPT_COLUMNS, attempt_from_row
from lineal.store.sql.params import read_statements
from lineal.store.sql.uses import read_artifact_uses, read_dataset_uses, read_model_uses, read_version_uses

_OF_RUNS = "run IN (SELECT value FROM json_each(?))"


def read_runs(connection: Connection, pks: Sequence[int]) -> dict[int, Run]:
    """By number."""
    rows = connection.execute(
        "SELECT run.pk, run_id, experiment.experiment_id, coalesce(experiment.shown, experiment.name), run.name, status,"
        " CASE is_deleted WHEN 1 THEN 'deleted' ELSE 'active' END, started_ms, ended_ms, coalesce(description, ''),"
        " user_id, parent_run_id, forked_from, fork_step, content_digest, is_locked"
        " FROM run JOIN experiment said ON said.pk = run.experiment"
        " JOIN experiment ON experiment.pk = coalesce(said.home, said.pk)"
        " WHERE run.pk IN (SELECT value FROM json_each(?))",
        (list_text(pks),),
    )
    return {pk: Run(*[*values, bool(is_locked)]) for pk, *values, is_locked in rows}


def read_details(connection: Connection, pks: Sequence[int]) -> dict[int, RunDetails]:
    """By number."""
    wanted = list_text(pks)
    runs = read_runs(connection, pks)
    attempts = read_attempts(connection, wanted)
    params = _read_params(connection, wanted)
    settings = _grouped(
        connection.execute(
            "SELECT run, kind, name, CASE kind WHEN 'document' THEN '' ELSE value END FROM run_setting"
            f" WHERE {_OF_RUNS} AND value IS NOT NULL ORDER BY run, kind, name",
            (wanted,),
        )
    )
    artifacts = _grouped(
        connection.execute(
            "SELECT run, time_ms, writer, seq, path, size_bytes, digest, uri, media_type, logged_ms FROM artifact"
            f" WHERE {_OF_RUNS}",
            (wanted,),
        )
    )
    losses = _grouped(connection.execute(f"SELECT run, reason, point_count FROM loss WHERE {_OF_RUNS}", (wanted,)))
    datasets, models = read_dataset_uses(connection, pks), read_model_uses(connection, pks)
    found = {
        pk: _details(
            runs[pk],
            attempts.get(pk, {}),
            params.get(pk, []),
            settings.get(pk, []),
            artifacts.get(pk, []),
            losses.get(pk, []),
        )
        for pk in pks
    }
    for pk, count in read_line_counts(connection, pks).items():
        found[pk] = replace(found[pk], console_line_count=count)
    for pk, uses in datasets.items():
        found[pk].datasets.extend(in_order_said(uses.values()))
    for pk, used in models.items():
        found[pk].models.extend(in_order_said(used.values()))
    for pk, artifact_uses in read_artifact_uses(connection, pks).items():
        found[pk].artifact_uses.extend(in_order_said(artifact_uses.values()))
    for pk, version_uses in read_version_uses(connection, pks).items():
        found[pk].version_uses.extend(in_order_said(version_uses.values()))
    return found


def read_attempts(connection: Connection, wanted: str) -> dict[int, dict[int, AttemptFacts]]:
    """Of the runs in a JSON list: run -> number -> attempt."""
    found: dict[int, dict[int, AttemptFacts]] = {}
    sql = f"SELECT run, number, {ATTEMPT_COLUMNS} FROM attempt WHERE {_OF_RUNS}"
    for run, number, *values in connection.execute(sql, (wanted,)):
        found.setdefault(run, {})[number] = attempt_from_row(values)
    return found


def _details(
    run: Run,
    attempts: dict[int, AttemptFacts],
    params: list[tuple[int, list[Any]]],
    settings: list[Any],
    artifacts: list[Any],
    losses: list[Any],
) -> RunDetails:
    effective, conflicts = _params(attempts, params)
    values: dict[str, dict[str, str]] = {}
    for kind, name, value in settings:
        values.setdefault(kind, {})[name] = value
    return RunDetails(
        run=run,
        params=effective,
        tags=values.get("tag", {}),
        note=values.get("note", {}).get("", ""),
        attempts=[attempt_of(facts) for facts in started(attempts.values())],
        artifacts=artifact_versions((Stamp(*row[:3]), Artifact(row[3], 0, *row[4:])) for row in artifacts),
        metric_definitions={
            name: MetricDefinition(**from_json(text)) for name, text in values.get("metric", {}).items()
        },
        conflicts=conflicts,
        losses=loss_sums(losses),
        document_names=list(values.get("document", {})),
    )


def _params(
    attempts: dict[int, AttemptFacts], rows: list[tuple[int, list[Any]]]
) -> tuple[dict[str, ParamValue], list[ParamConflict]]:
    """Effective values and conflicts, of (attempt, statements)."""
    if len(rows) == 1 and len(rows[0][1]) == 1:
        # Said once and in one go, as mostly: nothing to weigh.
        [[_, _, _, *told]] = rows[0][1]
        return dict(sorted(zip(told[::2], told[1::2], strict=True))), []
    by_attempt: dict[int, SaidParams] = {}
    for number, statements in rows:
        read_statements(by_attempt.setdefault(number, {}), statements)
    said = [(rank(attempts[number], attempts[number].attempt_id), by_attempt[number]) for number in by_attempt]
    return effective_params(said), param_conflicts(said)


def _read_params(connection: Connection, wanted: str) -> dict[int, list[tuple[int, list[Any]]]]:
    found: dict[int, list[tuple[int, list[Any]]]] = {}
    for run, number, body in connection.execute(f"SELECT run, attempt, body FROM params WHERE {_OF_RUNS}", (wanted,)):
        found.setdefault(run, []).append((number, from_json(body)))
    return found


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[Any]]:
    """By the first column, without it."""
    found: dict[int, list[Any]] = {}
    for run, *values in rows:
        found.setdefault(run, []).append(values)
    return found
