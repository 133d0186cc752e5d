"""Files of runs: whole, by ranges, and never as part of the page's own origin."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

import lineal
from lineal.server.routes.artifacts import CSP
from tests.server.conftest import json_of

BYTES = bytes(range(256)) * 2_000


@pytest.fixture
def run_id(folder: Path, tmp_path: Path) -> str:
    (tmp_path / "model.bin").write_bytes(BYTES)
    with lineal.init(experiment="files", url=folder) as run:
        run.log_artifact(tmp_path / "model.bin", "models")
        run.log_text("<script>alert(1)</script>", "page.html")
        run.log_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "picture.svg")
        run.log_text("# one", "notes.md")
        run.log_text("# two", "notes.md")
        run.log_text("", "empty.txt")
        run.log_text("odd", 'a/ü"\r\nx: y;.txt')
        run.log_dict({"a": 1}, "config.json")
    return run.run_id


def at(run_id: str, path: str = "") -> str:
    return f"/api/v1/experiments/runs/{run_id}/artifacts{f'/{path}' if path else ''}"


def test_the_listing_has_every_version(client: httpx.Client, run_id: str) -> None:
    listed = json_of(client.get(at(run_id)))["artifacts"]
    assert [(one["path"], one["version"]) for one in listed if one["path"] == "notes.md"] == [
        ("notes.md", 1),
        ("notes.md", 2),
    ]
    [model] = [one for one in listed if one["path"] == "models/model.bin"]
    assert model["size_bytes"] == len(BYTES) and model["digest"] == hashlib.sha256(BYTES).hexdigest()


def test_bytes_come_back_as_they_were(client: httpx.Client, run_id: str) -> None:
    answer = client.get(at(run_id, "models/model.bin"))
    assert answer.content == BYTES
    assert answer.headers["etag"] == f'"{hashlib.sha256(BYTES).hexdigest()}"'
    assert client.get(at(run_id, "notes.md")).text == "# two"
    assert client.get(at(run_id, "notes.md?version=1")).text == "# one"
    assert client.get(at(run_id, "empty.txt")).content == b""
    assert client.head(at(run_id, "models/model.bin")).headers["content-length"] == str(len(BYTES))


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-299999", slice(100, 300_000)),
        ("bytes=511000-", slice(511_000, None)),
        ("bytes=511999-999999999", slice(511_999, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=-999999999", slice(0, None)),
    ],
)
def test_one_range(client: httpx.Client, run_id: str, asked: str, part: slice) -> None:
    answer = client.get(at(run_id, "models/model.bin"), headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == BYTES[part]
    first, last, _ = part.indices(len(BYTES))
    assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{len(BYTES)}"


@pytest.mark.parametrize("asked", ["bytes=512000-", "bytes=9999999-99999999", "bytes=5-4", "bytes=-0"])
def test_a_range_beyond_the_end(client: httpx.Client, run_id: str, asked: str) -> None:
    answer = client.get(at(run_id, "models/model.bin"), headers={"range": asked})
    assert json_of(answer, 416)["code"] == "range"
    assert answer.headers["content-range"] == f"bytes */{len(BYTES)}"
    assert client.get(at(run_id, "empty.txt"), headers={"range": "bytes=0-"}).status_code == 416


@pytest.mark.parametrize(
    "asked",
    [f"bytes={','.join(['0-1'] * 10_000)}", "bytes=0-1,5-6", "bytes=a-b", "lines=1-2", "bytes=" + "9" * 40 + "-"],
)
def test_what_is_not_one_range_is_answered_with_the_whole(client: httpx.Client, run_id: str, asked: str) -> None:
    answer = client.get(at(run_id, "models/model.bin"), headers={"range": asked})
    assert answer.status_code == 200 and answer.content == BYTES


def test_what_is_there_already_is_not_sent_again(client: httpx.Client, run_id: str) -> None:
    tag = f'"{hashlib.sha256(BYTES).hexdigest()}"'
    path = at(run_id, "models/model.bin")
    for known in (tag, f'"x", W/{tag}', "*"):
        answer = client.get(path, headers={"if-none-match": known})
        assert answer.status_code == 304 and answer.content == b"" and answer.headers["etag"] == tag
    assert client.get(path, headers={"range": "bytes=0-1", "if-range": '"another"'}).content == BYTES
    assert client.get(path, headers={"range": "bytes=0-1", "if-range": tag}).content == BYTES[:2]


@pytest.mark.parametrize("path", ["page.html", "picture.svg", "models/model.bin", "notes.md", "config.json"])
@pytest.mark.parametrize("query", ["", "?inline=true"])
def test_nothing_of_a_file_runs_in_the_pages_origin(client: httpx.Client, run_id: str, path: str, query: str) -> None:
    headers = client.get(at(run_id, path) + query).headers
    assert headers["content-security-policy"] == CSP and CSP.startswith("sandbox;")
    assert "allow-" not in CSP and "script-src" not in CSP and "default-src 'none'" in CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    shown = {"picture.svg": "image/svg+xml", "notes.md": "text/plain; charset=utf-8", "config.json": "application/json"}
    if query and path in shown:
        assert headers["content-type"] == shown[path]
        assert headers["content-disposition"].startswith("inline;")
    else:
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment;")


def test_a_name_stays_within_its_header(client: httpx.Client, run_id: str) -> None:
    odd = next(one["path"] for one in json_of(client.get(at(run_id)))["artifacts"] if one["path"].startswith("a/"))
    answer = client.get(at(run_id, quote(odd)))
    assert answer.text == "odd"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BC%22%0D%0Ax%3A%20y%3B.txt"
    assert "x" not in answer.headers


def test_a_reference_has_no_bytes_here(client: httpx.Client, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "outside.txt"
    secret.write_text("not yours", encoding="utf-8")
    with lineal.init(url=folder) as run:
        run.log_artifact(secret, mode="reference")
    [listed] = json_of(client.get(at(run.run_id)))["artifacts"]
    answer = client.get(at(run.run_id, listed["path"]))
    assert json_of(answer, 404)["field"] == "path" and "not yours" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252fetc%252fpasswd",
        "..%5c..%5cetc%5cpasswd",
        ";/../../etc/passwd",
        "%00",
        "notes.md%00.png",
        "%2fetc%2fpasswd",
        "file:%2f%2f%2fetc%2fpasswd",
        "notes.md%23",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_a_path_is_only_ever_a_name(client: httpx.Client, run_id: str, path: str) -> None:
    for base in (at(run_id), "/assets", "", f"/api/v1/runs/{run_id}/documents"):
        answer = client.get(f"{base}/{path}")
        assert b"root:" not in answer.content
        if base and not base.startswith("/assets") and path.startswith(("..%", "%2", ";", "%00", "notes", "file")):
            assert answer.status_code == 404, (base, path)
