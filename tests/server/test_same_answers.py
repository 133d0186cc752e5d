"""The server over memory, SQLite and PostgreSQL, asked the same, answers the same, to the letter but for the clock."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from lineal.server.hosted import HostedSource
from tests.server.hosting import hosting

TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
REQUESTS_COUNT = 300 if TORTURE else 150

NAMES = [
    "a", "A", "é", "É", "ß", "SS", "ı", "I", "Σ", "ς", "a/b", "..", "\0", "\1", "\2", "😀", "a%b", "a_b", "a\\b", " ", "loss",
]  # fmt: skip
NUMBERS = [
    "NaN", "Infinity", "-Infinity", -0.0, 0, 5e-324, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, 1.7976931348623157e308, 1e22, 3,
]  # fmt: skip
VALUES = [*NUMBERS, "", "1", "1.0", "\0", "😀", "é", "É", True, False, None, 10**30]
STEPS = [0, 1, 2, -5, 1.5, 2**53 + 1, 2**63 - 1, -(2**63), -0.0, 1e300, None]
RUNS = ["r1", "r2", "r3"]
FILTERS = [
    "", "name ilike '%a%'", "params.a = '1'", "params.a > 0", "metrics.a > 0", "metrics.a is not null", "tags.a != 'v'", "name = 'É'",
    "name like '_'", "metrics.loss = 9007199254740993", "status in ('failed', 'finished')", "count(metrics.a) >= 2", "name matches '(?i)é'",
]  # fmt: skip
ORDERS = ["", "name", "name desc", "metrics.a", "metrics.`é` desc", "params.a", "tags.a desc", "status, name"]
SEARCHES = ["", "a", "É", "é", "ss", "i", "\0", "%", "_", "\\", "σ"]
_CLOCK = ("created_at", "last_updated", "start_time", "end_time", "duration_seconds", "started_at", "ended_at")


class Asked(NamedTuple):
    method: str
    path: str
    body: Any = None


@pytest.fixture
def clients(tmp_path: Path, postgres_url: str) -> Iterator[list[httpx.Client]]:
    with ExitStack() as opened:
        urls = ("memory:", f"sqlite:///{tmp_path}/srv/lineal.db", postgres_url)
        sources = [opened.enter_context(HostedSource(url, tmp_path / str(n))) for n, url in enumerate(urls)]
        yield [opened.enter_context(hosting(source)) for source in sources]


@pytest.mark.parametrize("seed", range(60 if TORTURE else 3))
def test_three_stores_one_answer(clients: list[httpx.Client], seed: int) -> None:
    chance = random.Random(seed)
    experiments: list[str] = []
    for number in range(REQUESTS_COUNT):
        asked = a_request(chance, experiments)
        headers = {} if chance.random() < 0.75 else {"X-Tenant-ID": "acme"}
        if asked.method == "POST" and chance.random() < 0.15:
            headers["Idempotency-Key"] = chance.choice("xyz")
        if asked.body is not None:
            headers["content-type"] = "application/json"
        content = None if asked.body is None else json.dumps(asked.body)
        answers = [client.request(asked.method, asked.path, content=content, headers=headers) for client in clients]
        told = [(answer.status_code, json.dumps(without_clock(answer.json()))) for answer in answers]
        assert told[0][0] < 500 and len(set(told)) == 1, f"seed {seed}, request {number}: {asked}, {headers}\n{told}"
        if asked[:2] == ("POST", "/experiments") and told[0][0] == 201:
            experiments.append(answers[0].json()["id"])


def without_clock(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in _CLOCK else without_clock(item) for name, item in value.items()}
    return [without_clock(item) for item in value] if isinstance(value, list) else value


def a_request(chance: random.Random, experiments: list[str]) -> Asked:
    pick = chance.choice
    experiment = pick(experiments) if experiments and chance.random() < 0.9 else "nobody"
    run = f"/experiments/runs/{pick([*RUNS, 'r', 'nobody'])}"
    time_ms = pick([0, 1_700_000_000_000, 1_700_000_000_001, 253_402_300_799_999])
    name = pick(NAMES)
    some = {pick(NAMES): pick(VALUES) for _ in range(2)}
    entries = [
        {"key": pick(NAMES), "value": pick(NUMBERS), "step": pick(STEPS), "timestamp": time_ms}
        for _ in range(chance.randrange(6))
    ]
    pairs = [{"key": key, "value": value} for key, value in some.items()]
    metrics = {pick(NAMES): pick(NUMBERS) for _ in range(3)}
    page = f"limit={pick([1, 2, 100])}&offset={pick([0, 1])}"
    window = pick(["", "?max_points=2", "?from_step=0", "?to_step=9007199254740993", "?from_step=1.5&max_points=1"])
    writes = [
        Asked("POST", "/experiments", {"name": name, "description": pick(["", "d", None]), "tags": some}),
        Asked(
            "PATCH", f"/experiments/{experiment}", {"description": pick(["", "new"]), "tags": {name: pick([None, "v"])}}
        ),
        Asked(
            "POST", "/experiments/runs", {"experiment_id": experiment, "run_id": pick(RUNS), "name": name, "tags": some}
        ),
        Asked("POST", f"{run}/log-metrics", {"metrics": metrics, "step": pick(STEPS), "timestamp": time_ms}),
        Asked("POST", f"{run}/log-params", {"params": some}),
        Asked("POST", f"{run}/log-batch", {"metrics": entries, "params": pairs[:1], "tags": pairs}),
        Asked("POST", f"{run}/log-batch", {"metrics": entries}),
        Asked("POST", f"{run}/end?status={pick(['finished', 'failed', 'killed'])}"),
    ]
    rarely = [
        Asked("DELETE", f"/experiments/{experiment}"),
        Asked("POST", f"/experiments/{experiment}/restore"),
        Asked("POST", pick(["/runs/delete", "/runs/restore"]), {"run_ids": [pick(RUNS)]}),
    ]
    reads = [
        Asked("GET", f"/experiments?{page}&search={quote(pick(SEARCHES))}"),
        Asked(
            "POST", "/experiments/runs/compare", {"run_ids": [pick(RUNS), pick(RUNS)], "metrics": pick([None, [name]])}
        ),
        Asked("GET", run),
        Asked("GET", run.removeprefix("/experiments")),
        Asked("GET", f"{run}/metrics/{quote(name, safe='')}{window}"),
        Asked("GET", f"/experiments/runs?{page}&order_by={quote(pick(ORDERS))}"),
        Asked("POST", "/runs/search", {"filter": pick(FILTERS), "order_by": [pick(ORDERS[:4])]}),
        Asked(
            "POST",
            "/runs/groups",
            {"by": pick([["params.a"], ["name"], ["tags.a", "params.a"]]), "metrics": ["metrics.a"]},
        ),
        Asked("GET", f"/fields/values?field={pick(['params.a', 'tags.a', 'name'])}&prefix={pick(['', 'a', '1'])}"),
    ]
    return pick(pick([writes, writes, reads, rarely] if chance.random() < 0.3 else [writes, reads]))
