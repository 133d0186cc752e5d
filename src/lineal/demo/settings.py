"""What the demo compares: eight ways to train a small network, each with three seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

EXPERIMENT = "digits"
EPOCHS = 40
SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the leaderboard. `hidden`: units of each hidden layer."""

    name: str
    hidden: tuple[int, ...]
    learning_rate: float
    weight_decay: float = 0.0001
    batch_size: int = 32

    def params(self, seed: int, epochs: int) -> dict[str, Any]:
        """Nested, as configurations are; Lineal flattens them to model/hidden, optimizer/lr and so on."""
        return {
            "model": {"kind": "mlp", "hidden": list(self.hidden), "activation": "relu"},
            "optimizer": {"name": "adam", "lr": self.learning_rate, "weight_decay": self.weight_decay},
            "batch_size": self.batch_size,
            "epochs": epochs,
            "seed": seed,
        }

    def describe(self) -> str:
        layers = "x".join(map(str, self.hidden)) or "no hidden"
        decay = f", decay {self.weight_decay:g}" if self.weight_decay >= 0.01 else ""
        return f"{layers}, lr {self.learning_rate:g}{decay}"


SETTINGS = (
    Setting("linear", (), 0.01),
    Setting("narrow", (16,), 0.01),
    Setting("medium", (64,), 0.01),
    Setting("wide", (256,), 0.003),
    Setting("deep", (64, 32), 0.003),
    Setting("timid", (64,), 0.0003),
    Setting("hasty", (64,), 0.1),
    Setting("leashed", (64,), 0.01, weight_decay=1.0),
)
