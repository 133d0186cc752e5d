"""What stands in the way of making a run again, said before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Topic: TypeAlias = Literal["code", "command", "data", "environment", "hardware", "variables"]


@dataclass(frozen=True, slots=True)
class Problem:
    """`blocks`: nothing is started because of it, unless the user says "anyway". `is_final`: not even then."""

    topic: Topic
    name: str
    text: str
    blocks: bool = True
    is_final: bool = False
