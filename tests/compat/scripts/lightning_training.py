"""PyTorch Lightning: its own MLFlowLogger, and MLflow's autologging of it."""

from __future__ import annotations

import os
from typing import Any

import lightning
import mlflow
import torch
from lightning.pytorch.loggers import MLFlowLogger
from torch.utils.data import DataLoader, TensorDataset


class Line(lightning.LightningModule):
    def __init__(self, width: int = 4, rate: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 1)
        self.rate = rate

    def training_step(self, batch: Any, index: int) -> Any:
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        x, y = batch
        self.log("val_loss", torch.nn.functional.mse_loss(self.layer(x), y))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.rate)


def _data() -> DataLoader:
    made = torch.Generator().manual_seed(0)
    x = torch.randn(64, 4, generator=made)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)


def _trainer(**more: Any) -> lightning.Trainer:
    quiet: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return lightning.Trainer(max_epochs=3, log_every_n_steps=2, **quiet, **more)


def main(say: Any) -> None:
    lightning.seed_everything(0)
    url = os.environ["MLFLOW_TRACKING_URI"]
    logger = MLFlowLogger("lightning logger", run_name="logged", tracking_uri=url, log_model=True, tags={"a": "b"})
    _trainer(logger=logger, default_root_dir="kept").fit(Line(), _data(), _data())
    say("a run of its own", logger.experiment.get_run(logger.run_id).info.status)
    lightning.seed_everything(0)
    mlflow.set_experiment("lightning autolog")
    mlflow.pytorch.autolog(checkpoint=False)
    try:
        with mlflow.start_run(run_name="autologged"):
            _trainer(logger=False, enable_checkpointing=False).fit(Line(), _data(), _data())
    finally:
        mlflow.pytorch.autolog(disable=True)
