-- A writer on another host promises to be heard of again: until when, beside its cursor. Why it has this shape: docs/adr/0018-leases.md.
ALTER TABLE writer ADD COLUMN lease_until_ms INTEGER;
CREATE INDEX writer_by_lease ON writer (tenant, lease_until_ms) WHERE lease_until_ms IS NOT NULL;

-- An attempt that was lost may be heard of again, and be lost again: the latest of both counts.
ALTER TABLE attempt ADD COLUMN lost_last_ms INTEGER;
ALTER TABLE attempt ADD COLUMN heard_ms INTEGER;
UPDATE attempt SET lost_last_ms = lost_ms WHERE lost_ms IS NOT NULL;
