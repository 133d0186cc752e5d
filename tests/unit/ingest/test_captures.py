"""What journals say of an attempt's circumstances, as state: whole, bounded, searched."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lineal.ingest.apply import Context, apply
from lineal.model.entities import Stamp
from lineal.model.errors import Damaged
from lineal.model.limits import CAPTURE_MAX_BYTES
from lineal.record.codec import decode, encode
from lineal.record.kinds import CAPTURE_SET
from lineal.record.records import CaptureSet
from lineal.store import captures
from lineal.store.memory import MemoryStore


def told(record: CaptureSet, run_id: str | None = "r1") -> MemoryStore:
    store = MemoryStore()
    with store.begin() as transaction:
        apply(Context(transaction.tenant("default"), run_id), record, Stamp(5, "w", 1))
    return store


def test_a_content_comes_back_as_it_was_said_and_its_digest_knows_no_order_of_keys() -> None:
    one = {"b": {"y": math.inf, "x": [1.5, {"d": None, "c": 2**60}]}, "a": "é\0"}
    other = {"a": "é\0", "b": {"x": [1.5, {"c": 2**60, "d": None}], "y": math.inf}}
    captures = [
        told(CaptureSet("a1", "code", content)).tenant("default").list_captures("r1") for content in (one, other)
    ]
    assert [capture.content for [capture] in captures] == [one, one]
    assert len({capture.digest for [capture] in captures}) == 1
    assert captures[0][0].said_ms == 5


def test_what_is_too_large_is_damage_and_so_is_what_no_run_said() -> None:
    fits = {"x": "y" * (CAPTURE_MAX_BYTES - len('{"x":""}'))}
    told(CaptureSet("a1", "code", fits))
    for record, run_id in (
        (CaptureSet("a1", "code", {"x": "y" + fits["x"]}), "r1"),
        (CaptureSet("a1", "code", {"x": "é" * (CAPTURE_MAX_BYTES // 6)}), "r1"),
        (CaptureSet("a1", "code", {}), None),
    ):
        with pytest.raises(Damaged):
            told(record, run_id)


def test_more_parts_than_an_attempt_has_are_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "CAPTURE_PARTS_MAX_COUNT", 3)
    store = MemoryStore()
    with store.begin() as transaction:
        context = Context(transaction.tenant("default"), "r1")
        for seq, part in enumerate(["a", "b", "c", "a"], 1):
            apply(context, CaptureSet("a1", part, {}), Stamp(5, "w", seq))
        with pytest.raises(Damaged):
            apply(context, CaptureSet("a1", "d", {}), Stamp(5, "w", 9))
    assert [one.part for one in store.tenant("default").list_captures("r1")] == ["a", "b", "c"]


@pytest.mark.parametrize("payload", ['{"attempt":"a","part":"p","content":[1]}', '{"attempt":"a","content":{}}'])
def test_a_content_that_is_no_object_is_damage(payload: str) -> None:
    with pytest.raises(Damaged):
        decode(CAPTURE_SET, payload.encode())


def test_a_content_nested_too_deep_is_damage() -> None:
    content: dict[str, Any] = {}
    for _ in range(99):
        content = {"x": content}
    record = CaptureSet("a1", "code", content)
    assert decode(CAPTURE_SET, encode(record)) == record
    with pytest.raises(Damaged):
        decode(CAPTURE_SET, encode(CaptureSet("a1", "code", {"x": content})))


def test_no_content_is_an_empty_one() -> None:
    assert decode(CAPTURE_SET, encode(CaptureSet("a1", "code", {}))) == CaptureSet("a1", "code", {})
