"""What attempts recorded of their circumstances, from a journal to whoever reads: REST, the SDK, the command line."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.journal.layout import Folder
from lineal.model.errors import NotFound
from lineal.record.records import ArtifactLogged, AttemptStarted, CaptureSet, Record
from lineal.server.routes import captures as routes
from lineal.store.captures import CaptureQuery
from lineal.store.sql import capture_reader
from lineal.store.sql import captures as sql_captures
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)
from tests.server.test_lineage import TIME_NS, post, segment

EXECUTION = {
    "command": ["python", "train.py", "--name", "a b"],
    "folder": "/home/ada/digits",
    "entry_point": {"kind": "script"},
}
CODE: dict[str, Any] = {
    "kind": "git",
    "commit": "ab" * 20,
    "branch": "main",
    "is_dirty": True,
    "patch": {"files": ["a", "b"]},
}
ENVIRONMENT = {
    "python": {"version": "3.13.1", "implementation": "CPython", "kind": "venv"},
    "packages": {"numpy": "2.3", "pandas": "3.0"},
    "os": {"name": "Linux", "version": "6.1", "machine": "x86_64"},
}
HARDWARE = {"cpu": {"model": "Xeon", "count": 8}, "memory_bytes": 2**34, "gpus": [{"name": "H100"}, {"name": "H100"}]}
RECORDS: list[Record] = [
    AttemptStarted("a1", "digits", "mlp"),
    CaptureSet("a1", "execution", EXECUTION),
    CaptureSet("a1", "code", CODE),
    CaptureSet("a1", "environment", ENVIRONMENT),
    CaptureSet("a1", "hardware", HARDWARE),
    ArtifactLogged(".lineal/code/patch.diff", 3, hashlib.sha256(b"abc").hexdigest()),
    ArtifactLogged("model.pt", 3, hashlib.sha256(b"abc").hexdigest()),
    CaptureSet("a1", "resources", {"wall_s": math.inf}),
]


def notebook(folder: Path, records: list[Record], run_id: str = "r1") -> Path:
    own = Folder(folder)
    own.ensure()
    Path(own.segment("a" * 15, 1)).write_bytes(segment(run_id, "a" * 15, records))
    return folder


def show(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["runs", "show", "r1", *arguments, "--url", str(folder)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_route_answers_the_latest_attempt_first(hosted: httpx.Client) -> None:  # noqa: F811
    post(hosted, "r1", "a" * 15, RECORDS)
    later: list[Record] = [
        AttemptStarted("a2", "digits", resumed=True, started_ms=TIME_NS // 10**6 + 5),
        CaptureSet("a2", "code", {"kind": "none"}),
    ]
    post(hosted, "r1", "b" * 15, later)
    found = json_of(hosted.get("/runs/r1/captures"))
    parts = ["code", "environment", "execution", "hardware", "resources"]
    assert found["total"] == 6
    assert [(one["attempt_id"], one["part"]) for one in found["captures"]] == [
        ("a2", "code"),
        *(("a1", part) for part in parts),
    ]
    assert found["captures"][1]["content"] == CODE and found["captures"][5]["content"] == {"wall_s": "Infinity"}
    assert found["captures"][0]["time"] == "2025-11-24T16:00:00.000Z"
    assert json_of(hosted.get("/runs/r1/captures", params={"part": "code", "attempt": "a1"})) == {
        "captures": [found["captures"][1]],
        "total": 1,
    }
    assert json_of(hosted.get("/runs/r1/captures", params={"offset": 5}))["captures"] == found["captures"][5:]
    assert hosted.get("/runs/nobody/captures").status_code == 404


def test_the_sdk_reads_them_here_and_through_a_server_however_many(
    hosted: httpx.Client,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes, "CAPTURES_ANSWER_MAX_BYTES", 300)  # an answer has one or two
    records = [one for one in RECORDS if one != RECORDS[-1]]
    post(hosted, "r1", "a" * 15, records)
    places = (str(hosted.base_url).removesuffix("/api/v1/"), str(notebook(tmp_path / "notebook", records)))
    found = []
    for place in places:
        with lineal.open_store(place) as store:
            run = store.get_run("r1")
            found.append(run.captures)
            assert [one.part for one in run.captures] == ["code", "environment", "execution", "hardware"]
            assert run.capture("code") == CODE and run.capture("sources") is None
            got = store.reader().get_captures_of(["r1", "r1"], ["hardware", "code", "x"])
            assert [list(one) for one in got] == [["code", "hardware"]] * 2
            assert got[0]["hardware"].content == HARDWARE
            with pytest.raises(NotFound):
                store.reader().list_captures("nobody")
    assert found[0] == found[1]


def test_a_page_reads_no_other_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records: list[Record] = [RECORDS[0], *(CaptureSet("a1", f"p{n}", {"n": n, "text": "x" * 500}) for n in range(50))]
    read: list[int] = []

    def unpacked(body: bytes) -> str:
        read.append(len(body))
        return sql_captures.unpacked(body)

    monkeypatch.setattr(capture_reader, "unpacked", unpacked)
    with lineal.open_store(str(notebook(tmp_path / "notebook", records))) as store:
        page = store.reader().read_captures("r1", CaptureQuery(offset=40, max_bytes=1_100))
        assert [one.part for one in page.captures] == ["p45", "p46"] and page.total == 50 and len(read) == 3
        assert store.reader().read_captures("r1", CaptureQuery("p7")).total == 1 and len(read) == 4


def test_the_command_line_shows_how_it_ran(tmp_path: Path) -> None:
    folder = notebook(tmp_path / "notebook", RECORDS)
    lines = [" ".join(line.split()) for line in show(folder).splitlines()]
    start = lines.index("Circumstances")
    assert lines[start + 1 : start + 9] == [
        "command python train.py --name 'a b'",
        "in /home/ada/digits",
        "code main at abababababab, with changes in 2 files that are not committed",
        "python CPython 3.13.1, in a venv environment, 2 packages",
        "system Linux 6.1, x86_64",
        "machine Xeon, 8 cores, 16 GiB of memory, 2 x H100",
        "files 1 file that Lineal keeps of this, below .lineal/; --json names them",
        "reproduce lineal reproduce r1",
    ]
    assert "model.pt" in show(folder) and "patch.diff" not in show(folder)
    said = json.loads(show(folder, "--json"))
    assert [one["part"] for one in said["captures"]][:2] == ["code", "environment"]
    assert said["captures"][0]["content"] == CODE and len(said["artifacts"]) == 2
    found = CliRunner().invoke(
        command, ["runs", "list", "git.dirty = 'True' and git.branch = 'main'", "--json", "--url", str(folder)]
    )
    assert json.loads(found.output)["total"] == 1


@pytest.mark.parametrize(
    "content",
    [
        {
            "command": "train",
            "folder": 7,
            "cpu": [],
            "python": 3,
            "packages": [1],
            "gpus": {"a": 1},
            "memory_bytes": "8",
        },
        {
            "kind": "snapshot",
            "snapshot": {"files": 3},
            "is_dirty": "yes",
            "patch": [],
            "commit": [],
            "os": "x",
            "gpus": [3, {}],
        },
        {"kind": "snapshot", "snapshot": {"files": [1, 2]}},
        {"kind": "notebook"},
        {},
    ],
)
def test_contents_that_others_said_otherwise_are_no_trouble(tmp_path: Path, content: dict[str, Any]) -> None:
    said: list[Record] = [CaptureSet("a1", part, content) for part in ("execution", "code", "environment", "hardware")]
    text = show(notebook(tmp_path / "notebook", [RECORDS[0], *said]))
    assert "mlp" in text
    assert ("lineal reproduce" in text) == bool(
        content.get("command")
    )  # without a command there is nothing to make again


def test_no_circumstances_no_section(tmp_path: Path) -> None:
    assert "Circumstances" not in show(notebook(tmp_path / "notebook", RECORDS[:1]))
