"""webhooks/...: who is told of the registry. An address may be a secret by itself, so that all of it is for admins of the tenant."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from lineal.ingest.desk import Desk, Said
from lineal.model.entities import Stamp
from lineal.model.errors import InvalidInput
from lineal.model.webhooks import EVENTS, Webhook, check_webhook_texts, is_webhook_name, new_webhook_id
from lineal.server.answers import Content, Submitted
from lineal.server.compat.mlflow.answers import answer, filled, said
from lineal.server.compat.mlflow.errors import MISSING, Json, MlflowError, invalid_value, missing_value, not_here
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.server.webhooks.addresses import Refused
from lineal.server.webhooks.sender import Sender, Tested, example_body
from lineal.store.page_tokens import Place, read_place, token_of

_PAGE_MAX_COUNT = 1_000
_QUESTION = b"webhooks "
_ENTITIES = {
    name: number
    for number, name in enumerate(
        (
            *("registered_model", "model_version", "model_version_tag", "model_version_alias", "prompt"),
            *("prompt_version", "prompt_tag", "prompt_version_tag", "prompt_alias", "budget_policy"),
        ),
        1,
    )
}
_ACTIONS = {"created": 1, "updated": 2, "deleted": 3, "set": 4, "exceeded": 5}
_STATUSES = {"ACTIVE": 1, "DISABLED": 2}
_FIELDS = (Param("name"), Param("url"), Param("events", "list"), Param("description"), Param("secret"))


def create_webhook(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(
        asked, Param("name", required=True), Param("url", required=True), *_FIELDS[2:], Param("status", "any")
    )
    if not values.get("events"):
        raise missing_value("events")
    sender = _sender(context)
    webhook = _changed(
        Webhook(new_webhook_id(), "", "", ()), {"status": "ACTIVE", **values}, sender, context.tenant, is_new=True
    )

    def work(desk: Desk) -> Said:
        desk.webhooks.create_webhook(webhook, _said(context, desk))
        return said(webhook=_json(_get(desk, webhook.webhook_id)))

    return context.submit(work)


def list_webhooks(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, Param("max_results", "int"), Param("page_token"))
    limit = values.get("max_results", 0) or 100
    if not 1 <= limit <= _PAGE_MAX_COUNT:
        raise MlflowError(f"max_results must be between 1 and {_PAGE_MAX_COUNT}.")
    token, after = values.get("page_token"), None
    if token:
        place = read_place(token, _QUESTION)
        after = place.started_ms, place.run_id
    found = context.reader.webhooks().list_webhooks(limit + 1, after)
    page, more = found[:limit], None
    if len(found) > limit:
        more = token_of(_QUESTION, Place((), page[-1].created_ms, page[-1].webhook_id))
    return answer(webhooks=[_json(one) for one in page], next_page_token=more)


def get_webhook(context: Context, asked: Asked[Any, None]) -> Content:
    return answer(webhook=_json(_found(context, asked)))


def update_webhook(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, *_FIELDS, Param("status", "any"))
    known = _found(context, asked)
    sender = _sender(context)
    _changed(known, values, sender, context.tenant)  # refused before it waits for its turn

    def work(desk: Desk) -> Said:
        webhook = _changed(_get(desk, known.webhook_id), values, sender, context.tenant)
        desk.webhooks.set_webhook(webhook, _said(context, desk))
        return said(webhook=_json(_get(desk, known.webhook_id)))

    return context.submit(work)


def delete_webhook(context: Context, asked: Asked[Any, None]) -> Submitted:
    known = _found(context, asked)
    _sender(context)

    def work(desk: Desk) -> Said:
        _get(desk, known.webhook_id)
        desk.webhooks.delete_webhook(known.webhook_id, _said(context, desk))
        return said()

    return context.submit(work)


def test_webhook(context: Context, asked: Asked[Any, None]) -> Submitted:
    event = given(asked, Param("event", "any")).get("event")
    webhook = _found(context, asked)
    event = webhook.events[0] if event is None else _event(event)
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    tested = _sender(context).test(context.tenant, webhook, example_body(event, context.tenant, moment))
    # The request waits without a thread: Dispatch awaits what is submitted.
    done: Future[Said] = Future()
    done.set_running_or_notify_cancel()
    tested.add_done_callback(lambda told: _tell(done, told))
    return Submitted(done)


def _tell(done: Future[Said], tested: Future[Tested]) -> None:
    error = tested.exception()
    if error is not None:
        done.set_exception(error)
        return
    result = tested.result()
    if result.answer is None:
        done.set_result(said(result={"success": False, "error_message": f"Failed to test webhook: {result.reason}"}))
        return
    body = result.answer.body.decode("utf-8", "replace")
    status = result.answer.status
    # A redirect that nobody follows has told nobody.
    done.set_result(said(result=filled(success=status < 300, response_status=status, response_body=body or None)))


# -- inside --------------------------------------------------------------------------------------


def _sender(context: Context) -> Sender:
    if context.source.webhooks is None:
        raise not_here("webhooks")
    return context.source.webhooks


def _said(context: Context, desk: Desk) -> Stamp:
    return Stamp(desk.time_ms, context.principal.name, 0)


def _no_webhook(webhook_id: str) -> MlflowError:
    return MlflowError(f"Webhook with ID {webhook_id} not found.", MISSING)


def _found(context: Context, asked: Asked[Any, None]) -> Webhook:
    webhook_id = asked.path["webhook_id"]
    known = context.reader.webhooks().find_webhook(webhook_id)
    if known is None:
        raise _no_webhook(webhook_id)
    return known


def _get(desk: Desk, webhook_id: str) -> Webhook:
    known = desk.webhooks.find_webhook(webhook_id) if desk.is_known else None
    if known is None:
        raise _no_webhook(webhook_id)
    return known


def _changed(
    webhook: Webhook, values: Mapping[str, Any], sender: Sender, tenant: str, *, is_new: bool = False
) -> Webhook:
    """With what is given: an empty name, address or list is as none; an empty secret takes it away. MlflowError."""
    name, url, events = values.get("name"), values.get("url"), values.get("events")
    if is_new or events:
        webhook = webhook._replace(events=tuple(dict.fromkeys(map(_event, events or ()))))
    if is_new or name:
        webhook = webhook._replace(name=_checked_name(name or ""))
    if is_new or url:
        _check_url(url or "", sender)
        webhook = webhook._replace(url=url or "")
    description, secret = values.get("description"), values.get("secret")
    check_webhook_texts(description, secret)
    if description is not None:
        webhook = webhook._replace(description=description)
    if secret is not None:
        sealed = sender.sealed.seal(secret, tenant, webhook.webhook_id) if secret else None
        webhook = webhook._replace(secret=sealed)
    if values.get("status") is not None:
        webhook = webhook._replace(status="active" if _status(values["status"]) == "ACTIVE" else "disabled")
    return webhook


def _checked_name(name: str) -> str:
    if not is_webhook_name(name):
        raise MlflowError(
            f"Webhook name {name!r} is invalid. It must start and end with a letter or digit, be less than 63 characters long,"
            " and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )
    return name


def _check_url(url: str, sender: Sender) -> None:
    if not url.strip():
        raise MlflowError(f"Webhook URL cannot be empty or just whitespace: {url!r}")
    scheme, colon, _ = url.partition(":")
    if colon and scheme.lower() not in ("http", "https"):
        raise MlflowError(f"Invalid webhook URL scheme: {scheme!r:.40}. Allowed schemes are: https.")
    try:
        sender.post.check(url)
    except InvalidInput as error:
        raise MlflowError(f"Invalid webhook URL {url!r:.200}: {error.message}") from None
    except Refused as error:
        if scheme.lower() == "http" and "https" in error.text:
            raise MlflowError("Invalid webhook URL scheme: 'http'. Allowed schemes are: https.") from None
        raise MlflowError(f"Invalid webhook URL {url!r:.200}: {error.text}") from None


def _event(given: Any) -> str:
    if not isinstance(given, dict):
        raise invalid_value("events", given)
    entity = _word(given.get("entity"), _ENTITIES, "entity")
    action = _word(given.get("action"), _ACTIONS, "action")
    event = f"{entity}.{action}"
    if event == "budget_policy.exceeded":
        raise MlflowError("budget_policy.exceeded never happens here, where there are no budgets: docs/mlflow.md")
    if event not in EVENTS:
        valid = sorted(one.partition(".")[2] for one in EVENTS if one.startswith(f"{entity}."))
        raise MlflowError(f"Invalid action '{action}' for entity '{entity}'. Valid actions are: {valid}")
    return event


def _word(given: Any, known: Mapping[str, int], name: str) -> str:
    """By name, as protobuf writes it, or by number."""
    if isinstance(given, str) and given.lower() in known and given == given.upper():
        return given.lower()
    found = [word for word, number in known.items() if number == given and not isinstance(given, bool)]
    if not found:
        raise invalid_value(name, given)
    return found[0]


def _status(given: Any) -> str:
    if isinstance(given, str) and given in _STATUSES:
        return given
    found = [word for word, number in _STATUSES.items() if number == given and not isinstance(given, bool)]
    if not found:
        raise invalid_value("status", given)
    return found[0]


def _json(one: Webhook) -> Json:
    events = [event.upper().split(".") for event in one.events]
    return filled(
        webhook_id=one.webhook_id,
        name=one.name,
        description=one.description or None,
        url=one.url,
        events=[{"entity": entity, "action": action} for entity, action in events],
        status="ACTIVE" if one.status == "active" else "DISABLED",
        creation_timestamp=one.created_ms,
        last_updated_timestamp=one.updated_ms,
    )
