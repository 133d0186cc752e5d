"""XGBoost's autologging: the native interface with evaluation, and the scikit-learn one."""

from __future__ import annotations

from typing import Any

import mlflow
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


def main(say: Any) -> None:
    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, random_state=0)
    mlflow.set_experiment("xgboost")
    mlflow.xgboost.autolog(importance_types=["weight", "gain"])
    try:
        with mlflow.start_run(run_name="booster") as run:
            train, test = xgboost.DMatrix(train_x, train_y), xgboost.DMatrix(test_x, test_y)
            params = {
                "objective": "binary:logistic",
                "max_depth": 3,
                "seed": 0,
                "nthread": 1,
                "eval_metric": ["logloss", "error"],
            }
            xgboost.train(
                params, train, num_boost_round=12, evals=[(train, "train"), (test, "test")], verbose_eval=False
            )
        with mlflow.start_run(run_name="classifier"):
            model = xgboost.XGBClassifier(
                n_estimators=8, max_depth=2, n_jobs=1, random_state=0, early_stopping_rounds=3
            )
            model.fit(train_x, train_y, eval_set=[(test_x, test_y)], verbose=False)
    finally:
        mlflow.xgboost.autolog(disable=True)
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    say("loaded", [round(float(one), 4) for one in loaded.predict(test_x[:3])])
