"""Tokens, members and users by requests: what they bound, when they end, who may give them."""

from __future__ import annotations

import re

from lineal.model.limits import TOKEN_USED_INTERVAL_S
from lineal.model.people import digest_of_secret
from tests.server.conftest import json_of
from tests.server.let_in import PASSWORD, World


def test_a_token_is_made_shown_once_and_revoked(every_world: World) -> None:
    world = every_world
    with world.asking(session=world.session("writer")) as client:
        made = json_of(client.post("/tokens", json={"name": " laptop ", "expires_in_days": 7}), 201)
        secret = made.pop("token")
        assert re.fullmatch(r"lnl_[A-Za-z0-9_-]{43}", secret) and made["name"] == "laptop" and made["role"] == "writer"
        assert made["user"] == "writer" and made["tenants"] is None and made["used_at"] is None
        assert json_of(client.get("/tokens"))["tokens"] == [made]
        with world.asking(token=secret) as program:
            json_of(program.post("/experiments", json={"name": "x"}), 201)
            assert json_of(program.get("/session"))["by"] == "token"
            revoked = json_of(client.delete(f"/tokens/{made['token_id']}"))
            assert revoked["revoked_at"] is not None
            assert program.get("/experiments").status_code == 401, "at once"
        [listed] = json_of(client.get("/tokens"))["tokens"]
        assert listed["used_at"] is not None and listed["revoked_at"] == revoked["revoked_at"]
        for body in (
            {"name": ""},
            {"name": "  "},
            {"name": "x", "expires_in_days": 0},
            {"name": "x", "expires_in_days": 367},
            {"name": "x", "role": "owner"},
            {"name": "x", "tenants": []},
            {"name": "x", "tenants": ["*"]},
            {},
        ):
            assert client.post("/tokens", json=body).status_code == 400, body


def test_a_token_has_at_most_what_its_user_has(world: World) -> None:
    with world.asking(session=world.session("writer")) as client:
        assert json_of(client.post("/tokens", json={"name": "x", "role": "admin"}), 403)["code"] == "forbidden"
        elsewhere = json_of(client.post("/tokens", json={"name": "x", "tenants": ["zeta"]}), 404)
        nowhere = json_of(client.post("/tokens", json={"name": "x", "tenants": ["never"]}), 404)
        assert {**elsewhere, "detail": ""} == {**nowhere, "detail": ""}
    # Made before its user was given less: it has no more than that.
    token = world.token("approver", "admin")
    with world.asking(token=token) as client:
        assert client.get("/members").status_code == 403
        json_of(client.post("/experiments", json={"name": "x"}), 201)
        with world.asking(token=world.token("admin")) as admin:
            json_of(admin.put("/members/approver", json={"role": "reader"}))
        assert (
            client.post("/experiments", json={"name": "y"}).status_code == 403
            and client.get("/experiments").status_code == 200
        )
        with world.asking(token=world.token("admin")) as admin:
            json_of(admin.delete("/members/approver"))
        assert json_of(client.get("/experiments"), 404)["detail"] == "no tenant 'default'"


def test_a_token_is_bounded_by_its_role_and_tenants(world: World) -> None:
    world.say("set_member", "zeta", "writer", "admin")
    narrow = world.token("writer", "reader", ("zeta",))
    with world.asking(token=narrow) as client:
        assert json_of(client.get("/session"))["tenants"] == [{"tenant": "zeta", "role": "reader"}]
        assert client.get("/experiments").status_code == 200, "the only tenant is meant"
        assert client.post("/experiments", json={"name": "x"}).status_code == 403
        assert client.get("/experiments", headers={"x-tenant-id": "acme"}).status_code == 404
        assert client.get("/members").status_code == 403
    with world.asking(token=world.token("writer")) as client:
        several = json_of(client.get("/experiments"), 400)
        assert several["field"] == "X-Tenant-ID" and "several" in several["detail"]
        assert client.get("/experiments", headers={"x-tenant-id": "acme"}).status_code == 200


def test_tokens_end(world: World) -> None:
    with world.asking(token=world.token("writer", expires_ms=1)) as client:
        assert client.get("/experiments").status_code == 401
    with world.asking(token=world.token("writer", expires_ms=1)) as client:
        assert json_of(client.get("/session"))["user"] is None


def test_the_last_use_is_kept_but_not_every_use(world: World) -> None:
    secret = world.token("writer")
    with world.source.opened() as store:
        token = store.people().find_token(digest_of_secret(secret))
    assert token is not None
    with world.asking(session=world.session("writer")) as client:
        made = json_of(client.post("/tokens", json={"name": "x"}), 201)
    with world.asking(token=made["token"]) as program, world.source.opened() as store:
        before = store.change_number()
        for _ in range(5):
            program.get("/experiments", headers={"x-tenant-id": "acme"})
        world.say("mark_used", "none", 1)  # behind the one above
        used = store.people().find_token(digest_of_secret(made["token"]))
        assert used is not None and used.used_ms is not None and store.change_number() == before + 1
    assert TOKEN_USED_INTERVAL_S > 60


