"""The captures of a run, by part."""

from __future__ import annotations

from typing import Any

from lineal.local import LocalStore


def parts_of(store: LocalStore, run_id: str) -> dict[str, Any]:
    """The contents that the latest attempt has which says each."""
    found: dict[str, Any] = {}
    for capture in store.reader().list_captures(run_id):
        found.setdefault(capture.part, capture.content)
    return found
