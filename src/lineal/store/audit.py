"""What an audit row says of a change: an action, a subject and a digest of the values, not the values."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, TypeAlias

from lineal.model.values import to_json
from lineal.store.contracts import AuditQuery, AuditRow

Action: TypeAlias = Literal[
    "experiment.ensure",
    "experiment.set",
    "experiment.rename",
    "attempt.start",
    "attempt.end",
    "attempt.lose",
    "attempt.regain",
    "params.set",
    "tags.set",
    "note.set",
    "name.set",
    "document.set",
    "lifecycle.set",
    "lock.set",
    "metric.define",
    "artifact.add",
    "loss.add",
    "dataset.use",
    "logged_model.set",
    "logged_model.use",
    "capture.set",
    "artifact.use",
    "version.use",
    "model.set",
    "model.rename",
    "version.create",
    "version.set",
    "stage.set",
    "alias.set",
    "loose_file.set",
    "webhook.create",
    "webhook.set",
    "webhook.delete",
    "user.create",
    "user.set",
    "password.set",
    "member.set",
    "member.remove",
    "token.create",
    "token.revoke",
    "session.start",
    "session.end",
]


def digest_of(values: dict[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON (`to_json`, keys sorted at every level) of what was set."""
    return hashlib.sha256(to_json(_sorted(values)).encode()).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value


def is_asked_for(row: AuditRow, query: AuditQuery) -> bool:
    action = query.action
    return (
        (query.before is None or row.number < query.before)
        and query.subject in (None, row.subject)
        and query.actor in (None, row.actor, row.writer)
        and (action is None or row.action == action or (action.endswith(".") and row.action.startswith(action)))
        and (query.from_ms is None or row.time_ms >= query.from_ms)
        and (query.to_ms is None or row.time_ms <= query.to_ms)
    )
