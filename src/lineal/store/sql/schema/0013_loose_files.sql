-- Files of no run and no logged model: store/loose_files.py. The stamp is that of the last word; without a digest the file is removed.
CREATE TABLE loose_file (
    tenant INTEGER NOT NULL,
    path TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    digest TEXT,
    size_bytes INTEGER,
    media_type TEXT,
    PRIMARY KEY (tenant, path)
) WITHOUT ROWID;
