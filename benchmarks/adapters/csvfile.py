"""The floor: a CSV file flushed after each line. Fixed columns, no search, no types; nothing a tracker has
but the numbers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]


class Tracker:
    name = "csv"
    exact = True

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {}

    def import_tool(self) -> str:
        import csv  # noqa: F401

        return "standard library"

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        place = folder / run_name
        place.mkdir(parents=True)
        (place / "params.json").write_text(json.dumps(params), encoding="utf-8")
        self.file = open(place / "metrics.csv", "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.writer = csv.writer(self.file)
        self.header: list[str] | None = None
        return run_name

    def log(self, metrics: dict[str, Any], step: int) -> None:
        if self.header is None:
            self.header = ["step", *metrics]
            self.writer.writerow(self.header)
        self.writer.writerow([step, *metrics.values()])
        self.file.flush()

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        for metrics, step in calls:
            self.log(metrics, step)

    def finish(self) -> None:
        self.file.close()

    def open_reader(self, folder: Path) -> None:
        self.folder = folder

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        with open(self.folder / run / "metrics.csv", newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            header = next(lines)
            wanted = [(name, header.index(name)) for name in metrics]
            width = len(header)
            found: dict[str, list[tuple[int, float]]] = {name: [] for name in metrics}
            for line in lines:
                if len(line) == width:  # a torn last line after a kill
                    for name, column in wanted:
                        found[name].append((int(line[0]), float(line[column])))
        return found

    def columns(self, series: Any) -> Columns:
        return [step for step, _ in series], [value for _, value in series]

    def search(self) -> int:
        raise NotImplementedError("a folder of CSV files has no search")

    def close_reader(self) -> None:
        pass
