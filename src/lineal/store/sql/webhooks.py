"""Webhooks and deliveries in the database. `webhook_due` says when the first of a tenant's is due: whatever changes one that waits
brings it up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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
from lineal.store.sql.database import Connection
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
_WEBHOOK = (
    "SELECT webhook_id, name, url, events, description, status, secret, created_ms, updated_ms FROM webhook"
    " WHERE tenant = ?"
)
_DELIVERY = (
    "SELECT delivery_id, webhook_id, event, body, arrived_ms, due_ms, status, attempt_count, is_claimed, answer, reason,"
    " settled_ms FROM webhook_delivery WHERE tenant = ?"
)


_PUT = (
    "INSERT INTO webhook_delivery (tenant, delivery_id, webhook_id, event, body, arrived_ms, due_ms, status, attempt_count,"
    " is_claimed, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class SqlOutbox:
    """Where a registry's writer says what happened, within one transaction. `now_ms`: of it; 0 if it was given no time."""

    def __init__(self, connection: Connection, tenant: int, tenant_name: str, now_ms: Callable[[], int]) -> None:
        self._connection = connection
        self._tenant = tenant
        self._tenant_name = tenant_name
        self._now_ms = now_ms
        self._webhooks: list[Webhook] | None = None
        self._waiting_count: int | None = None

    @property
    def is_asked(self) -> bool:
        return bool(self._active())

    def forget(self) -> None:
        """Webhooks or deliveries were changed beside it."""
        self._webhooks = self._waiting_count = None

    def tell(self, happenings: Sequence[Happening], stamp: Stamp) -> None:
        arrived_ms = self._now_ms() or stamp.time_ms
        said = f"{stamp.time_ms}\0{stamp.writer}\0{stamp.seq}"
        made = [
            Delivery(
                delivery_id_of(webhook.webhook_id, said, happening),
                webhook.webhook_id,
                happening.event,
                body_of(self._tenant_name, happening, stamp.time_ms),
                arrived_ms,
                arrived_ms,
            )
            for happening in happenings
            for webhook in self._active()
            if happening.event in webhook.events
        ]
        if made:
            self._put(made, arrived_ms)

    def _active(self) -> list[Webhook]:
        if self._webhooks is None:
            rows = self._connection.execute(f"{_WEBHOOK} AND status = 'active' ORDER BY webhook_id", (self._tenant,))
            self._webhooks = [_webhook_of(row) for row in rows.fetchall()]
        return self._webhooks

    def _put(self, made: list[Delivery], arrived_ms: int) -> None:
        """In few statements, however many webhooks there are: others wait for this transaction."""
        self._make_room(arrived_ms, len(made))
        self._connection.executemany(_PUT, [(self._tenant, *one[:6], "waiting", 0, 0, "") for one in made])
        self._connection.execute(
            "INSERT INTO webhook_due (tenant, due_ms) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET due_ms ="
            " excluded.due_ms WHERE webhook_due.due_ms > excluded.due_ms",
            (self._tenant, arrived_ms),
        )

    def _make_room(self, now_ms: int, count: int) -> None:
        if self._waiting_count is None:
            [self._waiting_count] = self._connection.execute(
                "SELECT count(*) FROM webhook_delivery WHERE tenant = ? AND status = 'waiting'", (self._tenant,)
            ).fetchone()
        self._waiting_count += count
        over = self._waiting_count - WEBHOOK_WAITING_MAX_COUNT
        if over > 0:
            self._waiting_count -= over
            self._connection.execute(
                "UPDATE webhook_delivery SET status = 'expired', is_claimed = 0, settled_ms = ?, answer = NULL, reason = ?"
                " WHERE pk IN (SELECT pk FROM webhook_delivery WHERE tenant = ? AND status = 'waiting'"
                " ORDER BY is_claimed, pk LIMIT ?)",
                (now_ms, TOO_MANY, self._tenant, over),
            )
            _keep_latest(self._connection, self._tenant, WEBHOOK_KEPT_MAX_COUNT)


Within = Callable[[], AbstractContextManager[tuple[Connection, int]]]


