-- Search by columns. Why it has this shape: docs/adr/0011-search-by-columns.md. Rows of metric and of the json kind are
-- made from what is stored already, by migrate_search.py, in the same transaction.

-- The change number of the last commit that changed anything of the run, its points included: what readers keep in memory
-- is brought up to date by it.
ALTER TABLE run ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE run SET changed = (SELECT change_number FROM lineal_schema);
CREATE INDEX run_by_change ON run (tenant, changed);

-- Lists without a filter are a walk of one of these.
DROP INDEX run_by_start;
CREATE INDEX run_by_start ON run (tenant, is_deleted, started_ms DESC, run_id);
DROP INDEX run_by_experiment;
CREATE INDEX run_by_experiment ON run (experiment, is_deleted, started_ms DESC, run_id);

-- How many runs an experiment has, kept with every change of a run's row, so that nobody has to count.
CREATE TABLE run_count (
    experiment INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    active INTEGER NOT NULL,
    deleted INTEGER NOT NULL
);
CREATE INDEX run_count_of_tenant ON run_count (tenant);
INSERT INTO run_count (experiment, tenant, active, deleted)
    SELECT experiment, tenant, sum(1 - is_deleted), sum(is_deleted) FROM run GROUP BY experiment, tenant;

-- A metric's series without labels in a few numbers, as they compare (NULL: NaN, or none). What a whole column of it is
-- read from, so rows lie by key. attribute keeps params, tags and json leaves (kind json), read in the same way.
CREATE TABLE metric (
    attribute_key INTEGER NOT NULL,
    run INTEGER NOT NULL,
    last,
    first,
    min,
    max,
    mean,
    count INTEGER NOT NULL,
    PRIMARY KEY (attribute_key, run)
) WITHOUT ROWID;
DELETE FROM attribute WHERE attribute_key IN (SELECT pk FROM attribute_key WHERE kind = 'metric');
DROP INDEX attribute_number;
DROP INDEX attribute_text;
