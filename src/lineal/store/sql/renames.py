"""Which experiment a name means, kept beside the names: derived by `store/renames.py` whenever that may have changed."""

from __future__ import annotations

from lineal.model.entities import Stamp
from lineal.store.renames import Claim, naming_of
from lineal.store.sql.database import Connection


def add_claim(connection: Connection, tenant: int, experiment: int, name: str, stamp: Stamp) -> bool:
    """False if it changes nothing."""
    row = connection.execute(
        "SELECT first_ms, first_writer, first_seq, last_ms, last_writer, last_seq FROM experiment_name"
        " WHERE experiment = ? AND name = ?",
        (experiment, name),
    ).fetchone()
    first = last = stamp
    if row is not None:
        first, last = min(Stamp(*row[:3]), stamp), max(Stamp(*row[3:]), stamp)
        if (*first, *last) == tuple(row):
            return False
    connection.execute(
        "INSERT INTO experiment_name (experiment, name, tenant, first_ms, first_writer, first_seq, last_ms, last_writer,"
        " last_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment, name) DO UPDATE SET"
        " first_ms = excluded.first_ms, first_writer = excluded.first_writer, first_seq = excluded.first_seq,"
        " last_ms = excluded.last_ms, last_writer = excluded.last_writer, last_seq = excluded.last_seq",
        (experiment, name, tenant, *first, *last),
    )
    return True


def derive_names(connection: Connection, tenant: int, change_number: int) -> None:
    """After claims, or the times that names were first spoken of, have changed. Runs whose experiment is called otherwise now
    count as changed."""
    claims = connection.execute(
        "SELECT e.name, n.name, n.first_ms, n.first_writer, n.first_seq, n.last_ms, n.last_writer, n.last_seq"
        " FROM experiment_name n JOIN experiment e ON e.pk = n.experiment WHERE n.tenant = ?",
        (tenant,),
    ).fetchall()
    if not claims:
        return
    rows = connection.execute(
        "SELECT pk, name, created_ms, home, shown FROM experiment WHERE tenant = ?", (tenant,)
    ).fetchall()
    numbers = {name: pk for pk, name, *_ in rows}
    created = {name: created_ms for _, name, created_ms, _, _ in rows}
    naming = naming_of(created, [Claim(row[0], row[1], Stamp(*row[2:5]), Stamp(*row[5:])) for row in claims])
    moved: set[int] = set()
    for pk, name, _, home, shown in rows:
        key = naming.key_of(name)
        now = None if key == name else numbers[key], naming.shown.get(name) if key == name else None
        if now != (home, shown):
            connection.execute("UPDATE experiment SET home = ?, shown = ? WHERE pk = ?", (*now, pk))
            moved |= {pk, *(one for one in (home, now[0]) if one is not None)}
    for pk, name, *_ in rows:
        if pk in moved or numbers[naming.key_of(name)] in moved:
            connection.execute("UPDATE run SET changed = ? WHERE experiment = ?", (change_number, pk))
