"""Optuna's MLflowCallback: a run a trial, nested below none."""

from __future__ import annotations

import os
from typing import Any

import optuna
from optuna_integration.mlflow import MLflowCallback


def main(say: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    noted = MLflowCallback(
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"], metric_name="distance", create_experiment=True
    )
    study = optuna.create_study(study_name="optuna", sampler=optuna.samplers.RandomSampler(seed=0))

    @noted.track_in_mlflow()
    def objective(trial: Any) -> float:
        import mlflow

        x, kind = trial.suggest_float("x", -5, 5), trial.suggest_categorical("kind", ["a", "b"])
        mlflow.log_metric("inside", x)
        return (x - 1) ** 2 + (kind == "b")

    study.optimize(objective, n_trials=6, callbacks=[noted])
    say("best", round(study.best_value, 6))
