"""Deliveries to webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import LIST_PAGE_MAX_COUNT


class AskDeliveries(Struct, frozen=True):
    """Newest first."""

    webhook_id: str | None = None
    status: Literal["waiting", "delivered", "failed", "expired"] | None = None
    limit: Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)] = 100
    page_token: str | None = None


class DeliveryInfo(Struct, frozen=True):
    """An event on its way to one webhook. `attempt_count`: of tries begun; `is_claimed`: one is being made. `due_at`: of the next
    try, while it waits. `answer`: the last status of HTTP, if one came; `reason`: why the last try was in vain, or why it ended."""

    delivery_id: str
    webhook_id: str
    event: str
    status: Literal["waiting", "delivered", "failed", "expired"]
    attempt_count: int
    is_claimed: bool
    arrived_at: str
    due_at: str | None
    settled_at: str | None
    answer: int | None
    reason: str


class DeliveryPage(Struct, frozen=True):
    """`counts`: of all that are still known, by status."""

    deliveries: list[DeliveryInfo]
    counts: dict[str, int]
    next_page_token: str | None
