"""A console from a journal to whoever reads: REST, the SDK, the command line, here and through a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.ingest.apply import Context, apply
from lineal.journal.layout import Folder
from lineal.model.console import ConsoleLine
from lineal.model.entities import Stamp
from lineal.model.errors import Damaged
from lineal.model.limits import CONSOLE_LINE_MAX_CHARS
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import AttemptEnded, AttemptStarted, ConsoleAppended, Record, SegmentOpened, SegmentSealed
from lineal.store.console import ConsoleQuery, read_lines
from lineal.store.memory import MemoryStore
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)

TIME_MS = 1_764_000_000_000
RECORDS: list[Record] = [
    AttemptStarted("a1", "digits", "mlp"),
    ConsoleAppended("a1", "oeo", [TIME_MS, 5, 0], "Epoch 1\nWarning: 🦊\nepoch 2"),
    ConsoleAppended("a1", "b", [TIME_MS + 900], "done"),
    AttemptEnded("a1", "finished"),
]
TEXTS = ["Epoch 1", "Warning: 🦊", "epoch 2", "done"]


def segment(records: list[Record]) -> bytes:
    opened = encode_frame(SegmentOpened("default", "r1", "0123456789abcde", "a1", True, 1), 0, TIME_MS * 1_000_000)
    said = [encode_frame(record, seq, TIME_MS * 1_000_000) for seq, record in enumerate(records, 1)]
    return MAGIC + opened * 2 + b"".join(said) + encode_frame(SegmentSealed(len(records)), 0, TIME_MS * 1_000_000)


def lines_of(answer: Any) -> list[str]:
    return [line["text"] for line in answer["lines"]]


def test_a_console_goes_from_a_journal_to_the_server_and_back(hosted: httpx.Client) -> None:  # noqa: F811
    sent = hosted.post(
        "/journals/r1/0123456789abcde",
        content=segment(RECORDS),
        params={"offset": 0, "segment": 1, "final": "true"},
        headers={"content-type": "application/octet-stream"},
    )
    assert sent.status_code == 200, sent.text
    address = "/runs/r1/console"
    page = json_of(hosted.get(address))
    assert page == {
        "lines": [
            {"number": 1, "time": TIME_MS, "stream": "stdout", "text": "Epoch 1", "attempt_id": "a1", "rank": 0},
            {
                "number": 2,
                "time": TIME_MS + 5,
                "stream": "stderr",
                "text": "Warning: 🦊",
                "attempt_id": "a1",
                "rank": 0,
            },
            {"number": 3, "time": TIME_MS + 5, "stream": "stdout", "text": "epoch 2", "attempt_id": "a1", "rank": 0},
            {"number": 4, "time": TIME_MS + 900, "stream": "both", "text": "done", "attempt_id": "a1", "rank": 0},
        ],
        "total": 4,
        "next": 4,
    }
    assert json_of(hosted.get("/runs/r1"))["console_line_count"] == 4
    page = json_of(hosted.get(f"{address}?after=1&limit=2"))
    assert (lines_of(page), page["next"]) == (TEXTS[1:3], 3)
    assert lines_of(json_of(hosted.get(f"{address}?before=4&limit=2"))) == TEXTS[1:3]
    assert lines_of(json_of(hosted.get(f"{address}?search=EPOCH"))) == ["Epoch 1", "epoch 2"]
    assert lines_of(json_of(hosted.get(f"{address}?stream=stderr"))) == ["Warning: 🦊"]
    assert lines_of(json_of(hosted.get(f"{address}?attempt=a2"))) == []
    for wrong in ("limit=0", "limit=10001", "after=-1", "stream=out", "after=x"):
        assert json_of(hosted.get(f"{address}?{wrong}"), 400)["code"] == "invalid_input"
    json_of(hosted.get("/runs/none/console"), 404)
    server = str(hosted.base_url).removesuffix("/api/v1/")
    run = lineal.get_run("r1", url=server)
    assert [line.text for line in run.console()] == TEXTS and run.details.console_line_count == 4
    assert run.console(search="fox") == [] and run.console(after=3) == [
        ConsoleLine(4, TIME_MS + 900, "both", "done", "a1")
    ]
    shown = CliRunner().invoke(command, ["runs", "console", "r1", "--url", server, "--tail", "2"])
    assert shown.output.splitlines() == TEXTS[2:], shown.output


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = Folder(str(tmp_path / ".lineal"))
    folder.ensure()
    Path(folder.segment("0123456789abcde", 1)).write_bytes(segment(RECORDS))
    return tmp_path / ".lineal"


def ask(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["runs", "console", "r1", "--url", str(home), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_shows_searches_and_follows(home: Path) -> None:
    assert ask(home).splitlines() == TEXTS
    assert ask(home, "--search", "epoch", "--tail", "1").splitlines() == ["epoch 2"]
    assert ask(home, "--stream", "stderr", "--time") == "     2  2025-11-24T16:00:00.005Z  stderr  Warning: 🦊\n"
    answer = json.loads(ask(home, "--json", "--attempt", "a1"))
    assert lines_of(answer) == TEXTS and answer["total"] == 4
    assert answer["lines"][3] == {
        "number": 4,
        "time": TIME_MS + 900,
        "stream": "both",
        "text": "done",
        "attempt_id": "a1",
        "rank": 0,
    }
    assert ask(home, "--follow").splitlines() == TEXTS  # which ends, because the run has ended
    assert ask(home, "--follow", "--tail", "1").splitlines() == TEXTS[3:]
    followed = [json.loads(line) for line in ask(home, "--follow", "--json").splitlines()]
    assert [line["text"] for line in followed] == TEXTS
    result = CliRunner().invoke(command, ["runs", "console", "none", "--url", str(home)])
    assert result.exit_code == 3


@pytest.mark.parametrize(
    "said",
    [
        ConsoleAppended("a1", "oo", [1, 1], "one"),
        ConsoleAppended("a1", "o", [1, 1], "one"),
        ConsoleAppended("a1", "x", [1], "one"),
        ConsoleAppended("a1", "", [], ""),
        ConsoleAppended("a1", "o", [True], "one"),
        ConsoleAppended("a1", "oo", [2**63 - 1, 1], "one\ntwo"),
    ],
)
def test_what_does_not_agree_with_itself_is_damage(said: ConsoleAppended) -> None:
    store = MemoryStore()
    with store.begin() as transaction:
        context = Context(transaction.tenant("default"), "r1")
        apply(context, AttemptStarted("a1", "digits"), Stamp(1, "w", 1))
        with pytest.raises(Damaged):
            apply(context, said, Stamp(1, "w", 2))
    assert store.tenant("default").read_console("r1", ConsoleQuery()).total == 0


def test_a_line_that_is_too_long_goes_on_as_the_next_one() -> None:
    store = MemoryStore()
    with store.begin() as transaction:
        context = Context(transaction.tenant("default"), "r1")
        long = "x" * CONSOLE_LINE_MAX_CHARS
        apply(context, ConsoleAppended("a1", "oeo", [5, 1, 1], f"\n{long}{long}y\n{long}"), Stamp(1, "w", 1))
    page = store.tenant("default").read_console("r1", ConsoleQuery())
    assert [(line.stream, line.time_ms, line.text) for line in page.lines] == [
        ("stdout", 5, ""),
        ("stderr", 6, long),
        ("stderr", 6, long),
        ("stderr", 6, "y"),
        ("stdout", 7, long),
    ]


def test_an_answer_is_bounded_as_the_json_that_it_becomes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.store.console.CONSOLE_ANSWER_MAX_BYTES", 100)
    store = MemoryStore()
    with store.begin() as transaction:
        context = Context(transaction.tenant("default"), "r1")
        apply(context, ConsoleAppended("a1", "o" * 9, [5] + [0] * 8, "\n".join(["\1" * 10] * 9)), Stamp(1, "w", 1))
    reader = store.tenant("default")
    page = reader.read_console("r1", ConsoleQuery())
    assert [line.number for line in page.lines] == [1, 2] and (page.next, page.total) == (2, 9)
    page = reader.read_console("r1", ConsoleQuery(before=10))
    assert [line.number for line in page.lines] == [8, 9] and page.next == 8
    assert [line.number for line in read_lines(reader, "r1", ConsoleQuery())] == list(range(1, 10))
