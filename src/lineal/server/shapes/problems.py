"""What a refusal looks like: RFC 9457."""

from __future__ import annotations

from msgspec import Struct


class Problem(Struct, omit_defaults=True, frozen=True):
    """A refusal. `code` is stable; `field` names the offending input, `position` (0-based) the place within a filter, and
    `expected` what could have stood there. `offset` and `segment` say where a journal goes on. `renamed_to`: what had
    the name that was asked for is called so now."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    position: int | None = None
    expected: str | None = None
    offset: int | None = None
    segment: int | None = None
    renamed_to: str | None = None
