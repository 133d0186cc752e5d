"""Lineal, local folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]


class Tracker:
    name = "lineal"
    exact = True

    def environment(self, folder: Path) -> Mapping[str, str]:
        # What is compared is logging; what a run records by itself besides has benchmarks of its own (`capture`, `capture_overhead`).
        return {"LINEAL_URL": str(folder), "LINEAL_CAPTURE": "none"}

    def import_tool(self) -> str:
        import lineal

        self.lineal = lineal
        return str(lineal.__version__)

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        self.run = self.lineal.init(experiment="bench", name=run_name, params=dict(params), url=str(folder))
        return str(self.run.run_id)

    def log(self, metrics: dict[str, Any], step: int) -> None:
        self.run.log(metrics, step=step)

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        log = self.run.log
        for metrics, step in calls:
            log(metrics, step=step)

    def finish(self) -> None:
        self.run.finish()

    def open_reader(self, folder: Path) -> None:
        self.store = self.lineal.open_store(str(folder))

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        found = self.store.get_run(run)
        if len(metrics) == 1:
            return {metrics[0]: found.history(metrics[0])}
        return dict(found.histories(list(metrics)))

    def draw(self, run: str, metrics: Sequence[str], buckets: int) -> Mapping[str, Any]:
        return dict(self.store.get_run(run).histories(list(metrics), max_points=buckets))

    def columns(self, series: Any) -> Columns:
        return series.step.tolist(), series.value.tolist()

    def search(self) -> int:
        return len(list(self.store.runs("params.p0 > 0.5", order_by="metrics.m0 desc", limit=50)))

    def close_reader(self) -> None:
        self.store.close()
