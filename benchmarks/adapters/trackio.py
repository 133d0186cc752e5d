"""Trackio, local: calls go to a queue in memory, a thread writes them to SQLite every half second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]

PROJECT = "bench"
SEARCH = """
    SELECT c.run_name, json_extract(c.config, '$.p0') AS p0,
           (SELECT json_extract(m.metrics, '$.m0') FROM metrics m
             WHERE m.run_id = c.run_id ORDER BY m.step DESC LIMIT 1) AS m0
      FROM configs c WHERE p0 > 0.5 ORDER BY m0 DESC LIMIT 50"""


class Tracker:
    name = "trackio"
    exact = True

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {"TRACKIO_DIR": str(folder), "HF_HOME": str(folder.parent / "hf"), "HF_HUB_OFFLINE": "1"}

    def import_tool(self) -> str:
        import trackio

        self.trackio = trackio
        return str(trackio.__version__)

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        self.run = self.trackio.init(project=PROJECT, name=run_name, config=dict(params), embed=False)
        return run_name

    def log(self, metrics: dict[str, Any], step: int) -> None:
        self.run.log(metrics, step=step)

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        log = self.run.log
        for metrics, step in calls:
            log(metrics, step=step)

    def finish(self) -> None:
        self.trackio.finish()

    def open_reader(self, folder: Path) -> None:
        from trackio.sqlite_storage import SQLiteStorage

        self.storage = SQLiteStorage

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        return {name: self.storage.get_metric_values(PROJECT, run, name) for name in metrics}

    def columns(self, series: Any) -> Columns:
        return [row["step"] for row in series], [row["value"] for row in series]

    def search(self) -> int:
        return len(self.storage.query_project(PROJECT, SEARCH)["rows"])

    def close_reader(self) -> None:
        pass
