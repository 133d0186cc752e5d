"""LightGBM's autologging, with early stopping."""

from __future__ import annotations

from typing import Any

import lightgbm
import mlflow
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


def main(say: Any) -> None:
    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    x.columns = [name.replace(" ", "_") for name in x.columns]
    train_x, test_x, train_y, test_y = train_test_split(x, y, random_state=0)
    mlflow.set_experiment("lightgbm")
    mlflow.lightgbm.autolog()
    try:
        with mlflow.start_run(run_name="booster") as run:
            train = lightgbm.Dataset(train_x, train_y)
            test = lightgbm.Dataset(test_x, test_y, reference=train)
            params = {"objective": "binary", "num_leaves": 7, "metric": ["auc", "binary_logloss"]}
            quiet = {"seed": 0, "num_threads": 1, "verbose": -1}
            stop = lightgbm.early_stopping(5, verbose=False)
            sets = {"valid_sets": [train, test], "valid_names": ["train", "test"]}
            lightgbm.train({**params, **quiet}, train, num_boost_round=15, callbacks=[stop], **sets)
    finally:
        mlflow.lightgbm.autolog(disable=True)
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    say("loaded", [round(float(one), 4) for one in loaded.predict(test_x[:3])])
