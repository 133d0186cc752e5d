"""In what runs differ, and whether it is fair to compare them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import COMPARE_MAX_COUNT, DIFF_RUNS_MAX_COUNT
from lineal.server.shapes.numbers import Number, Scalar
from lineal.server.shapes.runs import RunStatus


class DiffRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """`metrics`: whose curves are looked at for where they part; null: all but the machine's. `show_all`: what is equal, too."""

    run_ids: Annotated[list[str], Meta(min_length=2, max_length=DIFF_RUNS_MAX_COUNT)]
    metrics: list[str] | None = None
    show_all: bool = False


class CompareFairly(Struct, frozen=True, forbid_unknown_fields=True):
    run_ids: Annotated[list[str], Meta(min_length=2, max_length=COMPARE_MAX_COUNT)]


class Reason(Struct, frozen=True):
    """`name`: of the dataset or the metric. `values`: by run, what is not the same."""

    kind: Literal["data", "code", "metric"]
    text: str
    name: str | None
    values: dict[str, str]


class Comparable(Struct, frozen=True):
    """`unknown`: what could not be told, since it was not recorded."""

    is_fair: bool
    reasons: list[Reason]
    unknown: list[str]


class DiffedRun(Struct, frozen=True):
    run_id: str
    name: str
    experiment: str
    status: RunStatus


class DiffRow(Struct, frozen=True):
    """`values`: by run, only of those that have it."""

    name: str
    values: dict[str, Scalar]
    differs: bool


class MetricRow(DiffRow, frozen=True):
    goal: Literal["min", "max"] | None
    best_run_ids: list[str]


class Patch(Struct, frozen=True):
    """What makes the first run's working tree this one's: a unified diff, or the beginning of one (`is_cut`). `unknown`: what could not be
    told; without any, `text` is all."""

    text: str
    files: list[str]
    unknown: list[str]
    is_cut: bool


class CodeRow(Struct, frozen=True):
    """Of a run that recorded its code. `patch`: null for the first of them, and for one of the same code."""

    run_id: str
    kind: Annotated[str | None, Meta(description="git, snapshot, notebook or none.")]
    commit: str | None
    branch: str | None
    remote: str | None
    is_dirty: bool | None
    digest: str | None
    patch: Patch | None


class PackageRow(Struct, frozen=True):
    """`change`: from the first run to the others."""

    name: str
    values: dict[str, str]
    change: Literal["added", "removed", "changed"]


class DatasetRow(Struct, frozen=True):
    """`values`: by run, the digests of what it used under that name for that; `versions`: theirs."""

    name: str
    context: str | None
    values: dict[str, list[str]]
    versions: dict[str, list[str]]
    differs: bool


class Parting(Struct, frozen=True):
    """Of a curve that all runs have: the first step at which they did not log the same, bit for bit; null: they did."""

    metric: str
    labels: dict[str, str]
    step: Number | None
    values: dict[str, Number]


class Difference(Struct, frozen=True):
    """`packages_unknown`: which packages could not be compared, as a sentence. `parts_left_out`: metrics whose curves are too long to be
    looked at here. `equal_count`: of attributes, params, metrics and tags. `is_empty`: nothing that was recorded differs, but names, ids
    and times."""

    runs: list[DiffedRun]
    comparable: Comparable
    attributes: list[DiffRow]
    params: list[DiffRow]
    metrics: list[MetricRow]
    tags: list[DiffRow]
    code: list[CodeRow]
    packages: list[PackageRow]
    packages_unknown: str | None
    datasets: list[DatasetRow]
    execution: list[DiffRow]
    environment: list[DiffRow]
    hardware: list[DiffRow]
    parts: list[Parting]
    parts_left_out: list[str]
    equal_count: int
    is_empty: bool
