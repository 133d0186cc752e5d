"""The part that is not Lineal: data, a network, and one epoch after the other."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lineal.demo.settings import Setting

_CLASSES = range(10)


class DemoNeedsMore(Exception):
    """The demo's libraries are not installed; the message says how to get them."""


@dataclass(frozen=True)
class Part:
    """Scans (n, 64) from 0 to 1, and which digit each shows."""

    scans: Any
    digits: Any

    def __len__(self) -> int:
        return len(self.digits)


@dataclass(frozen=True)
class Digits:
    """1,797 scans of handwritten digits, cut in three once and for all: seeds differ in the network alone."""

    train: Part
    val: Part
    test: Part
    digest: str

    def params(self) -> dict[str, Any]:
        sizes = {"train": len(self.train), "val": len(self.val), "test": len(self.test)}
        return {"data": {"name": "digits", "digest": self.digest, "scans": sizes}}


def load_digits() -> Digits:
    """Raises DemoNeedsMore without scikit-learn or matplotlib."""
    # The first import of matplotlib may build a list of fonts, and says so in the middle of a progress bar.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    try:
        import_module("matplotlib.figure")
        from sklearn.datasets import load_digits as load
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise DemoNeedsMore(
            f"the demo trains with scikit-learn and draws with matplotlib, and {error.name or error} is not installed: "
            "pip install 'lineal[demo]'"
        ) from None
    scans, digits = load(return_X_y=True)
    scans = scans / 16.0
    digest = hashlib.sha256(scans.tobytes() + digits.astype("uint8").tobytes()).hexdigest()[:12]
    scans, rest, digits, rest_digits = train_test_split(scans, digits, test_size=0.4, random_state=0, stratify=digits)
    val, test, val_digits, test_digits = train_test_split(
        rest, rest_digits, test_size=0.5, random_state=0, stratify=rest_digits
    )
    return Digits(Part(scans, digits), Part(val, val_digits), Part(test, test_digits), digest)


class Network:
    """One network under training."""

    def __init__(self, setting: Setting, seed: int) -> None:
        from sklearn.neural_network import MLPClassifier

        self._model = MLPClassifier(
            hidden_layer_sizes=setting.hidden,
            learning_rate_init=setting.learning_rate,
            alpha=setting.weight_decay,
            batch_size=setting.batch_size,
            random_state=seed,
        )

    def train(self, data: Digits, epochs: int) -> Iterator[dict[str, float]]:
        """Yields what was measured after each epoch."""
        for _ in range(epochs):
            self._fit(data.train)
            yield {
                "train/loss": self._model.loss_,
                "train/accuracy": self.accuracy(data.train),
                "val/loss": self._loss(data.val),
                "val/accuracy": self.accuracy(data.val),
            }

    def _fit(self, part: Part) -> None:
        """One pass. scikit-learn turns Ctrl-C into a warning and goes on; here it is a KeyboardInterrupt again."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a setting that learns badly is what the demo wants to show
            warnings.filterwarnings("error", message="Training interrupted")
            try:
                self._model.partial_fit(part.scans, part.digits, classes=_CLASSES)
            except UserWarning:
                raise KeyboardInterrupt from None

    def accuracy(self, part: Part) -> float:
        return float(self._model.score(part.scans, part.digits))

    def _loss(self, part: Part) -> float:
        from sklearn.metrics import log_loss

        return float(log_loss(part.digits, self._model.predict_proba(part.scans), labels=_CLASSES))

    def arrays(self) -> dict[str, Any]:
        """Weights and biases of every layer, as plain float32 arrays."""
        layers = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        arrays = {}
        for number, (weights, biases) in enumerate(layers, 1):
            arrays[f"weights{number}"] = weights.astype("float32")
            arrays[f"biases{number}"] = biases.astype("float32")
        return arrays

    def save(self, path: Path) -> None:
        """A file that can be opened without running anybody's code."""
        import numpy as np

        np.savez_compressed(path, **self.arrays())

    def draw_confusion(self, part: Part, title: str) -> Any:
        """Which digit was read as which."""
        from matplotlib.figure import Figure
        from sklearn.metrics import confusion_matrix

        counts = confusion_matrix(part.digits, self._model.predict(part.scans), labels=_CLASSES)
        figure = Figure(figsize=(4.2, 4.4), dpi=100, layout="constrained")
        axes = figure.subplots()
        axes.imshow(counts, cmap="Blues", vmax=counts.max() * 1.4)
        for shown, read in zip(*counts.nonzero(), strict=True):
            axes.text(read, shown, str(counts[shown, read]), ha="center", va="center", fontsize=8)
        axes.set(xticks=_CLASSES, yticks=_CLASSES, xlabel="read as", ylabel="is", title=title)
        return figure


def one_thread() -> Any:
    """A context in which the networks use one core: they are so small that more threads make them slower."""
    return import_module("threadpoolctl").threadpool_limits(1)
