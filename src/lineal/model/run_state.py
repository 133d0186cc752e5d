"""A run's status is a function of its attempts, so it is the same in whatever order they became known."""

from __future__ import annotations

from collections.abc import Iterable

from lineal.model.entities import Attempt
from lineal.model.vocabulary import Status


def latest(attempts: Iterable[Attempt]) -> Attempt | None:
    """The attempt that started last; ties by id."""
    return max(attempts, key=lambda attempt: (attempt.started_ms, attempt.attempt_id), default=None)


def derive(attempts: Iterable[Attempt]) -> tuple[Status, int, int | None]:
    """(status, started_ms, ended_ms) of a run. Without an attempt: a run known by name only is `running` since 0."""
    attempts = list(attempts)
    last = latest(attempts)
    if last is None:
        return "running", 0, None
    return last.status, min(attempt.started_ms for attempt in attempts), last.ended_ms
