"""What `lineal runs list` is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be listed."""

    filter: str
    order_by: Sequence[str]
    limit: int | None
    offset: int
    page_token: str | None
    group_by: Sequence[str]
    metrics: Sequence[str]
    experiment: str | None
    deleted: bool
