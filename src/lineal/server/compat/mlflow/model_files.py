"""The files of a logged model: files of the run that made it, in a folder of their own there; its own if no run made it."""

from __future__ import annotations

import re

from lineal.model.lineage import LoggedModel

ROOT = "models"
_OF_MODEL = re.compile(rf"{ROOT}/m-[0-9a-f]{{32}}/")


def folder_of(model_id: str) -> str:
    """Within the artifacts of the run that made it."""
    return f"{ROOT}/{model_id}"


def is_of_model(path: str) -> bool:
    """Whether a run's file is a logged model's, which is listed by asking for the model."""
    return _OF_MODEL.match(path) is not None


def is_in_run(model: LoggedModel) -> bool:
    return model.source_run_id is not None and model.path is not None
