"""What a store promises of webhooks and of the deliveries to them: a reader and a writer of one tenant, which `TenantReader.webhooks` and
`TenantWriter.webhooks` hand out. As users and tokens, webhooks are told straight to the store; no record speaks of them.

- **Every change of a webhook writes one audit row**, with who said it and when. Its subject is the webhook's id; its digest is of what
  was set, never of a secret. What changes nothing writes none. A delivery's way writes none: nobody said anything.
- **A change of the registry writes its deliveries in its own transaction**, whichever door it came by: one for each active webhook
  that asks for what happened. What changes nothing, and what was said of something nobody has heard of yet, causes none.
- **A delivery has one end**: delivered, failed or expired. Until then it waits, and is claimed by one server at a time, for as long as
  a claim lasts. What ends first stands, but that it was delivered is believed of whoever says it while it waits.
- A secret comes sealed and is handed out as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from zlib import crc32

from lineal.model.entities import Stamp
from lineal.model.webhooks import Delivery, DeliveryStatus, Webhook


class Claim(NamedTuple):
    """A try to be made now, and where to, as of the transaction that claimed it."""

    delivery: Delivery
    webhook: Webhook


class Outcome(NamedTuple):
    """What came of a try. `retry_ms`: when it is tried again; None: it is over, delivered or failed."""

    is_delivered: bool
    retry_ms: int | None = None
    answer: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeliveriesQuery:
    """Newest first, then by id; behind `after` (arrived_ms and delivery_id of the last one that was read)."""

    webhook_id: str | None = None
    status: DeliveryStatus | None = None
    limit: int = 100
    after: tuple[int, str] | None = None


class WebhookReader(Protocol):
    """Committed state; as of the transaction, where a writer answers."""

    def find_webhook(self, webhook_id: str) -> Webhook | None: ...

    def list_webhooks(self, limit: int = 100, after: tuple[int, str] | None = None) -> list[Webhook]:
        """Newest first, then by id; behind `after` (created_ms and webhook_id of the last one that was read)."""
        ...

    def list_deliveries(self, query: DeliveriesQuery) -> list[Delivery]: ...

    def count_deliveries(self) -> dict[DeliveryStatus, int]:
        """Of those still known, by status."""
        ...


class WebhookWriter(WebhookReader, Protocol):
    """Changes; see the module's rules."""

    def create_webhook(self, webhook: Webhook, said: Stamp) -> None:
        """Its times are the stamp's. Conflict if its id is taken, OverLimit for too many."""
        ...

    def set_webhook(self, webhook: Webhook, said: Stamp) -> None:
        """Puts it in the place of the one of its id; its time of change becomes later than it was. Where it is disabled, what waits
        for it expires. NotFound."""
        ...

    def delete_webhook(self, webhook_id: str, said: Stamp) -> None:
        """With its deliveries. NotFound."""
        ...

    def claim(self, now_ms: int, until_ms: int, limit: int) -> list[Claim]:
        """At most `limit` of those that are due, and at most WEBHOOK_CLAIMS_MAX_COUNT of a webhook's and
        WEBHOOK_TENANT_CLAIMS_MAX_COUNT in all at a time, those of earlier claims that still hold among them; webhooks
        `in_turn`, the longest due of each first. Theirs until `until_ms`, when they are due again. What waited for too long expires."""
        ...

    def settle(self, delivery: Delivery, outcome: Outcome, now_ms: int) -> None:
        """Of a try that was claimed. If another claim was made meanwhile, a vain one changes nothing."""
        ...

    def forget(self, before_ms: int, keep_count: int) -> int:
        """Drops deliveries that ended before that time, and all that ended but the latest `keep_count`. How many."""
        ...


class HasWebhookReader(Protocol):
    """What a reader of a tenant has for them."""

    def webhooks(self) -> WebhookReader: ...


class HasWebhookWriter(Protocol):
    """What a writer of a tenant has for them."""

    def webhooks(self) -> WebhookWriter: ...


class DueReader(Protocol):
    """What a store has for whoever sends."""

    def list_due(self) -> dict[str, int]:
        """Of each tenant in which a delivery waits: when the first of them is due, in ms; earliest first."""
        ...


def webhook_values(webhook: Webhook) -> dict[str, object]:
    """What the audit row of a webhook is a digest of."""
    return {**webhook._asdict(), "events": list(webhook.events), "secret": webhook.secret is not None}


def in_turn(webhook_ids: Iterable[str], held: Mapping[str, int], now_ms: int) -> list[str]:
    """Those with the fewest claims first, so that whoever waits long for its receiver waits behind those that do not; of as many, by
    lot, which falls anew every time."""
    return sorted(webhook_ids, key=lambda one: (held.get(one, 0), crc32(f"{one}{now_ms}".encode()), one))


TOO_MANY = "too many deliveries waited for their turn"
TOO_OLD = "it waited for too long"
DISABLED = "the webhook was disabled"


def settled(
    delivery: Delivery, status: DeliveryStatus, now_ms: int, *, answer: int | None = None, reason: str = ""
) -> Delivery:
    return delivery._replace(status=status, is_claimed=False, settled_ms=now_ms, answer=answer, reason=reason)
