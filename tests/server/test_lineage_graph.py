"""What led to what, from journals to whoever asks: REST, the SDK, the command line; of a folder and of a server."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.model.errors import InvalidInput, NotFound
from lineal.record.records import ArtifactUsed, DatasetUsed, ModelVersionUsed, Record
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)

RAW = "a1" * 32


def record(url: str | Path, name: str, said: list[Record], *, text: str | None = None, **more: object) -> str:
    with lineal.init("digits", name, url=url, **more) as run:  # type: ignore[arg-type]
        for one in said:
            run._say(one)
        if text is not None:
            run.log_text(text, "out/data.csv")
    return run.run_id


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals for a server wait below the working folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def chain(url: str | Path) -> dict[str, str]:
    """Run ids of: raw data -> a -> data.csv -> b, a child of "top", makes vision/1 -> c, who takes a's file, too."""
    ids = {"top": record(url, "top", [])}
    ids["a"] = record(url, "a", [DatasetUsed("raw", RAW, "2.1", context="training")], text="x,y\n1,2\n")
    digest = lineal.get_run(ids["a"], url=url).artifacts[0].digest
    assert digest is not None
    ids["digest"] = digest
    with lineal.init("digits", "b", url=url, parent_run_id=ids["top"]) as run:
        run._say(DatasetUsed("train", digest))
        made = run.log_model("vision", Path(__file__))
    ids["b"], ids["version"] = run.run_id, made.version_id
    said: list[Record] = [
        ModelVersionUsed(made.version_id, "vision"),
        ArtifactUsed(ids["a"], "out/data.csv", digest, 1),
    ]
    ids["c"] = record(url, "c", said)
    return ids


def links(answer: dict[str, object], ids: dict[str, str]) -> set[tuple[str, str, str]]:
    """With names for ids."""
    names = {value: name for name, value in ids.items()}
    assert isinstance(answer["edges"], list)

    def name(key: str) -> str:
        _, _, id = key.partition(":")
        head, colon, path = id.partition(":")
        return f"{names[head]}{colon}{path}" if colon else names.get(id, id)

    return {(name(edge["from"]), edge["relation"], name(edge["to"])) for edge in answer["edges"]}


PATH = f"models/vision/{Path(__file__).name}"
WHOLE = {
    (RAW, "used", "a"),
    ("a", "made", "a:out/data.csv"),
    ("a:out/data.csv", "same_content", "digest"),
    ("digest", "used", "b"),
    ("b", "made", f"b:{PATH}"),
    (f"b:{PATH}", "version", "version"),
    ("version", "used", "c"),
    ("a:out/data.csv", "used", "c"),
}


def test_the_route_the_sdk_and_the_command_say_the_same(hosted: httpx.Client) -> None:  # noqa: F811
    url = str(hosted.base_url).removesuffix("/").removesuffix("/api/v1")
    ids = chain(url)
    answer = json_of(hosted.get("/lineage", params={"id": ids["a"][:10]}))
    assert answer["subject"] == f"run:{ids['a']}" and answer["is_complete"] is True
    assert links(answer, ids) == WHOLE
    assert lineal.lineage(ids["a"], url=url) == answer
    told = CliRunner().invoke(command, ["lineage", ids["a"], "--url", url, "--json"])
    assert told.exit_code == 0 and json.loads(told.output) == answer
    up = json_of(hosted.get("/lineage", params={"id": "vision/1", "direction": "up"}))
    assert links(up, ids) == {link for link in WHOLE if link[2] != "c"} | {("top", "parent", "b")}
    assert lineal.lineage("vision/1", down=False, url=url) == up
    [version] = [node for node in up["nodes"] if node["kind"] == "model_version"]
    assert (version["model_name"], version["version"], version["run_id"]) == ("vision", "1", ids["b"])
    [made] = [node for node in up["nodes"] if node["key"] == f"artifact:{ids['a']}:out/data.csv"]
    assert (made["path"], made["digest"], made["size_bytes"]) == ("out/data.csv", ids["digest"], 8)


def test_what_cannot_be_answered(hosted: httpx.Client) -> None:  # noqa: F811
    url = str(hosted.base_url).removesuffix("/").removesuffix("/api/v1")
    ids = chain(url)
    for params, status in (
        ({"id": "nothing"}, 404),
        ({"id": "a:b"}, 404),
        ({"id": ids["a"], "kind": "dataset"}, 404),
        ({"id": ids["a"], "kind": "model"}, 400),
        ({"id": ids["a"], "depth": "1000"}, 400),
        ({"id": ""}, 400),
        ({}, 400),
    ):
        reply = hosted.get("/lineage", params=params)
        assert reply.status_code == status, (params, reply.text)
    assert hosted.get("/lineage", params={"id": ids["a"]}, headers={"X-Tenant-ID": "other"}).status_code == 404
    with pytest.raises(NotFound):
        lineal.lineage("nothing", url=url)
    with pytest.raises(InvalidInput):
        lineal.lineage(ids["a"], depth=1_000, url=url)


def test_a_folder_answers_alike_and_the_tree_reads_well(tmp_path: Path) -> None:
    ids = chain(tmp_path)
    assert links(lineal.lineage("vision/1", url=tmp_path), ids) == (WHOLE - {("a:out/data.csv", "used", "c")}) | {
        ("top", "parent", "b")
    }
    told = CliRunner().invoke(command, ["lineage", "raw@2.1", "--folder", str(tmp_path)])
    assert told.exit_code == 0, told.output
    short = {name: value[:12] for name, value in ids.items()}
    a, b, c = (f"run {name} {short[name]} (digits, finished)" for name in "abc")
    size = Path(__file__).stat().st_size
    assert told.output.splitlines() == [
        "dataset raw@a1a1a1a1a1a1 (version 2.1)",
        "led to",
        f"└── used by for training: {a}",
        f"    └── made: artifact {short['a']}:out/data.csv (8 bytes)",
        f"        ├── same content as: dataset train@{short['digest']}",
        f"        │   └── used by: {b}",
        f"        │       └── made: artifact {short['b']}:{PATH} ({size:,} bytes)",
        "        │           └── in: model vision/1",
        f"        │               └── used by: {c}",
        f"        └── used by: {c}",
    ]
    up = CliRunner().invoke(command, ["lineage", ids["c"], "--up", "--depth", "1", "--folder", str(tmp_path)])
    assert up.output.splitlines() == [
        c,
        "came from",
        f"├── used: artifact {short['a']}:out/data.csv (8 bytes)",
        "└── used: model vision/1",
        "... and more: --depth and --limit show it; of a run's artifacts those that nothing refers to are cut short",
    ]
    gone = CliRunner().invoke(command, ["lineage", "nothing", "--folder", str(tmp_path)])
    assert gone.exit_code == 3
    alone = CliRunner().invoke(command, ["lineage", record(tmp_path, "z", []), "--folder", str(tmp_path)])
    assert "nothing led to it" in alone.output
