"""Changes reach whoever watches; nobody looks at the folder while nobody does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.dashboard import LocalSource
from lineal.model.errors import Damaged
from lineal.server.live import Live
from tests.server.conftest import Served, json_of


class Watching:
    """A page's event stream, read event by event."""

    def __init__(self, stream: httpx.Response) -> None:
        self._lines = stream.iter_lines()
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert self._block() == ["retry: 1000"]

    def _block(self) -> list[str]:
        lines: list[str] = []
        for line in self._lines:
            if not line:
                return lines
            lines.append(line)
        raise AssertionError("the stream has ended")

    def next(self) -> dict[str, Any]:
        while True:
            lines = dict(line.split(": ", 1) for line in self._block())
            if "event" in lines:
                assert lines["event"] == "change"
                change: dict[str, Any] = json.loads(lines["data"])
                assert lines["id"] == str(change["change_number"])
                return change

    def until(self, run_id: str) -> dict[str, Any]:
        """The next change that may be one of this run."""
        while True:
            change = self.next()
            if run_id in change["run_ids"] or not change["is_complete"]:
                return change


def watched(client: httpx.Client, path: str = "/api/v1/live", **headers: str) -> Any:
    return client.stream("GET", path, headers=headers)


def test_what_is_logged_is_told_while_it_is_logged(served: Served, folder: Path, runs: list[str]) -> None:
    """No look of the page's own in between: the server follows the journals by itself."""
    before = json_of(served.client.get("/api/v1/health"))["change_number"]
    with watched(served.client, f"/api/v1/live?after={before}") as stream:
        watching = Watching(stream)
        with lineal.init(experiment="live", url=folder) as run:
            first = watching.until(run.run_id)
            assert first["change_number"] > before
            run.log({"loss": 1.0})
            second = watching.until(run.run_id)
            assert second["change_number"] > first["change_number"]
            assert not set(runs) & set(second["run_ids"])
        assert watching.until(run.run_id)["change_number"] > second["change_number"]


def test_a_version_that_is_added_is_told(served: Served, folder: Path, runs: list[str]) -> None:
    """Over the journals, as a training does it, and by a request. Who comes back may have missed anything; what comes after that and
    is no news of models says so."""
    before = json_of(served.client.get("/api/v1/health"))["change_number"]
    with watched(served.client, f"/api/v1/live?after={before}") as stream:
        watching = Watching(stream)
        with lineal.init(experiment="live", url=folder) as run:
            assert watching.next()["models_changed"]
            run.log({"loss": 1.0})
            while watching.until(run.run_id)["models_changed"]:
                pass
            run.log_model("digits", {"w": [1.0]}, format="pickle")
            while not watching.next()["models_changed"]:
                pass
        for stage in ("production", "archived"):
            json_of(served.client.post("/api/v1/models/digits/versions/1/stage", json={"stage": stage}))
            while not watching.next()["models_changed"]:
                pass


def test_a_page_that_comes_back_is_told_what_it_missed(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    number = json_of(client.get("/api/v1/health"))["change_number"]
    json_of(client.post("/api/v1/runs/tags", json={"run_ids": runs[:1], "tags": {"x": "1"}}))
    for path, headers in (
        (f"/api/v1/live?after={number}", {}),
        ("/api/v1/live?after=0", {"last-event-id": str(number)}),
    ):
        with watched(client, path, **headers) as stream:
            change = Watching(stream).next()
            assert change["run_ids"] == runs[:1] and change["is_complete"]


def test_a_page_of_another_folders_past_is_told_to_ask_anew(client: httpx.Client, runs: list[str]) -> None:
    with watched(client, "/api/v1/live?after=999999") as stream:
        assert not Watching(stream).next()["is_complete"]


def test_tenants_hear_of_their_own_runs(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    number = json_of(client.get("/api/v1/health"))["change_number"]
    with watched(client, f"/t/acme/api/v1/live?after={number}") as stream:
        watching = Watching(stream)
        json_of(client.post("/api/v1/runs/tags", json={"run_ids": runs[:1], "tags": {"x": "1"}}))
        with lineal.init(experiment="theirs", url=folder, tenant="acme") as run:
            pass
        change = watching.until(run.run_id)
        assert change["run_ids"] == [run.run_id]


@pytest.mark.parametrize("number", ["x", "-1", "1" * 30, "\u0661"])
def test_an_event_id_that_is_none(client: httpx.Client, number: str) -> None:
    answer = client.get("/api/v1/live", headers=[(b"last-event-id", number.encode())])
    assert json_of(answer, 400)["field"] == "Last-Event-ID"
    assert client.get("/api/v1/live", params={"after": number}).status_code == 400


def test_pages_are_many_but_not_endless(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.server.live.LIVE_WATCHERS_MAX_COUNT", 1)
    with watched(client) as stream:
        _kept = Watching(stream)  # an iterator nobody holds closes the stream
        answer = client.get("/api/v1/live")
        assert json_of(answer, 503)["code"] == "busy" and "retry-after" in answer.headers


def test_the_folder_rests_when_the_last_page_has_gone(
    client: httpx.Client, source: LocalSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = set(threading.enumerate())  # another test's page may have gone this very moment

    def threads() -> list[threading.Thread]:
        return [thread for thread in {*threading.enumerate()} - earlier if thread.name == "lineal-live"]

    monkeypatch.setattr("lineal.server.live._LOOK_S", 0.05)
    with watched(client) as stream:
        _kept = Watching(stream)  # an iterator nobody holds closes the stream
        json_of(client.get("/api/v1/health"))
        [looking] = threads()
    looking.join(30)
    assert not looking.is_alive()
    with watched(client) as stream:  # and begins again with the next
        _kept = Watching(stream)  # an iterator nobody holds closes the stream
        json_of(client.get("/api/v1/health"))
        assert threads()


def test_a_folder_that_cannot_be_read_for_a_moment_does_not_end_the_stream(
    client: httpx.Client, source: LocalSource, folder: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    wait = source.wait_for_change

    def fail_once(after: int, timeout_s: float) -> int:
        if not failed.is_set():
            failed.set()
            raise Damaged("for a moment")
        return wait(after, timeout_s)

    monkeypatch.setattr(source, "wait_for_change", fail_once)
    monkeypatch.setattr("lineal.server.live._LOOK_S", 0.05)
    with watched(client, "/api/v1/live?after=0") as stream:
        assert Watching(stream).next()["change_number"] > 0
    assert failed.is_set()


def test_silence_is_broken_by_a_comment(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.server.live.LIVE_HEARTBEAT_S", 0.05)
    with watched(client) as stream:
        lines: Iterator[str] = stream.iter_lines()
        assert next(line for line in lines if line.startswith(":")) == ": still here"


def test_an_end_lets_everybody_go(source: LocalSource) -> None:
    live = Live(source)
    live.end()
    assert not live._watchers and live._ended
