"""Rules of `store/people.py`."""

from __future__ import annotations

import pytest

from lineal.model.errors import Conflict, NotFound
from lineal.model.limits import SESSIONS_PER_USER_MAX_COUNT
from lineal.model.people import Member, Session, Token, User
from lineal.store.contracts import Store
from lineal.store.people import SERVER
from lineal.testing.suite_base import Opener, SuiteBase, at

ALICE = User("alice", True, 1_000)
BOB = User("bob@acme.com", False, 2_000)
TOKEN = Token("t1", "alice", "laptop \N{ROCKET}", "d1" * 32, "writer", ("acme", "zeta"), 3_000, 9_000)
SESSION = Session("s1" * 32, "alice", 3_000, 9_000)


class PeopleRules(SuiteBase):
    @pytest.fixture
    def peopled(self, store: Store) -> Store:
        with store.begin() as transaction:
            people = transaction.people()
            people.create_user(ALICE, "hash of alice", at(1_000, writer="command"))
            people.create_user(BOB, None, at(2_000, writer="user:alice"))
        return store

    def test_an_empty_store_knows_nobody(self, store: Store) -> None:
        people = store.people()
        assert people.list_users() == [] and people.find_user("alice") is None
        assert people.find_password("alice") is None and people.find_token("d") is None
        assert people.list_members("acme") == [] and people.list_tokens("alice") == []
        assert people.find_session("s") is None and people.list_memberships("alice") == []

    def test_users(self, peopled: Store) -> None:
        people = peopled.people()
        assert people.list_users() == [ALICE, BOB]
        assert people.find_user("bob@acme.com") == BOB and people.find_user("Alice") is None
        assert people.find_password("alice") == "hash of alice" and people.find_password(BOB.name) is None
        with pytest.raises(Conflict), peopled.begin() as transaction:
            transaction.people().create_user(User("alice", False, 5_000), "other", at(5_000))
        with peopled.begin() as transaction:
            transaction.people().set_user(BOB.name, at(6_000), is_admin=True, disabled=True)
        assert people.find_user(BOB.name) == User(BOB.name, True, 2_000, 6_000)
        with peopled.begin() as transaction:
            transaction.people().set_user(BOB.name, at(7_000), disabled=True)  # the first time stands
            assert transaction.people().find_user(BOB.name) == User(BOB.name, True, 2_000, 6_000)
            transaction.people().set_user(BOB.name, at(8_000), disabled=False)
        assert people.find_user(BOB.name) == User(BOB.name, True, 2_000)
        with pytest.raises(NotFound), peopled.begin() as transaction:
            transaction.people().set_user("carol", at(9_000), disabled=True)

    def test_all_or_nothing(self, peopled: Store) -> None:
        before = peopled.change_number(), peopled.tenant(SERVER).list_audit()
        with pytest.raises(KeyError), peopled.begin() as transaction:
            writer = transaction.people()
            writer.create_user(User("carol", False, 1), "hash", at(3_000))
            writer.set_password("alice", "new", at(3_001))
            writer.create_token(TOKEN, at(3_002))
            writer.start_session(SESSION, at(3_003))
            writer.set_member("acme", "alice", "reader", at(3_004))
            assert writer.find_user("carol") is not None  # as of the transaction
            assert peopled.people().find_user("carol") is None
            raise KeyError
        assert (peopled.change_number(), peopled.tenant(SERVER).list_audit()) == before
        people = peopled.people()
        assert people.list_users() == [ALICE, BOB] and people.find_password("alice") == "hash of alice"
        assert people.find_token(TOKEN.digest) is None and people.find_session(SESSION.digest) is None
        assert peopled.list_tenants() == []

    def test_members(self, peopled: Store) -> None:
        with peopled.begin() as transaction:
            writer = transaction.people()
            writer.set_member("zeta", "alice", "admin", at(3_000))
            writer.set_member("acme", "alice", "reader", at(3_001))
            writer.set_member("acme", BOB.name, "writer", at(3_002))
            writer.set_member("acme", "alice", "approver", at(3_003))
        people = peopled.people()
        assert people.list_members("acme") == [Member("acme", "alice", "approver"), Member("acme", BOB.name, "writer")]
        assert people.list_memberships("alice") == [
            Member("acme", "alice", "approver"),
            Member("zeta", "alice", "admin"),
        ]
        assert peopled.list_tenants() == ["acme", "zeta"], "a member makes the tenant; that of the server is none"
        with peopled.begin() as transaction:
            transaction.people().remove_member("acme", "alice", at(4_000))
        assert people.list_memberships("alice") == [Member("zeta", "alice", "admin")]
        for tenant, user in (("acme", "alice"), ("nowhere", "alice"), ("acme", "carol")):
            with pytest.raises(NotFound), peopled.begin() as transaction:
                transaction.people().remove_member(tenant, user, at(5_000))
        with pytest.raises(NotFound), peopled.begin() as transaction:
            transaction.people().set_member("acme", "carol", "reader", at(6_000))

    def test_tokens(self, peopled: Store) -> None:
        other = TOKEN._replace(token_id="t2", digest="d2" * 32, tenants=None, created_ms=4_000, role="reader")
        with peopled.begin() as transaction:
            transaction.people().create_token(TOKEN, at(3_000))
            transaction.people().create_token(other, at(4_000))
        people = peopled.people()
        assert people.find_token(TOKEN.digest) == TOKEN and people.find_token("d3" * 32) is None
        assert people.list_tokens("alice") == [other, TOKEN] and people.list_tokens(BOB.name) == []
        for taken in (other._replace(digest="d3" * 32), other._replace(token_id="t3")):
            with pytest.raises(Conflict), peopled.begin() as transaction:
                transaction.people().create_token(taken, at(5_000))
        with peopled.begin() as transaction:
            transaction.people().revoke_token("t1", at(5_000))
            transaction.people().revoke_token("t1", at(6_000))
            transaction.people().mark_used("t2", 7_000)
            transaction.people().mark_used("t2", 6_000)
            transaction.people().mark_used("none", 6_000)
        assert people.find_token(TOKEN.digest) == TOKEN._replace(revoked_ms=5_000)
        assert people.find_token(other.digest) == other._replace(used_ms=7_000)
        with pytest.raises(NotFound), peopled.begin() as transaction:
            transaction.people().revoke_token("none", at(8_000))
        with pytest.raises(NotFound), peopled.begin() as transaction:
            transaction.people().create_token(other._replace(token_id="t4", digest="d4", user="carol"), at(8_001))

    def test_sessions(self, peopled: Store) -> None:
        people = peopled.people()
        with peopled.begin() as transaction:
            transaction.people().start_session(SESSION, at(3_000))
        assert people.find_session(SESSION.digest) == SESSION
        with peopled.begin() as transaction:
            transaction.people().end_session(SESSION.digest, at(4_000))
            transaction.people().end_session(SESSION.digest, at(4_001))
        assert people.find_session(SESSION.digest) is None
        with pytest.raises(NotFound), peopled.begin() as transaction:
            transaction.people().start_session(SESSION._replace(user="carol"), at(5_000))

    def test_a_new_password_and_disabling_end_sessions(self, peopled: Store) -> None:
        people = peopled.people()
        theirs = Session("s2" * 32, BOB.name, 3_000, 9_000)
        for change in ("password", "disable"):
            with peopled.begin() as transaction:
                for session in (SESSION, theirs):
                    if people.find_session(session.digest) is None:
                        transaction.people().start_session(session, at(3_000))
            with peopled.begin() as transaction:
                if change == "password":
                    transaction.people().set_password("alice", "new hash", at(4_000))
                else:
                    transaction.people().set_user("alice", at(5_000), disabled=True)
            assert people.find_session(SESSION.digest) is None and people.find_session(theirs.digest) == theirs
        assert people.find_password("alice") == "new hash"

    def test_the_oldest_sessions_end_where_there_are_too_many(self, peopled: Store) -> None:
        many = [Session(f"{n:064}", "alice", n, 9_000) for n in range(SESSIONS_PER_USER_MAX_COUNT + 2)]
        with peopled.begin() as transaction:
            for session in many:
                transaction.people().start_session(session, at(session.created_ms, session.created_ms))
        kept = [session for session in many if peopled.people().find_session(session.digest)]
        assert kept == many[2:]

    def test_what_ended_long_ago_is_forgotten(self, peopled: Store) -> None:
        people = peopled.people()
        revoked = TOKEN._replace(token_id="t2", digest="d2" * 32, expires_ms=99_000)
        lasting = TOKEN._replace(token_id="t3", digest="d3" * 32, expires_ms=99_000)
        with peopled.begin() as transaction:
            for token in (TOKEN, revoked, lasting):
                transaction.people().create_token(token, at(3_000))
            transaction.people().revoke_token("t2", at(4_000))
            transaction.people().start_session(SESSION, at(3_000))
            transaction.people().forget(4_000)
        assert len(people.list_tokens("alice")) == 3 and people.find_session(SESSION.digest) == SESSION
        rows = peopled.tenant(SERVER).list_audit()
        with peopled.begin() as transaction:
            transaction.people().forget(9_001)
        assert people.list_tokens("alice") == [lasting] and people.find_session(SESSION.digest) is None
        assert peopled.tenant(SERVER).list_audit() == rows

    def test_every_change_writes_one_audit_row_and_no_secret(self, peopled: Store) -> None:
        with peopled.begin() as transaction:
            people = transaction.people()
            transaction.tenant("acme").set_note("r1", "text", at(1, 1))
            people.set_member("acme", "alice", "reader", at(2, writer="user:alice"))
            people.create_token(TOKEN, at(3))
            people.set_password("alice", "x", at(4))
            people.start_session(SESSION, at(5))
            people.revoke_token("t1", at(6))
            people.end_session(SESSION.digest, at(7))
            people.set_user(BOB.name, at(8), disabled=True)
            people.remove_member("acme", "alice", at(9))
            people.mark_used("t1", 10)
        rows = peopled.tenant(SERVER).list_audit()
        assert [(row.number, row.action, row.subject) for row in rows] == [
            (1, "user.create", "alice"),
            (2, "user.create", BOB.name),
            (3, "token.create", "t1"),
            (4, "password.set", "alice"),
            (5, "session.start", "alice"),
            (6, "token.revoke", "t1"),
            (7, "session.end", "alice"),
            (8, "user.set", BOB.name),
        ]
        assert [(row.time_ms, row.writer) for row in rows[:2]] == [(1_000, "command"), (2_000, "user:alice")]
        theirs = peopled.tenant("acme").list_audit()
        assert [(row.number, row.action, row.subject) for row in theirs] == [
            (1, "note.set", "r1"),
            (2, "member.set", "alice"),
            (3, "member.remove", "alice"),
        ]
        assert theirs[1].writer == "user:alice"

    def test_a_password_leaves_no_trace_in_the_audit(self, peopled: Store) -> None:
        for secret in ("one", "two"):
            with peopled.begin() as transaction:
                transaction.people().set_password("alice", secret, at(4_000))
        one, two = (row.digest for row in peopled.tenant(SERVER).list_audit() if row.action == "password.set")
        assert one == two

    def test_what_changes_nothing_is_no_change(self, peopled: Store) -> None:
        with peopled.begin() as transaction:
            transaction.people().set_member("acme", "alice", "reader", at(3_000))
        before = peopled.change_number(), peopled.tenant(SERVER).list_audit(), peopled.tenant("acme").list_audit()
        with peopled.begin() as transaction:
            people = transaction.people()
            people.set_member("acme", "alice", "reader", at(4_000))
            people.set_user("alice", at(4_001), is_admin=True, disabled=False)
            people.end_session("none", at(4_002))
            people.forget(0)
        after = peopled.change_number(), peopled.tenant(SERVER).list_audit(), peopled.tenant("acme").list_audit()
        assert after == before

    def test_people_survive_closing(self, opener: Opener) -> None:
        if not self.keeps_content:
            pytest.skip("this store forgets when it is closed")
        store = opener()
        with store.begin() as transaction:
            people = transaction.people()
            people.create_user(ALICE, "hash", at(1_000))
            people.set_member("acme", "alice", "writer", at(1_001))
            people.create_token(TOKEN, at(1_002))
            people.start_session(SESSION, at(1_003))
        store.close()
        store = opener()
        assert store.people().list_users() == [ALICE] and store.people().find_token(TOKEN.digest) == TOKEN
        assert store.people().find_session(SESSION.digest) == SESSION
        assert store.people().list_members("acme") == [Member("acme", "alice", "writer")]
        store.close()
