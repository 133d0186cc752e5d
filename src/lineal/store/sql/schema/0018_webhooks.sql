-- Who is told of changes of the registry, and what is on its way to them: store/webhooks.py. secret: sealed by the server. events: with
-- blanks between them.
CREATE TABLE webhook (
    tenant INTEGER NOT NULL,
    webhook_id TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    secret TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, webhook_id)
) WITHOUT ROWID;
CREATE INDEX webhook_by_time ON webhook (tenant, created_ms, webhook_id);
CREATE TABLE webhook_delivery (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    delivery_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    arrived_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt_count INTEGER NOT NULL,
    is_claimed INTEGER NOT NULL,
    answer INTEGER,
    reason TEXT NOT NULL,
    settled_ms INTEGER
);
CREATE UNIQUE INDEX webhook_delivery_by_id ON webhook_delivery (tenant, delivery_id);
CREATE INDEX webhook_delivery_by_due ON webhook_delivery (tenant, status, due_ms);
-- Those that wait, the first to give way first; those that ended, the last first.
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (tenant, is_claimed, pk) WHERE status = 'waiting';
CREATE INDEX webhook_delivery_ended ON webhook_delivery (tenant, settled_ms DESC, delivery_id) WHERE settled_ms IS NOT NULL;
CREATE INDEX webhook_delivery_by_time ON webhook_delivery (tenant, arrived_ms DESC, delivery_id);
CREATE INDEX webhook_delivery_of ON webhook_delivery (tenant, webhook_id, status, due_ms);
-- When the first of a tenant's waiting deliveries is due: a row where there is one. Read by servers before they know of which tenant.
CREATE TABLE webhook_due (
    tenant INTEGER PRIMARY KEY,
    due_ms INTEGER NOT NULL
);
