"""What a change of the registry is called where webhooks are told of it, and what they are told: the words of MLflow's webhooks
(its classes of payloads, `mlflow.webhooks.types`). A prompt is a model with a tag there, and has events of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from lineal.model.limits import WEBHOOK_BODY_MAX_BYTES
from lineal.model.registry import NewVersion
from lineal.model.webhooks import Happening

PROMPT_TAG = "mlflow.prompt.is_prompt"
_PROMPT_TEXT = "mlflow.prompt.text"
_ABOUT = ("name", "version", "alias", "key")
_OWN_TAGS = (PROMPT_TAG, "_mlflow_prompt_type")

Tags = Mapping[str, str | None]


def is_prompt(tags: Tags | None) -> bool:
    return ((tags or {}).get(PROMPT_TAG) or "").lower() == "true"


def model_created(name: str, tags: Tags | None, description: str | None) -> Happening:
    given = _given(tags)
    event = "registered_model.created"
    if is_prompt(tags):
        event = "prompt.created"
        given = {key: value for key, value in given.items() if key not in _OWN_TAGS}
    return Happening(event, {"name": name, "tags": given, "description": description or ""})


def model_tagged(name: str, tags: Tags) -> list[Happening]:
    """Of a prompt: tags of other models are no event."""
    return [_tagged("prompt_tag", {"name": name}, key, value) for key, value in tags.items()]


def version_created(version: NewVersion, name: str, number: int) -> Happening:
    tags = _given(version.tags)
    data: dict[str, object] = {"name": name, "version": str(number)}
    if is_prompt(version.tags):
        template = tags.pop(_PROMPT_TEXT, None)
        tags = {key: value for key, value in tags.items() if key not in _OWN_TAGS}
        event, data["template"] = "prompt_version.created", template
    else:
        event, data["source"], data["run_id"] = "model_version.created", version.source, version.run_id
    return Happening(event, {**data, "tags": tags, "description": version.description or None})


def version_tagged(name: str, number: int, tags: Tags, *, of_prompt: bool) -> list[Happening]:
    noun = "prompt_version_tag" if of_prompt else "model_version_tag"
    return [_tagged(noun, {"name": name, "version": str(number)}, key, value) for key, value in tags.items()]


def alias_set(name: str, alias: str, number: int | None, *, of_prompt: bool) -> Happening:
    """None: it was removed."""
    noun, data = "prompt_alias" if of_prompt else "model_version_alias", {"name": name, "alias": alias}
    if number is None:
        return Happening(f"{noun}.deleted", data)
    return Happening(f"{noun}.created", {**data, "version": str(number)})


def body_of(tenant: str, happening: Happening, time_ms: int) -> str:
    """As it is sent: JSON in ASCII. `workspace` is what MLflow calls a tenant. What would be too long says which thing it is about."""
    entity, _, action = happening.event.partition(".")
    moment = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    said = {"entity": entity, "action": action, "timestamp": moment, "data": happening.data, "workspace": tenant}
    body = json.dumps(said)
    if len(body) > WEBHOOK_BODY_MAX_BYTES:
        about = {key: value for key, value in happening.data.items() if key in _ABOUT}
        body = json.dumps({**said, "data": {**about, "is_cut": True}})
    return body


def _tagged(noun: str, data: dict[str, object], key: str, value: str | None) -> Happening:
    if value is None:
        return Happening(f"{noun}.deleted", {**data, "key": key})
    return Happening(f"{noun}.set", {**data, "key": key, "value": value})


def _given(tags: Tags | None) -> dict[str, str]:
    return {key: value for key, value in (tags or {}).items() if value is not None}
