"""A server that is killed between a change and its delivery, or in the middle of one, and servers that share a store."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lineal.model.webhooks import Delivery
from lineal.server.hosted import HostedSource
from lineal.server.webhooks import sender as sender_module
from lineal.store.open import open_store
from lineal.store.webhooks import DeliveriesQuery
from tests.server.compat.asking import Mlflow, asking
from tests.server.conftest import Place, sqlite_place
from tests.server.hosting import serving_store
from tests.server.receiving import Got, Receiver, receiving
from tests.server.webhooks.conftest import HERE, may_call
from tests.server.webhooks.test_sending import counts, hook, until

ALLOWED = ("--webhook-receiver", "127.0.0.1:*", "--log", "quiet")


def speaking(served: Any) -> Mlflow:
    served.client.base_url = served.url.removesuffix("/api/v1")
    return Mlflow(served.client)


def between_tries(place: Place) -> list[Delivery]:
    """All five, when each was tried twice and none is being tried; the next tries are seconds away then."""
    store = open_store(place.url, read_only=True)
    try:
        found = store.tenant("default").webhooks().list_deliveries(DeliveriesQuery())
    finally:
        store.close()
    is_quiet = len(found) == 5 and all(one.attempt_count >= 2 and not one.is_claimed for one in found)
    return found if is_quiet else []


def test_killed_after_the_change_it_is_told_after_the_restart(place: Place) -> None:
    """The receiver is down when the server is killed, so that no try can have succeeded."""
    with receiving(listens=False) as receiver:
        with serving_store(place, *ALLOWED) as served:
            mlflow = speaking(served)
            hook(mlflow, f"{receiver.url}/in", secret="s")
            for number in range(5):
                mlflow.post("registered-models/create", name=f"m{number}")
            found = until(lambda: between_tries(place), "tried in vain")
            served.process.send_signal(signal.SIGKILL)
            served.process.wait(30)
        waiting = {one.delivery_id: one.body for one in found}
        assert len(waiting) == 5
        receiver.listen()
        with serving_store(place, *ALLOWED):
            got = receiver.wait(5)
        assert {one.delivery_id: one.content.decode() for one in got} == waiting
        assert all(one.is_signed_with("s") for one in got)
        assert len({one.delivery_id for one in got}) == len(got)


def test_a_try_that_died_with_its_server_is_made_again_under_the_same_id(
    source: HostedSource, receiver: Receiver
) -> None:
    """One server holds a try for ever; its lease ends, and another one, or itself, makes the try anew."""
    let_go = threading.Event()

    def answer(got: Got) -> tuple[int, dict[str, str], bytes]:
        if len(receiver.got) == 1:
            let_go.wait(60)
        return 200, {}, b""

    receiver.answer = answer
    assert source.webhooks is not None
    source.webhooks._lease_ms = 200
    with asking(source) as mlflow:
        hook(mlflow, receiver.url, secret="s")
        mlflow.post("registered-models/create", name="net")
        try:
            receiver.wait(1)
            source.webhooks._lease_ms = 60_000  # of the next: what was answered on a busy machine is not tried again
            first, second = receiver.wait(2)[:2]
            assert first.delivery_id == second.delivery_id and first.content == second.content
            until(lambda: counts(source) == {"delivered": 1}, "delivered")
        finally:
            let_go.set()
        until(lambda: source.webhooks is not None and source.webhooks._busy_count == 0, "ready")
        assert counts(source) == {"delivered": 1} and len(receiver.got) == 2


def test_servers_that_share_a_store_tell_everything_once(postgres_url: str, tmp_path: Path) -> None:
    with receiving() as receiver, ExitStack() as stack:
        may_call(receiver)
        sources = [
            stack.enter_context(HostedSource(postgres_url, tmp_path / "blobs", receivers=HERE)) for _ in range(3)
        ]
        asked = [stack.enter_context(asking(source)) for source in sources]
        hook(asked[0], f"{receiver.url}/a", secret="s")
        hook(asked[1], f"{receiver.url}/b", secret="t")
        for number in range(24):
            asked[number % 3].post("registered-models/create", name=f"m{number}")
        until(lambda: counts(sources[0]) == {"delivered": 48}, "delivered")
        got = receiver.wait(48)
        assert len(got) == len({one.delivery_id for one in got}) == 48
        assert all(one.is_signed_with("s" if one.path == "/a" else "t") for one in got)


def test_a_server_that_stops_lets_go_of_receivers(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though one of them never answers; and begins no other try."""
    monkeypatch.setattr(sender_module, "WEBHOOK_STOP_S", 0.2)
    let_go = threading.Event()
    receiver.answer = lambda got: (200, {}, b"") if let_go.wait(60) else (500, {}, b"")
    source = HostedSource(sqlite_place(tmp_path / "srv").url, tmp_path / "srv" / "blobs", receivers=HERE)
    try:
        with asking(source) as mlflow:
            hook(mlflow, receiver.url)
            for number in range(9):
                mlflow.post("registered-models/create", name=f"m{number}")
            receiver.wait(2)
        source.close()
        assert len(receiver.got) == 2
    finally:
        let_go.set()
        source.close()
    store = open_store(sqlite_place(tmp_path / "srv").url, read_only=True)
    try:
        assert store.tenant("default").webhooks().count_deliveries() == {"waiting": 9}
    finally:
        store.close()
