"""Row-level security: a transaction that is about one tenant neither sees nor writes another's rows, whatever it says.

Every table is fenced but those named here. The tables have no room for a tenant in SQLite, where a run's number is enough; here
each gets a column, filled by default from the setting that the policies compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineal.store.sql.postgres.connection import PostgresConnection

# Read before it is known of which tenant a request is, or about no tenant: its members too, who are asked for by user; and when the
# first delivery of a tenant is due, by which servers find the tenant.
EXEMPT = frozenset({"lineal_schema", "tenant", "users", "member", "token", "session", "webhook_due"})

SETTING = "lineal.tenant"
ALL = "*"  # migrations, and who links audit rows

_SAID = f"current_setting('{SETTING}', true)"
_TENANT = f"NULLIF(NULLIF({_SAID}, ''), '{ALL}')::bigint"
# In subselects, so that they are worked out once a statement, not once a row.
_POLICY = f"{{column}} = (SELECT {_TENANT}) OR (SELECT {_SAID} = '{ALL}')"
COLUMN = "fence_tenant"  # of tables that have no `tenant`: another name, so that no statement has to say which it means
_OWNERS = (("run", "run"), ("experiment", "experiment"), ("writer", "writer"))  # column, and the table that it numbers


def fence(connection: PostgresConnection) -> None:
    """Within a transaction that sees everything. Tables that have a fence keep it."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    fenced = {
        table
        for (table,) in connection.execute("SELECT tablename FROM pg_policies WHERE schemaname = current_schema()")
    }
    unfenced = sorted(set(columns) - EXEMPT - fenced)
    for table in unfenced:
        if "tenant" not in columns[table]:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {COLUMN} BIGINT")
            connection.execute(f"UPDATE {table} SET {COLUMN} = {_owner(table, columns[table])}")
    for table in unfenced:
        column = "tenant" if "tenant" in columns[table] else COLUMN
        connection.execute(
            f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, ALTER COLUMN {column} SET DEFAULT {_TENANT},"
            " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        )
        connection.execute(f"CREATE POLICY lineal_fence ON {table} USING ({_POLICY.format(column=column)})")


def _owner(table: str, columns: set[str]) -> str:
    if table == "chunk":  # numbered after its block: see the schema
        return "(SELECT run.tenant FROM block JOIN run ON run.pk = block.run WHERE block.pk = chunk.pk >> 20)"
    found = next(((column, owner) for column, owner in _OWNERS if column in columns), None)
    if found is None:
        raise RuntimeError(
            f"{table} does not say whose its rows are: give it a tenant, or name it in EXEMPT with a reason"
        )
    column, owner = found
    return f"(SELECT owner.tenant FROM {owner} AS owner WHERE owner.pk = {table}.{column})"
