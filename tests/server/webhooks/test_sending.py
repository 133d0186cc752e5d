"""What is said of the registry, by whichever door, reaches webhooks: signed, once, and beside the requests."""

from __future__ import annotations

import re
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineal.dashboard import LocalSource
from lineal.local import LocalStore
from lineal.model.errors import Busy
from lineal.server.hosted import HostedSource
from lineal.server.webhooks import sender as sender_module
from lineal.store.webhooks import Claim, DeliveriesQuery
from tests.server.compat.asking import Mlflow, asking
from tests.server.conftest import served_here
from tests.server.receiving import Got, Receiver
from tests.server.watched import WATCH

CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
TAGGED = {"entity": "MODEL_VERSION_TAG", "action": "SET"}


def hook(mlflow: Mlflow, url: str, *events: dict[str, str], **more: Any) -> str:
    body = {"name": "hook", "url": url, "events": events or [CREATED], **more}
    made: str = mlflow.post("webhooks", **body)["webhook"]["webhook_id"]
    return made


def until(found: Callable[[], Any], what: str) -> Any:
    """Waits for a condition, with a limit that a busy machine keeps."""
    ends_s = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < ends_s, f"never {what}"
        time.sleep(0.02)
    return value


def counts(source: HostedSource, tenant: str = "default") -> dict[str, int]:
    with source.opened() as store:
        return {str(status): count for status, count in store.tenant(tenant).webhooks().count_deliveries().items()}


def test_a_change_is_told_signed_and_once(source: HostedSource, mlflow: Mlflow, receiver: Receiver) -> None:
    hook(mlflow, f"{receiver.url}/in?key=1", CREATED, TAGGED, secret="s3cret \N{ROCKET}")
    mlflow.post("registered-models/create", name="net", description="a net", tags=[{"key": "a", "value": "b"}])
    [got] = receiver.wait(1)
    assert got.path == "/in?key=1" and got.headers["content-type"] == "application/json"
    assert got.is_signed_with("s3cret \N{ROCKET}") and not got.is_signed_with("another")
    assert abs(int(got.headers["x-mlflow-timestamp"]) - time.time()) < 300
    assert (got.body["entity"], got.body["action"], got.body["workspace"]) == ("registered_model", "created", "default")
    assert got.body["data"] == {"name": "net", "tags": {"a": "b"}, "description": "a net"}
    until(lambda: counts(source) == {"delivered": 1}, "delivered")
    # Through our own routes it is the same registry.
    assert mlflow.client.post("/api/v1/models", json={"name": "own"}).status_code == 201
    assert mlflow.client.post("/api/v1/models/own/versions", json={}).status_code == 201
    assert mlflow.client.patch("/api/v1/models/own/versions/1", json={"tags": {"k": "v"}}).status_code == 200
    assert [one.body["data"] for one in receiver.wait(3)[1:]] in (
        (
            told := [
                {"name": "own", "tags": {}, "description": ""},
                {"name": "own", "version": "1", "key": "k", "value": "v"},
            ]
        ),
        told[::-1],
    )
    until(lambda: counts(source) == {"delivered": 3}, "delivered")
    assert len(receiver.got) == 3 and len({one.delivery_id for one in receiver.got}) == 3


def test_the_recipe_of_the_how_to_knows_what_is_real(mlflow: Mlflow, receiver: Receiver) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "hear-of-models.md").read_text(encoding="utf-8")
    found = re.search(r"^    import base64\n(?:    .*\n|\n)+", page, re.MULTILINE)
    assert found is not None
    names: dict[str, Any] = {}
    exec(textwrap.dedent(found[0]), names)
    hook(mlflow, receiver.url, secret="s3cret")
    mlflow.post("registered-models/create", name="net")
    [got] = receiver.wait(1)
    headers = {
        name: got.headers[name.lower()] for name in ("X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature")
    }
    assert names["is_real"](headers, got.content, "s3cret")
    assert not names["is_real"](headers, got.content + b" ", "s3cret")
    assert not names["is_real"](headers, got.content, "another")
    assert not names["is_real"]({**headers, "X-MLflow-Timestamp": "1"}, got.content, "s3cret")


def test_without_a_secret_nothing_is_signed(mlflow: Mlflow, receiver: Receiver) -> None:
    webhook_id = hook(mlflow, receiver.url, secret="s")
    mlflow.client.patch(f"/api/2.0/mlflow/webhooks/{webhook_id}", json={"secret": ""})
    mlflow.post("registered-models/create", name="net")
    [got] = receiver.wait(1)
    assert "x-mlflow-signature" not in got.headers