class SqlWebhookReader:
    """See `webhooks.WebhookReader`."""

    def __init__(self, within: Within) -> None:
        self._within = within

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        rows = self._read(f"{_WEBHOOK} AND webhook_id = ?", webhook_id)
        return _webhook_of(rows[0]) if rows else None

    def list_webhooks(self, limit: int = 100, after: tuple[int, str] | None = None) -> list[Webhook]:
        where, place = "", []
        if after is not None:
            where = " AND (created_ms < ? OR (created_ms = ? AND webhook_id > ?))"
            place = [after[0], *after]
        rows = self._read(f"{_WEBHOOK}{where} ORDER BY created_ms DESC, webhook_id LIMIT ?", *place, limit)
        return [_webhook_of(row) for row in rows]

    def list_deliveries(self, query: DeliveriesQuery) -> list[Delivery]:
        where, values = "", list[object]()
        for column, value in (("webhook_id", query.webhook_id), ("status", query.status)):
            if value is not None:
                where += f" AND {column} = ?"
                values.append(value)
        if query.after is not None:
            where += " AND (arrived_ms < ? OR (arrived_ms = ? AND delivery_id > ?))"
            values += [query.after[0], *query.after]
        rows = self._read(f"{_DELIVERY}{where} ORDER BY arrived_ms DESC, delivery_id LIMIT ?", *values, query.limit)
        return [_delivery_of(row) for row in rows]

    def count_deliveries(self) -> dict[DeliveryStatus, int]:
        return dict(self._read("SELECT status, count(*) FROM webhook_delivery WHERE tenant = ? GROUP BY status"))

    def _read(self, sql: str, *values: object) -> list[Any]:
        with self._within() as (connection, tenant):
            return connection.execute(sql, (tenant, *values)).fetchall()


