-- The first schema. What each table is for, and why it has this shape: docs/adr/0010-store-schema.md.
--
-- pk is a number of this database only. Stamps are (time_ms, writer, seq) with the writer's name, because ties are
-- broken by name. Times are ms since the epoch.

CREATE TABLE tenant (
    pk INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- A writer and its cursor. run is the run the cursor names, run_id its id where there is no such run (any more).
CREATE TABLE writer (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    run INTEGER,
    run_id TEXT,
    seq INTEGER,
    segment INTEGER,
    byte_offset INTEGER,
    UNIQUE (tenant, name)
);

-- created_ms is NULL while an experiment is known only because runs without an attempt are in it.
CREATE TABLE experiment (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    experiment_id TEXT NOT NULL,
    created_ms INTEGER,
    UNIQUE (tenant, name),
    UNIQUE (tenant, experiment_id)
);

-- What may be said again, the later stamp winning; value NULL is removed. kind: description, artifact_location,
-- lifecycle, tag.
CREATE TABLE experiment_setting (
    experiment INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (experiment, kind, name)
) WITHOUT ROWID;

-- Derived from attempt and run_setting, kept because it is listed and searched. is_stale: points were appended that
-- the attribute table does not know yet.
CREATE TABLE run (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    is_deleted INTEGER NOT NULL,
    is_stale INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    description TEXT,
    user_id TEXT,
    parent_run_id TEXT,
    forked_from TEXT,
    fork_step INTEGER,
    content_digest TEXT,
    UNIQUE (tenant, run_id)
);
CREATE INDEX run_by_start ON run (tenant, started_ms);
CREATE INDEX run_by_experiment ON run (experiment, started_ms);
CREATE INDEX run_stale ON run (tenant) WHERE is_stale = 1;

-- As RunStart and Attempt say; number counts within the run. opened_* is NULL until its start is known.
CREATE TABLE attempt (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt_id TEXT NOT NULL,
    opened_ms INTEGER,
    opened_writer TEXT,
    opened_seq INTEGER,
    started_ms INTEGER,
    experiment TEXT,
    name TEXT,
    user_id TEXT,
    attempt_user_id TEXT,
    host TEXT,
    pid INTEGER,
    resumed INTEGER,
    parent_run_id TEXT,
    forked_from TEXT,
    fork_step INTEGER,
    content_digest TEXT,
    end_status TEXT,
    ended_ms INTEGER,
    ended_writer TEXT,
    ended_seq INTEGER,
    lost_ms INTEGER,
    lost_writer TEXT,
    lost_seq INTEGER,
    description TEXT,
    error TEXT,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- JSON: [[time_ms, writer, seq, name, value, name, value ...], ...], every value of every param with the stamp that said it first.
-- Several rows an attempt when there is much.
CREATE TABLE params (
    pk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX params_of_run ON params (run);

-- As experiment_setting. kind: tag, note, name, document, lifecycle, metric (a definition as JSON).
CREATE TABLE run_setting (
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (run, kind, name)
) WITHOUT ROWID;

CREATE TABLE artifact (
    run INTEGER NOT NULL,
    path TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    size_bytes INTEGER,
    digest TEXT,
    uri TEXT,
    media_type TEXT,
    logged_ms INTEGER NOT NULL,
    PRIMARY KEY (run, path, time_ms, writer, seq)
) WITHOUT ROWID;

CREATE TABLE loss (
    run INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    point_count INTEGER NOT NULL,
    PRIMARY KEY (run, time_ms, writer, seq, reason)
) WITHOUT ROWID;

-- The search index: what params, tags and metrics of a run compare as. number: integer or real; text where it may be
-- compared as one. kind: param, tag, metric.
CREATE TABLE attribute_key (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (tenant, kind, name)
);
CREATE TABLE attribute (
    attribute_key INTEGER NOT NULL,
    run INTEGER NOT NULL,
    number,
    text TEXT,
    PRIMARY KEY (attribute_key, run)
) WITHOUT ROWID;
CREATE INDEX attribute_number ON attribute (attribute_key, number, run) WHERE number IS NOT NULL;
CREATE INDEX attribute_text ON attribute (attribute_key, text, run) WHERE text IS NOT NULL;

-- labels: JSON. series: the pks of the layout's series keys, 4 bytes each, little endian.
CREATE TABLE series_key (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    value_type TEXT NOT NULL,
    UNIQUE (tenant, name, labels, value_type)
);
CREATE TABLE layout (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    digest BLOB NOT NULL,
    step_type TEXT NOT NULL,
    series BLOB NOT NULL,
    UNIQUE (tenant, digest)
);
CREATE TABLE writer_layout (
    writer INTEGER NOT NULL,
    number INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    PRIMARY KEY (writer, number)
) WITHOUT ROWID;
CREATE TABLE orphan (
    pk INTEGER PRIMARY KEY,
    writer INTEGER NOT NULL,
    number INTEGER NOT NULL,
    run INTEGER NOT NULL,
    point_count INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX orphan_of_writer ON orphan (writer, number);

-- Points: fresh batches, and the blocks they are compacted into. A block's shared columns are in block, the values of
-- the n-th series of its layout in chunk, under pk = block.pk * 2^20 + n. step_min and step_max are NULL if a step is NaN.
CREATE TABLE fresh (
    pk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX fresh_of_run ON fresh (run);
CREATE TABLE block (
    pk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    step_min,
    step_max,
    seq BLOB NOT NULL,
    step BLOB NOT NULL,
    time_ms BLOB NOT NULL
);
CREATE INDEX block_of_run ON block (run);
CREATE TABLE chunk (
    pk INTEGER PRIMARY KEY,
    value BLOB NOT NULL
);

-- Overviews. Both cover every point of their writer (and series) up to through_seq; what is fresher, readers add.
CREATE TABLE pyramid (
    pk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    series INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    has_nan_step INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (run, series, attempt, writer)
);
CREATE TABLE summary (
    pk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (run, attempt, writer)
);

-- One row a change. Its subject is a run or an experiment. digest: SHA-256, 32 bytes.
CREATE TABLE audit (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    action TEXT NOT NULL,
    run INTEGER,
    experiment INTEGER,
    digest BLOB NOT NULL,
    PRIMARY KEY (tenant, number)
) WITHOUT ROWID;
