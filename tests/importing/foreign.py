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

MODEL_TABLES = """
CREATE TABLE datasets (dataset_uuid VARCHAR(36), experiment_id INTEGER, name VARCHAR(500), digest VARCHAR(36),
    dataset_source_type VARCHAR(36), dataset_source TEXT, dataset_schema TEXT, dataset_profile TEXT);
CREATE TABLE inputs (input_uuid VARCHAR(36), source_type VARCHAR(36), source_id VARCHAR(36), destination_type VARCHAR(36),
    destination_id VARCHAR(36), step BIGINT DEFAULT 0 NOT NULL);
CREATE TABLE input_tags (input_uuid VARCHAR(36), name VARCHAR(255), value VARCHAR(500));
CREATE TABLE logged_models (model_id VARCHAR(36), experiment_id INTEGER, name VARCHAR(500), artifact_location VARCHAR(1000),
    creation_timestamp_ms BIGINT, last_updated_timestamp_ms BIGINT, status INTEGER, lifecycle_stage VARCHAR(32),
    model_type VARCHAR(500), source_run_id VARCHAR(32), status_message VARCHAR(1000));
CREATE TABLE logged_model_metrics (model_id VARCHAR(36), metric_name VARCHAR(500), metric_timestamp_ms BIGINT, metric_step BIGINT,
    metric_value FLOAT, experiment_id INTEGER, run_id VARCHAR(32), dataset_uuid VARCHAR(36), dataset_name VARCHAR(500),
    dataset_digest VARCHAR(36));
CREATE TABLE logged_model_params (model_id VARCHAR(36), experiment_id INTEGER, param_key VARCHAR(255), param_value TEXT);
CREATE TABLE logged_model_tags (model_id VARCHAR(36), experiment_id INTEGER, tag_key VARCHAR(255), tag_value TEXT);
CREATE TABLE registered_models (name VARCHAR(256), creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000),
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
CREATE TABLE registered_model_tags (name VARCHAR(256), "key" VARCHAR(250), value VARCHAR(5000),
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
CREATE TABLE registered_model_aliases (name VARCHAR(256), alias VARCHAR(256), version INTEGER,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
CREATE TABLE model_versions (name VARCHAR(256), version INTEGER, creation_time BIGINT, last_updated_time BIGINT,
    description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20), source VARCHAR(500), storage_location VARCHAR(500),
    run_id VARCHAR(32), run_link VARCHAR(500), status VARCHAR(20), status_message VARCHAR(500),
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
CREATE TABLE model_version_tags (name VARCHAR(256), version INTEGER, "key" VARCHAR(250), value TEXT,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL);
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

    def add_version(self, name: str, number: int, **more: Any) -> None:
        row = {"name": name, "version": number, "creation_time": 5_000 + number, "last_updated_time": 6_000 + number}
        row |= {"current_stage": "None", "status": "READY", **more}
        marks = ", ".join("?" * len(row))
        self.say(f"INSERT INTO model_versions ({', '.join(row)}) VALUES ({marks})", *row.values())

    def add_models(self) -> None:
        """Datasets, a logged model and a registered one, of the run 0."""
        self._connection.executescript(MODEL_TABLES)
        run_id, model_id = run_id_of(0), "m-" + "a" * 32
        self.say("INSERT INTO datasets VALUES ('d', 0, 'iris', 'd1', 'local', 'iris.csv', NULL, NULL)")
        self.say("INSERT INTO inputs VALUES ('i', 'DATASET', 'd', 'RUN', ?, 0)", run_id)
        self.say("INSERT INTO input_tags VALUES ('i', 'mlflow.data.context', 'training')")
        self.say("INSERT INTO inputs VALUES ('o', 'RUN_OUTPUT', ?, 'MODEL_OUTPUT', ?, 7)", run_id, model_id)
        row = (model_id, 0, "net", "s3://bucket/model", 4_000, 4_500, 2, "active", "classifier", run_id, None)
        self.say(f"INSERT INTO logged_models VALUES ({', '.join('?' * len(row))})", *row)
        self.say("INSERT INTO logged_model_params VALUES (?, 0, 'depth', '3')", model_id)
        self.say("INSERT INTO logged_model_tags VALUES (?, 0, 'kind', 'cnn')", model_id)
        self.say(
            "INSERT INTO logged_model_metrics VALUES (?, 'acc', 4000, 1, 0.5, 0, ?, 'd', 'iris', 'd1')",
            model_id,
            run_id,
        )
        self.say("INSERT INTO registered_models (name, creation_time, description) VALUES ('fraud', 5000, 'finds it')")
        self.say("INSERT INTO registered_model_tags (name, key, value) VALUES ('fraud', 'team', 'risk')")
        self.add_version("fraud", 2, current_stage="Production", source=f"models:/{model_id}", run_id=run_id)
        self.add_version("fraud", 4, source="s3://elsewhere", description="no run made it")
        self.say("INSERT INTO model_version_tags (name, version, key, value) VALUES ('fraud', 2, 'n', '2')")
        self.say("INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', 'champion', 2)")


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
