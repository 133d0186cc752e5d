"""Experiments as readers see them."""

from __future__ import annotations

from typing import Literal

from lineal.model.entities import Experiment
from lineal.store.sql.database import Connection


def read_experiments(
    connection: Connection,
    tenant: int,
    by: Literal["name", "experiment_id"] | None = None,
    value: str | None = None,
) -> list[Experiment]:
    """By name: all of a tenant, or the one that has the value. One that nobody mentioned counts while a run is in it."""
    condition = "tenant = ? AND (created_ms IS NOT NULL OR EXISTS (SELECT 1 FROM run WHERE run.experiment = e.pk))"
    values: tuple[object, ...] = (tenant,)
    if by is not None:
        condition += f" AND e.{by} = ?"
        values = (tenant, value)
    rows = connection.execute(
        f"SELECT pk, experiment_id, name, created_ms FROM experiment e WHERE {condition} ORDER BY name", values
    ).fetchall()
    settings: dict[int, list[tuple[str, str, int, str | None]]] = {}
    for pk, *setting in connection.execute(
        "SELECT s.experiment, s.kind, s.name, s.time_ms, s.value FROM experiment_setting s"
        f" JOIN experiment e ON e.pk = s.experiment WHERE {condition} ORDER BY s.name",
        values,
    ):
        settings.setdefault(pk, []).append(tuple(setting))
    return [_experiment(row[1], row[2], row[3], settings.get(row[0], [])) for row in rows]


def _experiment(
    experiment_id: str, name: str, created_ms: int | None, settings: list[tuple[str, str, int, str | None]]
) -> Experiment:
    given = {kind: value for kind, _, _, value in settings if value is not None}
    return Experiment(
        experiment_id=experiment_id,
        name=name,
        description=given.get("description", ""),
        artifact_location=given.get("artifact_location"),
        lifecycle="deleted" if given.get("lifecycle") == "deleted" else "active",
        created_ms=created_ms or 0,
        updated_ms=max([created_ms or 0, *(time_ms for _, _, time_ms, _ in settings)]),
        tags={key: value for kind, key, _, value in settings if kind == "tag" and value is not None},
    )
