"""Which of two values of a metric is better."""

import pytest

from lineal.model.direction import goal_of
from lineal.model.entities import MetricDefinition


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("loss", "min"),
        ("val/loss", "min"),
        ("train_losses", "min"),
        ("valLoss", "min"),
        ("test.RMSE", "min"),
        ("errors", "min"),
        ("step_times", "min"),
        ("latencies/p99", "min"),
        ("word_perplexity", "min"),
        ("accuracy", "max"),
        ("val/f1", "max"),
        ("lossless", "max"),
        ("sometimes", "max"),
        ("timely", "max"),
        ("lo", "max"),
        ("", "max"),
    ],
)
def test_the_name_suggests(name: str, goal: str) -> None:
    assert goal_of(name, {}) == goal


def test_what_was_declared_counts_first() -> None:
    assert goal_of("loss", {"loss": MetricDefinition("loss", goal="max")}) == "max"
    assert goal_of("loss", {"loss": MetricDefinition("loss", unit="nats")}) == "min"
