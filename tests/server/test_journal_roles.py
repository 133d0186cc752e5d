"""A journal is no way around the roles: what only approvers may say is refused in it, whichever stream it stands in."""

from __future__ import annotations

from typing import Any

import pytest

from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import (
    AliasSet,
    ModelRenamed,
    ModelSet,
    ModelVersionCreated,
    ModelVersionSet,
    NoteSet,
    Record,
    RunLockSet,
    RunTagsSet,
    SegmentOpened,
    StageSet,
)
from tests.server.conftest import json_of
from tests.server.hosting import new_run
from tests.server.let_in import World

WRITER = "00000000000000a"
OCTETS = {"content-type": "application/octet-stream"}


def segment(run_id: str | None, *records: Record) -> bytes:
    opened = SegmentOpened("acme", run_id, WRITER, "attempt", primary=False, segment=1)
    frames = [encode_frame(opened, 0, 1), *(encode_frame(record, at, 1) for at, record in enumerate(records, 1))]
    return MAGIC + b"".join(frames)


@pytest.mark.parametrize("stream", ["-", "run"])
def test_a_writer_locks_nothing_by_a_journal(world: World, stream: str) -> None:
    acme = {"x-tenant-id": "acme"}
    with world.asking(token=world.token("writer")) as client:
        client.headers.update(acme)
        run_id, other = new_run(client), new_run(client)
        json_of(client.post(f"/experiments/runs/{run_id}/end"))
        said_of = None if stream == "-" else other
        place: dict[str, Any] = {
            "url": f"/journals/{said_of or '-'}/{WRITER}",
            "params": {"offset": 0, "segment": 1, "final": "true"},
            "headers": OCTETS,
        }
        harmless = NoteSet("hello") if said_of else RunTagsSet(run_id, {"a": "b"})
        bad = segment(said_of, harmless, RunLockSet(run_id, True))
        problem = json_of(client.post(content=bad, **place), 403)
        assert problem["code"] == "forbidden" and "approver" in problem["detail"] and "record 2" in problem["detail"]
        detail = json_of(client.get(f"/runs/{run_id}"))
        assert detail["locked"] is False and detail["tags"] == {}, "nothing of it is kept"
        assert json_of(client.get(f"/runs/{other}"))["note"] == ""
    with world.asking(token=world.token("approver")) as client:
        client.headers.update(acme)
        json_of(client.post(content=bad, **place))
        assert json_of(client.get(f"/runs/{run_id}"))["locked"] is True


def test_a_writer_registers_models_and_moves_none(world: World) -> None:
    made = ModelVersionCreated("1" * 32, "digits")
    refused: list[Record] = [
        StageSet("1" * 32, "production"),
        AliasSet("digits", "champion", "1" * 32),
        ModelSet("digits", lifecycle="deleted"),
        ModelVersionSet("1" * 32, lifecycle="deleted"),
    ]
    place: dict[str, Any] = {
        "url": f"/journals/-/{WRITER}",
        "params": {"offset": 0, "segment": 1, "final": "true"},
        "headers": {**OCTETS, "x-tenant-id": "acme"},
    }
    with world.asking(token=world.token("writer")) as client:
        for record in refused:
            json_of(client.post(content=segment(None, made, record), **place), 403)
        notes: list[Record] = [
            ModelSet("digits", "x", {"k": "v"}),
            ModelVersionSet("1" * 32, "y"),
            ModelRenamed("digits", "scans"),
        ]
        json_of(client.post(content=segment(None, made, *notes), **place))
