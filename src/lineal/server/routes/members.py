"""Who may do what in the tenant that is asked for."""

from __future__ import annotations

from typing import Any

from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.people_desk import gate_of, say_of_people
from lineal.server.shapes.people import MemberInfo, MembersList, SetMember

_PATH = "/api/v1/members"


def list_members(context: Context, asked: Asked[Any, Any]) -> MembersList:
    """By name. Admins of the server are not among them unless they were made so."""
    gate_of(context)
    found = context.store.people().list_members(context.tenant)
    return MembersList(context.tenant, [MemberInfo(member.user, member.role) for member in found])


def set_member(context: Context, asked: Asked[Any, SetMember]) -> MembersList:
    """Makes a user a member, or gives a member another role."""
    user, role = asked.path["user"], asked.body.role
    say_of_people(context, lambda people, said: people.set_member(context.tenant, user, role, said))
    return list_members(context, asked)


def remove_member(context: Context, asked: Asked[Any, None]) -> MembersList:
    """From the answer on the user sees nothing of the tenant."""
    user = asked.path["user"]
    say_of_people(context, lambda people, said: people.remove_member(context.tenant, user, said))
    return list_members(context, asked)


ENDPOINTS = (
    Endpoint("GET", _PATH, list_members, "Members of a tenant", MembersList, refusals=(404,), access="admin"),
    Endpoint(
        "PUT",
        f"{_PATH}/{{user}}",
        set_member,
        "Make a member, or change a role",
        MembersList,
        body=SetMember,
        refusals=(404,),
        access="admin",
    ),
    Endpoint(
        "DELETE", f"{_PATH}/{{user}}", remove_member, "Remove a member", MembersList, refusals=(404,), access="admin"
    ),
)
