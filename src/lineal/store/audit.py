"""What an audit row says of a change: an action, a subject and a digest of the values, not the values."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, TypeAlias

from lineal.model.values import to_json

Action: TypeAlias = Literal[
    "experiment.ensure",
    "experiment.set",
    "attempt.start",
    "attempt.end",
    "attempt.lose",
    "params.set",
    "tags.set",
    "note.set",
    "name.set",
    "document.set",
    "lifecycle.set",
    "metric.define",
    "artifact.add",
    "loss.add",
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
