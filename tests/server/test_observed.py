"""What the server tells those who watch over it: metrics, its log, whether it is alive and ready."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lineal.model.errors import Busy
from lineal.server.hosted import HostedSource
from lineal.server.logs import Entry, logging_to
from lineal.server.observed import Observed
from tests.server.conftest import Place, json_of, sqlite_place
from tests.server.hosting import hosted, hosting, new_run, serving_store, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"
SECRET = "lnl_" + "s3cret" * 7


def root(client: httpx.Client) -> str:
    return str(client.base_url).partition("/api/")[0]


def scraped(client: httpx.Client) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    answer = httpx.get(f"{root(client)}/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation and family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            assert frozenset(sample.labels.items()) not in found.get(sample.name, {}), "twice"
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def one(found: dict[str, dict[frozenset[tuple[str, str]], float]], name: str, **labels: str) -> float:
    return found[name].get(frozenset(labels.items()), 0)


@pytest.fixture
def watched(tmp_path: Path) -> Any:
    observed = Observed()
    with (
        HostedSource(sqlite_place(tmp_path / "srv").url, None, observed.committed) as made,
        hosting(made, observed=observed) as client,
    ):
        yield client


def test_what_is_taken_in_is_counted(watched: httpx.Client) -> None:
    run_id = new_run(watched)
    before = scraped(watched)
    entries = [{"key": name, "value": step, "step": step} for step in range(50) for name in ("a", "b")]
    for _ in range(3):
        json_of(watched.post(f"{RUN}/{run_id}/log-batch", json={"metrics": entries}))
    assert watched.post(f"{RUN}/none/log-batch", json={"metrics": entries}).status_code == 404
    after = scraped(watched)
    route = {"method": "POST", "route": "/api/v1/experiments/runs/{run_id}/log-batch"}
    assert one(after, "lineal_requests_total", status="200", **route) == 3
    assert one(after, "lineal_requests_total", status="404", **route) == 1
    assert one(after, "lineal_request_seconds_count", **route) == 4
    assert one(after, "lineal_request_seconds_bucket", le="+Inf", **route) == 4
    assert one(after, "lineal_points_total") - one(before, "lineal_points_total") == 300
    assert one(after, "lineal_records_total") - one(before, "lineal_records_total") == 300
    assert one(after, "lineal_commit_requests_count") - one(before, "lineal_commit_requests_count") >= 3
    assert one(after, "lineal_store_bytes") > 10_000 and one(after, "process_resident_memory_bytes") > 10_000_000
    assert one(after, "lineal_disk_free_bytes", place="store") > 0 < one(after, "lineal_disk_free_bytes", place="blobs")


def test_streams_are_counted_while_they_are_open(watched: httpx.Client) -> None:
    with watched.stream("GET", "/live") as stream:
        lines = stream.iter_lines()  # held: one that is let go closes the stream
        next(lines)
        assert one(scraped(watched), "lineal_live_streams") == 1
    until = threading.Event()
    for _ in range(300):
        if one(scraped(watched), "lineal_live_streams") == 0:
            return
        until.wait(0.05)
    raise AssertionError("the stream is counted for ever")


def test_labels_take_few_values_whatever_is_asked_for(watched: httpx.Client) -> None:
    for number in range(40):
        watched.get(f"{RUN}/r{number}/metrics/m{number}")
        httpx.get(f"{root(watched)}/nothing/{number}")
        httpx.request(f"M{number}", f"{root(watched)}/api/v1/health")
        httpx.get(f"{root(watched)}/t/x{number}/api/v1/health")
    assert len(scraped(watched)["lineal_requests_total"]) < 12


def test_a_journal_is_counted_and_what_it_lost(watched: httpx.Client, tmp_path: Path) -> None:
    import lineal
    from lineal.journal.layout import Folder

    with lineal.init(experiment="digits", url=tmp_path / "notebook") as run:
        for step in range(100):
            run.log({"a": step, "b": 1.5}, step=step)
        run.log({"bad": "no number"})
    sent = 0
    for segment in Folder(tmp_path / "notebook").list_segments():
        data = Path(segment.path).read_bytes()
        sent += len(data)
        place = f"/journals/{run.run_id}/{segment.writer}"
        query = {"segment": segment.number, "offset": 0, "final": True}
        json_of(watched.post(place, content=data, params=query, headers={"content-type": "application/octet-stream"}))
    found = scraped(watched)
    assert one(found, "lineal_points_total") == 200
    assert one(found, "lineal_journal_bytes_total") == sent
    assert one(found, "lineal_losses_total", reason="not_a_number") == 1


@pytest.mark.parametrize("given", [b"abc-1.2_3", b"x" * 64])
def test_a_request_id_comes_back(hosted: httpx.Client, given: bytes) -> None:  # noqa: F811
    answer = hosted.get("/health", headers=[(b"x-request-id", given)])
    assert answer.headers["x-request-id"].encode() == given
    assert hosted.get(f"{RUN}/none", headers=[(b"x-request-id", given)]).headers["x-request-id"].encode() == given


@pytest.mark.parametrize("given", [b"", b"x" * 65, b"a b", b"a\xff", b"{}", b"-a"])
def test_one_that_could_forge_a_line_does_not(hosted: httpx.Client, given: bytes) -> None:  # noqa: F811
    made = hosted.get("/health", headers=[(b"x-request-id", given)]).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_two_ids_are_none(hosted: httpx.Client) -> None:  # noqa: F811
    made = hosted.get("/health", headers=[("x-request-id", "a"), ("x-request-id", "b")]).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def hear(heard: io.StringIO, said: str) -> None:
    """Waits for it: a request's line is written when its answer is already there."""
    until = time.monotonic() + 30
    while said not in heard.getvalue() and time.monotonic() < until:
        time.sleep(0.01)


