"""What a member of a tenant may do. Each role may do what those before it may."""

from __future__ import annotations

from typing import Literal, TypeAlias

from lineal.model.errors import InvalidInput

Role: TypeAlias = Literal["reader", "writer", "approver", "admin"]
ROLES: tuple[Role, ...] = ("reader", "writer", "approver", "admin")


def check_role(role: object, *, field: str = "role") -> Role:
    """The role itself, or InvalidInput."""
    for known in ROLES:
        if role == known:
            return known
    raise InvalidInput(f"{field} {role!r:.80} is none: {', '.join(ROLES)} are", field=field)


def at_least(role: Role | None, needed: Role) -> bool:
    return role is not None and ROLES.index(role) >= ROLES.index(needed)


def lower(one: Role, other: Role) -> Role:
    return min(one, other, key=ROLES.index)
