"""SHA-256 over what spec/dataset.md says, in pieces of bounded size."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lineal.model.values import clean_text, to_json

PIECE_BYTES = 1 << 20


def digest_of_parts(parts: Iterable[tuple[str, str]]) -> str:
    """Of named parts: files of a folder, or arrays of a collection. In order of their names, part by part between slashes."""
    named = sorted(parts, key=lambda part: part[0].split("/"))
    return digest_of_json([[clean_text(name), digest] for name, digest in named])


def digest_of_json(value: Any) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()


def said_mapping(mapping: Mapping[Any, Any], say: Callable[[Any], Any]) -> dict[str, Any]:
    """JSON of a mapping, in order of its names. Where keys are no texts it is pairs, so that 1 is told from "1"."""
    if all(isinstance(key, str) for key in mapping):
        return {f"${key}" if key.startswith("$") else key: say(mapping[key]) for key in sorted(mapping)}
    pairs = [[say(key), say(value)] for key, value in mapping.items()]
    return {"$map": sorted(pairs, key=to_json)}


def is_missing(value: Any) -> bool:
    """None, NaN, and what says of itself that it is not what it is; never asked of an array as a whole."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        differs = value != value
    except (TypeError, ValueError):
        return False
    np = sys.modules.get("numpy")
    return differs is True or (np is not None and isinstance(differs, np.bool_) and bool(differs))
