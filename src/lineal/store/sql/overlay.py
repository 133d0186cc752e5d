"""Metrics of stale runs: the attribute table knows the last value as of the last compaction, so for runs that have
newer points the values are worked out for one question and put in a temporary table beside it."""

from __future__ import annotations

import math
import sqlite3

from lineal.query.evaluate import comparable
from lineal.store.sql.catalog import Catalog


def overlay_metrics(connection: sqlite3.Connection, catalog: Catalog, tenant: int, names: set[str]) -> bool:
    """Fills temp.overlay for the snapshot's transaction; False, and no table, if no run is stale."""
    stale = [pk for (pk,) in connection.execute("SELECT pk FROM run WHERE tenant = ? AND is_stale = 1", (tenant,))]
    if not stale:
        return False
    from lineal.store.sql.summary_reader import read_pieces
    from lineal.store.summaries import PieceStats, latest_of

    rows = []
    for run, series in read_pieces(connection, catalog, stale).items():
        by_name: dict[str, list[PieceStats]] = {}
        for pk, pieces in series.items():
            key = catalog.series_key(connection, pk)
            if key.name in names and not key.labels:
                by_name.setdefault(key.name, []).extend(pieces)
        for name, pieces in by_name.items():
            last = latest_of(pieces).stats.last
            if not math.isnan(last):
                rows.append((name, run, comparable(last)))
    # Undone with the snapshot's transaction.
    connection.execute(
        "CREATE TEMP TABLE overlay (name TEXT, run INTEGER, number, PRIMARY KEY (name, run)) WITHOUT ROWID"
    )
    connection.executemany("INSERT INTO temp.overlay (name, run, number) VALUES (?, ?, ?)", rows)
    return True
