"""Signing in and out: sessions of browsers, wrong passwords, what a cookie may."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest

from lineal.model.limits import GUESSES_MAX_COUNT, SESSION_MAX_AGE_S
from lineal.model.people import SESSION_PREFIX, Session, digest_of_secret, new_secret
from tests.server.conftest import json_of
from tests.server.let_in import PASSWORD, World


def sign_in(client: httpx.Client, user: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return client.post("/session", json={"user": user, "password": password}, headers=headers)


def test_somebody_signs_in_works_and_signs_out(every_world: World) -> None:
    world = every_world
    client = world.client
    assert json_of(client.get("/session")) == {
        "mode": "sign_in",
        "user": None,
        "is_admin": False,
        "by": None,
        "token_id": None,
        "ends_at": None,
        "tenants": [],
    }
    answer = sign_in(client, "writer", origin=world.origin)
    info = json_of(answer)
    assert (
        info["user"] == "writer"
        and info["tenants"] == [{"tenant": "acme", "role": "writer"}]
        and info["by"] == "session"
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("lineal_session=lns_") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "Path=/" in cookie and f"Max-Age={int(SESSION_MAX_AGE_S)}" in cookie and "Secure" not in cookie
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 40
    assert json_of(client.get("/session"))["user"] == "writer"
    json_of(client.post("/experiments", json={"name": "digits"}, headers={"origin": world.origin}), 201)
    gone = client.delete("/session", headers={"origin": world.origin})
    assert json_of(gone)["user"] is None and "Max-Age=0" in gone.headers["set-cookie"]
    assert json_of(client.get("/session"))["user"] is None and client.get("/experiments").status_code == 401
    old = {"cookie": cookie.partition(";")[0]}
    assert client.get("/experiments", headers=old).status_code == 401, "the session has ended on the server, too"


def test_refusals_say_the_same_whoever_it_was(world: World) -> None:
    world.say("set_user", "reader", disabled=True)
    answers = [
        sign_in(world.client, *who)
        for who in (("writer", "wrong password"), ("nobody", PASSWORD), ("reader", PASSWORD))
    ]
    answers += [
        sign_in(world.client, "Writer"),
        sign_in(world.client, "writer", ""),
        sign_in(world.client, "x" * 5_000),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert (
        len({answer.content for answer in answers}) == 1 and json.loads(answers[0].content)["code"] == "wrong_password"
    )
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_user_can_be_guessed_at_a_bounded_number_of_times(world: World) -> None:
    for _ in range(GUESSES_MAX_COUNT):
        assert sign_in(world.client, "writer", "wrong password").status_code == 401
    answer = sign_in(world.client, "writer")
    assert json_of(answer, 429)["code"] == "too_many_guesses" and 0 < int(answer.headers["retry-after"]) <= 301
    assert sign_in(world.client, "reader").status_code == 200, "others are let in"


def test_a_right_password_is_no_guess(world: World) -> None:
    for _ in range(GUESSES_MAX_COUNT + 2):
        assert sign_in(world.client, "writer", origin=world.origin).status_code == 200


def test_a_change_with_a_cookie_needs_the_origin_of_the_page(world: World) -> None:
    secret = world.session("writer")
    port = world.client.base_url.port
    with world.asking(session=secret) as client:
        del client.headers["origin"]
        for method, path in (
            ("POST", "/experiments"),
            ("PATCH", "/experiments/x"),
            ("DELETE", "/experiments/x"),
            ("PUT", "/members/x"),
        ):
            for origin in (
                None,
                "null",
                "http://evil.example",
                f"http://127.0.0.1:{port}",
                f"https://localhost:{port}",
                "http://localhost",
            ):
                answer = client.request(
                    method, path, json={"name": "x"}, headers={} if origin is None else {"origin": origin}
                )
                assert json_of(answer, 403)["code"] == "origin", (method, origin)
        assert json_of(client.get("/experiments"))["total"] == 0
        json_of(client.post("/experiments", json={"name": "x"}, headers={"origin": world.origin}), 201)
    with world.asking(token=world.token("writer")) as client:  # no browser adds a token by itself
        json_of(client.post("/experiments", json={"name": "y"}), 201)


def test_with_https_the_cookie_is_bound_to_it(world: World) -> None:
    from lineal.server.cookies import session_cookie

    assert session_cookie(True, "s").startswith("__Host-lineal_session=s; Path=/;")
    assert session_cookie(True, "s").endswith("Secure")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer lnl_short", "Basic {}", "{}", "bearer  {}", "Bearer {}x", "Bearer,{}", "Token {}"]
)
def test_what_is_no_token(world: World, shown: str) -> None:
    header = {"authorization": shown.format(world.token("writer"))}
    answer = world.client.get("/experiments", headers=header)
    assert json_of(answer, 401)["code"] == "unauthorized" and answer.headers["www-authenticate"].startswith("Bearer")


def test_two_tokens_are_none_and_a_session_is_no_token(world: World) -> None:
    one, two = world.token("writer"), world.token("writer")
    headers = [("authorization", f"Bearer {one}"), ("authorization", f"Bearer {two}")]
    assert world.client.get("/experiments", headers=headers).status_code == 401
    secret = world.session("writer")
    assert world.client.get("/experiments", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    assert world.client.get("/experiments", headers={"cookie": f"lineal_session={one}"}).status_code == 401


def test_one_changes_ones_password_and_is_signed_out_everywhere(world: World) -> None:
    other = world.session("writer")
    with world.asking(session=world.session("writer")) as client:
        path, new = "/session/password", "quite another one"
        assert json_of(client.post(path, json={"current": "wrong", "new": new}), 401)["code"] == "wrong_password"
        assert json_of(client.post(path, json={"current": PASSWORD, "new": "short"}), 400)["field"] == "password"
        json_of(client.post(path, json={"current": PASSWORD, "new": new}))
        assert client.get("/experiments").status_code == 401
    with world.asking(session=other) as client:
        assert client.get("/experiments").status_code == 401
    assert sign_in(world.client, "writer").status_code == 401
    assert sign_in(world.client, "writer", new).status_code == 200
    with world.asking(token=world.token("reader")) as client:
        assert client.post(path, json={"current": PASSWORD, "new": new}).status_code == 403


def test_a_disabled_user_is_out_at_once(world: World) -> None:
    with (
        world.asking(token=world.token("root")) as root,
        world.asking(token=world.token("writer")) as by_token,
        world.asking(session=world.session("writer")) as by_session,
    ):
        assert by_token.get("/experiments").status_code == by_session.get("/experiments").status_code == 200
        json_of(root.patch("/users/writer", json={"is_disabled": True}))
        assert by_token.get("/experiments").status_code == by_session.get("/experiments").status_code == 401
        json_of(root.patch("/users/writer", json={"is_disabled": False}))
        assert by_token.get("/experiments").status_code == 200 and by_session.get("/experiments").status_code == 401


def test_no_secret_is_in_a_log_or_in_what_is_kept(world: World, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    answer = sign_in(world.client, "writer", origin=world.origin)
    sign_in(world.client, "writer", "not the password")
    session = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    made = json_of(
        world.client.post("/tokens", json={"name": "t"}, headers={"origin": world.origin}),
        201,
    )
    listed = world.client.get("/tokens").text
    secrets = (PASSWORD, "not the password", session, made["token"])
    with world.source.opened() as store:
        kept = repr(
            [store.people().list_users(), store.people().list_tokens("writer"), store.people().find_password("writer")]
        )
        kept += repr([store.tenant(name).list_audit() for name in ("", *store.list_tenants())])
    said = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpcore"))
    for secret in secrets:
        assert secret not in said and secret not in listed and secret not in kept


def test_an_answer_with_a_secret_is_not_kept_under_a_key(world: World) -> None:
    answer = world.client.post(
        "/session", json={"user": "writer", "password": PASSWORD}, headers={"idempotency-key": "k"}
    )
    assert json_of(answer, 400)["field"] == "Idempotency-Key" and "set-cookie" not in answer.headers


def test_where_nobody_signs_in_there_is_nothing_to_ask(client: httpx.Client) -> None:
    """The dashboard of a folder."""
    base = "/api/v1"
    assert json_of(client.get(f"{base}/session"))["mode"] == "open"
    for answer in (
        client.get(f"{base}/users"),
        client.get(f"{base}/tokens"),
        client.get(f"{base}/members"),
        client.post(f"{base}/session", json={"user": "a", "password": "b"}),
        client.delete(f"{base}/session"),
    ):
        assert json_of(answer, 404)["code"] == "no_sign_in"


def test_a_session_ends_by_itself(world: World) -> None:
    secret = new_secret(SESSION_PREFIX)
    world.say("start_session", Session(digest_of_secret(secret), "writer", 1, 2))
    with world.asking(session=secret) as client:
        assert client.get("/experiments").status_code == 401 and json_of(client.get("/session"))["user"] is None
        assert client.delete("/session").status_code == 200, "signing out is no error then"
