"""What `lineal doctor` finds: one verdict a question."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Verdict: TypeAlias = Literal["good", "look", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """`detail` is what was found; `advice` what to do about it, empty if nothing. "look": works, but read this.
    "bad": something is lost or will not work."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
