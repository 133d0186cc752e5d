"""Users and tokens as they go out. Never with a hash or a digest."""

from __future__ import annotations

from lineal.model.people import Token, User
from lineal.server.shapes.people import TenantRole, TokenInfo, UserInfo
from lineal.store.people import PeopleReader
from lineal.store.run_view import iso_time


def user_info(people: PeopleReader, user: User) -> UserInfo:
    tenants = [TenantRole(member.tenant, member.role) for member in people.list_memberships(user.name)]
    return UserInfo(user.name, user.is_admin, user.disabled_ms is not None, iso_time(user.created_ms), tenants)


def token_info(token: Token) -> TokenInfo:
    return TokenInfo(
        token.token_id,
        token.user,
        token.name,
        token.role,
        None if token.tenants is None else list(token.tenants),
        iso_time(token.created_ms),
        iso_time(token.expires_ms),
        None if token.revoked_ms is None else iso_time(token.revoked_ms),
        None if token.used_ms is None else iso_time(token.used_ms),
    )
