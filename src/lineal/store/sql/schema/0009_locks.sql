-- Derived from run_setting (kind lock), kept because it is listed: whether the run refuses changes.
ALTER TABLE run ADD COLUMN is_locked INTEGER NOT NULL DEFAULT 0;
