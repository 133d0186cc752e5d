"""MLflow's REST protocol: docs/mlflow.md says what of it is here. It owns no table: it translates."""
