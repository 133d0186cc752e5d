"""Datasets by themselves: which there are, in which versions, and which runs and model versions came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lineal.model.lineage import Dataset
from lineal.model.registry import Stage
from lineal.model.vocabulary import Lifecycle, Status


@dataclass(frozen=True, slots=True)
class UsedDataset:
    """A name under which runs used data. Runs count once, deleted ones too. `latest`: as the last use of it says that is
    no reproduction's, if there is one."""

    name: str
    version_count: int
    run_count: int
    last_used_ms: int
    latest: Dataset


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """What has one digest under that name, as such a use of it says; runs count as in `UsedDataset`."""

    dataset: Dataset
    run_count: int
    first_used_ms: int
    last_used_ms: int


class DatasetRun(NamedTuple):
    """That a run used a version, and for what. `run_name` and what follows are the run's."""

    used_ms: int
    digest: str
    run_id: str
    context: str
    version: str | None
    run_name: str
    experiment: str
    status: Status
    lifecycle: Lifecycle


class MadeVersion(NamedTuple):
    """A model version that a run made which used a dataset."""

    created_ms: int
    version_id: str
    name: str
    number: int
    run_id: str
    stage: Stage
