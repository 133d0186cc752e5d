"""Questions about many runs. Lists without filter and order walk an index, and counters say how many there are; all
else is the engine's."""

from __future__ import annotations

from collections.abc import Iterable

from lineal.query.syntax import ATTRIBUTES, Kind
from lineal.store.contracts import Changes, Counts, RunPage, RunQuery
from lineal.store.page_tokens import Place, make_token, read_token
from lineal.store.sql.database import Connection
from lineal.store.sql.details import read_runs


def is_plain(query: RunQuery) -> bool:
    """Whether an index has the answer."""
    return (
        query.filter is None
        and not query.order
        and query.limit >= 0
        and (query.experiments is None or len(query.experiments) == 1)
    )


def newest_page(connection: Connection, tenant: int, query: RunQuery) -> RunPage:
    """Of all runs, or those of one experiment: newest start first."""
    start = read_token(query)
    of, value = ("tenant", tenant)
    if query.experiments is not None:
        found = find_experiment(connection, tenant, query.experiments[0])
        if found is None:
            return RunPage([], 0, None)
        of, value = ("experiment", found)
    [active, deleted] = connection.execute(
        f"SELECT coalesce(sum(active), 0), coalesce(sum(deleted), 0) FROM run_count WHERE {of} = ?", (value,)
    ).fetchone()
    kept = {"active": (0,), "deleted": (1,), None: (0, 1)}[query.lifecycle]
    total = sum((active, deleted)[is_deleted] for is_deleted in kept)
    behind = ""
    told: tuple[object, ...] = ()
    if start is not None:
        behind = " AND started_ms <= ? AND (started_ms < ? OR run_id > ?)"
        told = (start.started_ms, start.started_ms, start.run_id)
    last = query.offset + query.limit + 1
    walks = [
        connection.execute(
            f"SELECT pk, started_ms, run_id FROM run WHERE {of} = ? AND is_deleted = ?{behind}"
            " ORDER BY started_ms DESC, run_id LIMIT ? OFFSET ?",
            (
                value,
                is_deleted,
                *told,
                last if len(kept) > 1 else query.limit + 1,
                query.offset if len(kept) == 1 else 0,
            ),
        ).fetchall()
        for is_deleted in kept
    ]
    rows = walks[0]
    if len(walks) > 1:
        rows = sorted(rows + walks[1], key=lambda row: (-row[1], row[2]))[query.offset : last]
    page = rows[: query.limit]
    runs = read_runs(connection, [pk for pk, _, _ in page])
    token = None
    if page and len(rows) > query.limit:
        token = make_token(query, Place((), *page[-1][1:]))
    return RunPage([runs[pk] for pk, _, _ in page], total, token)


def find_experiment(connection: Connection, tenant: int, name: str) -> int | None:
    row = connection.execute("SELECT pk FROM experiment WHERE tenant = ? AND name = ?", (tenant, name)).fetchone()
    return None if row is None else int(row[0])


def read_names(connection: Connection, tenant: int, kind: Kind, prefix: str, limit: int) -> list[str]:
    names: Iterable[str] = ATTRIBUTES if kind == "attribute" else ()
    if kind == "metric":
        # The index knows those that were compacted, this also the others.
        sql = "SELECT name FROM series_key WHERE tenant = ? AND labels = '[]'"
        names = {name for (name,) in connection.execute(sql, (tenant,))}
    elif kind in ("param", "tag", "json"):
        sql = "SELECT name FROM attribute_key WHERE tenant = ? AND kind = ?"
        names = [name for (name,) in connection.execute(sql, (tenant, kind))]
    return sorted(name for name in names if name.startswith(prefix))[:limit]


def read_run_counts(connection: Connection, tenant: int) -> Counts:
    rows = connection.execute(
        "SELECT e.experiment_id, c.active, c.deleted FROM run_count c JOIN experiment e ON e.pk = c.experiment"
        " WHERE c.tenant = ?",
        (tenant,),
    ).fetchall()
    by_experiment = {experiment_id: active for experiment_id, active, _ in rows if active}
    return Counts(sum(by_experiment.values()), sum(deleted for *_, deleted in rows), by_experiment)


def read_changes(connection: Connection, tenant: int, after: int, limit: int) -> Changes:
    [number] = connection.execute("SELECT change_number FROM lineal_schema").fetchone()
    rows = connection.execute(
        "SELECT run_id FROM run WHERE tenant = ? AND changed > ? ORDER BY changed, run_id LIMIT ?",
        (tenant, after, limit + 1),
    ).fetchall()
    return Changes(number, [run_id for (run_id,) in rows[:limit]], len(rows) <= limit and after <= number)
