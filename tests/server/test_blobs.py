"""Bytes by their digest: kept if they have it, once a tenant, and not there before they are whole."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import httpx

from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)

OCTETS = {"content-type": "application/octet-stream"}
CONTENT = random.Random(3).randbytes(3_000_001)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PATH = f"/blobs/{DIGEST}"


def test_they_are_there_once_they_were_put(hosted: httpx.Client) -> None:  # noqa: F811
    assert hosted.head(PATH).status_code == 404
    for _ in range(2):
        assert json_of(hosted.put(PATH, content=CONTENT, headers=OCTETS)) == {
            "digest": DIGEST,
            "size_bytes": len(CONTENT),
        }
    answer = hosted.head(PATH)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(CONTENT)), b"")
    assert hosted.get(PATH).content == CONTENT
    assert hosted.get(PATH, headers={"range": "bytes=3-5"}).content == CONTENT[3:6]


def test_other_bytes_are_refused_and_gone(hosted: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    assert json_of(hosted.put(PATH, content=CONTENT[:-1], headers=OCTETS), 400)["field"] == "body"
    assert hosted.head(PATH).status_code == 404
    own = (".audit-key", "audit-key", "swept", "sweep.lock")
    assert [
        path for path in (tmp_path / "srv" / "blobs").rglob("*") if path.is_file() and not path.name.startswith(own)
    ] == []


def test_an_address_that_is_no_digest(hosted: httpx.Client) -> None:  # noqa: F811
    for name in ("x", DIGEST.upper(), DIGEST[:-1], f"{DIGEST}0"):
        assert json_of(hosted.get(f"/blobs/{name}"), 400)["field"] == "digest"
        assert json_of(hosted.put(f"/blobs/{name}", content=b"", headers=OCTETS), 400)["field"] == "digest"


def test_tenants_do_not_share_them(hosted: httpx.Client, source: HostedSource) -> None:  # noqa: F811
    acme = {"X-Tenant-ID": "acme"}
    json_of(hosted.put(PATH, content=CONTENT, headers={**OCTETS, **acme}))
    assert hosted.head(PATH).status_code == 404 and hosted.head(PATH, headers=acme).status_code == 200
