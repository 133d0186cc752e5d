"""Logged models (3.x) that no run made: of an application that is traced, or kept elsewhere."""

from __future__ import annotations

from typing import Any

import mlflow


def main(say: Any) -> None:
    mlflow.set_experiment("models without runs")
    outside = mlflow.create_external_model(name="outside", model_type="agent", params={"z": "1"})
    say("outside", [outside.name, str(outside.status)])
    say("active", mlflow.set_active_model(name="app").name)
    say("its id", mlflow.get_active_model_id() is not None)
    mlflow.clear_active_model()
    say("files", sorted(one.path for one in mlflow.MlflowClient().list_logged_model_artifacts(outside.model_id)))
