"""An upload that breaks off goes on from there, is seen by nobody before it is whole, and costs nothing once it is forgotten."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from lineal.journal.layout import Folder
from lineal.journal.parts import Part
from lineal.model.errors import Busy
from lineal.model.limits import SWEEP_GRACE_S
from lineal.server.hosted import HostedSource
from lineal.server.leftovers import remove_leftovers
from tests.server.conftest import json_of
from tests.server.hosting import hosted, new_run, serving_store, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"
CONTENT = random.Random(5).randbytes(3_000_001)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PATH = f"/blobs/{DIGEST}"
MORE = {"upload-complete": "?0"}


def at(offset: int, **more: str) -> dict[str, str]:
    return {"content-type": "application/octet-stream", "upload-offset": str(offset), **more}


def files(place: Path) -> list[str]:
    return sorted(
        path.name
        for path in place.rglob("*")
        if path.is_file() and not path.name.startswith((".audit-key", "audit-key", "swept", "sweep.lock"))
    )


def kept(client: httpx.Client) -> int:
    answer = client.head(PATH)
    assert answer.status_code == 404
    return int(answer.headers.get("upload-offset", 0))


def break_off(client: httpx.Client, offset: int, count: int) -> None:
    """Sends that much of the rest, and is gone."""
    head = f"PUT /api/v1{PATH} HTTP/1.1\r\nHost: localhost:{client.base_url.port}\r\nUpload-Offset: {offset}\r\n"
    head += f"Content-Length: {len(CONTENT) - offset}\r\n\r\n"
    with socket.create_connection(("localhost", client.base_url.port or 0), timeout=30) as connection:
        connection.sendall(head.encode() + CONTENT[offset : offset + count])


def settled(client: httpx.Client, sent: int) -> int:
    """What is kept once the broken request has been let go of: what was on its way within the server is not (64 KiB at most)."""
    deadline = time.monotonic() + 30
    while True:
        offset = kept(client)
        if sent - 200_000 < offset <= sent and offset:
            probe = client.put(PATH, content=b"", headers=at(offset, **MORE))
            if probe.status_code == 202:
                return offset
            assert probe.status_code in (409, 503)
        assert time.monotonic() < deadline, offset
        time.sleep(0.01)


@pytest.mark.parametrize("seed", range(4))
def test_it_goes_on_wherever_it_broke(hosted: httpx.Client, seed: int, tmp_path: Path) -> None:  # noqa: F811
    chance = random.Random(seed)
    offset = 0
    for _ in range(3):
        count = chance.randrange(210_000, (len(CONTENT) - offset) // 2)
        break_off(hosted, offset, count)
        offset = settled(hosted, offset + count)
        assert hosted.get(PATH).status_code == 404 and files(tmp_path / "srv" / "blobs") == [f"part-{DIGEST}"]
    answer = hosted.put(PATH, content=CONTENT[offset:], headers=at(offset))
    assert json_of(answer) == {"digest": DIGEST, "size_bytes": len(CONTENT)}
    assert hosted.get(PATH).content == CONTENT and files(tmp_path / "srv" / "blobs") == [DIGEST]


def test_in_pieces_on_purpose(hosted: httpx.Client) -> None:  # noqa: F811
    for offset in range(0, 3_000_000, 1_000_000):
        answer = hosted.put(PATH, content=CONTENT[offset : offset + 1_000_000], headers=at(offset, **MORE))
        assert json_of(answer, 202)["size_bytes"] == offset + 1_000_000 == int(answer.headers["upload-offset"])
    wrong = hosted.put(PATH, content=b"x", headers=at(5))
    assert json_of(wrong, 409)["code"] == "offset" and wrong.headers["upload-offset"] == "3000000"
    json_of(hosted.put(PATH, content=CONTENT[3_000_000:], headers=at(3_000_000)))
    assert hosted.get(PATH).content == CONTENT


def test_other_bytes_are_found_out_at_the_end_and_are_gone(hosted: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    json_of(hosted.put(PATH, content=b"y" * 1_000, headers=at(0, **MORE)), 202)
    assert json_of(hosted.put(PATH, content=CONTENT[1_000:], headers=at(1_000)), 400)["field"] == "body"
    assert kept(hosted) == 0 and files(tmp_path / "srv" / "blobs") == []


def test_without_an_offset_it_begins_anew(hosted: httpx.Client) -> None:  # noqa: F811
    json_of(hosted.put(PATH, content=b"y" * 4_000_000, headers=at(0, **MORE)), 202)
    json_of(hosted.put(PATH, content=CONTENT, headers={"content-type": "application/octet-stream"}))
    assert hosted.get(PATH).content == CONTENT


@pytest.mark.parametrize("headers", [{"upload-offset": "-1"}, {"upload-offset": "1.0"}, {"upload-complete": "yes"}])
def test_words_that_are_none(hosted: httpx.Client, headers: dict[str, str]) -> None:  # noqa: F811
    assert json_of(hosted.put(PATH, content=b"x", headers=headers), 400)["field"].startswith("Upload-")


def test_two_at_once_do_not_mix(hosted: httpx.Client, source: HostedSource) -> None:  # noqa: F811
    part = source.part("default", DIGEST)
    answer = hosted.put(PATH, content=CONTENT, headers=at(0))
    assert json_of(answer, 503)["code"] == "busy" and answer.headers["retry-after"] == "1"
    part.close()
    json_of(hosted.put(PATH, content=CONTENT, headers=at(0)))


def test_a_part_is_one_tenants(hosted: httpx.Client) -> None:  # noqa: F811
    json_of(hosted.put(PATH, content=CONTENT[:10], headers=at(0, **MORE, **{"x-tenant-id": "acme"})), 202)
    assert kept(hosted) == 0
    assert hosted.head(PATH, headers={"x-tenant-id": "acme"}).headers["upload-offset"] == "10"


def test_a_killed_server_goes_on_too(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv") as served:
        head = f"PUT /api/v1{PATH} HTTP/1.1\r\nHost: localhost:{served.client.base_url.port}\r\n"
        head += f"Content-Length: {len(CONTENT)}\r\n\r\n"
        with socket.create_connection(("localhost", served.client.base_url.port or 0), timeout=30) as connection:
            connection.sendall(head.encode() + CONTENT[:2_500_000])
            while kept(served.client) < 1_000_000:
                time.sleep(0.01)
            served.process.kill()
            served.process.wait(30)
    with serving_store(tmp_path / "srv") as served:
        offset = kept(served.client)
        assert offset >= 1_000_000
        json_of(served.client.put(PATH, content=CONTENT[offset:], headers=at(offset)))
        assert served.client.get(PATH).content == CONTENT


def test_what_is_uploaded_so_becomes_an_artifact(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    form = {"artifact_path": (None, "models/m.pt"), "digest": (None, DIGEST)}
    assert json_of(hosted.post(f"{run}/log-artifact", files=form), 404)["field"] == "digest"
    json_of(hosted.put(PATH, content=CONTENT, headers=at(0)))
    artifact = json_of(hosted.post(f"{run}/log-artifact", files=form))["artifact"]
    assert (artifact["path"], artifact["digest"], artifact["size_bytes"]) == ("models/m.pt", DIGEST, len(CONTENT))
    assert hosted.get(f"{run}/artifacts/models/m.pt").content == CONTENT
    for wrong in (
        {"digest": (None, "x")},
        {"digest": (None, DIGEST)},
        {"digest": (None, DIGEST), "artifact_path": (None, "../x")},
    ):
        assert hosted.post(f"{run}/log-artifact", files=wrong).status_code == 400


def test_two_uploads_of_one_path_are_two_versions(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    contents = [random.Random(number).randbytes(400_000) for number in range(6)]

    def log(content: bytes) -> None:
        json_of(hosted.post(f"{run}/log-artifact", files={"file": ("a", content)}))

    threads = [threading.Thread(target=log, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    listed = json_of(hosted.get(f"{run}/artifacts"))["artifacts"]
    assert sorted(one["version"] for one in listed) == [1, 2, 3, 4, 5, 6]
    found = {hosted.get(f"{run}/artifacts/a", params={"version": number}).content for number in range(1, 7)}
    assert found == set(contents)


def test_parts_that_nobody_goes_on_with_are_forgotten(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.blobs = folder.root
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    for digest in digests:
        part = Part(folder, "default", digest)
        part.write([b"x"])
        part.close()
    old = time.time() - SWEEP_GRACE_S - 60
    for digest in digests[:2]:
        os.utime(tmp_path / "default" / f"part-{digest}", (old, old))
    held = Part(folder, "default", digests[0])
    with pytest.raises(Busy):
        Part(folder, "default", digests[0])
    assert remove_leftovers(folder, time.time() - SWEEP_GRACE_S) == 1
    held.close()
    assert files(tmp_path) == sorted(f"part-{digest}" for digest in (digests[0], digests[2]))
    assert remove_leftovers(folder, time.time() - SWEEP_GRACE_S) == 1
