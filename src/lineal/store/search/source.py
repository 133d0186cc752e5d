"""What the engine asks of a database: runs and values of one tenant, as of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from lineal.query.syntax import Field
from lineal.series.columns import Int64s, Numbers


class RunRows(NamedTuple):
    """What is kept of every run. `number` names it within the database and rises with age, mostly."""

    number: Int64s
    started_ms: Int64s
    experiment: Int64s
    is_deleted: Numbers
    is_stale: Numbers


class Values(NamedTuple):
    """A field's values of those runs that have one, as they compare (`evaluate.operand_of`). A text of None is the text of
    the number; `texts` None says so of all of them. A number of None is a metric's NaN."""

    runs: Sequence[int]
    numbers: Sequence[int | float | None]
    texts: Sequence[str | None] | None = None


class ColumnSource(Protocol):
    def change_number(self) -> int:
        """Rises with every commit that changed a run."""
        ...

    def read_runs(self, after: int | None) -> RunRows:
        """Runs changed by later commits than that, or all; by number."""
        ...

    def read_values(self, field: Field, runs: Int64s | None, stale: Int64s) -> Values:
        """Of these runs, by number, or of all. `stale`: those among them whose points are newer than what is indexed."""
        ...

    def read_run_ids(self, runs: Int64s) -> list[str]:
        """In the order asked."""
        ...

    def find_experiments(self, names: Sequence[str]) -> list[int]:
        """Their numbers; those that do not exist are left out."""
        ...


NO_RUNS = np.empty(0, np.int64)
