"""What schema 2 keeps beside schema 1, made from what schema 1 stored: the numbers of metrics, and leaves of documents."""

from __future__ import annotations

from lineal.store.json_leaves import leaves_of_documents
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.database import Connection
from lineal.store.sql.live import read_metrics
from lineal.store.sql.names import Names

RUNS_AT_ONCE = 1_000


def fill(connection: Connection) -> None:
    """Within the transaction that applies the schema's file."""
    names, catalog = Names(connection), Catalog()
    for (tenant,) in connection.execute("SELECT pk FROM tenant").fetchall():
        index = AttributeIndex(connection, names, tenant)
        # What is stale stays so: its metrics are worked out when they are asked for.
        runs = [pk for (pk,) in connection.execute("SELECT pk FROM run WHERE tenant = ? AND is_stale = 0", (tenant,))]
        for first in range(0, len(runs), RUNS_AT_ONCE):
            for run, metrics in read_metrics(connection, catalog, runs[first : first + RUNS_AT_ONCE]).items():
                for name, metric in metrics.items():
                    index.set_metric(run, name, metric)
            index.write()
        _fill_documents(connection, index, tenant)


def _fill_documents(connection: Connection, index: AttributeIndex, tenant: int) -> None:
    runs = connection.execute(
        "SELECT DISTINCT s.run FROM run_setting s JOIN run r ON r.pk = s.run"
        " WHERE r.tenant = ? AND s.kind = 'document' AND s.value IS NOT NULL",
        (tenant,),
    ).fetchall()
    for (run,) in runs:
        documents = dict(
            connection.execute(
                "SELECT name, value FROM run_setting WHERE run = ? AND kind = 'document' AND value IS NOT NULL", (run,)
            )
        )
        for name, value in leaves_of_documents(documents).items():
            index.set(run, "json", name, value)
        index.write()
