"""What became of deliveries to webhooks. Webhooks themselves are made by MLflow's protocol (docs/mlflow.md)."""

from __future__ import annotations

import hashlib
from typing import Any

from lineal.model.webhooks import Delivery
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.webhooks import AskDeliveries, DeliveryInfo, DeliveryPage
from lineal.store.page_tokens import Place, read_place, token_of
from lineal.store.run_view import iso_time
from lineal.store.webhooks import DeliveriesQuery


def list_deliveries(context: Context, asked: Asked[AskDeliveries, Any]) -> DeliveryPage:
    """Newest first. What ended is known for a week. Their bodies are not shown: whoever is to read them gets them."""
    query, reader = asked.query, context.reader.webhooks()
    question = hashlib.sha256(repr((query.webhook_id, query.status)).encode("utf-8", "backslashreplace")).digest()
    after = None
    if query.page_token is not None:
        place = read_place(query.page_token, question)
        after = place.started_ms, place.run_id
    found = reader.list_deliveries(DeliveriesQuery(query.webhook_id, query.status, query.limit + 1, after))
    page, more = found[: query.limit], None
    if len(found) > query.limit:
        more = token_of(question, Place((), page[-1].arrived_ms, page[-1].delivery_id))
    counts = {str(status): count for status, count in reader.count_deliveries().items()}
    return DeliveryPage([_info(one) for one in page], counts, more)


def _info(one: Delivery) -> DeliveryInfo:
    return DeliveryInfo(
        one.delivery_id,
        one.webhook_id,
        one.event,
        one.status,
        one.attempt_count,
        one.is_claimed,
        iso_time(one.arrived_ms),
        iso_time(one.due_ms) if one.status == "waiting" else None,
        None if one.settled_ms is None else iso_time(one.settled_ms),
        one.answer,
        one.reason,
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/webhooks/deliveries",
        list_deliveries,
        "What became of deliveries to webhooks",
        DeliveryPage,
        AskDeliveries,
        access="admin",
    ),
)
