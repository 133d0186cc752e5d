"""The closed sets of words that values come from. Apart from `entities`, because the SDK needs these and not those."""

from __future__ import annotations

from typing import Literal, TypeAlias

Status: TypeAlias = Literal["running", "finished", "failed", "killed", "lost"]
EndStatus: TypeAlias = Literal["finished", "failed", "killed"]
Lifecycle: TypeAlias = Literal["active", "deleted"]
ValueType: TypeAlias = Literal["float64", "int64"]
StepType: TypeAlias = Literal["int64", "float64"]
Goal: TypeAlias = Literal["min", "max"]
ModelRole: TypeAlias = Literal["input", "output"]
ModelStatus: TypeAlias = Literal["pending", "ready", "failed"]
Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted (key, value) pairs; () for most series."""

STATUSES: tuple[Status, ...] = ("running", "finished", "failed", "killed", "lost")
STOP_TAG = "lineal.stop"
"""Tag of a run that was asked to stop: when, in ISO 8601. `Run.should_stop` tells its program."""
REPRODUCES_TAG = "lineal.reproduces"
"""Tag of a run that `lineal reproduce` made: the run that it makes again."""
REPRODUCTION_DOCUMENT = "reproduction"
"""Document of such a run: the verdict, and what it rests on."""
PIPELINE_TAG = "lineal.pipeline"
"""Tag of a run that stands for an execution of a pipeline: which kind of pipeline."""
END_STATUSES: tuple[EndStatus, ...] = ("finished", "failed", "killed")
SYSTEM_PREFIX = "system/"
"""Metrics below it are the machine's, not the model's: they are no part of comparisons unless asked for by name."""
MODEL_LABEL, DATASET_LABEL, DIGEST_LABEL = "model_id", "dataset_name", "dataset_digest"
"""Labels of a series: of which logged model it is a metric, and on which dataset."""


def is_system(metric: str) -> bool:
    """Whether a metric says what the machine did, and nothing of how good the run is."""
    return metric.startswith(SYSTEM_PREFIX)
