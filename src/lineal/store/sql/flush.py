"""Writes the runs that a transaction changed: their rows, their search index, their points."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from lineal.store.rules import effective_params
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.captures import flush_captures
from lineal.store.sql.counts import RunCounts
from lineal.store.sql.database import Connection, list_text
from lineal.store.sql.dataset_names import DatasetCounts
from lineal.store.sql.draft import ATTEMPT_COLUMNS, RunDraft, attempt_row
from lineal.store.sql.names import Names

_ATTEMPT_NAMES = [name.strip() for name in ATTEMPT_COLUMNS.split(",")]
_RUN_NAMES = (
    "tenant",
    "run_id",
    "experiment",
    "name",
    "status",
    "is_deleted",
    "is_stale",
    "started_ms",
    "ended_ms",
    "description",
    "user_id",
    "parent_run_id",
    "forked_from",
    "fork_step",
    "content_digest",
    "is_locked",
    "changed",
)


def upsert(table: str, keys: list[str], names: Iterable[str], fixed: Sequence[str] = ()) -> str:
    """Of the columns `keys`, `fixed` and `names`; of a row that is there, the last are changed."""
    names = list(names)
    columns = [*keys, *fixed, *names]
    sets = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
    )


_ATTEMPT_UPSERT = upsert("attempt", ["run", "number"], _ATTEMPT_NAMES)
_RUN_UPSERT = upsert("run", ["pk"], _RUN_NAMES)


def flush_runs(
    connection: Connection,
    names: Names,
    tenant: int,
    runs: Collection[RunDraft],
    experiment_pk: Callable[[str], int],
    change_number: int,
) -> bool:
    """True if rows were merged or deleted, so that pages may be free."""
    index = AttributeIndex(connection, names, tenant)
    counts = RunCounts(connection, tenant)
    datasets = DatasetCounts(connection, names, tenant)
    frees_pages = False
    rows: list[tuple[object, ...]] = []  # of all runs, written at once: a statement may be a round trip
    attempts: list[tuple[object, ...]] = []
    marked: dict[tuple[bool, bool], list[int]] = {}  # by whether it is stale, and whether that is news
    fresh: list[tuple[object, ...]] = []
    for run in runs:
        _index_statements(run, index)
        was_stale = run.is_stale
        run.is_touched |= bool(run.settings.changed or run.params.fresh or run.points)
        run.is_touched |= run.uses.is_changed or run.captures.is_changed
        run.uses.flush(tenant, index, datasets)
        run.console.flush()
        if run.attempts_changed and len(run.attempts) > 1:
            run.is_stale = True  # which of the attempts is the latest may have changed, and so each metric's last value
        changed = run.row_changed or bool(run.attempts_changed)
        attempts += ((run.pk, run.numbers[key], *attempt_row(run.attempts[key])) for key in run.attempts_changed)
        run.attempts_changed.clear()
        changed |= any(kind in ("name", "lifecycle", "lock") for kind, _ in run.settings.changed)
        run.settings.flush()
        run.params.flush()
        if run.points or (run.wants_compaction and run.is_stale):
            from lineal.store.sql.points import flush_points

            frees_pages |= flush_points(connection, names, run, index, fresh)
        run.wants_compaction = False
        if changed:
            rows.append(_run_row(tenant, run, experiment_pk, change_number))
            counts.move(run)
        elif run.is_touched or run.is_stale != was_stale:
            marked.setdefault((run.is_stale, run.is_stale != was_stale), []).append(run.pk)
        run.is_touched = False
    connection.executemany(_ATTEMPT_UPSERT, attempts)
    connection.executemany(_RUN_UPSERT, rows)
    flush_captures(connection, names, tenant, runs)
    for (is_stale, is_news), pks in marked.items():
        column = f"is_stale = {int(is_stale)}, " if is_news else ""  # in an index: not written for nothing
        connection.execute(
            f"UPDATE run SET {column}changed = ? WHERE pk IN (SELECT value FROM json_each(?))",
            (change_number, list_text(pks)),
        )
    if fresh:
        from lineal.store.sql.fresh import INSERT

        connection.executemany(INSERT, fresh)
    index.write()
    counts.write()
    datasets.write()
    return frees_pages


def _index_statements(run: RunDraft, index: AttributeIndex) -> None:
    """What the search index shall know of params and tags."""
    if run.params.fresh or (run.attempts_changed and not run.is_new):
        said = [(run.rank(attempt_id), params) for attempt_id, params in run.params.all().items()]
        # A new attempt may change which value counts; without one, only what was said now can have changed.
        told = None if run.attempts_changed else {name for _, _, params in run.params.fresh for name in params}
        for name, value in effective_params(said).items():
            if told is None or name in told:
                index.set(run.pk, "param", name, value)
    for (kind, name), (_, value) in run.settings.changed.items():
        if kind == "tag":
            index.set(run.pk, "tag", name, value)
    _index_documents(run, index)
    run.captures.index(run.rank, index, is_reordered=bool(run.attempts_changed) and len(run.attempts) > 1)


def _index_documents(run: RunDraft, index: AttributeIndex) -> None:
    """All documents of a run together say what its leaves are: one may hide another's."""
    changed = {name: value for (kind, name), (_, value) in run.settings.changed.items() if kind == "document"}
    if not changed:
        return
    from lineal.store.json_leaves import leaves_of_documents

    before = run.settings.stored("document")
    after = {name: text for name, text in {**before, **changed}.items() if text is not None}
    old, new = leaves_of_documents(before), leaves_of_documents(after)
    for name in [*old, *new]:
        index.set(run.pk, "json", name, new.get(name))


def _run_row(
    tenant: int, draft: RunDraft, experiment_pk: Callable[[str], int], change_number: int
) -> tuple[object, ...]:
    """For _RUN_UPSERT."""
    run = draft.run()
    experiment = experiment_pk(run.experiment_name)
    draft.stands = (experiment, run.lifecycle == "deleted")
    draft.is_new = draft.row_changed = False
    return (
        draft.pk,
        tenant,
        run.run_id,
        experiment,
        run.name,
        run.status,
        run.lifecycle == "deleted",
        draft.is_stale,
        run.started_ms,
        run.ended_ms,
        run.description or None,
        run.user_id,
        run.parent_run_id,
        run.forked_from,
        run.fork_step,
        run.content_digest,
        run.is_locked,
        change_number,
    )
