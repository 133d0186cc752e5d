"""scikit-learn's autologging: a pipeline, and a search over a grid with its child runs."""

from __future__ import annotations

from typing import Any

import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(say: Any) -> None:
    x, y = load_iris(return_X_y=True, as_frame=True)
    mlflow.set_experiment("sklearn")
    mlflow.sklearn.autolog(max_tuning_runs=2)
    try:
        with mlflow.start_run(run_name="pipeline") as run:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=50, random_state=0)).fit(x, y)
            say("score", round(model.score(x, y), 6))
        with mlflow.start_run(run_name="grid"):
            GridSearchCV(LogisticRegression(max_iter=50), {"C": [0.1, 1.0, 10.0]}, cv=3, n_jobs=1).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    say("loaded", loaded.predict(x[:3]).tolist())
