-- What experiments are called: docs/adr/0021-renamed-experiments.md. A row of experiment is a name that was spoken of or claimed;
-- home (NULL: itself) is the one that it means, shown what that one is called where it is not its first name. Both are derived
-- from experiment_name: what claims of a name were said first and last.
ALTER TABLE experiment ADD COLUMN home INTEGER;
ALTER TABLE experiment ADD COLUMN shown TEXT;
CREATE TABLE experiment_name (
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    first_writer TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    last_writer TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (experiment, name)
) WITHOUT ROWID;
CREATE INDEX experiment_name_of_tenant ON experiment_name (tenant);
