-- Datasets by themselves: store/datasets.py. Derived from dataset_use, kept because they are listed. run_count: runs that used it, once each;
-- last_ms: of the latest use.
CREATE TABLE dataset_name (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    run_count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    UNIQUE (tenant, name)
);
CREATE TABLE dataset_version (
    dataset_name INTEGER NOT NULL,
    digest TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    run_count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (dataset_name, digest)
) WITHOUT ROWID;
ALTER TABLE dataset_use ADD COLUMN dataset_name INTEGER;

INSERT INTO dataset_name (tenant, name, run_count, last_ms)
    SELECT r.tenant, u.name, count(DISTINCT u.run), max(u.time_ms) FROM dataset_use u JOIN run r ON r.pk = u.run
    GROUP BY r.tenant, u.name;
UPDATE dataset_use SET dataset_name = (
    SELECT n.pk FROM run r JOIN dataset_name n ON n.tenant = r.tenant AND n.name = dataset_use.name WHERE r.pk = dataset_use.run
);
INSERT INTO dataset_version (dataset_name, digest, tenant, run_count, last_ms)
    SELECT u.dataset_name, u.digest, n.tenant, count(DISTINCT u.run), max(u.time_ms) FROM dataset_use u
    JOIN dataset_name n ON n.pk = u.dataset_name GROUP BY u.dataset_name, u.digest, n.tenant;

CREATE INDEX dataset_name_by_use ON dataset_name (tenant, last_ms);
CREATE INDEX dataset_version_by_use ON dataset_version (dataset_name, last_ms);
CREATE INDEX dataset_version_by_digest ON dataset_version (tenant, digest);
CREATE INDEX dataset_use_of_name ON dataset_use (dataset_name, time_ms);
CREATE INDEX dataset_use_of_version ON dataset_use (dataset_name, digest, time_ms);
