"""Webhooks: addresses that are told of changes of the model registry, and what is on its way to them."""

from __future__ import annotations

import os
import re
import uuid
from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.model.errors import InvalidInput
from lineal.model.limits import (
    WEBHOOK_DESCRIPTION_MAX_CHARS,
    WEBHOOK_NAME_MAX_CHARS,
    WEBHOOK_SECRET_MAX_CHARS,
)

WebhookStatus: TypeAlias = Literal["active", "disabled"]
DeliveryStatus: TypeAlias = Literal["waiting", "delivered", "failed", "expired"]

# What MLflow calls them; one of its registry's words for what happened there.
EVENTS = (
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NAMESPACE = uuid.UUID("6c0f2f0e-5a0e-5d5c-9a52-6c696e65616c")


class Webhook(NamedTuple):
    """`secret` is sealed, or None: only whoever has the server's key can read it. Times in ms since the epoch."""

    webhook_id: str
    name: str
    url: str
    events: tuple[str, ...]
    description: str = ""
    status: WebhookStatus = "active"
    secret: str | None = None
    created_ms: int = 0
    updated_ms: int = 0


class Delivery(NamedTuple):
    """One event on its way to one webhook. `body`: the bytes that are sent each time, as text; `attempt_count`: of tries begun;
    `due_ms`: when it is tried next, or, while `is_claimed`, when the try under way is given up for lost; `answer`: the last
    status of HTTP, if one came; `reason`: why the last try was in vain."""

    delivery_id: str
    webhook_id: str
    event: str
    body: str
    arrived_ms: int
    due_ms: int
    status: DeliveryStatus = "waiting"
    attempt_count: int = 0
    is_claimed: bool = False
    answer: int | None = None
    reason: str = ""
    settled_ms: int | None = None


class Happening(NamedTuple):
    """An event of a change: what happened, and what is told of it."""

    event: str
    data: dict[str, Any]


def new_webhook_id() -> str:
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


def delivery_id_of(webhook_id: str, statement: str, happening: Happening) -> str:
    """The same for the same change: whoever gets it twice can tell."""
    subject = " ".join(str(happening.data.get(key, "")) for key in ("name", "version", "alias", "key"))
    return str(uuid.uuid5(_NAMESPACE, f"{webhook_id}\0{statement}\0{happening.event}\0{subject}"))


def is_webhook_name(name: str) -> bool:
    return len(name) <= WEBHOOK_NAME_MAX_CHARS and _NAME.fullmatch(name) is not None


def check_webhook_texts(description: str | None, secret: str | None) -> None:
    """InvalidInput for what is too long."""
    if description is not None and len(description) > WEBHOOK_DESCRIPTION_MAX_CHARS:
        raise InvalidInput(
            f"a webhook's description has at most {WEBHOOK_DESCRIPTION_MAX_CHARS:,} characters", field="description"
        )
    if secret is not None and len(secret) > WEBHOOK_SECRET_MAX_CHARS:
        raise InvalidInput(f"a webhook's secret has at most {WEBHOOK_SECRET_MAX_CHARS:,} characters", field="secret")
