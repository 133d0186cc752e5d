"""SHA-256 over what spec/dataset.md says, in pieces of bounded size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from lineal.model.values import clean_text, to_json

PIECE_BYTES = 1 << 20


def digest_of_parts(parts: Iterable[tuple[str, str]]) -> str:
    """Of named parts: files of a folder, or arrays of a collection. In order of their names, part by part between slashes."""
    named = sorted(parts, key=lambda part: part[0].split("/"))
    return digest_of_json([[clean_text(name), digest] for name, digest in named])


def digest_of_json(value: Any) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()