def test_what_failed_for_a_while_is_tried_again(
    source: HostedSource, mlflow: Mlflow, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "RETRIES_S", (0.05,) * 4)
    answers = iter([(500, {}, b"no"), (429, {"Retry-After": "0"}, b""), (503, {}, b""), (200, {}, b"")])
    receiver.answer = lambda got: next(answers)
    hook(mlflow, receiver.url, secret="s")
    mlflow.post("registered-models/create", name="net")
    got = receiver.wait(4)
    assert len({one.delivery_id for one in got}) == 1 and len({one.content for one in got}) == 1
    assert all(one.is_signed_with("s") for one in got)
    until(lambda: counts(source) == {"delivered": 1}, "delivered")


@pytest.mark.parametrize(
    ("answer", "tries"), [((500, {}, b"no"), 3), ((404, {}, b"no"), 1), ((302, {"Location": "/other"}, b""), 1)]
)
def test_in_the_end_it_has_failed_and_that_is_shown(
    one_source: HostedSource,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, dict[str, str], bytes],
    tries: int,
) -> None:
    monkeypatch.setattr(sender_module, "RETRIES_S", (0.01, 0.01))
    receiver.answer = lambda got: answer
    with asking(one_source) as mlflow:
        hook(mlflow, receiver.url)
        mlflow.post("registered-models/create", name="net")
        until(lambda: counts(one_source) == {"failed": 1}, "failed")
        with one_source.opened() as store:
            [one] = store.tenant("default").webhooks().list_deliveries(DeliveriesQuery())
        assert (one.attempt_count, one.answer) == (tries, answer[0]) and one.reason
        said = mlflow.client.get("/api/v1/webhooks/deliveries", params={"status": "failed"}).json()
        assert said["counts"] == {"failed": 1} and said["next_page_token"] is None
        [shown] = said["deliveries"]
        assert (shown["delivery_id"], shown["attempt_count"], shown["answer"]) == (one.delivery_id, tries, answer[0])
        assert shown["reason"] == one.reason and shown["due_at"] is None and shown["settled_at"] is not None
        assert mlflow.client.get("/api/v1/webhooks/deliveries", params={"status": "waiting"}).json()["deliveries"] == []
        assert len(receiver.got) == tries


def test_a_slow_receiver_slows_nobody(one_source: HostedSource, receiver: Receiver) -> None:
    """While every try to one webhook hangs, requests are answered and another webhook is told."""
    let_go = threading.Event()

    def answer(got: Got) -> tuple[int, dict[str, str], bytes]:
        if got.path == "/slow":
            let_go.wait(60)
        return 200, {}, b""

    receiver.answer = answer
    with asking(one_source) as mlflow:
        hook(mlflow, f"{receiver.url}/slow")
        hook(mlflow, f"{receiver.url}/quick")
        try:
            for number in range(20):
                mlflow.post("registered-models/create", name=f"m{number}")
            until(lambda: sum(one.path == "/quick" for one in receiver.got) == 20, "told")
            assert sum(one.path == "/slow" for one in receiver.got) <= 2
            assert mlflow.get("registered-models/get", name="m19")["registered_model"]["name"] == "m19"
        finally:
            let_go.set()
        until(lambda: counts(one_source) == {"delivered": 40}, "delivered")
    assert len({one.delivery_id for one in receiver.got}) == len(receiver.got) == 40


def test_tenants_hear_of_their_own(source: HostedSource, mlflow: Mlflow, receiver: Receiver) -> None:
    red, blue = Mlflow(mlflow.client, "/t/red"), Mlflow(mlflow.client, "/t/blue")
    for tenant, name in ((red, "red"), (blue, "blue")):
        webhook_id = hook(tenant, f"{receiver.url}/{name}")
        other = blue if tenant is red else red
        for method in ("GET", "PATCH", "DELETE"):
            body: dict[str, Any] = {} if method == "GET" else {"json": {"name": "mine"}}
            other.refused(method, f"webhooks/{webhook_id}", "RESOURCE_DOES_NOT_EXIST", **body)
        other.refused("POST", f"webhooks/{webhook_id}/test", "RESOURCE_DOES_NOT_EXIST", json={})
    red.post("registered-models/create", name="of red")
    blue.post("registered-models/create", name="of blue")
    got = sorted((one.path, one.body["workspace"], one.body["data"]["name"]) for one in receiver.wait(2))
    assert got == [("/blue", "blue", "of blue"), ("/red", "red", "of red")]
    assert len(blue.get("webhooks")["webhooks"]) == 1 and "webhooks" not in mlflow.get("webhooks")


