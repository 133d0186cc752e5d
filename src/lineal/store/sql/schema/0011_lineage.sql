-- Datasets that runs used, and logged models: store/lineage.py. Why it has this shape: docs/adr/0025-datasets-and-logged-models.md.

-- A dataset as somebody described it: the same name and digest may be described in two ways, and each run keeps its own words.
-- description: SHA-256 of all of it, 16 bytes.
CREATE TABLE dataset (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    description BLOB NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    version TEXT,
    source_type TEXT,
    source TEXT,
    schema TEXT,
    profile TEXT,
    UNIQUE (tenant, description)
);
-- The stamp is that of the first word on it. tags: JSON.
CREATE TABLE dataset_use (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    context TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    dataset INTEGER NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (run, name, digest, context)
) WITHOUT ROWID;
CREATE TABLE model_use (
    run INTEGER NOT NULL,
    role TEXT NOT NULL,
    model_id TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    step INTEGER,
    PRIMARY KEY (run, role, model_id)
) WITHOUT ROWID;

-- Derived from logged_model_setting, kept because it is listed. experiment: that of the first word, as run.experiment.
CREATE TABLE logged_model (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    experiment INTEGER,
    name TEXT,
    source_run_id TEXT,
    model_type TEXT,
    path TEXT,
    status TEXT,
    is_deleted INTEGER,
    created_ms INTEGER,
    updated_ms INTEGER,
    UNIQUE (tenant, model_id)
);
CREATE INDEX logged_model_by_time ON logged_model (experiment, is_deleted, created_ms DESC, model_id);
-- kind: name, experiment, run_id, model_type, path, param (the first word stands), tag, status, lifecycle (the last).
CREATE TABLE logged_model_setting (
    logged_model INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (logged_model, kind, name)
) WITHOUT ROWID;

-- Which runs have series with the label of a model: its metrics.
CREATE TABLE model_run (
    tenant INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (tenant, model_id, run)
) WITHOUT ROWID;
