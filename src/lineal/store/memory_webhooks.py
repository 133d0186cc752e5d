"""Webhooks and deliveries in dicts: the reference of `store/webhooks.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.errors import Conflict, NotFound, OverLimit
from lineal.model.limits import (
    WEBHOOK_CLAIMS_MAX_COUNT,
    WEBHOOK_KEPT_MAX_COUNT,
    WEBHOOK_MAX_AGE_S,
    WEBHOOK_TENANT_CLAIMS_MAX_COUNT,
    WEBHOOK_WAITING_MAX_COUNT,
    WEBHOOKS_MAX_COUNT,
)
from lineal.model.webhooks import Delivery, DeliveryStatus, Happening, Webhook, delivery_id_of
from lineal.store.audit import Action
from lineal.store.webhook_events import body_of
from lineal.store.webhooks import (
    DISABLED,
    TOO_MANY,
    TOO_OLD,
    Claim,
    DeliveriesQuery,
    Outcome,
    in_turn,
    settled,
    webhook_values,
)

Audit = Callable[[Action, str, Stamp, dict[str, Any]], None]


@dataclass(slots=True)
class WebhookState:
    """`deliveries` in the order in which they came."""

    webhooks: dict[str, Webhook] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def copy(self) -> WebhookState:
        return WebhookState(dict(self.webhooks), dict(self.deliveries))

    def waiting(self) -> list[Delivery]:
        return [one for one in self.deliveries.values() if one.status == "waiting"]

    def ended(self) -> list[Delivery]:
        """The last first."""
        found = [one for one in self.deliveries.values() if one.settled_ms is not None]
        return sorted(found, key=lambda one: (-(one.settled_ms or 0), one.delivery_id))

    def put(self, delivery: Delivery) -> None:
        self.deliveries[delivery.delivery_id] = delivery

    def due_ms(self) -> int | None:
        return min((one.due_ms for one in self.waiting()), default=None)


class MemoryOutbox:
    """Where a registry's writer says what happened. `now_ms`: of the transaction; 0 if it was given no time."""

    def __init__(self, state: WebhookState, tenant: str, now_ms: Callable[[], int]) -> None:
        self._state = state
        self._tenant = tenant
        self._now_ms = now_ms

    @property
    def is_asked(self) -> bool:
        return any(webhook.status == "active" for webhook in self._state.webhooks.values())

    def tell(self, happenings: Sequence[Happening], stamp: Stamp) -> None:
        arrived_ms = self._now_ms() or stamp.time_ms
        said = f"{stamp.time_ms}\0{stamp.writer}\0{stamp.seq}"
        for happening in happenings:
            for webhook in sorted(self._state.webhooks.values(), key=lambda one: one.webhook_id):
                if webhook.status != "active" or happening.event not in webhook.events:
                    continue
                delivery_id = delivery_id_of(webhook.webhook_id, said, happening)
                if delivery_id not in self._state.deliveries:
                    body = body_of(self._tenant, happening, stamp.time_ms)
                    self._make_room(arrived_ms)
                    self._state.put(
                        Delivery(delivery_id, webhook.webhook_id, happening.event, body, arrived_ms, arrived_ms)
                    )

    def _make_room(self, now_ms: int) -> None:
        waiting = self._state.waiting()
        if len(waiting) >= WEBHOOK_WAITING_MAX_COUNT:
            oldest = next((one for one in waiting if not one.is_claimed), waiting[0])
            self._state.put(settled(oldest, "expired", now_ms, reason=TOO_MANY))
            for one in self._state.ended()[WEBHOOK_KEPT_MAX_COUNT:]:
                del self._state.deliveries[one.delivery_id]


class MemoryWebhookReader:
    """See `webhooks.WebhookReader`. `state` is asked for at each call."""

    def __init__(self, state: Callable[[], WebhookState]) -> None:
        self._state_now = state

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        return self._state_now().webhooks.get(webhook_id)

    def list_webhooks(self, limit: int = 100, after: tuple[int, str] | None = None) -> list[Webhook]:
        def key(one: Webhook) -> tuple[int, str]:
            return -one.created_ms, one.webhook_id

        found = sorted(self._state_now().webhooks.values(), key=key)
        if after is not None:
            found = [one for one in found if key(one) > (-after[0], after[1])]
        return found[:limit]

    def list_deliveries(self, query: DeliveriesQuery) -> list[Delivery]:
        def key(one: Delivery) -> tuple[int, str]:
            return -one.arrived_ms, one.delivery_id

        found = sorted(
            (
                one
                for one in self._state_now().deliveries.values()
                if query.webhook_id in (None, one.webhook_id) and query.status in (None, one.status)
            ),
            key=key,
        )
        if query.after is not None:
            place = -query.after[0], query.after[1]
            found = [one for one in found if key(one) > place]
        return found[: query.limit]

    def count_deliveries(self) -> dict[DeliveryStatus, int]:
        return dict(Counter(one.status for one in self._state_now().deliveries.values()))


