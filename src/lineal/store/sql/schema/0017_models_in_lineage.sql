-- Logged models are nodes of the lineage graph: store/sql/links.py.
CREATE INDEX logged_model_of_run ON logged_model (tenant, source_run_id) WHERE source_run_id IS NOT NULL;
CREATE INDEX model_use_by_model ON model_use (model_id);
CREATE INDEX model_version_of_model ON model_version (tenant, model_id) WHERE model_id IS NOT NULL;