def test_a_test_says_what_the_receiver_answered(mlflow: Mlflow, receiver: Receiver) -> None:
    webhook_id = hook(mlflow, receiver.url, CREATED, TAGGED, secret="s")
    assert mlflow.post(f"webhooks/{webhook_id}/test")["result"] == {
        "success": True,
        "response_status": 200,
        "response_body": "thanks",
    }
    receiver.answer = lambda got: (404, {}, b"x" * 100_000)
    said = mlflow.post(f"webhooks/{webhook_id}/test", event=TAGGED)["result"]
    assert (said["success"], said["response_status"]) == (False, 404) and set(said["response_body"]) == {"x"}
    assert len(said["response_body"]) <= 16_384
    assert [f"{one.body['entity']}.{one.body['action']}" for one in receiver.got] == [
        "registered_model.created",
        "model_version_tag.set",
    ]
    assert all(one.is_signed_with("s") for one in receiver.got)
    WATCH.may_call.add(("127.0.0.1", 1))
    gone = hook(mlflow, "http://127.0.0.1:1/")
    said = mlflow.post(f"webhooks/{gone}/test")["result"]
    assert said["success"] is False and "cannot be reached" in said["error_message"]


def test_a_full_webhook_does_not_keep_the_server_busy(
    one_source: HostedSource, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due but may not be tried yet is asked for when a try has ended, not with every commit, its own among them."""
    let_go = threading.Event()
    receiver.answer = lambda got: (200, {}, b"") if let_go.wait(60) else (500, {}, b"")
    assert one_source.webhooks is not None
    sender = one_source.webhooks
    sender._look_s = 60.0
    asked: list[str] = []
    claim = sender._claim

    def counted(tenant: str, limit: int) -> list[Claim]:
        asked.append(tenant)
        return claim(tenant, limit)

    monkeypatch.setattr(sender, "_claim", counted)
    with asking(one_source) as mlflow:
        hook(mlflow, receiver.url)
        try:
            for number in range(10):
                mlflow.post("registered-models/create", name=f"m{number}")
            receiver.wait(2)
            until(lambda: sender._full, "full")
            before = len(asked)
            for number in range(50):
                mlflow.post("registered-models/set-tag", name="m0", key="k", value=str(number))
            assert len(asked) == before
        finally:
            let_go.set()
        until(lambda: counts(one_source) == {"delivered": 10}, "delivered")


def test_a_local_folders_dashboard_has_none(folder: Path) -> None:
    with LocalStore(folder) as local:
        source = LocalSource(local)
        with served_here(source) as client:
            mlflow = Mlflow(client)
            assert mlflow.get("webhooks") == {}
            mlflow.refused(
                "POST", "webhooks", "ENDPOINT_NOT_FOUND", json={"name": "x", "url": "https://a.b/", "events": [CREATED]}
            )
        source.close()


def test_deliveries_are_listed_page_by_page(one_source: HostedSource, receiver: Receiver) -> None:
    with asking(one_source) as mlflow:
        webhook_id = hook(mlflow, receiver.url)
        for number in range(5):
            mlflow.post("registered-models/create", name=f"m{number}")
        receiver.wait(5)
        found, pages = list[str](), 0
        params: dict[str, Any] = {"limit": 2, "webhook_id": webhook_id}
        while True:
            said = mlflow.client.get("/api/v1/webhooks/deliveries", params=params).json()
            found += [one["delivery_id"] for one in said["deliveries"]]
            pages += 1
            if said["next_page_token"] is None:
                break
            params["page_token"] = said["next_page_token"]
        assert pages == 3 and sorted(found) == sorted(one.delivery_id for one in receiver.got)
        other = {"page_token": params["page_token"]}
        assert mlflow.client.get("/api/v1/webhooks/deliveries", params=other).status_code == 400
        assert mlflow.client.get("/t/other/api/v1/webhooks/deliveries").json()["deliveries"] == []


def test_a_server_that_stops_says_so_to_who_tests(one_source: HostedSource, receiver: Receiver) -> None:
    let_go, asked = threading.Event(), threading.Event()

    def answer(got: Got) -> tuple[int, dict[str, str], bytes]:
        asked.set()
        let_go.wait(60)
        return 200, {}, b""

    receiver.answer = answer
    try:
        with asking(one_source) as mlflow:
            webhook_id = hook(mlflow, receiver.url)
            with one_source.opened() as store:
                webhook = store.tenant("default").webhooks().find_webhook(webhook_id)
            assert webhook is not None
            sender = one_source.webhooks
            assert sender is not None
            done = sender.test("default", webhook, b"{}")
            assert asked.wait(60)
            sender.stop()
            with pytest.raises(Busy, match="stopping"):
                done.result(timeout=60)
    finally:
        let_go.set()


def test_a_status_that_is_no_word_is_refused(mlflow: Mlflow, receiver: Receiver) -> None:
    for given in ([1], dict[str, int](), 7):
        body = {"name": "hook", "url": receiver.url, "events": [CREATED], "status": given}
        mlflow.refused("POST", "webhooks", "INVALID_PARAMETER_VALUE", json=body)
