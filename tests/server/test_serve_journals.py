"""Journals by the wire: exactly once, in whatever order and however often their pieces come."""

from __future__ import annotations

import gzip
import json
import math
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.journal.layout import Folder
from lineal.model import limits
from lineal.record import kinds
from lineal.record.frame import frame
from lineal.record.kinds import MAGIC
from lineal.record.stream import header_at, scan, start_of
from lineal.server.hosted import HostedSource
from tests.server.conftest import Place, json_of
from tests.server.hosting import hosted, hosting, new_run, source  # noqa: F401 (fixtures)

OCTETS = {"content-type": "application/octet-stream"}
STEPS = 400


class Journal:
    """A finished run's segments as its writer left them, and what they hold."""

    def __init__(self, folder: Path) -> None:
        with lineal.init(experiment="digits", name="mlp", params={"lr": 0.1}, tags={"a": "b"}, url=folder) as run:
            for step in range(STEPS):
                run.log({"loss": 1 / (step + 1), "epoch": step // 10}, step=step)
        self.run_id = run.run_id
        [segment] = [one for one in Folder(folder).list_segments() if _is_of(one.path, run.run_id)]
        self.writer, self.segment = segment.writer, segment.number
        self.data = Path(segment.path).read_bytes().rstrip(b"\0")
        self.data += bytes(-len(self.data) % 8)

    @property
    def last_seq(self) -> int:
        view = memoryview(self.data)
        return max(header_at(view, offset).seq for offset in scan(view, start_of(view), final=True).offsets)

    @property
    def path(self) -> str:
        return f"/journals/{self.run_id}/{self.writer}"

    def post(self, client: httpx.Client, start: int, end: int, *, final: bool = False, **more: Any) -> httpx.Response:
        query: dict[str, Any] = {"offset": start, "segment": self.segment, "final": "true" if final else "false"}
        return client.post(self.path, content=self.data[start:end], params=query, headers={**OCTETS, **more})


def _is_of(path: str, run_id: str) -> bool:
    return run_id.encode() in Path(path).read_bytes()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "notebook")


def check_whole(client: httpx.Client, journal: Journal) -> None:
    detail = json_of(client.get(f"/runs/{journal.run_id}"))
    assert (detail["status"], detail["params"], detail["tags"], detail["losses"]) == (
        "finished",
        {"lr": "0.1"},
        {"a": "b"},
        {},
    )
    series = json_of(client.get(f"/experiments/runs/{journal.run_id}/metrics/loss"))
    assert series["step"] == list(range(STEPS)) and series["value"] == [1 / (step + 1) for step in range(STEPS)]


def test_in_one_piece_plain_and_in_gzip(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    query: dict[str, Any] = {"offset": 0, "segment": journal.segment, "final": "true"}
    packed = gzip.compress(journal.data)
    headers = {**OCTETS, "content-encoding": "gzip"}
    taken = json_of(hosted.post(journal.path, content=packed, params=query, headers=headers))
    expected = {"offset": len(journal.data), "segment": journal.segment, "records": STEPS + 4}
    assert {name: taken[name] for name in expected} == expected
    check_whole(hosted, journal)
    again = json_of(hosted.post(journal.path, content=journal.data, params=query, headers=OCTETS))
    assert {**again, "head": None} == {**taken, "head": None}
    check_whole(hosted, journal)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_cut_anywhere_twice_and_out_of_order(hosted: httpx.Client, journal: Journal, seed: int) -> None:  # noqa: F811
    """A sender that goes on at what is acknowledged, among posts that come late, twice, or too early."""
    chance = random.Random(seed)
    known, rounds, size = 0, 0, len(journal.data)
    while known < size:
        rounds += 1
        assert rounds < 10_000
        kind = chance.random()
        if kind < 0.25:  # too early
            start = min(size - 8, known + 8 * chance.randrange(1, 400))
            answer = journal.post(hosted, start, size)
            assert answer.status_code == 409 and answer.json()["offset"] == known, answer.text
        elif kind < 0.5:  # again, and perhaps more
            start = 8 * chance.randrange(0, known // 8 + 1)
            end = chance.randrange(start, size + 1)
            known = max(known, json_of(journal.post(hosted, start, end))["offset"])
        else:
            known = json_of(journal.post(hosted, known, known + chance.randrange(1, 4_000)))["offset"]
    check_whole(hosted, journal)


def test_a_wrong_place_is_answered_with_the_right_one(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    problem = json_of(journal.post(hosted, 800, 1_600), 409)
    assert (problem["code"], problem["offset"], problem["segment"]) == ("offset", 0, journal.segment)
    known = json_of(journal.post(hosted, 0, 1_000))["offset"]
    assert 0 < known <= 1_000
    assert json_of(journal.post(hosted, 2_000, 3_000), 409)["offset"] == known
    json_of(journal.post(hosted, known, len(journal.data), final=True))
    check_whole(hosted, journal)


def test_damage_is_a_loss_and_never_an_endless_refusal(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    middle = len(journal.data) // 2 & ~7
    journal.data = journal.data[:middle] + b"\xff" * 200 + journal.data[middle + 200 :]
    taken = json_of(journal.post(hosted, 0, len(journal.data), final=True))
    assert taken["offset"] == len(journal.data)
    detail = json_of(hosted.get(f"/runs/{journal.run_id}"))
    assert detail["status"] == "finished" and detail["losses"]["damaged"] > 0
    count = json_of(hosted.get(f"/experiments/runs/{journal.run_id}/metrics/loss"))["point_count"]
    assert count == STEPS - detail["losses"]["damaged"]
    assert json_of(journal.post(hosted, 0, len(journal.data), final=True)) == taken
    assert json_of(hosted.get(f"/runs/{journal.run_id}"))["losses"] == detail["losses"]


def test_a_torn_end_waits_until_it_is_the_end(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    known = json_of(journal.post(hosted, 0, 5_001))["offset"]
    assert known < 5_001
    assert json_of(journal.post(hosted, known, 5_001))["offset"] == known
    assert json_of(journal.post(hosted, known, 5_001, final=True))["offset"] == 5_001
    assert json_of(hosted.get(f"/runs/{journal.run_id}"))["losses"] == {"torn": 1}


def test_nonsense_ends_too(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    journal.data = random.Random(1).randbytes(limits.FRAME_MAX_BYTES + 4_096)
    taken = json_of(journal.post(hosted, 0, len(journal.data)))
    assert taken["offset"] == len(journal.data)


def test_bombs_and_other_packets(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    query = {"offset": 0, "segment": 1}

    def refused(content: bytes, status: int, encoding: str = "gzip") -> Any:
        headers = {**OCTETS, "content-encoding": encoding}
        return json_of(hosted.post(journal.path, content=content, params=query, headers=headers), status)

    bomb = gzip.compress(bytes(limits.JOURNAL_BODY_MAX_BYTES + 1))
    assert len(bomb) < 100_000 and refused(bomb, 413)["code"] == "over_limit"
    refused(b"no gzip", 400)
    refused(gzip.compress(journal.data)[:-9], 400)
    refused(journal.data, 415, "br")
    assert json_of(hosted.get("/experiments"))["total"] == 0


def test_a_journal_of_another_run_is_refused(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    query: dict[str, Any] = {"offset": 0, "segment": journal.segment}
    other = f"/journals/another/{journal.writer}"
    assert json_of(hosted.post(other, content=journal.data, params=query, headers=OCTETS), 400)["field"] == "writer_id"
    json_of(journal.post(hosted, 0, len(journal.data)))
    assert json_of(hosted.post(other, content=journal.data, params=query, headers=OCTETS), 409)["field"] == "writer_id"
    for path in ("/journals/x/NOPE", "/journals/x/0123456789abcdef"):
        assert json_of(hosted.post(path, content=b"", params=query, headers=OCTETS), 400)["field"] == "writer_id"


def test_the_tenant_is_the_one_that_is_asked_for(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    """A journal says "default", as its writer did not know better; the request decides."""
    json_of(journal.post(hosted, 0, len(journal.data), final=True, **{"X-Tenant-ID": "acme"}))
    assert json_of(hosted.get("/experiments"))["total"] == 0
    assert json_of(hosted.get("/experiments/runs", headers={"X-Tenant-ID": "acme"}))["total"] == 1


def test_requests_and_a_journal_write_the_same_run(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    known = json_of(journal.post(hosted, 0, 6_000))["offset"]
    run = f"/experiments/runs/{journal.run_id}"
    assert json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": 0.2}}), 409)["field"] == "params.lr"
    json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"extra": 1}}))
    json_of(journal.post(hosted, known, len(journal.data), final=True))
    json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"extra": 2}, "step": 5}))
    assert json_of(hosted.get(f"{run}/metrics/extra"))["point_count"] == 2
    check_whole(hosted, journal)


def test_after_a_restart_it_goes_on_where_it_stood(place: Place, journal: Journal) -> None:
    """The segment's head is known with the cursor."""
    known, size = 0, len(journal.data)
    for end in (5_000, 9_000, size):
        with HostedSource(place.url, place.blobs) as server, hosting(server) as client:
            known = json_of(journal.post(client, known, end, final=end == size))["offset"]
    with HostedSource(place.url, place.blobs) as server, hosting(server) as client:
        check_whole(client, journal)
        assert json_of(client.get("/experiments/runs"))["total"] == 1


def test_records_that_are_missing_are_asked_for_until_they_are_said_to_be_lost(
    hosted: httpx.Client,  # noqa: F811
    journal: Journal,
) -> None:
    """A server restored from an older backup knows less than it had acknowledged."""
    known = json_of(journal.post(hosted, 0, 5_000))
    journal.segment = 3  # as if the second segment had been acknowledged, and the backup lacked it
    head, gone = journal.data[: 8 + 2 * int.from_bytes(journal.data[8:12], "little")], 9_000
    later = known["offset"] + (gone - known["offset"]) // 56 * 56  # frames of two metrics
    rest = head + journal.data[later:]
    query: dict[str, Any] = {"offset": 0, "segment": 3, "final": "true"}
    problem = json_of(hosted.post(journal.path, content=rest, params=query, headers=OCTETS), 409)
    assert (problem["segment"], problem["offset"]) == (1, known["offset"])
    assert json_of(hosted.get(f"/runs/{journal.run_id}"))["status"] == "running"
    taken = json_of(hosted.post(journal.path, content=rest, params={**query, "lost": "true"}, headers=OCTETS))
    assert taken["segment"] == 3 and taken["offset"] == len(rest)
    detail = json_of(hosted.get(f"/runs/{journal.run_id}"))
    assert detail["status"] == "finished" and detail["losses"]["damaged"] > 0


def test_a_dead_writers_run_is_lost(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    """Also when all that it wrote had been acknowledged while it lived; not when it had said its end."""
    known = json_of(journal.post(hosted, 0, 9_000))["offset"]
    query: dict[str, Any] = {"offset": known, "segment": 1, "final": "true", "dead": "true"}
    json_of(hosted.post(journal.path, content=b"", params=query, headers=OCTETS))
    assert json_of(hosted.get(f"/runs/{journal.run_id}"))["status"] == "lost"
    query = {"offset": 0, "segment": 1, "final": "true", "dead": "true"}
    json_of(hosted.post(journal.path, content=journal.data, params=query, headers=OCTETS))
    check_whole(hosted, journal)


def _nested(levels: int) -> Any:
    value: Any = "é"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [limits.DOCUMENT_MAX_DEPTH, limits.DOCUMENT_MAX_DEPTH + 1, 400, 3_000])
def test_a_document_nested_too_deeply_is_damage_not_a_refusal_for_ever(
    hosted: httpx.Client,  # noqa: F811
    journal: Journal,
    levels: int,
) -> None:
    text = "[" * levels + '"é"' + "]" * levels
    seq = journal.last_seq
    journal.data += frame(kinds.DOCUMENT_SET, seq + 1, 1, f'{{"name":"deep","content":{text}}}'.encode())
    journal.data += frame(kinds.NOTE_SET, seq + 2, 1, b'{"text":"still heard"}')
    taken = json_of(journal.post(hosted, 0, len(journal.data), final=True))
    assert taken["offset"] == len(journal.data)
    detail = json_of(hosted.get(f"/runs/{journal.run_id}"))
    assert detail["note"] == "still heard"
    if levels > limits.DOCUMENT_MAX_DEPTH:
        assert detail["document_names"] == [] and detail["losses"] == {"damaged": 1}
    else:
        assert json_of(hosted.get(f"/runs/{journal.run_id}/documents/deep")) == _nested(levels)


def test_a_step_without_end_is_no_place_to_count_on_from(hosted: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    with lineal.init(experiment="digits", url=tmp_path / "other") as run:
        for step in (1.5, math.nan, -math.inf, math.inf):
            run.log({"loss": 0.5}, step=step)
    for segment in Folder(tmp_path / "other").list_segments():
        data = Path(segment.path).read_bytes()
        path = f"/journals/{run.run_id}/{segment.writer}"
        json_of(
            hosted.post(
                path, content=data, params={"offset": 0, "segment": segment.number, "final": "true"}, headers=OCTETS
            )
        )
    json_of(hosted.post(f"/experiments/runs/{run.run_id}/log-metrics", json={"metrics": {"more": 1}}))
    steps = json_of(hosted.get(f"/experiments/runs/{run.run_id}/metrics/loss"))["step"]
    assert steps == [1.5, "NaN", "-Infinity", "Infinity"]
    assert json_of(hosted.get(f"/experiments/runs/{run.run_id}/metrics/more"))["step"] == [0]


def test_names_over_their_bound_are_damage_not_a_refusal_for_ever(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    chance = random.Random(1)
    long = "".join(
        chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(3_000)
    )  # PostgreSQL's index rows end at 2,704 bytes
    wrong = [
        (kinds.TAGS_SET, {"tags": {long: "v"}}),
        (kinds.PARAMS_SET, {"attempt": "a", "params": {long: 1}}),
        (kinds.NAME_SET, {"name": long}),
        (kinds.DOCUMENT_SET, {"name": long, "content": 1}),
        (kinds.METRIC_DEFINED, {"name": long}),
        (kinds.ARTIFACT_LOGGED, {"path": long}),
        (kinds.LOST, {"reason": long, "count": 1}),
        (kinds.ATTEMPT_STARTED, {"attempt": "b", "experiment": long}),
        (kinds.LAYOUT_DEFINED, {"number": 900, "step": "q", "series": [[long, "d"]]}),
        (kinds.LAYOUT_DEFINED, {"number": 901, "step": "q", "series": [["m", "d", {"rank": long}]]}),
    ]
    seq = journal.last_seq
    for number, (kind, members) in enumerate(wrong, 1):
        journal.data += frame(kind, seq + number, 1, json.dumps(members).encode())
    journal.data += frame(kinds.NOTE_SET, seq + len(wrong) + 1, 1, b'{"text":"still heard"}')
    json_of(journal.post(hosted, 0, len(journal.data), final=True))
    detail = json_of(hosted.get(f"/runs/{journal.run_id}"))
    assert detail["losses"] == {"damaged": len(wrong)} and detail["note"] == "still heard"
    assert (detail["tags"], detail["params"], detail["name"]) == ({"a": "b"}, {"lr": "0.1"}, "mlp")


def test_a_tenants_journal_cannot_make_runs_that_nobody_can_name(hosted: httpx.Client, journal: Journal) -> None:  # noqa: F811
    data = MAGIC + frame(kinds.SEGMENT_OPENED, 0, 1, _opening("0" * 15)) * 2
    for seq, run_id in enumerate(("", "../x", "a/b", "x" * 257, "\0", journal.run_id), 1):
        data += frame(kinds.RUN_TAGS_SET, seq, 1, json.dumps({"run_id": run_id, "tags": {"k": "v"}}).encode())
    query: dict[str, Any] = {"offset": 0, "segment": 0, "final": "true"}
    json_of(hosted.post("/journals/-/" + "0" * 15, content=data, params=query, headers=OCTETS))
    runs = json_of(hosted.get("/experiments/runs"))["runs"]
    assert [run["run_id"] for run in runs] == [journal.run_id] and runs[0]["tags"] == {"k": "v"}


def _opening(writer: str) -> bytes:
    said = {"tenant": "default", "run_id": None, "writer": writer, "attempt": "a", "primary": False, "segment": 0}
    return json.dumps(said).encode()
