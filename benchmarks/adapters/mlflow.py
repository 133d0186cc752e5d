"""MLflow, local SQLite store, no server: every call is a transaction. `log_many` uses `log_batch`, 1,000
metrics a call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]

BATCH = 1_000  # the most that log_batch takes


class Tracker:
    name = "mlflow"
    exact = True

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}

    def import_tool(self) -> str:
        import mlflow

        self.mlflow = mlflow
        return str(mlflow.__version__)

    def _connect(self, folder: Path) -> Any:
        folder.mkdir(parents=True, exist_ok=True)
        self.mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        client = self.mlflow.MlflowClient()
        found = client.get_experiment_by_name("bench")
        place = (folder / "artifacts").as_uri()
        self.experiment = found.experiment_id if found else client.create_experiment("bench", artifact_location=place)
        return client

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        self.client = self._connect(folder)
        self.run = self.mlflow.start_run(experiment_id=self.experiment, run_name=run_name)
        if params:
            self.mlflow.log_params(dict(params))
        return str(self.run.info.run_id)

    def log(self, metrics: dict[str, Any], step: int) -> None:
        self.mlflow.log_metrics(metrics, step=step)

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        from mlflow.entities import Metric

        run_id, batch = self.run.info.run_id, []
        for metrics, step in calls:
            now = int(time.time() * 1000)
            batch += [Metric(key, value, now, step) for key, value in metrics.items()]
            if len(batch) > BATCH - len(metrics):
                self.client.log_batch(run_id, metrics=batch)
                batch = []
        if batch:
            self.client.log_batch(run_id, metrics=batch)

    def finish(self) -> None:
        self.mlflow.end_run()

    def open_reader(self, folder: Path) -> None:
        self.client = self._connect(folder)

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        return {name: self.client.get_metric_history(run, name) for name in metrics}

    def columns(self, series: Any) -> Columns:
        return [point.step for point in series], [point.value for point in series]

    def search(self) -> int:
        # MLflow's filter knows only = and LIKE for params: one run in ten passes here, not one in two
        where, order = "params.p0 LIKE '0.6%'", ["metrics.m0 DESC"]
        found = self.client.search_runs([self.experiment], where, max_results=50, order_by=order)
        return len(found)

    def close_reader(self) -> None:
        pass
