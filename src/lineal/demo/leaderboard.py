"""Which setting is best, by what the store says."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lineal.api import NotFound, runs
from lineal.demo.settings import Setting

METRIC = "val/accuracy"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting over its seeds. `spread` is the standard deviation of the sample; `curve` the mean at each epoch."""

    setting: Setting
    run_ids: list[str]
    mean: float
    spread: float
    test: float
    curve: list[float]
    seconds: float
    point_count: int

    @property
    def best_run_id(self) -> str:
        return self.run_ids[0]


def read_leaderboard(sweep_id: str, settings: Sequence[Setting], *, url: str | None = None) -> list[Row]:
    """Best mean first. Asks the store for the sweep's runs, their summaries and their curves; knows nothing else.
    Raises NotFound if the disk refused them all."""
    children = runs(f"parent_run_id = '{sweep_id}'", order_by=f"metrics.{METRIC} desc", limit=1_000, url=url)
    by_setting: dict[str, list[Any]] = {}
    for run in children:
        if METRIC not in run.metrics or "test/accuracy" not in run.metrics:
            continue
        by_setting.setdefault(run.tags["setting"], []).append(run)
    if not by_setting:
        raise NotFound("none of the demo's runs could be read back; lineal doctor says why")
    known = {setting.name: setting for setting in settings}
    rows = [_row(known[name], of_setting) for name, of_setting in by_setting.items()]
    return sorted(rows, key=lambda row: (-row.mean, row.spread))


def _row(setting: Setting, of_setting: Sequence[Any]) -> Row:
    finals = [float(run.metrics[METRIC]) for run in of_setting]
    curves = [run.history(METRIC).value.tolist() for run in of_setting]
    return Row(
        setting=setting,
        run_ids=[run.run_id for run in of_setting],
        mean=statistics.fmean(finals),
        spread=statistics.stdev(finals) if len(finals) > 1 else 0.0,
        test=statistics.fmean(run.metrics["test/accuracy"] for run in of_setting),
        curve=[statistics.fmean(values) for values in zip(*curves, strict=True)],
        seconds=statistics.fmean(run.duration_s or 0.0 for run in of_setting),
        point_count=sum(info.summary.count for run in of_setting for info in run.series),
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """For the note of the sweep's run."""
    lines = [f"| setting | {METRIC} | spread | test/accuracy |", "|---|---|---|---|"]
    lines += [f"| {row.setting.name} | {row.mean:.4f} | {row.spread:.4f} | {row.test:.4f} |" for row in rows]
    return "\n".join(lines)
