-- Which artifacts and versions of registered models a run used: store/lineage.py. The stamp is that of the first word on it.
CREATE TABLE artifact_use (
    run INTEGER NOT NULL,
    source_run_id TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    version INTEGER,
    PRIMARY KEY (run, source_run_id, path, digest)
) WITHOUT ROWID;
CREATE TABLE version_use (
    run INTEGER NOT NULL,
    version_id TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (run, version_id)
) WITHOUT ROWID;

-- The lineage graph is walked both ways: store/sql/links.py.
CREATE INDEX artifact_use_by_source ON artifact_use (source_run_id);
CREATE INDEX version_use_by_version ON version_use (version_id);
CREATE INDEX dataset_use_by_digest ON dataset_use (digest);
CREATE INDEX dataset_by_digest ON dataset (tenant, digest);
CREATE INDEX dataset_by_name ON dataset (tenant, name);
CREATE INDEX artifact_by_digest ON artifact (digest) WHERE digest IS NOT NULL;
CREATE INDEX run_by_parent ON run (tenant, parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX run_by_fork ON run (tenant, forked_from) WHERE forked_from IS NOT NULL;
CREATE INDEX run_setting_reproduces ON run_setting (value) WHERE kind = 'tag' AND name = 'lineal.reproduces';
