"""Rules of `store/webhooks.py`: who is told of the registry, and what waits for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import methodcaller as call
from typing import Any, TypeVar

import pytest

from lineal.model.errors import Conflict, NotFound, OverLimit
from lineal.model.limits import (
    WEBHOOK_CLAIMS_MAX_COUNT,
    WEBHOOK_MAX_AGE_S,
    WEBHOOK_TENANT_CLAIMS_MAX_COUNT,
    WEBHOOKS_MAX_COUNT,
)
from lineal.model.registry import NewVersion
from lineal.model.webhooks import EVENTS, Delivery, Webhook
from lineal.store.contracts import Store
from lineal.store.registry import RegistryWriter
from lineal.store.webhook_events import PROMPT_TAG
from lineal.store.webhooks import Claim, DeliveriesQuery, Outcome, WebhookWriter, webhook_values
from lineal.testing.suite_base import WRITER, SuiteBase, at

ALL = Webhook("h1", "all", "https://example.com/a", EVENTS, "everything", secret="sealed")
FEW = Webhook("h2", "few", "https://example.com/b", ("model_version.created",))
MAX_AGE_MS = int(WEBHOOK_MAX_AGE_S * 1000)
T = TypeVar("T")


def hooked(store: Store, do: Callable[[WebhookWriter], T], tenant: str = "default") -> T:
    with store.begin() as transaction:
        return do(transaction.tenant(tenant).webhooks())


def registered(store: Store, do: Callable[[RegistryWriter], object], now_ms: int | None = None) -> None:
    with store.begin() as transaction:
        if now_ms is not None:
            transaction.stamp_ms(now_ms)
        do(transaction.tenant("default").registry())


def told(store: Store, webhook_id: str = "h1") -> list[tuple[str, dict[str, Any]]]:
    """Events and what is said of them, oldest first."""
    found = store.tenant("default").webhooks().list_deliveries(DeliveriesQuery(webhook_id))
    claims = {one.delivery_id: one for one in found}
    ordered = sorted(claims.values(), key=lambda one: json.loads(one.body)["timestamp"])
    return [(one.event, json.loads(one.body)["data"]) for one in ordered]


def one_of(store: Store) -> Delivery:
    [one] = store.tenant("default").webhooks().list_deliveries(DeliveriesQuery())
    return one


def three(store: Store) -> None:
    """Three deliveries to "h1", which arrive at 1,000, 2,000 and 3,000, and one to "h2" at 3,500."""
    hooked(store, lambda to: to.create_webhook(ALL, at(1)))
    hooked(store, lambda to: to.create_webhook(FEW._replace(events=("model_version.created",)), at(1)))
    for number in (1, 2, 3):
        name = f"m{number}"
        registered(store, call("set_model", name, at(number * 1_000, number)))
    hooked(store, lambda to: to.set_webhook(ALL._replace(events=("registered_model.created",)), at(3_400)))
    registered(store, lambda to: to.create_version(NewVersion("e" * 32, "m1"), at(3_500, 4)))


def claim(store: Store, now_ms: int, limit: int = 10, lease_ms: int = 60_000) -> list[Claim]:
    return hooked(store, lambda to: to.claim(now_ms, now_ms + lease_ms, limit))


def all_of(store: Store) -> list[Delivery]:
    return store.tenant("default").webhooks().list_deliveries(DeliveriesQuery())


class WebhookRules(SuiteBase):
    # -- webhooks ------------------------------------------------------------------------------------------

    def test_webhooks_are_made_changed_listed_and_deleted(self, store: Store) -> None:
        reader = store.tenant("default").webhooks()
        assert reader.list_webhooks() == [] and reader.find_webhook("h1") is None
        hooked(store, lambda to: to.create_webhook(ALL, at(1_000)))
        hooked(store, lambda to: to.create_webhook(FEW, at(2_000)))
        made = ALL._replace(created_ms=1_000, updated_ms=1_000)
        few = FEW._replace(created_ms=2_000, updated_ms=2_000)
        assert reader.list_webhooks() == [few, made] and reader.find_webhook("h1") == made
        assert store.tenant("other").webhooks().list_webhooks() == []
        assert store.tenant("other").webhooks().find_webhook("h1") is None
        changed = made._replace(name="some", events=("prompt.created",), description="", status="disabled", secret=None)
        hooked(store, lambda to: to.set_webhook(changed, at(900)))  # later than it was, whatever the clock says
        assert reader.find_webhook("h1") == changed._replace(updated_ms=1_001)
        with pytest.raises(Conflict):
            hooked(store, lambda to: to.create_webhook(ALL, at(3_000)))
        hooked(store, lambda to: to.delete_webhook("h2", at(3_000)))
        assert [one.webhook_id for one in reader.list_webhooks()] == ["h1"]
        for wrong in (lambda to: to.delete_webhook("h2", at(3_000)), lambda to: to.set_webhook(FEW, at(3_000))):
            with pytest.raises(NotFound):
                hooked(store, wrong)
        with pytest.raises(NotFound):  # another tenant's
            hooked(store, lambda to: to.delete_webhook("h1", at(3_000)), "other")
        rows = store.tenant("default").list_audit()
        assert [(row.action, row.subject, row.writer) for row in rows] == [
            ("webhook.create", "h1", WRITER),
            ("webhook.create", "h2", WRITER),
            ("webhook.set", "h1", WRITER),
            ("webhook.delete", "h2", WRITER),
        ]

    def test_no_secret_is_part_of_an_audit_row(self) -> None:
        assert webhook_values(ALL)["secret"] is True
        assert webhook_values(ALL) == webhook_values(ALL._replace(secret="another"))

    def test_pages_of_webhooks(self, store: Store) -> None:
        for number in range(7):
            one = FEW._replace(webhook_id=f"h{number}")
            hooked(store, call("create_webhook", one, at(number // 3)))
        reader, found, after = store.tenant("default").webhooks(), list[str](), None
        while page := reader.list_webhooks(2, after):
            found += [one.webhook_id for one in page]
            after = page[-1].created_ms, page[-1].webhook_id
        assert found == ["h6", "h3", "h4", "h5", "h0", "h1", "h2"]

    def test_there_is_a_bound_to_them(self, store: Store) -> None:
        def make(to: WebhookWriter) -> None:
            for number in range(WEBHOOKS_MAX_COUNT):
                to.create_webhook(FEW._replace(webhook_id=f"h{number}"), at(number))

        hooked(store, make)
        with pytest.raises(OverLimit):
            hooked(store, lambda to: to.create_webhook(FEW._replace(webhook_id="more"), at(9)))
        hooked(store, lambda to: to.delete_webhook("h5", at(10)))
        hooked(store, lambda to: to.create_webhook(FEW._replace(webhook_id="h5"), at(11)))

    # -- what happened -------------------------------------------------------------------------------------

    def test_every_change_of_the_registry_is_told_once(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        hooked(store, lambda to: to.create_webhook(FEW, at(1)))
        version = NewVersion("a" * 32, "net", "r1", source="runs:/r1/net", tags={"k": "v"}, description="first")
        said: list[Callable[[RegistryWriter], object]] = [
            lambda to: to.set_model("net", at(1_000, 1), description="a net", tags={"team": "red"}, is_new=True),
            lambda to: to.create_version(version, at(2_000, 2)),
            lambda to: to.set_version("a" * 32, at(3_000, 3), tags={"k": "w", "gone": None}),
            lambda to: to.set_version("a" * 32, at(4_000, 4), tags={"k": None}),
            lambda to: to.set_alias("net", "champion", "a" * 32, at(5_000, 5)),
            lambda to: to.set_alias("net", "champion", None, at(6_000, 6)),
            lambda to: to.set_model("net", at(7_000, 7), tags={"team": "blue"}, description="said again"),  # no event
            lambda to: to.set_stage("a" * 32, "production", at(8_000, 8)),
            lambda to: to.rename_model("net", "web", at(9_000, 9)),
            lambda to: to.set_alias("web", "champion", "a" * 32, at(9_500, 10)),
        ]
        for one in said:
            registered(store, one)
        expected = [
            ("registered_model.created", {"name": "net", "tags": {"team": "red"}, "description": "a net"}),
            (
                "model_version.created",
                {
                    "name": "net",
                    "version": "1",
                    "source": "runs:/r1/net",
                    "run_id": "r1",
                    "tags": {"k": "v"},
                    "description": "first",
                },
            ),
            ("model_version_tag.set", {"name": "net", "version": "1", "key": "k", "value": "w"}),
            ("model_version_tag.deleted", {"name": "net", "version": "1", "key": "k"}),
            ("model_version_alias.created", {"name": "net", "alias": "champion", "version": "1"}),
            ("model_version_alias.deleted", {"name": "net", "alias": "champion"}),
            ("model_version_alias.created", {"name": "web", "alias": "champion", "version": "1"}),
        ]
        assert told(store) == expected
        assert told(store, "h2") == [expected[1]]
        number = store.change_number()
        for one in said:  # again: nothing changes
            registered(store, one)
        assert told(store) == expected and store.change_number() == number

    def test_prompts_have_events_of_their_own(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        own = {PROMPT_TAG: "true", "_mlflow_prompt_type": "text"}
        version = NewVersion("b" * 32, "ask", tags={**own, "mlflow.prompt.text": "Hi {{x}}", "k": "v"})
        for one in (
            lambda to: to.set_model("ask", at(1_000, 1), tags={**own, "a": "b"}, is_new=True),
            lambda to: to.create_version(version, at(2_000, 2)),
            lambda to: to.set_model("ask", at(3_000, 3), tags={"a": "c"}),
            lambda to: to.set_model("ask", at(4_000, 4), tags={"a": None}),
            lambda to: to.set_version("b" * 32, at(5_000, 5), tags={"k": "w"}),
            lambda to: to.set_version("b" * 32, at(6_000, 6), tags={"k": None}),
            lambda to: to.set_alias("ask", "live", "b" * 32, at(7_000, 7)),
            lambda to: to.set_alias("ask", "live", None, at(8_000, 8)),
        ):
            registered(store, one)
        assert told(store) == [
            ("prompt.created", {"name": "ask", "tags": {"a": "b"}, "description": ""}),
            (
                "prompt_version.created",
                {"name": "ask", "version": "1", "template": "Hi {{x}}", "tags": {"k": "v"}, "description": None},
            ),
            ("prompt_tag.set", {"name": "ask", "key": "a", "value": "c"}),
            ("prompt_tag.deleted", {"name": "ask", "key": "a"}),
            ("prompt_version_tag.set", {"name": "ask", "version": "1", "key": "k", "value": "w"}),
            ("prompt_version_tag.deleted", {"name": "ask", "version": "1", "key": "k"}),
            ("prompt_alias.created", {"name": "ask", "alias": "live", "version": "1"}),
            ("prompt_alias.deleted", {"name": "ask", "alias": "live"}),
        ]

    def test_what_is_not_there_yet_is_no_event(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        registered(store, lambda to: to.set_version("c" * 32, at(1_000, 1), tags={"k": "v"}))
        registered(store, lambda to: to.set_alias("net", "champion", "c" * 32, at(2_000, 2)))
        assert [event for event, _ in told(store)] == ["registered_model.created"]  # by being mentioned
        registered(store, lambda to: to.create_version(NewVersion("c" * 32, "net"), at(3_000, 3)))
        registered(store, lambda to: to.create_version(NewVersion("d" * 32, "other"), at(4_000, 4)))
        registered(store, lambda to: to.set_alias("net", "challenger", "d" * 32, at(5_000, 5)))  # leads nowhere
        assert sorted((event, data["name"]) for event, data in told(store)) == [
            ("model_version.created", "net"),
            ("model_version.created", "other"),
            ("registered_model.created", "net"),
            ("registered_model.created", "other"),
        ]

    def test_a_change_that_is_not_kept_is_not_told(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))

        def broken(to: RegistryWriter) -> None:
            to.set_model("net", at(1_000, 1))
            raise KeyError

        with pytest.raises(KeyError):
            registered(store, broken)
        assert told(store) == [] and store.list_due() == {}

    def test_only_active_webhooks_hear_of_what_comes(self, store: Store) -> None:
        registered(store, lambda to: to.set_model("before", at(500, 1)))
        hooked(store, lambda to: to.create_webhook(ALL, at(600)))
        registered(store, lambda to: to.set_model("heard", at(1_000, 2)))
        hooked(store, lambda to: to.set_webhook(ALL._replace(status="disabled"), at(1_500)))
        registered(store, lambda to: to.set_model("unheard", at(2_000, 3)))
        one = one_of(store)
        assert json.loads(one.body)["data"]["name"] == "heard"
        assert (one.status, one.settled_ms, one.reason) == ("expired", 1_500, "the webhook was disabled")
        assert store.list_due() == {}
        # Made active within the transaction, it hears of what follows in it.
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            writer.registry().set_model("still unheard", at(3_000, 4))
            writer.webhooks().set_webhook(ALL, at(3_500))
            writer.registry().set_model("heard again", at(4_000, 5))
        assert [data["name"] for _, data in told(store)] == ["heard", "heard again"]

    def test_the_body_says_what_mlflows_say(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        registered(store, lambda to: to.set_model("n\0\u00e9", at(1_700_000_000_123, 1)), now_ms=1_700_000_900_000)
        one = one_of(store)
        assert json.loads(one.body) == {
            "entity": "registered_model",
            "action": "created",
            "timestamp": "2023-11-14T22:13:20.123+00:00",
            "data": {"name": "n\0\u00e9", "tags": {}, "description": ""},
            "workspace": "default",
        }
        assert one.body.isascii() and one.arrived_ms == one.due_ms == 1_700_000_900_000

    def test_what_is_too_long_to_tell_says_what_it_is_about(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        version = NewVersion("a" * 32, "net", tags={f"k{number}": "x" * 60_000 for number in range(9)})
        registered(store, lambda to: to.set_model("net", at(1_000, 1)))
        registered(store, lambda to: to.create_version(version, at(2_000, 2)))
        assert told(store)[1] == ("model_version.created", {"name": "net", "version": "1", "is_cut": True})

    # -- on their way --------------------------------------------------------------------------------------

    def test_claims_are_leases(self, store: Store) -> None:
        three(store)
        assert store.list_due() == {"default": 1_000}
        assert claim(store, 999) == []
        [first] = claim(store, 1_000)
        assert (first.delivery.attempt_count, first.delivery.due_ms, first.delivery.is_claimed) == (1, 61_000, True)
        assert first.webhook.url == ALL.url and first.webhook.secret == "sealed"
        assert claim(store, 1_000) == [] and store.list_due() == {"default": 2_000}
        other, second = claim(store, 4_000)  # two of h1 at a time, the third waits
        assert [json.loads(one.delivery.body)["data"]["name"] for one in (second, other)] == ["m2", "m1"]
        assert other.webhook.webhook_id == "h2" and claim(store, 4_000) == []
        again = claim(store, 70_000)  # nobody said what became of the first
        assert first.delivery.delivery_id in [one.delivery.delivery_id for one in again]
        assert {
            one.delivery.attempt_count for one in again if one.delivery.delivery_id == first.delivery.delivery_id
        } == {2}
        hooked(
            store, lambda to: to.settle(first.delivery, Outcome(False, None, 500, "late"), 61_001)
        )  # not his any more
        reader = store.tenant("default").webhooks()
        assert reader.count_deliveries() == {"waiting": 4}
        hooked(store, lambda to: to.settle(first.delivery, Outcome(True, None, 200), 70_002))  # but this is believed
        assert reader.count_deliveries() == {"waiting": 3, "delivered": 1}
        [done] = reader.list_deliveries(DeliveriesQuery(status="delivered"))
        assert (done.answer, done.settled_ms, done.is_claimed) == (200, 70_002, False)
        hooked(store, lambda to: to.settle(again[0].delivery, Outcome(False, None, 500, "no"), 70_003))
        assert reader.count_deliveries()["delivered"] == 1

    def test_a_vain_try_is_made_again_or_ends(self, store: Store) -> None:
        hooked(store, lambda to: to.create_webhook(ALL, at(1)))
        registered(store, lambda to: to.set_model("m1", at(1_000, 1)))
        [first] = claim(store, 1_000)
        hooked(store, lambda to: to.settle(first.delivery, Outcome(False, 9_000, 503, "busy"), 1_100))
        assert one_of(store) == first.delivery._replace(is_claimed=False, due_ms=9_000, answer=503, reason="busy")
        assert store.list_due() == {"default": 9_000} and claim(store, 8_999) == []
        [again] = claim(store, 9_000)
        assert again.delivery == first.delivery._replace(attempt_count=2, due_ms=69_000, answer=503, reason="busy")
        hooked(store, lambda to: to.settle(again.delivery, Outcome(False, None, 404, "no"), 9_100))
        ended = one_of(store)
        assert (ended.status, ended.attempt_count, ended.answer, ended.reason) == ("failed", 2, 404, "no")
        assert store.list_due() == {}
        hooked(store, lambda to: to.settle(again.delivery, Outcome(True, None, 200), 9_200))  # it ended before
        assert one_of(store) == ended

    def test_a_webhook_and_a_tenant_have_so_many_tries_at_a_time(self, store: Store) -> None:
        def fill(to: RegistryWriter) -> None:
            for number in range(5):
                to.set_model(f"m{number}", at(1_000 + number, number))

        for number in range(5):
            one = ALL._replace(webhook_id=f"h{number}")
            hooked(store, call("create_webhook", one, at(1)))
        registered(store, fill)
        claims = claim(store, 2_000, 100)
        counts = [[one.webhook.webhook_id for one in claims].count(f"h{number}") for number in range(5)]
        assert len(claims) == WEBHOOK_TENANT_CLAIMS_MAX_COUNT and max(counts) == WEBHOOK_CLAIMS_MAX_COUNT
        assert claim(store, 2_000, 100) == []
        hooked(store, lambda to: to.settle(claims[0].delivery, Outcome(True, None, 200), 2_001))
        assert len(claim(store, 2_002, 100)) == 1

    def test_what_waits_too_long_expires(self, store: Store) -> None:
        three(store)
        claims = claim(store, 2_001 + MAX_AGE_MS)
        assert [json.loads(one.delivery.body)["data"]["name"] for one in claims] == ["m3", "m1"]
        gone = store.tenant("default").webhooks().list_deliveries(DeliveriesQuery(status="expired"))
        assert [json.loads(one.body)["data"]["name"] for one in gone] == ["m2", "m1"]
        assert {one.reason for one in gone} == {"it waited for too long"}

    def test_the_oldest_make_room(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("lineal.store.memory_webhooks", "lineal.store.sql.webhooks"):
            monkeypatch.setattr(f"{module}.WEBHOOK_WAITING_MAX_COUNT", 4)
        three(store)
        [first] = claim(store, 1_000, 1)
        registered(store, lambda to: to.set_model("m4", at(4_000, 5)))
        states = {(json.loads(one.body)["data"]["name"], one.webhook_id): one.status for one in all_of(store)}
        assert states[("m2", "h1")] == "expired" and states[("m4", "h1")] == states[("m1", "h1")] == "waiting"
        assert list(states.values()).count("waiting") == 4 and first.delivery.attempt_count == 1

    def test_of_those_that_made_room_the_latest_are_kept(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("lineal.store.memory_webhooks", "lineal.store.sql.webhooks"):
            monkeypatch.setattr(f"{module}.WEBHOOK_WAITING_MAX_COUNT", 4)
            monkeypatch.setattr(f"{module}.WEBHOOK_KEPT_MAX_COUNT", 2)
        three(store)
        for number in range(6):
            registered(store, lambda to, number=number: to.set_model(f"n{number}", at(5_000 + number, number)))  # type: ignore[misc]
        reader = store.tenant("default").webhooks()
        assert reader.count_deliveries() == {"waiting": 4, "expired": 2}
        gone = reader.list_deliveries(DeliveriesQuery(status="expired"))
        assert [json.loads(one.body)["data"]["name"] for one in gone] == ["n1", "n0"]

    def test_whoever_is_slow_waits_behind_others(self, store: Store) -> None:
        """Four webhooks of which every try hangs, with many that wait: the fifth is tried as soon as one may be."""
        slow = [ALL._replace(webhook_id=f"slow{number}") for number in range(4)]
        for number, one in enumerate(slow):
            hooked(store, lambda to, one=one, number=number: to.create_webhook(one, at(number + 1)))  # type: ignore[misc]
        for number in range(12):
            registered(store, lambda to, number=number: to.set_model(f"m{number}", at(1_000 + number, number)))  # type: ignore[misc]
        hooked(store, lambda to: to.create_webhook(ALL._replace(webhook_id="well"), at(2_000)))
        held = claim(store, 2_500)
        assert len(held) == 6
        registered(store, lambda to: to.set_model("last", at(3_000, 1)))
        hooked(store, lambda to: to.settle(held[0].delivery, Outcome(False, 9_000, None, "slow"), 3_001))
        seen = {one.webhook.webhook_id for one in claim(store, 3_002)}
        for place in (1, 2):
            slow_one = held[place].delivery
            hooked(store, call("settle", slow_one, Outcome(False, 9_000, None, "slow"), 3_003))
            seen |= {one.webhook.webhook_id for one in claim(store, 3_004 + place)}
        assert "well" in seen

    def test_ended_ones_are_forgotten(self, store: Store) -> None:
        three(store)
        for now_ms in (4_000, 4_001):
            for one in claim(store, now_ms):
                hooked(store, call("settle", one.delivery, Outcome(True, None, 200), now_ms))
        assert store.list_due() == {} and len(all_of(store)) == 4
        assert hooked(store, lambda to: to.forget(4_001, 100)) == 3
        assert hooked(store, lambda to: to.forget(4_001, 100)) == 0
        assert hooked(store, lambda to: to.forget(0, 0)) == 1 and all_of(store) == []

    def test_deleting_a_webhook_takes_what_waits_for_it(self, store: Store) -> None:
        three(store)
        [first] = claim(store, 1_000)
        hooked(store, lambda to: to.delete_webhook("h1", at(5_000)))
        assert [one.webhook_id for one in all_of(store)] == ["h2"] and store.list_due() == {"default": 3_500}
        hooked(store, lambda to: to.settle(first.delivery, Outcome(True, None, 200), 5_001))
        assert [one.webhook_id for one in all_of(store)] == ["h2"]

    def test_pages_of_deliveries(self, store: Store) -> None:
        three(store)
        reader, found, after = store.tenant("default").webhooks(), list[Delivery](), None
        while page := reader.list_deliveries(DeliveriesQuery(limit=3, after=after)):
            found += page
            after = page[-1].arrived_ms, page[-1].delivery_id
        assert found == all_of(store) and len(found) == 4
        assert [one.arrived_ms for one in found] == sorted((one.arrived_ms for one in found), reverse=True)
        assert store.tenant("other").webhooks().list_deliveries(DeliveriesQuery()) == []
