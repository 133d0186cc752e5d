"""Experiments as readers see them."""

from __future__ import annotations

from typing import Any, Literal

from lineal.model.entities import Experiment, Stamp
from lineal.store.sql.database import Connection


def read_experiments(
    connection: Connection,
    tenant: int,
    by: Literal["name", "experiment_id"] | None = None,
    value: str | None = None,
) -> list[Experiment]:
    """By name: all of a tenant, or the one that has the value; a name that it had before means it too. One that nobody mentioned
    counts while a run is in it."""
    values: tuple[object, ...] = (tenant,)
    condition = "e.tenant = ?"
    if by is not None:
        row = connection.execute(
            f"SELECT coalesce(home, pk) FROM experiment WHERE tenant = ? AND {by} = ?", (tenant, value)
        ).fetchone()
        if row is None:
            return []
        condition += " AND coalesce(e.home, e.pk) = ?"
        values = (tenant, row[0])
    groups: dict[int, list[Any]] = {}
    for row in connection.execute(
        "SELECT e.pk, e.experiment_id, e.name, e.created_ms, e.home, e.shown,"
        " EXISTS (SELECT 1 FROM run WHERE run.experiment = e.pk) FROM experiment e"
        f" WHERE {condition}",
        values,
    ).fetchall():
        groups.setdefault(row[0] if row[4] is None else row[4], []).append(row)
    settings: dict[int, dict[tuple[str, str], tuple[Stamp, str | None]]] = {}
    for home, kind, name, time_ms, writer, seq, said in connection.execute(
        "SELECT coalesce(e.home, e.pk), s.kind, s.name, s.time_ms, s.writer, s.seq, s.value FROM experiment_setting s"
        f" JOIN experiment e ON e.pk = s.experiment WHERE {condition}",
        values,
    ):
        known, stamp = settings.setdefault(home, {}), Stamp(time_ms, writer, seq)
        if (kind, name) not in known or known[kind, name][0] < stamp:
            known[kind, name] = (stamp, said)
    renamed_ms: dict[int, int] = dict(
        connection.execute(
            "SELECT coalesce(e.home, e.pk), max(n.last_ms) FROM experiment_name n JOIN experiment e ON e.pk = n.experiment"
            f" WHERE {condition} GROUP BY coalesce(e.home, e.pk)",
            values,
        ).fetchall()
    )
    found = [
        _experiment(pk, rows, settings.get(pk, {}), renamed_ms.get(pk, 0))
        for pk, rows in groups.items()
        if any(row[3] is not None or row[6] for row in rows)
    ]
    return sorted(found, key=lambda experiment: experiment.name)


def _experiment(
    pk: int, rows: list[Any], settings: dict[tuple[str, str], tuple[Stamp, str | None]], renamed_ms: int
) -> Experiment:
    [home] = [row for row in rows if row[0] == pk]
    given = {kind: value for (kind, _), (_, value) in settings.items() if value is not None}
    created_ms = min((row[3] for row in rows if row[3] is not None), default=0)
    return Experiment(
        experiment_id=home[1],
        name=home[2] if home[5] is None else home[5],
        description=given.get("description", ""),
        artifact_location=given.get("artifact_location"),
        lifecycle="deleted" if given.get("lifecycle") == "deleted" else "active",
        created_ms=created_ms,
        updated_ms=max([created_ms, renamed_ms, *(stamp.time_ms for stamp, _ in settings.values())]),
        tags={
            key: value for (kind, key), (_, value) in sorted(settings.items()) if kind == "tag" and value is not None
        },
        first_name=home[2],
    )