class SqlWebhookWriter(SqlWebhookReader):
    """See `webhooks.WebhookWriter`. Reads and writes through the transaction's connection."""

    def __init__(self, connection: Connection, tenant: int, audit: Audit, outbox: SqlOutbox) -> None:
        @contextmanager
        def within() -> Iterator[tuple[Connection, int]]:
            yield connection, tenant

        super().__init__(within)
        self._connection = connection
        self._tenant = tenant
        self._audit = audit
        self._outbox = outbox

    def create_webhook(self, webhook: Webhook, said: Stamp) -> None:
        if self.find_webhook(webhook.webhook_id) is not None:
            raise Conflict("there is a webhook of this id already", field="webhook_id")
        [(count,)] = self._read("SELECT count(*) FROM webhook WHERE tenant = ?")
        if count >= WEBHOOKS_MAX_COUNT:
            raise OverLimit(f"a tenant has at most {WEBHOOKS_MAX_COUNT} webhooks", field="webhooks")
        made = webhook._replace(created_ms=said.time_ms, updated_ms=said.time_ms)
        self._connection.execute(
            "INSERT INTO webhook (tenant, webhook_id, name, url, events, description, status, secret, created_ms,"
            " updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._tenant, *made._replace(events=" ".join(made.events))),  # type: ignore[arg-type]
        )
        self._outbox.forget()
        self._audit("webhook.create", webhook.webhook_id, said, webhook_values(made))

    def set_webhook(self, webhook: Webhook, said: Stamp) -> None:
        known = self._get(webhook.webhook_id)
        made = webhook._replace(created_ms=known.created_ms, updated_ms=max(said.time_ms, known.updated_ms + 1))
        self._do(
            "UPDATE webhook SET name = ?, url = ?, events = ?, description = ?, status = ?, secret = ?, updated_ms = ?"
            " WHERE tenant = ? AND webhook_id = ?",
            *(made.name, made.url, " ".join(made.events), made.description, made.status, made.secret),
            *(made.updated_ms, self._tenant, made.webhook_id),
        )
        self._audit("webhook.set", webhook.webhook_id, said, webhook_values(made))
        if webhook.status == "disabled":
            self._do(
                "UPDATE webhook_delivery SET status = 'expired', is_claimed = 0, settled_ms = ?, answer = NULL, reason = ?"
                " WHERE tenant = ? AND webhook_id = ? AND status = 'waiting'",
                *(said.time_ms, DISABLED, self._tenant, webhook.webhook_id),
            )
        self._note_due()

    def delete_webhook(self, webhook_id: str, said: Stamp) -> None:
        self._get(webhook_id)
        for table in ("webhook_delivery", "webhook"):
            self._do(f"DELETE FROM {table} WHERE tenant = ? AND webhook_id = ?", self._tenant, webhook_id)
        self._audit("webhook.delete", webhook_id, said, {"webhook_id": webhook_id})
        self._note_due()

    def claim(self, now_ms: int, until_ms: int, limit: int) -> list[Claim]:
        oldest_ms = now_ms - int(WEBHOOK_MAX_AGE_S * 1000)
        changed = self._do(
            "UPDATE webhook_delivery SET status = 'expired', is_claimed = 0, settled_ms = ?, answer = NULL, reason = ?"
            " WHERE tenant = ? AND status = 'waiting' AND due_ms <= ? AND arrived_ms < ?",
            *(now_ms, TOO_OLD, self._tenant, now_ms, oldest_ms),
        )
        held = Counter(
            dict(
                self._read(
                    "SELECT webhook_id, count(*) FROM webhook_delivery WHERE tenant = ? AND status = 'waiting' AND is_claimed = 1"
                    " AND due_ms > ? GROUP BY webhook_id",
                    now_ms,
                )
            )
        )
        limit = min(limit, WEBHOOK_TENANT_CLAIMS_MAX_COUNT - held.total())
        claims: list[Claim] = []
        due = self._read(
            "SELECT DISTINCT webhook_id FROM webhook_delivery WHERE tenant = ? AND status = 'waiting' AND due_ms <= ?",
            now_ms,
        )
        for webhook_id in in_turn([one for (one,) in due], held, now_ms):
            room = min(WEBHOOK_CLAIMS_MAX_COUNT - held[webhook_id], limit - len(claims))
            if room > 0:
                claims += self._claim_of(self._get(webhook_id), now_ms, until_ms, room)
        if changed or claims:
            self._note_due()
        return claims

    def _claim_of(self, webhook: Webhook, now_ms: int, until_ms: int, limit: int) -> list[Claim]:
        rows = self._read(
            f"{_DELIVERY} AND webhook_id = ? AND status = 'waiting' AND due_ms <= ? ORDER BY due_ms, pk LIMIT ?",
            *(webhook.webhook_id, now_ms, limit),
        )
        claims = []
        for one in map(_delivery_of, rows):
            claimed = one._replace(attempt_count=one.attempt_count + 1, is_claimed=True, due_ms=until_ms)
            self._save(claimed)
            claims.append(Claim(claimed, webhook))
        return claims

    def settle(self, delivery: Delivery, outcome: Outcome, now_ms: int) -> None:
        rows = self._read(f"{_DELIVERY} AND delivery_id = ? AND status = 'waiting'", delivery.delivery_id)
        if not rows:
            return
        known = _delivery_of(rows[0])
        if not (outcome.is_delivered or (known.is_claimed and known.attempt_count == delivery.attempt_count)):
            return
        if outcome.is_delivered or outcome.retry_ms is None:
            status: DeliveryStatus = "delivered" if outcome.is_delivered else "failed"
            now = settled(known, status, now_ms, answer=outcome.answer, reason=outcome.reason)
        else:
            now = known._replace(
                is_claimed=False, due_ms=outcome.retry_ms, answer=outcome.answer, reason=outcome.reason
            )
        self._save(now)
        self._note_due()

    def forget(self, before_ms: int, keep_count: int) -> int:
        count = self._do("DELETE FROM webhook_delivery WHERE tenant = ? AND settled_ms < ?", self._tenant, before_ms)
        return count + _keep_latest(self._connection, self._tenant, keep_count)

    # -- inside --------------------------------------------------------------------------------------------

    def _do(self, sql: str, *values: object) -> int:
        """Rows changed."""
        return self._connection.execute(sql, values).rowcount

    def _save(self, one: Delivery) -> None:
        self._do(
            "UPDATE webhook_delivery SET due_ms = ?, status = ?, attempt_count = ?, is_claimed = ?, answer = ?, reason = ?,"
            " settled_ms = ? WHERE tenant = ? AND delivery_id = ?",
            *(one.due_ms, one.status, one.attempt_count, int(one.is_claimed), one.answer, one.reason),
            *(one.settled_ms, self._tenant, one.delivery_id),
        )

    def _note_due(self) -> None:
        """When the first of those that wait is due; no row where none does."""
        self._outbox.forget()
        [(due_ms,)] = self._read("SELECT min(due_ms) FROM webhook_delivery WHERE tenant = ? AND status = 'waiting'")
        if due_ms is None:
            self._do("DELETE FROM webhook_due WHERE tenant = ?", self._tenant)
        else:
            self._do(
                "INSERT INTO webhook_due (tenant, due_ms) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET due_ms ="
                " excluded.due_ms",
                *(self._tenant, due_ms),
            )

    def _get(self, webhook_id: str) -> Webhook:
        known = self.find_webhook(webhook_id)
        if known is None:
            raise NotFound(f"no webhook {webhook_id!r:.80}", field="webhook_id")
        return known


def _keep_latest(connection: Connection, tenant: int, count: int) -> int:
    """Drops those that ended but the latest so many."""
    return connection.execute(
        "DELETE FROM webhook_delivery WHERE pk IN (SELECT pk FROM webhook_delivery WHERE tenant = ? AND settled_ms IS NOT NULL"
        " ORDER BY settled_ms DESC, delivery_id LIMIT 1000000 OFFSET ?)",
        (tenant, count),
    ).rowcount


def list_due(connection: Connection) -> dict[str, int]:
    """Of each tenant with a delivery that waits: when the first of them is due."""
    rows = connection.execute(
        "SELECT tenant.name, webhook_due.due_ms FROM webhook_due JOIN tenant ON tenant.pk = webhook_due.tenant"
        " ORDER BY webhook_due.due_ms, tenant.name"
    )
    return dict(rows.fetchall())


def _webhook_of(row: Any) -> Webhook:
    return Webhook._make(row)._replace(events=tuple(row[3].split()))


def _delivery_of(row: Any) -> Delivery:
    return Delivery._make(row)._replace(is_claimed=bool(row[8]))
