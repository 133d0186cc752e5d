-- Who it was said for, and the chain: spec/audit.md. hash: SHA-256, 32 bytes. Neither table is ever changed or shortened.
ALTER TABLE audit ADD COLUMN actor TEXT;
CREATE TABLE audit_link (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, number)
) WITHOUT ROWID;
