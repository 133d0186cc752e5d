-- What requests with an Idempotency-Key were answered. key: the client's; digest: SHA-256 of the request, hex.
CREATE TABLE answer (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE INDEX answer_by_time ON answer (tenant, time_ms);
