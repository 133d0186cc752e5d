"""Lineal: an experiment tracker for machine learning. A lab notebook that writes itself.

    import lineal

    with lineal.init(experiment="digits", params={"lr": 0.01}) as run:
        for step in range(1000):
            run.log({"loss": loss}, step=step)

    lineal.get_run(run.run_id).history("loss")

Names are loaded when they are first used, so that the import costs next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineal._version import __version__

if TYPE_CHECKING:
    from lineal.api import (
        ContentId,
        Run,
        comparable,
        content_id,
        current_run,
        define_metric,
        delete_run,
        diff,
        end_run,
        finish,
        get_run,
        group_runs,
        init,
        lineage,
        log,
        log_artifact,
        log_dataset,
        log_model,
        log_params,
        open_store,
        restore_run,
        runs,
        set_experiment,
        set_json,
        set_note,
        set_tags,
        stop_run,
        tag_run,
    )
    from lineal.client.model_log import LoggedVersion
    from lineal.local import LocalStore, LoggedRun, Runs
    from lineal.model.errors import (
        Busy,
        Conflict,
        Damaged,
        InvalidInput,
        LinealError,
        NewerFormat,
        NotFound,
        NotTrusted,
        NotWritable,
        OverLimit,
    )
    from lineal.registry.calls import (
        delete_alias,
        delete_model,
        delete_model_version,
        get_model,
        get_model_version,
        load_model,
        models,
        promote,
        rename_model,
        restore_model,
        restore_model_version,
        serving_tags,
        set_model,
        set_model_version,
        why,
    )
    from lineal.registry.handles import ModelVersion, RegisteredModel
    from lineal.reproduce.calls import ReproducedRun, reproduce_run
    from lineal.store.grouped import Group, Groups
    from lineal.tracking.experiment_tracker import (
        ActiveRun,
        ExperimentConfig,
        ExperimentTracker,
        RunConfig,
        RunMetrics,
    )

_HOMES = {
    "lineal.api": (
        "ContentId",
        "Run",
        "comparable",
        "content_id",
        "current_run",
        "define_metric",
        "delete_run",
        "diff",
        "end_run",
        "finish",
        "get_run",
        "group_runs",
        "init",
        "lineage",
        "log",
        "log_artifact",
        "log_dataset",
        "log_model",
        "log_params",
        "open_store",
        "restore_run",
        "runs",
        "set_experiment",
        "set_json",
        "set_note",
        "set_tags",
        "stop_run",
        "tag_run",
    ),
    "lineal.local": ("LocalStore", "LoggedRun", "Runs"),
    "lineal.model.errors": (
        "Busy",
        "Conflict",
        "Damaged",
        "InvalidInput",
        "LinealError",
        "NewerFormat",
        "NotFound",
        "NotTrusted",
        "NotWritable",
        "OverLimit",
    ),
    "lineal.client.model_log": ("LoggedVersion",),
    "lineal.registry.calls": (
        "delete_alias",
        "delete_model",
        "delete_model_version",
        "get_model",
        "get_model_version",
        "load_model",
        "models",
        "promote",
        "rename_model",
        "restore_model",
        "restore_model_version",
        "serving_tags",
        "set_model",
        "set_model_version",
        "why",
    ),
    "lineal.registry.handles": ("ModelVersion", "RegisteredModel"),
    "lineal.reproduce.calls": ("ReproducedRun", "reproduce_run"),
    "lineal.store.grouped": ("Group", "Groups"),
    "lineal.tracking.experiment_tracker": (
        "ActiveRun",
        "ExperimentConfig",
        "ExperimentTracker",
        "RunConfig",
        "RunMetrics",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'lineal' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


__all__ = [
    "ActiveRun",
    "Busy",
    "Conflict",
    "ContentId",
    "Damaged",
    "ExperimentConfig",
    "ExperimentTracker",
    "Group",
    "Groups",
    "InvalidInput",
    "LinealError",
    "LocalStore",
    "LoggedRun",
    "LoggedVersion",
    "ModelVersion",
    "NewerFormat",
    "NotFound",
    "NotTrusted",
    "NotWritable",
    "OverLimit",
    "RegisteredModel",
    "ReproducedRun",
    "Run",
    "RunConfig",
    "RunMetrics",
    "Runs",
    "__version__",
    "comparable",
    "content_id",
    "current_run",
    "define_metric",
    "delete_alias",
    "delete_model",
    "delete_model_version",
    "delete_run",
    "diff",
    "end_run",
    "finish",
    "get_model",
    "get_model_version",
    "get_run",
    "group_runs",
    "init",
    "lineage",
    "load_model",
    "log",
    "log_artifact",
    "log_dataset",
    "log_model",
    "log_params",
    "models",
    "open_store",
    "promote",
    "rename_model",
    "reproduce_run",
    "restore_model",
    "restore_model_version",
    "restore_run",
    "runs",
    "serving_tags",
    "set_experiment",
    "set_json",
    "set_model",
    "set_model_version",
    "set_note",
    "set_tags",
    "stop_run",
    "tag_run",
    "why",
]