def test_tokens_of_others_are_not_there(world: World) -> None:
    with world.asking(session=world.session("reader")) as client:
        theirs = json_of(client.post("/tokens", json={"name": "x", "role": "reader"}), 201)["token_id"]
    for user in ("admin", "zoe"):
        with world.asking(session=world.session(user)) as client:
            absent = client.delete("/tokens/0123456789ab")
            assert (
                client.delete(f"/tokens/{theirs}").content.replace(theirs.encode(), b"0123456789ab") == absent.content
            )
            assert client.get("/tokens", params={"user": "reader"}).status_code == 403
    with world.asking(token=world.token("root")) as root:
        assert [one["token_id"] for one in json_of(root.get("/tokens", params={"user": "reader"}))["tokens"]] == [
            theirs
        ]
        assert json_of(root.delete(f"/tokens/{theirs}"))["revoked_at"] is not None


def test_a_token_makes_no_tokens(world: World) -> None:
    for user in ("admin", "root"):
        with world.asking(token=world.token(user)) as client:
            assert json_of(client.post("/tokens", json={"name": "x"}), 403)["code"] == "forbidden"


def test_members(every_world: World) -> None:
    world = every_world
    with world.asking(token=world.token("admin")) as client:
        assert [one["user"] for one in json_of(client.get("/members"))["members"]] == [
            "admin",
            "approver",
            "reader",
            "writer",
        ]
        page = json_of(client.put("/members/zoe", json={"role": "reader"}))
        assert page["tenant"] == "acme" and {"user": "zoe", "role": "reader"} in page["members"]
        assert json_of(client.put("/members/never", json={"role": "reader"}), 404)["field"] == "user"
        assert client.put("/members/zoe", json={"role": "owner"}).status_code == 400
        assert client.put("/members/zoe", json={"role": "reader"}, headers={"x-tenant-id": "zeta"}).status_code == 404
        with world.asking(token=world.token("zoe", "reader")) as zoe:
            assert zoe.get("/experiments", headers={"x-tenant-id": "acme"}).status_code == 200
            json_of(client.delete("/members/zoe"))
            assert zoe.get("/experiments", headers={"x-tenant-id": "acme"}).status_code == 404
        assert client.delete("/members/zoe").status_code == 404


def test_users(every_world: World) -> None:
    world = every_world
    with world.asking(token=world.token("root")) as root:
        made = json_of(root.post("/users", json={"name": "carol@acme.com", "password": PASSWORD}), 201)
        assert made["is_admin"] is False and made["tenants"] == []
        assert (
            json_of(root.post("/users", json={"name": "carol@acme.com", "password": PASSWORD}), 409)["field"] == "user"
        )
        for body in (
            {"name": "Carol", "password": PASSWORD},
            {"name": "carl", "password": "short"},
            {"name": "x y", "password": PASSWORD},
        ):
            assert root.post("/users", json=body).status_code == 400
        assert PASSWORD not in root.post("/users", json={"name": PASSWORD, "password": "short"}).text.replace(
            repr(PASSWORD), ""
        )
        root.put("/members/carol@acme.com", json={"role": "reader"}, headers={"x-tenant-id": "new-tenant"})
        with world.asking(token=world.token("carol@acme.com")) as carol:
            assert json_of(carol.get("/session"))["tenants"] == [{"tenant": "new-tenant", "role": "reader"}]
        names = [user["name"] for user in json_of(root.get("/users"))["users"]]
        assert names == sorted(names) and "carol@acme.com" in names
        assert json_of(root.patch("/users/root", json={"is_disabled": True}), 409)["field"] == "user"
        assert root.patch("/users/root", json={"is_admin": False}).status_code == 409
        assert root.patch("/users/never", json={"is_admin": False}).status_code == 404
        json_of(root.patch("/users/admin", json={"is_admin": True}))
        with world.asking(token=world.token("admin", "admin", ("acme",))) as bounded:
            assert bounded.get("/users").status_code == 403, "a token of one tenant is none of the server"
        with world.asking(token=world.token("admin")) as admin:
            json_of(admin.get("/users"))


def test_who_did_it_is_in_the_audit(world: World) -> None:
    with world.asking(token=world.token("root")) as root:
        root.post("/users", json={"name": "carol", "password": PASSWORD})
        root.put("/members/carol", json={"role": "reader"}, headers={"x-tenant-id": "acme"})
    with world.source.opened() as store:
        last = store.tenant("").list_audit()[-1]
        assert (last.writer, last.action, last.subject) == ("user:root", "user.create", "carol")
        last = store.tenant("acme").list_audit()[-1]
        assert (last.writer, last.action, last.subject) == ("user:root", "member.set", "carol")


def test_a_run_is_by_whoever_started_it(world: World) -> None:
    with world.asking(token=world.token("writer")) as client:
        experiment = json_of(client.post("/experiments", json={"name": "x"}), 201)["id"]
        assert json_of(client.post("/experiments/runs", json={"experiment_id": experiment}), 201)["user_id"] == "writer"
        given = json_of(client.post("/experiments/runs", json={"experiment_id": experiment, "user_id": "alice"}), 201)
        assert given["user_id"] == "alice"


def test_rows_about_users_and_tokens_are_for_admins_of_the_server(world: World) -> None:
    for user, role, status in (("root", "admin", 200), ("root", "writer", 403), ("admin", "admin", 403)):
        with world.asking(token=world.token(user, role)) as client:  # type: ignore[arg-type]
            answer = client.get("/audit", params={"server": True}, headers={"x-tenant-id": "acme"})
            assert answer.status_code == status, (user, role)
    with world.asking(token=world.token("root", "admin", ("acme",))) as client:
        assert client.get("/audit", params={"server": True}).status_code == 403
