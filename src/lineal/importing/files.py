"""What MLflow's file store is made of: folders, YAML, and files that hold one text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lineal.model.errors import InvalidInput


def read_meta(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise InvalidInput("an mlruns folder needs one more package: pip install PyYAML", field="source") from error
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", field="source") from None
    if not isinstance(said, dict):
        raise InvalidInput(f"{path} is not MLflow's: it says nothing by name", field="source")
    return said


def folders(place: Path) -> list[Path]:
    try:
        return sorted(entry for entry in place.iterdir() if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def names(folder: Path) -> list[str]:
    """Of the files below, which are names of params, tags or metrics; a "/" in one is a folder there."""
    found = []
    for place, _, files in os.walk(folder):
        found += [Path(place, file).relative_to(folder).as_posix() for file in files]
    return sorted(found)


def read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def read_texts(folder: Path) -> dict[str, str]:
    """By name."""
    return {name: read_text(folder / name) for name in names(folder)}


def line_count(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
