"""Loose files in the memory store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from lineal.model.entities import Stamp
from lineal.model.lineage import ModelFile
from lineal.store.audit import Action
from lineal.store.memory_state import TenantState


class _Writer(Protocol):
    """What a `MemoryWriter` has for this."""

    state: TenantState

    def audit(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None: ...


class MemoryLooseFileWriter:
    """See `loose_files.LooseFileWriter`. Part of a `MemoryWriter`."""

    def set_loose_file(self: _Writer, path: str, file: ModelFile | None, stamp: Stamp) -> None:
        known = self.state.loose_files.get(path)
        if known is None or known[0] < stamp:
            self.state.loose_files[path] = (stamp, file)
            self.audit("loose_file.set", path, stamp, {"path": path, "file": file})


def list_loose(tenant: TenantState, folder: str = "") -> Iterator[tuple[str, ModelFile]]:
    head = f"{folder}/" if folder else ""
    for path, (_, file) in sorted(tenant.loose_files.items()):
        if file is not None and path.startswith(head):
            yield path, file
