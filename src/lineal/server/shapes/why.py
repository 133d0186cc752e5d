"""Why a version: the run that made it, what it was chosen over, what changed, how it came to its place."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import NAME_MAX_BYTES
from lineal.server.shapes.models import Registered, Transition, VersionDetail
from lineal.server.shapes.numbers import Number, Scalar
from lineal.server.shapes.runs import Run, RunStatus

Goal = Literal["min", "max"]


class MakingRun(Run, frozen=True):
    """The run that made the version."""

    experiment: str
    locked: bool
    note: str


class UsedDataset(Struct, frozen=True):
    name: str
    version: str | None
    digest: str
    source: str | None
    context: str


class Side(Struct, frozen=True):
    """A version, its run (null: none made it, or it is not here), and what that recorded of code and data. `code`: content_digest,
    git.commit, git.branch, git.remote, git.dirty and code.digest as it captured them, and tags of such names."""

    version: VersionDetail
    run: MakingRun | None
    code: dict[str, str]
    data: list[UsedDataset]


class BothValues(Struct, frozen=True):
    its: Scalar
    chosen: Scalar


class Rival(Struct, frozen=True):
    """A run that the version was chosen over, and the params in which it differs."""

    run_id: str
    name: str
    status: RunStatus
    start_time: str | None
    value: Number
    params: dict[str, BothValues]


class Choice(Struct, frozen=True):
    """Among the runs of the experiment that had begun at `as_of` (when the version got its place, else when it was made) and have the
    metric. `rule`: the metric was asked for; it has a declared goal; or most runs logged it. `rank` counts from 1, null where the run
    lacks the metric. `later_count`: runs that began after that."""

    experiment: str
    metric: str
    rule: Literal["asked", "declared", "logged"]
    goal: Goal
    goal_is_declared: bool
    as_of: str | None
    value: Number | None
    rank: int | None
    equal_count: int
    run_count: int
    later_count: int
    chosen_over: list[Rival]


class Before(Side, frozen=True):
    """The version before it: the one that the alias meant before, or the one with the number before."""

    rule: Literal["alias", "number"]


class Differing(Struct, frozen=True):
    """`better`: which of the two has the better value of a metric."""

    section: Literal["attribute", "param", "metric", "tag"]
    name: str
    before: Scalar
    chosen: Scalar
    better: Literal["chosen", "before"] | None


class WhyVersion(Side, frozen=True):
    """`alias`: by which it was asked for. `choice` is null where `no_choice` says why. `transitions` are the version's own, oldest
    first."""

    model: Registered
    alias: str | None
    choice: Choice | None
    no_choice: str | None
    before: Before | None
    difference: list[Differing] | None
    transitions: list[Transition]


class AskWhy(Struct, frozen=True):
    """`metric`: compare by this one. `format`: JSON, or the same in words."""

    metric: Annotated[str, Meta(min_length=1, max_length=NAME_MAX_BYTES)] | None = None
    format: Literal["json", "text", "markdown"] = "json"
