"""Files by the wire: whole or not there, by their digest, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lineal.server.form import Parser, Part
from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of
from tests.server.hosting import hosted, new_run, serving_store, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"


def drafts(place: Path) -> list[Path]:
    return [
        path
        for path in place.rglob("*")
        if path.is_file() and not path.name.startswith((".audit-key", "audit-key", "swept", "sweep.lock"))
    ]


def test_a_file_comes_back_as_it_was_sent(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    content = random.Random(1).randbytes(3_000_000) + b"\r\n--\r\n--x"
    form = {"artifact_path": "models"}
    said = json_of(hosted.post(f"{run}/log-artifact", files={"file": ("m.pt", content)}, data=form))
    digest = hashlib.sha256(content).hexdigest()
    assert said["message"] == "Artifact logged"
    assert said["artifact"] == json_of(hosted.get(f"{run}/artifacts"))["artifacts"][0]
    assert (said["artifact"]["path"], said["artifact"]["digest"]) == ("models/m.pt", digest)
    answer = hosted.get(f"{run}/artifacts/models/m.pt")
    assert answer.content == content and answer.headers["etag"] == f'"{digest}"'
    assert hosted.get(f"{run}/artifacts/models/m.pt", headers={"range": "bytes=5-9"}).content == content[5:10]


def test_other_bytes_are_the_next_version_and_the_same_are_none(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    versions = []
    for content in (b"one", b"one", b"two", b""):
        said = json_of(hosted.post(f"{run}/log-artifact", files={"file": ("a.txt", content)}))
        versions.append(said["artifact"]["version"])
    assert versions == [1, 1, 2, 3]
    assert [one["version"] for one in json_of(hosted.get(f"{run}/artifacts"))["artifacts"]] == [1, 2, 3]
    assert hosted.get(f"{run}/artifacts/a.txt", params={"version": 2}).content == b"two"
    assert hosted.get(f"{run}/artifacts/a.txt").content == b""


def test_a_key_keeps_an_artifact_from_being_logged_twice(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    key = {"Idempotency-Key": "k"}
    post = f"{run}/log-artifact"
    first = json_of(hosted.post(post, files={"file": ("a", b"one")}, headers=key))
    json_of(hosted.post(post, files={"file": ("a", b"two")}))
    assert json_of(hosted.post(post, files={"file": ("a", b"one")}, headers=key)) == first
    assert json_of(hosted.post(post, files={"file": ("a", b"other")}, headers=key), 409)["field"] == "Idempotency-Key"
    assert len(json_of(hosted.get(f"{run}/artifacts"))["artifacts"]) == 2


@pytest.mark.parametrize(
    ("folder", "name"),
    [("../..", "x"), ("a/../../b", "x"), ("..\\..", "x"), ("a\0b", "x"), ("x" * 2_000, "x"), ("a", "..")],
)
def test_a_path_that_leads_outside_is_refused(
    hosted: httpx.Client,  # noqa: F811
    tmp_path: Path,
    folder: str,
    name: str,
) -> None:
    run = f"{RUN}/{new_run(hosted)}"
    answer = hosted.post(f"{run}/log-artifact", files={"file": (name, b"x")}, data={"artifact_path": folder})
    assert json_of(answer, 400)["field"] == "artifact_path"
    assert json_of(hosted.get(f"{run}/artifacts"))["artifacts"] == []
    assert not (tmp_path / "x").exists()


def test_forms_that_are_none(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}/log-artifact"
    assert json_of(hosted.post(run, json={"file": "x"}), 415)["code"] == "media_type"
    assert json_of(hosted.post(run, files={"other": ("a", b"x")}), 400)["field"] == "file"
    twice = [("file", ("a", b"x")), ("file", ("b", b"y"))]
    assert json_of(hosted.post(run, files=twice), 400)["field"] == "file"
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for body in (b"", b"--b\r\n", b"--b--\r\n", b"--b\r\nno: name\r\n\r\nx\r\n--b--\r\n", b"--b\r\n" + b"h" * 20_000):
        json_of(hosted.post(run, content=body, headers=kind), 400)


def test_an_upload_that_breaks_off_leaves_nothing(hosted: httpx.Client, source: HostedSource, tmp_path: Path) -> None:  # noqa: F811
    run_id = new_run(hosted)
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    with socket.create_connection(("localhost", hosted.base_url.port or 0)) as connection:
        request = f"POST /api/v1/experiments/runs/{run_id}/log-artifact HTTP/1.1\r\nHost: localhost:{hosted.base_url.port}\r\n"
        request += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
        connection.sendall(request.encode() + head + bytes(3_000_000))
        while not drafts(tmp_path / "srv" / "blobs"):
            time.sleep(0.01)
    until = time.monotonic() + 30
    while drafts(tmp_path / "srv" / "blobs") and time.monotonic() < until:
        time.sleep(0.01)
    assert json_of(hosted.get(f"{RUN}/{run_id}/artifacts"))["artifacts"] == []
    assert not drafts(tmp_path / "srv" / "blobs")


@pytest.mark.parametrize("content", [b"", b"x", b"\r\n--b", b"\r\n--\r\n", b"--b--", bytes(range(256)) * 9])
def test_a_form_cut_anywhere_is_the_same_form(content: bytes) -> None:
    body = (
        b'pre\r\n--bound\r\nContent-Disposition: form-data; name="artifact_path"\r\n\r\nmodels\r\n'
        b'--bound\r\nContent-Disposition: form-data; name="file"; filename="a \\"q\\".txt"\r\nContent-Type: text/plain\r\n\r\n'
        + content
        + b"\r\n--bound--\r\nafter"
    )

    def read(pieces: list[bytes]) -> list[tuple[Part, bytes]]:
        parser = Parser(b"bound")
        found: list[tuple[Part, bytes]] = []
        for piece in pieces:
            for one in parser.feed(piece):
                if isinstance(one, Part):
                    found.append((one, b""))
                else:
                    found[-1] = (found[-1][0], found[-1][1] + one)
        assert parser.is_complete
        return found

    whole = read([body])
    assert whole == [
        (Part("artifact_path", None, None), b"models"),
        (Part("file", 'a "q".txt', "text/plain"), content),
    ]
    for cut in range(1, len(body)):
        assert read([body[:cut], body[cut:]]) == whole
    assert read([body[at : at + 1] for at in range(len(body))]) == whole


@pytest.mark.parametrize("seed", range(6))
def test_content_that_nearly_is_a_boundary_stays_content(seed: int) -> None:
    chance = random.Random(seed)
    boundary = b"bound" * chance.choice((1, 13))
    near = b"\r\n--" + boundary
    content = b"".join(
        chance.choice(
            (near[: chance.randrange(len(near))], b"\r", b"\n", b"\r\r\n--", chance.randbytes(chance.randrange(200)))
        )
        for _ in range(3_000)
    )
    while near in content:  # by chance
        content = content.replace(near, b"")
    head = b"--" + boundary + b'\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + content + near + b"--\r\n"
    parser, found, at = Parser(boundary), b"", 0
    while at < len(body):
        size = chance.choice((1, 5, 70, 5_000, 60_000))
        found += b"".join(one for one in parser.feed(body[at : at + size]) if not isinstance(one, Part))
        at += size
    assert parser.is_complete and found == content


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_large_file_does_not_pass_through_memory(tmp_path: Path) -> None:
    size = 200 * 1024 * 1024
    with serving_store(tmp_path / "srv") as served:
        run = f"{RUN}/{new_run(served.client)}"
        large = tmp_path / "large"
        with open(large, "wb") as file:
            file.write(os.urandom(1024 * 1024) * (size // (1024 * 1024)))
        before = peak_mib(served.process.pid)
        with open(large, "rb") as file:
            said = json_of(served.client.post(f"{run}/log-artifact", files={"file": ("large", file)}, timeout=120))
        assert said["artifact"]["size_bytes"] == size
        with served.client.stream("GET", f"{run}/artifacts/large", timeout=120) as answer:
            assert sum(len(piece) for piece in answer.iter_raw()) == size
        assert peak_mib(served.process.pid) - before < 64


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@pytest.mark.parametrize(
    ("disposition", "file_name"),
    [
        ("form-data; name=file; filename=a.txt; filename*=utf-8''%C3%A4.txt", "ä.txt"),  # as .NET writes it
        ("form-data;name=file;filename=a.txt", "a.txt"),
        ('Form-Data; Filename="x; name=b.txt"; Name="file"', "x; name=b.txt"),
        ('form-data; name="file"; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ('form-data; name="file"; filename="say %22hi%22.txt"', 'say "hi".txt'),
    ],
)
def test_forms_of_other_libraries(hosted: httpx.Client, disposition: str, file_name: str) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    body = f"--B\r\nContent-Disposition: {disposition}\r\n\r\nhello\r\n--B--\r\n".encode()
    answer = hosted.post(
        f"{run}/log-artifact", content=body, headers={"content-type": "multipart/form-data; boundary=B"}
    )
    assert json_of(answer)["artifact"]["path"] == file_name


def test_head_reads_nothing_and_begins_no_stream(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = f"{RUN}/{new_run(hosted)}"
    json_of(hosted.post(f"{run}/log-artifact", files={"file": ("a", b"hello")}))

    opened: list[str] = []

    def watched(path: str, first: int, length: int) -> Iterator[bytes]:
        opened.append(path)
        yield b"x" * length

    monkeypatch.setattr("lineal.server.blob_response.read_chunks", watched)
    answer = hosted.head(f"{run}/artifacts/a", headers={"range": "bytes=1-3"})
    assert (answer.status_code, answer.headers["content-length"], answer.headers["content-range"]) == (
        206,
        "3",
        "bytes 1-3/5",
    )
    assert hosted.head("/live").headers["content-type"].startswith("text/event-stream")
    assert not opened


@pytest.mark.parametrize("left", [0, 300_000])
def test_bytes_that_are_lost_on_the_disk_break_the_answer_off(hosted: httpx.Client, tmp_path: Path, left: int) -> None:  # noqa: F811
    """The head has promised more: a client must not take a part for the whole."""
    run = f"{RUN}/{new_run(hosted)}"
    content = random.Random(1).randbytes(1_000_000)
    json_of(hosted.post(f"{run}/log-artifact", files={"file": ("a", content)}))
    [blob] = [path for path in drafts(tmp_path / "srv" / "blobs") if path.stat().st_size == len(content)]
    blob.chmod(0o600)
    os.truncate(blob, left)
    with pytest.raises(httpx.RemoteProtocolError):
        hosted.get(f"{run}/artifacts/a")
    assert json_of(hosted.get(f"{run}/artifacts"))["artifacts"][0]["size_bytes"] == len(content)
