"""Signed heads: who may say them, and what a file of them may look like."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lineal.model.errors import InvalidInput
from lineal.store.contracts import ChainHead
from lineal.store.heads import SignedHead, head_bytes, read_heads, sign, signed

GOLDEN = Path(__file__).resolve().parents[3] / "spec" / "golden"
SEED = bytes(range(32))
HEAD = ChainHead("acmé", 7, "ab" * 32, 1_764_000_000_123)


def test_a_head_has_the_bytes_and_the_signature_of_the_specification() -> None:
    name = "acmé".encode()
    by_hand = b"LNLH\x01\0\0\0" + struct.pack("<Qq", 7, 1_764_000_000_123) + b"\xab" * 32
    assert head_bytes(HEAD) == by_hand + struct.pack("<I", len(name)) + name
    told = json.loads((GOLDEN / "audit-head.json").read_text(encoding="utf-8"))
    assert bytes.fromhex(told["bytes"]) == head_bytes(HEAD) and bytes.fromhex(told["seed"]) == SEED
    assert SignedHead(**told["head"]) == sign(HEAD, SEED)


def test_only_the_key_that_is_named_signs() -> None:
    good = sign(HEAD, SEED)
    assert signed(good) == "yes"
    assert signed(sign(HEAD, None)) == "no"
    for bad in (
        good._replace(number=8),
        good._replace(hash="ac" * 32),
        good._replace(tenant="acme"),
        good._replace(time_ms=1),
        good._replace(key=sign(HEAD, bytes(32)).key),
        good._replace(signature="00" * 64),
        good._replace(signature="00"),
        good._replace(signature="no hex"),
        good._replace(key="ab"),
        good._replace(number=-1),
        good._replace(hash="short"),
    ):
        assert signed(bad) == "forged", bad


def test_without_the_library_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    good = sign(HEAD, SEED)
    monkeypatch.setitem(sys.modules, "nacl.signing", None)
    assert signed(good) == "unknown" and sign(HEAD, None).signature is None


@dataclass
class File:
    text: str
    count: int


@pytest.mark.parametrize(
    "file",
    [
        File(json.dumps(HEAD._asdict()), 1),
        File(json.dumps([HEAD._asdict(), {**HEAD._asdict(), "more": 1}]), 2),
        File("\n".join(json.dumps(HEAD._asdict()) for _ in range(3)) + "\n", 3),
        File(json.dumps({"offset": 8, "head": sign(HEAD, SEED)._asdict()}), 1),
    ],
)
def test_files_of_heads(file: File) -> None:
    heads = read_heads(file.text)
    assert len(heads) == file.count and {head.head for head in heads} == {HEAD}


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "{}", "7", '{"head": null}', '{"tenant": 1}', '[{"number": 1}, 2]']
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_heads(text)
