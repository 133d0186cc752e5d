"""Real trainings, made again in a clean environment that is rebuilt from the index: minutes, and a network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineal
from tests.unit.reproduce.conftest import Recorder, git, own_environment

SCIKIT_LEARN = """
import lineal
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x, test_x, y, test_y = train_test_split(x / 16, y, random_state=SEED)
with lineal.init("digits", params={"seed": SEED, "alpha": 1e-4}) as run:
    model = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=SEED)
    for epoch in range(20):
        model.partial_fit(x, y, classes=range(10))
        run.log({"loss": log_loss(test_y, model.predict_proba(test_x)), "acc": model.score(test_x, test_y)}, step=epoch)
"""
XGBOOST = """
import numpy as np
import xgboost
import lineal

random = np.random.default_rng(SEED)
x = random.normal(size=(2_000, 20))
y = (x[:, 0] * x[:, 1] + random.normal(size=2_000) > 0).astype(int)
train, test = xgboost.DMatrix(x[:1_500], y[:1_500]), xgboost.DMatrix(x[1_500:], y[1_500:])
settings = {"objective": "binary:logistic", "eta": 0.1, "subsample": 0.7, "seed": SEED or 0, "nthread": 2, "tree_method": "hist"}
with lineal.init("trees", params=settings) as run:
    seen = {}
    xgboost.train(settings, train, 40, evals=[(test, "test")], evals_result=seen, verbose_eval=False)
    for step, value in enumerate(seen["test"]["logloss"]):
        run.log({"test/logloss": value}, step=step)
"""
TORCH = """
import torch
import lineal

if SEED is not None:
    torch.manual_seed(SEED)
torch.use_deterministic_algorithms(True)
x = torch.randn(512, 16)
y = (x[:, :1] * x[:, 1:2]).tanh()
model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
with lineal.init("net", params={"seed": SEED, "lr": 1e-2}) as run:
    for step in range(200):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        run.log({"loss": loss.item()}, step=step)
"""
# LINEAL_TEST_TORCH: which build of PyTorch, for machines whose index has several.
TRAININGS = {
    "scikit-learn": (["scikit-learn"], SCIKIT_LEARN),
    "xgboost": (["numpy", "xgboost-cpu"], XGBOOST),
    "torch": (["numpy", os.environ.get("LINEAL_TEST_TORCH", "torch")], TORCH),
}


@pytest.mark.torture
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", list(TRAININGS))
def test_a_training_is_made_again_in_a_clean_environment(
    name: str, recorder: Recorder, repository: Path, reproduce: Callable[..., Any], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setenv("LINEAL_CAPTURE", "execution,code,environment,hardware")
    packages, script = TRAININGS[name]
    python = own_environment(tmp_path / "original", packages)
    for seed, verdict in ((3, "identical"), (None, "different")):
        if name == "xgboost" and seed is None:
            script = script.replace("SEED or 0", "int(random.integers(1 << 30))")
        (repository / "train.py").write_text(script.replace("SEED", str(seed)))
        before = {run.run_id for run in lineal.runs(url=recorder.folder)} if recorder.folder.exists() else set()
        subprocess.run([python, "train.py"], cwd=repository, check=True)
        (run_id,) = {run.run_id for run in lineal.runs(url=recorder.folder)} - before
        status, answer = reproduce(run_id, environment="rebuild")
        assert answer["verdict"] == verdict, answer
        assert status == (0 if seed is not None else 1)
        assert [item for item in answer["differences"] if item["name"] != "seed"] == []
    first = min(item["first_step"] for item in answer["metrics"].values())
    assert first == 0
    # A line of code that changes, committed since: named, and seen in the numbers.
    git(repository, "commit", "-q", "-am", "as it ran")
    (repository / "train.py").write_text(script.replace("SEED", "4"))
    status, answer = reproduce(run_id, "--code", "current", environment="rebuild")
    assert status == 1 and "train.py" in [item["name"] for item in answer["differences"]]
