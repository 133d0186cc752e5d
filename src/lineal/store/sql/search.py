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


def newest_page(connection: Connection, tenant: int, query: RunQuery) -> RunPage | None:
    """Of all runs, or those of one experiment: newest start first. None where no index has it: of an experiment that was
    renamed, runs may be found under several names."""
    start = read_token(query)
    of, value = ("tenant", tenant)
    if query.experiments is not None:
        found = find_counted(connection, tenant, query.experiments[0])
        if len(found) > 1:
            return None
        if not found:
            return RunPage([], 0, None)
        of, value = ("experiment", found[0])
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


def find_counted(connection: Connection, tenant: int, name: str) -> list[int]:
    """Of the experiment that a name means: under which numbers it has runs."""
    rows = connection.execute(
        "SELECT other.pk FROM experiment named"
        " JOIN experiment other ON coalesce(other.home, other.pk) = coalesce(named.home, named.pk)"
        " JOIN run_count c ON c.experiment = other.pk"
        " WHERE named.tenant = ? AND other.tenant = ? AND named.name = ? AND c.active + c.deleted > 0",
        (tenant, tenant, name),
    )
    return [pk for (pk,) in rows]


def read_names(connection: Connection, tenant: int, kind: Kind, prefix: str, limit: int) -> list[str]:
    names: Iterable[str] = ATTRIBUTES if kind == "attribute" else ()
    if kind == "metric":
        # The index knows those that were compacted, this also the others.
        sql = "SELECT name FROM series_key WHERE tenant = ? AND labels = '[]'"
        names = {name for (name,) in connection.execute(sql, (tenant,))}
    elif kind != "attribute":
        sql = "SELECT name FROM attribute_key WHERE tenant = ? AND kind = ?"
        names = [name for (name,) in connection.execute(sql, (tenant, kind))]
    return sorted(name for name in names if name.startswith(prefix))[:limit]


def read_run_counts(connection: Connection, tenant: int) -> Counts:
    rows = connection.execute(
        "SELECT e.experiment_id, sum(c.active), sum(c.deleted) FROM run_count c"
        " JOIN experiment said ON said.pk = c.experiment JOIN experiment e ON e.pk = coalesce(said.home, said.pk)"
        " WHERE c.tenant = ? GROUP BY e.experiment_id",
        (tenant,),
    ).fetchall()
    rows = [(experiment_id, int(active), int(deleted)) for experiment_id, active, deleted in rows]
    by_experiment = {experiment_id: active for experiment_id, active, _ in rows if active}
    return Counts(sum(by_experiment.values()), sum(deleted for *_, deleted in rows), by_experiment)


def read_changes(connection: Connection, tenant: int, after: int, limit: int) -> Changes:
    [number] = connection.execute("SELECT change_number FROM lineal_schema").fetchone()
    rows = connection.execute(
        "SELECT run_id FROM run WHERE tenant = ? AND changed > ? ORDER BY changed, run_id LIMIT ?",
        (tenant, after, limit + 1),
    ).fetchall()
    return Changes(number, [run_id for (run_id,) in rows[:limit]], len(rows) <= limit and after <= number)
