"""Metrics of runs whose newest points the index does not know yet, worked out from the points and remembered until the
run changes again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from lineal.model.values import to_json
from lineal.query.syntax import Field
from lineal.store.sql.attributes import StoredMetric, stored_metric
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.database import Connection

METRICS_MAX_COUNT = 200_000  # remembered of all live runs together, about 60 MB


class LiveMetrics:
    """Used under the engine's lock."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: OrderedDict[int, tuple[int, dict[str, StoredMetric]]] = OrderedDict()
        self._count = 0

    def values(self, connection: Connection, runs: Sequence[int], field: Field) -> dict[int, int | float | None]:
        """By run: the metric's aggregate, of those that have it."""
        metrics = self._metrics(connection, runs)
        return {run: getattr(metrics[run][field.name], field.aggregate) for run in runs if field.name in metrics[run]}

    def _metrics(self, connection: Connection, runs: Sequence[int]) -> dict[int, dict[str, StoredMetric]]:
        changed = dict(
            connection.execute(
                "SELECT pk, changed FROM run WHERE pk IN (SELECT value FROM json_each(?))", (to_json(list(runs)),)
            )
        )
        found: dict[int, dict[str, StoredMetric]] = {}
        missing = []
        for run in runs:
            known = self._known.get(run)
            if known is not None and known[0] == changed[run]:
                found[run] = known[1]
                self._known.move_to_end(run)
            else:
                missing.append(run)
        for run, metrics in self._read(connection, missing).items():
            found[run] = metrics
            before = self._known.pop(run, (0, {}))[1]
            self._known[run] = (changed[run], metrics)
            self._count += len(metrics) - len(before)
        while self._count > METRICS_MAX_COUNT and len(self._known) > 1:
            _, (_, metrics) = self._known.popitem(last=False)
            self._count -= len(metrics)
        return found

    def _read(self, connection: Connection, runs: Sequence[int]) -> dict[int, dict[str, StoredMetric]]:
        if not runs:
            return {}
        return read_metrics(connection, self._catalog, runs)


def read_metrics(connection: Connection, catalog: Catalog, runs: Sequence[int]) -> dict[int, dict[str, StoredMetric]]:
    """Run -> metric without labels -> its numbers, everything appended included."""
    from lineal.series.stats import summary_of
    from lineal.store.sql.summary_reader import read_pieces
    from lineal.store.summaries import PieceStats, merge_in_order

    found: dict[int, dict[str, StoredMetric]] = {}
    for run, series in read_pieces(connection, catalog, runs).items():
        by_name: dict[str, list[PieceStats]] = {}
        for pk, pieces in series.items():
            key = catalog.series_key(connection, pk)
            if not key.labels:
                by_name.setdefault(key.name, []).extend(pieces)
        found[run] = {name: stored_metric(summary_of(merge_in_order(pieces))) for name, pieces in by_name.items()}
    return found
