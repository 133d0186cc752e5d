"""An MLflow database made by hand, column by column as MLflow's migrations leave it (see `make_mlflow_store.py` for real ones): fast,
and able to hold what MLflow's client would refuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REVISION = "dc11669786a5"
TABLES = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
CREATE TABLE experiment_tags ("key" VARCHAR(250), value TEXT, experiment_id INTEGER, PRIMARY KEY ("key", experiment_id));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20), source_name VARCHAR(500),
    entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9), start_time BIGINT, end_time BIGINT,
    source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER,
    deleted_time BIGINT);
CREATE TABLE metrics ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid VARCHAR(32) NOT NULL,
    step BIGINT DEFAULT 0 NOT NULL, is_nan BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan));
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE TABLE params ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY ("key", run_uuid));
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE TABLE tags ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY ("key", run_uuid));
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
"""


class Foreign:
    def __init__(self, path: Path, revision: str = REVISION) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(TABLES)
        self.say("INSERT INTO alembic_version VALUES (?)", revision)
        self.say("INSERT INTO experiments VALUES (0, 'Default', NULL, 'active', 1000, 1000, 'default')")

    def say(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)

    def add_experiment(self, number: int, name: str, workspace: str = "default") -> None:
        self.say("INSERT INTO experiments VALUES (?, ?, NULL, 'active', 1000, 1000, ?)", number, name, workspace)

    def add_run(self, run_id: str, experiment: int = 0, **more: Any) -> None:
        row = {"name": f"run {run_id[:3]}", "status": "FINISHED", "start_time": 2_000, "end_time": 9_000, **more}
        row |= {
            "run_uuid": run_id,
            "experiment_id": experiment,
            "lifecycle_stage": more.get("lifecycle_stage", "active"),
        }
        marks = ", ".join("?" * len(row))
        self.say(f"INSERT INTO runs ({', '.join(row)}) VALUES ({marks})", *row.values())

    def add_points(self, run_id: str, key: str, points: Iterable[tuple[int, float]], at_ms: int = 3_000) -> None:
        rows = [
            (key, 0.0 if value != value else value, at_ms + step, run_id, step, value != value)
            for step, value in points
        ]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    def add_text(self, table: str, run_id: str, **texts: str | None) -> None:
        for key, value in texts.items():
            self.say(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", key, value, run_id)


def run_id_of(number: int) -> str:
    return f"{number:032x}"


def filled(path: Path, runs: int = 5, metrics: int = 3, steps: int = 40) -> Foreign:
    """Runs of a few metrics each, with params and tags."""
    made = Foreign(path)
    made.add_experiment(7, "digits")
    for number in range(runs):
        run_id = run_id_of(number)
        made.add_run(run_id, 7 if number % 2 else 0, start_time=2_000 + number)
        for metric in range(metrics):
            made.add_points(run_id, f"m/{metric}", ((step, step * 0.5 + metric + number) for step in range(steps)))
        made.add_text("params", run_id, lr=str(number / 10), seed=str(number))
        made.add_text("tags", run_id, team="risk", kind=f"k{number}")
    return made
