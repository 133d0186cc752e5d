"""Names and versions of datasets: how many runs used each, and when last; kept in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Collection

from lineal.store.sql.database import Connection
from lineal.store.sql.names import Names

_NAME = (
    "UPDATE dataset_name SET run_count = run_count + ?, last_ms = CASE WHEN last_ms < ? THEN ? ELSE last_ms END"
    " WHERE pk = ?"
)
_VERSION = (
    "INSERT INTO dataset_version (dataset_name, digest, tenant, run_count, last_ms) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (dataset_name, digest) DO UPDATE SET run_count = dataset_version.run_count + excluded.run_count,"
    " last_ms = CASE WHEN excluded.last_ms > dataset_version.last_ms THEN excluded.last_ms ELSE dataset_version.last_ms END"
)

NameAndDigest = tuple[str, str]


class _Moved:
    """What a transaction adds to a row."""

    __slots__ = ("last_ms", "run_count")

    def __init__(self, last_ms: int) -> None:
        self.last_ms = last_ms
        self.run_count = 0

    def add(self, runs: int, time_ms: int) -> None:
        self.run_count += runs
        self.last_ms = max(self.last_ms, time_ms)


class DatasetCounts:
    """Gathers what moves and writes it once: a thousand runs of a transaction use the same few datasets."""

    def __init__(self, connection: Connection, names: Names, tenant: int) -> None:
        self._connection = connection
        self._names = names
        self._tenant = tenant
        self._moved_names: dict[int, _Moved] = {}
        self._moved_versions: dict[tuple[int, str], _Moved] = {}
        self._dated_back: set[tuple[int, str]] = set()

    def use(self, known: Collection[NameAndDigest], used: Collection[tuple[NameAndDigest, int]]) -> dict[str, int]:
        """A run used these versions at those times. `known`: the versions that it is counted for. The numbers of the names."""
        counted, of_name = set(known), {name for name, _ in known}
        numbers: dict[str, int] = {}
        for (name, digest), time_ms in used:
            pk = numbers[name] = self._names.dataset(self._tenant, name, time_ms)
            named = self._moved_names.setdefault(pk, _Moved(time_ms))
            named.add(int(name not in of_name), time_ms)
            version = self._moved_versions.setdefault((pk, digest), _Moved(time_ms))
            version.add(int((name, digest) not in counted), time_ms)
            of_name.add(name)
            counted.add((name, digest))
        return numbers

    def date_back(self, pk: int, digest: str) -> None:
        """A use turned out to be earlier than was known."""
        self._dated_back.add((pk, digest))

    def write(self) -> None:
        """When the uses themselves are written."""
        self._connection.executemany(
            _NAME,
            [(one.run_count, one.last_ms, one.last_ms, pk) for pk, one in sorted(self._moved_names.items())],
        )
        self._connection.executemany(
            _VERSION,
            [
                (pk, digest, self._tenant, one.run_count, one.last_ms)
                for (pk, digest), one in sorted(self._moved_versions.items())
            ],
        )
        for pk, digest in sorted(self._dated_back):
            self._connection.execute(
                "UPDATE dataset_version SET last_ms = (SELECT max(time_ms) FROM dataset_use WHERE dataset_name = ?"
                " AND digest = ?) WHERE dataset_name = ? AND digest = ?",
                (pk, digest) * 2,
            )
            self._connection.execute(
                "UPDATE dataset_name SET last_ms = (SELECT max(time_ms) FROM dataset_use WHERE dataset_name = ?) WHERE pk = ?",
                (pk,) * 2,
            )
