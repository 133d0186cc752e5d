"""What a run asks of the store that it is recorded in: only where its program says that it takes something from another run.

The SDK's wing knows nothing of stores. Whoever reads them is named here by its place, as `lineal` itself names what it hands out, and is
imported when it is first asked."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

_FINDER = "lineal.registry.taken"


class Taken(NamedTuple):
    """A file of another run, as it was logged. `place`: where its bytes lie here, for reading only; `digest`: their SHA-256."""

    run_id: str
    path: str
    version: int
    digest: str
    place: str


class Finder(Protocol):
    def take_artifacts(
        self, ref: Any, path: str | None, version: int | None, url: str, tenant: str | None
    ) -> Sequence[Taken]:
        """One file, or those of a folder. NotFound; InvalidInput; Damaged."""
        ...

    def find_model_version(self, ref: Any, url: str, tenant: str | None) -> Any:
        """A `lineal.ModelVersion`. NotFound; InvalidInput."""
        ...


def finder() -> Finder:
    return cast(Finder, import_module(_FINDER))
