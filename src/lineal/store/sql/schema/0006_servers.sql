-- Several server processes on one database. Why it has this shape: docs/adr/0014-several-servers.md.

-- What the head of a writer's open segment said, beside its cursor: whichever process has the next piece needs it.
ALTER TABLE writer ADD COLUMN attempt TEXT;
ALTER TABLE writer ADD COLUMN is_primary INTEGER;
ALTER TABLE writer ADD COLUMN host TEXT;
ALTER TABLE writer ADD COLUMN pid INTEGER;

-- The time that the last transaction was given, and the number of the last run: every transaction begins with them.
ALTER TABLE lineal_schema ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lineal_schema ADD COLUMN last_run INTEGER NOT NULL DEFAULT 0;
UPDATE lineal_schema SET last_run = (SELECT coalesce(max(pk), 0) FROM run);
