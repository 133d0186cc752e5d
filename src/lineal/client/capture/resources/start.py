"""The seam: a run's resources are measured from here until `stop`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineal.client import host
from lineal.client.capture.resources.meter import Begun, Meter, peak_bytes
from lineal.client.capture.resources.sampler import SAMPLER
from lineal.journal.journal import JournalClosed, JournalFull
from lineal.journal.points import Labelled
from lineal.model.errors import InvalidInput
from lineal.record.records import CaptureSet

if TYPE_CHECKING:
    from lineal.client.capture.resources.gpus import GpuReading
    from lineal.client.capture.resources.prices import Prices
    from lineal.client.run import Run

PART = "resources"
PRICES_NAME = "prices.toml"
_LOCAL_RANKS = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")
_LOCAL_SIZES = ("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE")


class RunResources:
    """Measures one run in the process that began it."""

    def __init__(self, run: Run, environ: Mapping[str, str]) -> None:
        identity = run._journal.identity
        self._run = run
        self._pid = os.getpid()
        self._rank = identity.labels.get("rank")
        # A rank above 0 opens no attempt: what it used the next time must not replace this.
        self._part = f"{PART}.rank-{self._rank}.{run._journal.writer}" if self._rank else PART
        is_alone = _number(_LOCAL_SIZES, environ) in (None, 1)

        def own(readings: list[GpuReading], pids: frozenset[int]) -> set[int]:
            from lineal.client.capture.resources.gpus import (
                is_in_container,
                own_gpus,
            )  # which is loaded: there are readings

            return own_gpus(readings, pids, environ, is_alone, is_in_container())

        readers = SAMPLER.readers
        begun = Begun(time.monotonic(), *readers.begin(), peak_bytes())
        self._meter = Meter(
            begun,
            self,
            host=identity.host or host.host_name(),
            folder=run.folder,
            has_machine=not self._rank or _number(_LOCAL_RANKS, environ) == 0,
            prices=_prices(run),
            own_gpus=own,
        )
        SAMPLER.add(self._meter)

    def stop(self) -> None:
        """Says the totals. A second call, and a forked child's, say nothing."""
        if os.getpid() != self._pid:
            return
        SAMPLER.remove(self._meter)
        readers = SAMPLER.readers
        self._meter.finish(readers.look(machine=self._meter.wants_machine(time.monotonic())))

    # -- what the meter says ----------------------------------------------------------------------

    def say_points(self, points: Mapping[Labelled, int | float]) -> None:
        now_ns = time.time_ns()
        try:
            self._run._journal.append_points(points, now_ns // 1_000_000_000, now_ns)
        except JournalFull:
            self._run._journal.count_loss("disk_refuses", len(points))
        except JournalClosed:
            pass  # it was finished a moment ago

    def say_totals(self, content: dict[str, Any]) -> None:
        if self._rank:
            content["rank"] = int(self._rank)
        identity = self._run._journal.identity
        if not identity.primary and not self._rank:
            return  # it joined an attempt whose own totals these would replace
        if not self._run._journal.is_closed:
            self._run._say(CaptureSet(identity.attempt, self._part, content))


def start(run: Run, environ: Mapping[str, str] = os.environ) -> RunResources:
    return RunResources(run, environ)


def prices_path(root: str) -> str | None:
    """The file to read; None if there is none. One that is named by LINEAL_PRICES should be there, and is not looked for."""
    named = os.environ.get("LINEAL_PRICES")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    path = os.path.join(root, PRICES_NAME)
    return path if os.path.isfile(path) else None


def _prices(run: Run) -> Prices | None:
    """A table that cannot be used costs the cost, said once, and nothing else."""
    path = prices_path(run.folder)
    if path is None:
        return None
    from lineal.client.capture.resources.prices import read_prices

    try:
        return read_prices(path)
    except InvalidInput as error:
        run._guard.warn_once("prices", f"no cost is recorded: {error.message}")
        return None


def _number(names: tuple[str, ...], environ: Mapping[str, str]) -> int | None:
    for name in names:
        if environ.get(name, "").isdecimal():
            return int(environ[name])
    return None