def test_the_log_has_a_line_a_request_and_no_secret(watched: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_run(watched)
    heard = io.StringIO()
    headers = {"authorization": f"Bearer {SECRET}", "cookie": f"lineal_session={SECRET}", "x-request-id": "mine"}
    with logging_to(heard, "json"):
        watched.get(f"{RUN}/{run_id}", headers=headers, params={"x": SECRET})
        watched.post("/runs/search", json={"filter": SECRET}, headers=headers)
        httpx.get(f"{root(watched)}/{SECRET}", headers=headers)
        monkeypatch.setattr("lineal.server.routes.health.Health", None)
        assert watched.get("/health", headers=headers).status_code == 500
        hear(heard, '"status": 500')
    said = [json.loads(line) for line in heard.getvalue().splitlines()]
    lines = [line for line in said if line.get("route") != "/api/v1/experiments/runs"]  # of the run made before, late
    assert SECRET not in heard.getvalue()
    of_requests = [line for line in lines if line["logger"] == "lineal.requests"]
    assert [(line["route"], line["status"]) for line in of_requests] == [
        ("/api/v1/experiments/runs/{run_id}", 200),
        ("/api/v1/runs/search", 400),
        ("page", 200),
        ("/api/v1/health", 500),
    ]
    assert all(line["request_id"] == "mine" for line in lines)
    assert of_requests[1]["tenant"] == "default" and of_requests[1]["duration_ms"] > 0 < of_requests[1]["sent_bytes"]
    [fault] = [line for line in lines if "traceback" in line]
    assert fault["logger"] == "lineal.server" and "TypeError" in fault["traceback"]


def test_the_log_for_people_is_a_line_too(watched: httpx.Client) -> None:
    heard = io.StringIO()
    with logging_to(heard, "text"):
        watched.get("/experiments", headers={"x-request-id": "mine"})
        hear(heard, "/experiments")
        logging.getLogger("lineal.server").warning("a\nforged line")
    first, second = heard.getvalue().splitlines()
    assert re.fullmatch(r"\S+Z info GET /api/v1/experiments 200 \d+\.\d ms \d+ bytes tenant=default id=mine", first)
    assert second.endswith(r"warning a\nforged line")
    with logging_to(heard := io.StringIO(), "quiet"):
        watched.get("/experiments")
    assert heard.getvalue() == ""


def test_a_log_that_nobody_reads_holds_up_nobody() -> None:
    import queue

    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    entry = Entry(waiting, 2)
    for number in range(5):
        entry.handle(logging.LogRecord("lineal", logging.INFO, "", 0, str(number), None, None))
    assert [waiting.get().getMessage() for _ in range(2)] == ["0", "1"]
    entry.handle(logging.LogRecord("lineal", logging.INFO, "", 0, "5", None, None))
    assert waiting.get().left_out == 3


def test_alive_is_not_ready(source: HostedSource, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    with hosting(source) as client:
        assert json_of(httpx.get(f"{root(client)}/ready")) == {"status": "ready"} == json_of(client.get("/ready"))

        def gone() -> int:
            raise Busy("the database does not answer")

        monkeypatch.setattr(source, "_ready_s", -10.0)
        monkeypatch.setattr(source._store, "change_number", gone)
        answer = httpx.get(f"{root(client)}/ready")
        assert answer.status_code == 503 and answer.headers["retry-after"] and "database" not in answer.text
        assert json_of(httpx.get(f"{root(client)}/health")) == {"status": "ok"}
        monkeypatch.undo()
        assert httpx.get(f"{root(client)}/ready").status_code == 200
        source.stop_watching()
        assert httpx.get(f"{root(client)}/ready").status_code == 503
        assert json_of(httpx.get(f"{root(client)}/health")) == {"status": "ok"}


def test_serve_writes_its_log_to_standard_error(place: Place, tmp_path: Path) -> None:
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        with serving_store(place, "--log", "json", stderr=log) as served:
            json_of(served.client.get("/experiments", headers={"x-request-id": "mine"}))
        lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert [line["request_id"] for line in lines if line.get("route") == "/api/v1/experiments"] == ["mine"]
