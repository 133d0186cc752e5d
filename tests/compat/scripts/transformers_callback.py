"""Hugging Face Transformers' MLflowCallback, by its Trainer, over a model of a few thousand weights that nothing is downloaded for."""

from __future__ import annotations

import os
from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


class Rows(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 32

    def __getitem__(self, number: int) -> dict[str, Any]:
        made = torch.Generator().manual_seed(number)
        return {"input_ids": torch.randint(0, 30, (8,), generator=made), "labels": torch.tensor(number % 2)}


def main(say: Any) -> None:
    os.environ.update(MLFLOW_EXPERIMENT_NAME="transformers", HF_MLFLOW_LOG_ARTIFACTS="0", MLFLOW_FLATTEN_PARAMS="1")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=30, **sizes))
    given = TrainingArguments(
        "kept", run_name="tiny bert", report_to=["mlflow"], num_train_epochs=2, logging_steps=2, eval_strategy="epoch",
        save_strategy="no", use_cpu=True, seed=0, disable_tqdm=True,
    )  # fmt: skip
    done = Trainer(model, given, train_dataset=Rows(), eval_dataset=Rows()).train()
    say("steps", done.global_step)
