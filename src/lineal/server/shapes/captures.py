"""What attempts recorded by themselves of their circumstances."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from lineal.server.shapes.experiments import Offset


class AskCaptures(Struct, frozen=True):
    """`part`: that part only; `attempt`: of that attempt only."""

    part: str | None = None
    attempt: str | None = None
    offset: Offset = 0


class Capture(Struct, frozen=True):
    """`digest`: SHA-256 of the content, so that equal ones are told without reading them."""

    attempt_id: str
    part: Annotated[
        str,
        Meta(
            description="execution, code, environment, hardware, sources, resources, or another one that a client said."
        ),
    ]
    digest: str
    time: Annotated[str | None, Meta(description="When it was said.")]
    content: dict[str, Any]


class CapturesList(Struct, frozen=True):
    """The latest attempt first, then by part. `total` counts all; an answer has as many as are 16 MiB, at least one: `offset` leads on."""

    captures: list[Capture]
    total: int
