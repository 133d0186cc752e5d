-- What attempts recorded by themselves of their circumstances: store/captures.py. Why it has this shape: docs/adr/0028-captures.md.

-- Each content once a tenant. digest: SHA-256 of the canonical JSON, 32 bytes, or of the place of a running total, which is overwritten;
-- body: the JSON, compressed (zlib).
CREATE TABLE capture_content (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (tenant, digest)
);
-- attempt: its number within the run. The stamp is that of the last word; writer: its number.
CREATE TABLE capture (
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    part TEXT NOT NULL,
    content INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (run, attempt, part)
) WITHOUT ROWID;
