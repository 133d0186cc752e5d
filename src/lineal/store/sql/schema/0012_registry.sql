-- Registered models and their versions: what is promised of them is in store/registry.py. born: the statement that made the row; named:
-- the one that gave it its name. A name that another model took is no longer in model_name, though a deleted model may still have it.
CREATE TABLE registered_model (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    born_ms INTEGER NOT NULL,
    born_writer TEXT NOT NULL,
    born_seq INTEGER NOT NULL,
    named_ms INTEGER NOT NULL,
    named_writer TEXT NOT NULL,
    named_seq INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    lifecycle TEXT NOT NULL,
    description TEXT NOT NULL
);
CREATE INDEX registered_model_by_name ON registered_model (tenant, name);
CREATE TABLE model_name (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    model INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

-- kind: description, lifecycle, tag, alias (value: a version's id).
CREATE TABLE model_setting (
    model INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (model, kind, name)
) WITHOUT ROWID;

-- model is NULL while a version is only spoken of. stage, status, lifecycle and description are derived from its settings; content: files,
-- signature and input example, as JSON.
CREATE TABLE model_version (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    version_id TEXT NOT NULL,
    model INTEGER,
    number INTEGER,
    created_ms INTEGER,
    updated_ms INTEGER,
    run_id TEXT,
    model_id TEXT,
    source TEXT,
    path TEXT,
    location TEXT,
    run_link TEXT,
    format TEXT,
    stage TEXT,
    status TEXT,
    lifecycle TEXT,
    description TEXT,
    content TEXT
);
CREATE UNIQUE INDEX model_version_by_id ON model_version (tenant, version_id);
CREATE UNIQUE INDEX model_version_by_number ON model_version (model, number);
CREATE INDEX model_version_of_run ON model_version (tenant, run_id);

-- kind: description, lifecycle, status, tag, stage, and floor (name: a stage, of which everything said before was archived).
CREATE TABLE model_version_setting (
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (version, kind, name)
) WITHOUT ROWID;

-- Of an alias, before_value and after_value are versions' ids; name is the alias.
CREATE TABLE model_transition (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    actor TEXT,
    kind TEXT NOT NULL,
    model INTEGER,
    version INTEGER,
    name TEXT,
    before_value TEXT,
    after_value TEXT,
    why TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) WITHOUT ROWID;
CREATE INDEX model_transition_of_model ON model_transition (model, number);
