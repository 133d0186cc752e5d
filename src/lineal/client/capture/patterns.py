"""Patterns that are compiled when they are needed first: `init` waits for none of them."""

from __future__ import annotations

import re

_bytes: dict[bytes, re.Pattern[bytes]] = {}
_texts: dict[str, re.Pattern[str]] = {}


def pattern(source: bytes) -> re.Pattern[bytes]:
    found = _bytes.get(source)
    if found is None:
        found = _bytes[source] = re.compile(source, re.DOTALL)
    return found


def text_pattern(source: str) -> re.Pattern[str]:
    found = _texts.get(source)
    if found is None:
        found = _texts[source] = re.compile(source, re.DOTALL)
    return found
