-- Users, members, tokens and sessions: what is promised of them is in store/people.py. password: an Argon2 hash; digest: the
-- SHA-256 of a secret, hex. They are read before it is known which tenant a request is of.
CREATE TABLE users (
    name TEXT NOT NULL PRIMARY KEY,
    is_admin INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    disabled_ms INTEGER,
    password TEXT
) WITHOUT ROWID;
CREATE TABLE member (
    tenant INTEGER NOT NULL,
    user_name TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (tenant, user_name)
) WITHOUT ROWID;
CREATE INDEX member_of_user ON member (user_name);

-- tenants: a JSON list of names; NULL: all.
CREATE TABLE token (
    token_id TEXT NOT NULL PRIMARY KEY,
    user_name TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    tenants TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    used_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX token_of_user ON token (user_name);
CREATE TABLE session (
    digest TEXT NOT NULL PRIMARY KEY,
    user_name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_of_user ON session (user_name);

-- Of rows that are about neither a run nor an experiment.
ALTER TABLE audit ADD COLUMN subject TEXT;
