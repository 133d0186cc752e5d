"""One small adapter a tracker. An adapter imports its tool inside `import_tool`, so that loading one costs
nothing and needs none of the others' dependencies."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Columns = tuple[Sequence[float], Sequence[float]]  # steps, values


class Adapter(Protocol):
    """A tracker as the scenarios see it. What is timed is the call itself: no method does anything but call
    the tool."""

    name: str
    exact: bool  # reads back the very doubles that were logged (False: it stores float32)

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Variables that must stand before the tool is imported: offline, quiet, writing into `folder`
        only."""

    def import_tool(self) -> str:
        """Import the tool; answers its version."""

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        """Start a run; answers the id that `read` takes."""

    def log(self, metrics: dict[str, Any], step: int) -> None: ...

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        """The tool's fastest documented way to log what is there already; a loop over `log` where it has no
        batches."""

    def finish(self) -> None: ...

    def open_reader(self, folder: Path) -> None:
        """Prepare the tool's own read path."""

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        """Every point of these metrics, in whatever form the tool hands out."""

    def columns(self, series: Any) -> Columns:
        """One of `read`'s values as steps and values (never timed)."""

    def search(self) -> int:
        """The top 50 runs by `m0` where `p0 > 0.5`; answers how many came. NotImplementedError where it
        cannot."""

    def close_reader(self) -> None: ...


def load(name: str) -> Adapter:
    adapter: Adapter = importlib.import_module(f"{__name__}.{name if name != 'csv' else 'csvfile'}").Tracker()
    return adapter
