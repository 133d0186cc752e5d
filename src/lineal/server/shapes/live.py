from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Health(Struct, frozen=True):
    """`folder` is the name of the data folder, without its place."""

    status: Literal["ok"]
    version: str
    folder: str
    change_number: int


class AskLive(Struct, frozen=True):
    """`after`: the change number that the page has seen."""

    after: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class Change(Struct, frozen=True):
    """Data of an event `change`. Unless `is_complete`, other runs may have changed too. `models_changed`: registered models may have,
    or their versions, aliases and stages."""

    change_number: int
    run_ids: list[str]
    is_complete: bool
    models_changed: bool = False
