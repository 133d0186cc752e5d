"""Names and versions of datasets: how many runs used each, and when last; kept in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lineal.store.sql.database import Connection

_LATER = "last_ms = CASE WHEN excluded.last_ms > {table}.last_ms THEN excluded.last_ms ELSE {table}.last_ms END"
_NAME = (
    "INSERT INTO dataset_name (tenant, name, run_count, last_ms) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, name) DO UPDATE SET"
    f" run_count = dataset_name.run_count + excluded.run_count, {_LATER.format(table='dataset_name')} RETURNING pk"
)
_VERSION = (
    "INSERT INTO dataset_version (dataset_name, digest, tenant, run_count, last_ms) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (dataset_name, digest) DO UPDATE SET run_count = dataset_version.run_count + excluded.run_count,"
    f" {_LATER.format(table='dataset_version')}"
)

NameAndDigest = tuple[str, str]


def count_run(
    connection: Connection, tenant: int, known: Collection[NameAndDigest], used: Mapping[NameAndDigest, int]
) -> dict[str, int]:
    """A run used these versions, last at those times. `known`: those that it is counted for. The numbers of the names."""
    counted = {name for name, _ in known}
    numbers: dict[str, int] = {}
    for name in sorted({name for name, _ in used}):
        last_ms = max(time_ms for (one, _), time_ms in used.items() if one == name)
        [numbers[name]] = connection.execute(_NAME, (tenant, name, int(name not in counted), last_ms)).fetchone()
    connection.executemany(
        _VERSION,
        [
            (numbers[name], digest, tenant, int((name, digest) not in known), time_ms)
            for (name, digest), time_ms in sorted(used.items())
        ],
    )
    return numbers


def date_again(connection: Connection, numbers: Mapping[str, int], moved: Iterable[NameAndDigest]) -> None:
    """Of versions whose uses turned out to be earlier than was known, as these are written now."""
    for name, digest in sorted(set(moved)):
        connection.execute(
            "UPDATE dataset_version SET last_ms = (SELECT max(time_ms) FROM dataset_use WHERE dataset_name = ? AND digest = ?)"
            " WHERE dataset_name = ? AND digest = ?",
            (numbers[name], digest) * 2,
        )
        connection.execute(
            "UPDATE dataset_name SET last_ms = (SELECT max(time_ms) FROM dataset_use WHERE dataset_name = ?) WHERE pk = ?",
            (numbers[name],) * 2,
        )
