"""Which of two values of a metric is better: as declared, else as its name suggests (api: compare)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lineal.model.entities import MetricDefinition
from lineal.model.vocabulary import Goal

# Names with one of these words among their parts, or its plural, are better low.
_STEMS = ("loss", "error", "perplexity", "rmse", "mae", "mse", "latency", "time")
_LOW = {stem + end for stem in _STEMS for end in ("", "s", "es")} | {"latencies", "perplexities"}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def goal_of(name: str, definitions: Mapping[str, MetricDefinition]) -> Goal:
    """The declared goal, else "min" for names with a word such as loss or error among their parts, else "max"."""
    declared = definitions.get(name)
    if declared is not None and declared.goal is not None:
        return declared.goal
    words = {word.lower() for word in _WORDS.findall(name)}
    return "max" if _LOW.isdisjoint(words) else "min"
