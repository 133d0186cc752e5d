"""What a store promises of loose files: those of a tenant that belong to no run and to no logged model, kept under the name that somebody
gave them. Said in words that may arrive twice and in any order (see `contracts.py`); the last word on a path counts."""

from __future__ import annotations

from typing import Protocol

from lineal.model.entities import Stamp
from lineal.model.lineage import ModelFile


class LooseFileWriter(Protocol):
    """Changes of one tenant, within a transaction."""

    def set_loose_file(self, path: str, file: ModelFile | None, stamp: Stamp) -> None:
        """None removes it."""
        ...


class LooseFileReader(Protocol):
    """Answers about one tenant."""

    def find_loose_file(self, path: str) -> ModelFile | None:
        """None where none is, or none is any more."""
        ...

    def list_loose_files(self, folder: str = "") -> dict[str, ModelFile]:
        """Those below a folder ("a/b"; "" for all), by their whole paths, sorted."""
        ...
