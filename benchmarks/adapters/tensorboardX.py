"""tensorboardX: events go through a queue to a thread and a buffered file, values as float32. Read with
TensorBoard's own accumulator, which always loads the whole file, with sampling switched off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]


class Tracker:
    name = "tensorboardX"
    exact = False

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {}

    def import_tool(self) -> str:
        import tensorboardX

        self.tensorboardX = tensorboardX
        return str(tensorboardX.__version__)

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        from tensorboardX.summary import hparams

        self.writer = self.tensorboardX.SummaryWriter(str(folder / run_name))
        if params:
            for summary in hparams(dict(params), {}):
                self.writer.file_writer.add_summary(summary)
        return run_name

    def log(self, metrics: dict[str, Any], step: int) -> None:
        add = self.writer.add_scalar
        for name, value in metrics.items():
            add(name, value, step)

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        for metrics, step in calls:
            self.log(metrics, step)

    def finish(self) -> None:
        self.writer.close()

    def open_reader(self, folder: Path) -> None:
        from tensorboard.backend.event_processing import event_accumulator

        self.folder, self.accumulator = folder, event_accumulator.EventAccumulator
        self.loaded: dict[str, Any] = {}

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        if run not in self.loaded:
            self.loaded[run] = self.accumulator(str(self.folder / run), size_guidance={"scalars": 0, "tensors": 0})
            self.loaded[run].Reload()
        events = self.loaded[run]
        known = set(events.Tags()["scalars"])
        return {name: events.Scalars(name) if name in known else [] for name in metrics}

    def columns(self, series: Any) -> Columns:
        return [event.step for event in series], [event.value for event in series]

    def search(self) -> int:
        raise NotImplementedError("event files have no search")

    def close_reader(self) -> None:
        self.loaded = {}