class MemoryWebhookWriter(MemoryWebhookReader):
    """See `webhooks.WebhookWriter`. `state` is this transaction's own copy; `changed` is called for what writes no audit row."""

    def __init__(self, state: WebhookState, audit: Audit, changed: Callable[[], None]) -> None:
        super().__init__(lambda: state)
        self._state = state
        self._audit = audit
        self._changed = changed

    def create_webhook(self, webhook: Webhook, said: Stamp) -> None:
        if webhook.webhook_id in self._state.webhooks:
            raise Conflict("there is a webhook of this id already", field="webhook_id")
        if len(self._state.webhooks) >= WEBHOOKS_MAX_COUNT:
            raise OverLimit(f"a tenant has at most {WEBHOOKS_MAX_COUNT} webhooks", field="webhooks")
        made = webhook._replace(created_ms=said.time_ms, updated_ms=said.time_ms)
        self._state.webhooks[webhook.webhook_id] = made
        self._audit("webhook.create", webhook.webhook_id, said, webhook_values(made))

    def set_webhook(self, webhook: Webhook, said: Stamp) -> None:
        known = self._get(webhook.webhook_id)
        updated_ms = max(said.time_ms, known.updated_ms + 1)
        made = webhook._replace(created_ms=known.created_ms, updated_ms=updated_ms)
        self._state.webhooks[webhook.webhook_id] = made
        self._audit("webhook.set", webhook.webhook_id, said, webhook_values(made))
        if webhook.status == "disabled":
            for one in self._state.waiting():
                if one.webhook_id == webhook.webhook_id:
                    self._state.put(settled(one, "expired", said.time_ms, reason=DISABLED))

    def delete_webhook(self, webhook_id: str, said: Stamp) -> None:
        self._get(webhook_id)
        del self._state.webhooks[webhook_id]
        deliveries = self._state.deliveries
        self._state.deliveries = {key: one for key, one in deliveries.items() if one.webhook_id != webhook_id}
        self._audit("webhook.delete", webhook_id, said, {"webhook_id": webhook_id})

    def claim(self, now_ms: int, until_ms: int, limit: int) -> list[Claim]:
        oldest_ms = now_ms - int(WEBHOOK_MAX_AGE_S * 1000)
        for one in self._state.waiting():
            if one.due_ms <= now_ms and one.arrived_ms < oldest_ms:
                self._state.put(settled(one, "expired", now_ms, reason=TOO_OLD))
                self._changed()
        held = Counter(one.webhook_id for one in self._state.waiting() if one.is_claimed and one.due_ms > now_ms)
        due: dict[str, list[Delivery]] = {}
        for one in sorted(self._state.waiting(), key=lambda one: one.due_ms):
            if one.due_ms <= now_ms:
                due.setdefault(one.webhook_id, []).append(one)
        limit = min(limit, WEBHOOK_TENANT_CLAIMS_MAX_COUNT - held.total())
        claims: list[Claim] = []
        for webhook_id in in_turn(due, held, now_ms):
            room = min(WEBHOOK_CLAIMS_MAX_COUNT - held[webhook_id], limit - len(claims))
            for one in due[webhook_id][: max(room, 0)]:
                claimed = one._replace(attempt_count=one.attempt_count + 1, is_claimed=True, due_ms=until_ms)
                self._state.put(claimed)
                self._changed()
                claims.append(Claim(claimed, self._state.webhooks[webhook_id]))
        return claims

    def settle(self, delivery: Delivery, outcome: Outcome, now_ms: int) -> None:
        known = self._state.deliveries.get(delivery.delivery_id)
        if known is None or known.status != "waiting":
            return
        if outcome.is_delivered or (known.is_claimed and known.attempt_count == delivery.attempt_count):
            if outcome.is_delivered or outcome.retry_ms is None:
                status: DeliveryStatus = "delivered" if outcome.is_delivered else "failed"
                now = settled(known, status, now_ms, answer=outcome.answer, reason=outcome.reason)
            else:
                now = known._replace(
                    is_claimed=False, due_ms=outcome.retry_ms, answer=outcome.answer, reason=outcome.reason
                )
            self._state.put(now)
            self._changed()

    def forget(self, before_ms: int, keep_count: int) -> int:
        ended = self._state.ended()
        gone = [one for place, one in enumerate(ended) if place >= keep_count or (one.settled_ms or 0) < before_ms]
        for one in gone:
            del self._state.deliveries[one.delivery_id]
            self._changed()
        return len(gone)

    def _get(self, webhook_id: str) -> Webhook:
        known = self._state.webhooks.get(webhook_id)
        if known is None:
            raise NotFound(f"no webhook {webhook_id!r:.80}", field="webhook_id")
        return known
