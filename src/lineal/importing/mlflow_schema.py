"""Which of MLflow's database schemas are understood, and what is in the one at hand.

The revisions are those of MLflow's migrations (mlflow/store/db_migrations/versions in its repository), from the one that
gave `metrics` its index on runs: without it, every run would cost a look at all points."""

from __future__ import annotations

from lineal.importing.databases import ForeignDatabase
from lineal.model.errors import InvalidInput, NewerFormat

OLDEST, NEWEST = "MLflow 1.25", "MLflow 3.18"
_UNDERSTOOD = """
    bd07f7e963c5 0c779009ac13 cc1f77228345 97727af70f4d 3500859a5d39 7f2a7d5fae7d 2d6e25af4d3e acf3f17fdcc7 867495a8f9d4
    5b0e9adcef9c 4465047574b1 f5a4f2784254 0584bdc529eb 400f98739977 6953534de441 bda7b8c39065 cbc13b556ace 770bee3ae1dd
    a1b2c3d4e5f6 de4033877273 1a0cddfcaa16 534353b11cbc 71994744cf8e 3da73c924c2f bf29a5ff90ea 1bd49d398cd23 b7c8d9e0f1a2
    5d2d30f0abce c9d4e5f6a7b8 2c33131f4dae d3e4f5a6b7c8 d0e1f2a3b4c5 c8d9e0f1a2b3 1b5f0d9ad7c1 e1f2a3b4c5d6 76601a5f987d
    c3d6457b6d8a a5b4c3d2e1f0 ae8bbe7743c9 7d34483879f0 da6fb0208061 89d3d66ed43f b7e4c1a90f23 a8b9c0d1e2f3 c1d2e3f4a5b6
    c3d9e7f1a2b4 6f8d9c3b2a1e 1971f2d9a75b 17e22815139b b7e2c1a4d9f3 75868b020152 dc11669786a5 e7d1f4b2a9c6 8b6ad64cb8f5 f4a9b2c7d1e6
"""
UNDERSTOOD = frozenset(_UNDERSTOOD.split())
_BEFORE = """
    451aebb31d03 90e64c465722 181f10493468 df50e92ffc5e 7ac759974ad8 89d4b8295536 2b4d017a5e9b cfd24bdc0731 0a8213491aaa
    728d730b5ebd 27a6a02d2cf1 84291f40a231 a8c4a736bde6 39d1c3be5f05 c48cb773bb87
"""
_OLDER = frozenset(_BEFORE.split())
_NEEDED = {
    "experiments": {"experiment_id", "name", "artifact_location", "lifecycle_stage"},
    "runs": {
        "run_uuid",
        "name",
        "user_id",
        "status",
        "start_time",
        "end_time",
        "lifecycle_stage",
        "artifact_uri",
        "experiment_id",
    },
    "metrics": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
    "params": {"key", "value", "run_uuid"},
    "tags": {"key", "value", "run_uuid"},
    "experiment_tags": {"key", "value", "experiment_id"},
}


class Schema:
    """The columns of each table that was asked about."""

    def __init__(self, database: ForeignDatabase) -> None:
        self._database = database
        self._columns: dict[str, set[str]] = {}

    def has(self, table: str, column: str | None = None) -> bool:
        if table not in self._columns:
            self._columns[table] = self._database.columns(table)
        known = self._columns[table]
        return bool(known) if column is None else column in known

    def lacks(self) -> list[str]:
        """What is always read, and not there."""
        return [
            f"{table}.{column}"
            for table, columns in _NEEDED.items()
            for column in sorted(columns)
            if not self.has(table, column)
        ]


def check_schema(database: ForeignDatabase, *, take_unknown: bool) -> Schema:
    """Raises InvalidInput for what is no MLflow database, or one of a revision that is too old; NewerFormat for one of which
    nothing is known, unless that is to be taken: then all that is read must be there."""
    schema = Schema(database)
    if not schema.has("alembic_version") or not schema.has("runs") or not schema.has("experiments"):
        raise InvalidInput(
            f"{database.place} is no MLflow database: tables alembic_version, experiments and runs were expected",
            field="source",
        )
    found = [str(row[0]) for row in database.rows("SELECT version_num FROM alembic_version")]
    revision = ", ".join(found) or "none"
    if any(one in _OLDER for one in found) or not found:
        raise InvalidInput(
            f"{database.place} is of an MLflow before 1.25 (schema revision {revision}): copy it, let `mlflow db upgrade` bring"
            " the copy up to date, and import that",
            field="source",
        )
    if not all(one in UNDERSTOOD for one in found) and not take_unknown:
        raise NewerFormat(
            f"{database.place} has the schema revision {revision}, which this Lineal does not know: {OLDEST} to {NEWEST} are"
            " understood. --unknown-schema reads it all the same, if what is needed is there",
            field="source",
        )
    lacks = schema.lacks()
    if lacks:
        raise InvalidInput(f"{database.place} (schema revision {revision}) lacks {', '.join(lacks)}", field="source")
    return schema
