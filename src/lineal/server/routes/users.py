"""Users of the server, for its admins."""

from __future__ import annotations

from typing import Any

from lineal.model.entities import Stamp
from lineal.model.errors import Conflict, NotFound
from lineal.model.limits import SECRETS_BODY_MAX_BYTES
from lineal.model.people import User, check_password, check_user_name
from lineal.server.answers import Told
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.people_desk import gate_of, say_of_people
from lineal.server.people_views import user_info
from lineal.server.shapes.people import CreateUser, EditUser, UserInfo, UsersList
from lineal.store.people import PeopleWriter

_PATH = "/api/v1/users"


def list_users(context: Context, asked: Asked[Any, None]) -> UsersList:
    """By name."""
    gate_of(context)
    people = context.store.people()
    return UsersList([user_info(people, user) for user in people.list_users()])


def create_user(context: Context, asked: Asked[Any, CreateUser]) -> Told:
    """Somebody who may sign in; which tenants they see, members say."""
    gate = gate_of(context)
    body = asked.body
    user = User(check_user_name(body.name), body.is_admin, gate.now_ms())
    kept = gate.passwords.hash(check_password(body.password))
    say_of_people(context, lambda people, said: people.create_user(user, kept, said))
    return Told(user_info(context.store.people(), user), status=201)


def change_user(context: Context, asked: Asked[Any, EditUser]) -> UserInfo:
    """Sets what is given. A new password, or disabling, signs the user out everywhere."""
    gate = gate_of(context)
    body, name = asked.body, asked.path["user"]
    if name == context.principal.user and (body.is_disabled or body.is_admin is False):
        raise Conflict("you would lock yourself out: let another admin do it", field="user")
    kept = None if body.password is None else gate.passwords.hash(check_password(body.password))

    def work(people: PeopleWriter, said: Stamp) -> None:
        if kept is not None:
            people.set_password(name, kept, said)
        people.set_user(name, said, is_admin=body.is_admin, disabled=body.is_disabled)

    say_of_people(context, work)
    people = context.store.people()
    user = people.find_user(name)
    if user is None:
        raise NotFound(f"no user {name!r:.80}", field="user")
    return user_info(people, user)


ENDPOINTS = (
    Endpoint("GET", _PATH, list_users, "Users of the server", UsersList, refusals=(404,), access="server_admin"),
    Endpoint(
        "POST",
        _PATH,
        create_user,
        "Make a user",
        UserInfo,
        body=CreateUser,
        made=True,
        refusals=(404, 409),
        body_max_bytes=SECRETS_BODY_MAX_BYTES,
        keeps_answer=False,
        access="server_admin",
    ),
    Endpoint(
        "PATCH",
        f"{_PATH}/{{user}}",
        change_user,
        "Change a user",
        UserInfo,
        body=EditUser,
        refusals=(404, 409),
        body_max_bytes=SECRETS_BODY_MAX_BYTES,
        access="server_admin",
    ),
)
