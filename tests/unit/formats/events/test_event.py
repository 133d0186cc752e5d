"""Forms that the golden files do not have; and bytes that are no message."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from lineal.formats.events.event import EventReader, Other
from lineal.formats.events.frames import RecordFile
from lineal.formats.events.hparams import HParams, read_hparams
from lineal.formats.events.tensor import read_tensor
from lineal.formats.events.wire import NotProtobuf

GOLDEN = Path(__file__).parent / "golden"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value % 2**64)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(kind: int, *sizes: int, **content: bytes) -> bytes:
    shape = b"".join(field(2, field(1, size)) for size in sizes)
    return field(1, kind) + field(2, shape) + b"".join(content.values())


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (tensor(1, 2, content=field(4, struct.pack("<2f", 0.5, -1))), (0.5, -1)),
        (tensor(2, 2, content=field(6, struct.pack("<2d", 0.1, 7))), (0.1, 7)),
        (tensor(2, 1, content=varint(6 << 3 | 1) + struct.pack("<d", 0.1)), (0.1,)),
        (tensor(1, 1, content=varint(5 << 3 | 5) + struct.pack("<f", 0.25)), (0.25,)),
        (tensor(3, 3, content=field(7, varint(5) + varint(2**64 - 6))), (5, -6, -6)),
        (tensor(9, content=field(10, -(2**63))), (-(2**63),)),
        (tensor(10, 2, content=field(4, b"\1\0")), (True, False)),
        (tensor(19, 2, content=field(4, struct.pack("<2e", 1.5, -2))), (1.5, -2)),
        (tensor(19, 1, content=field(13, varint(0x3E00))), (1.5,)),
        (tensor(14, 1, content=field(4, b"\xc0\x3f")), (1.5,)),
        (tensor(14, 1, content=field(13, varint(0x3FC0))), (1.5,)),
        (tensor(8, 1, content=field(4, bytes(8))), ()),
    ],
    ids=[
        "float",
        "doubles",
        "double",
        "one-float",
        "int32",
        "int64",
        "bool",
        "half",
        "half-val",
        "bfloat16",
        "bfloat16-val",
        "complex",
    ],
)
def test_tensors(data: bytes, numbers: tuple[float, ...]) -> None:
    assert read_tensor(data).numbers == numbers


def test_a_tensor_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(NotProtobuf):
        read_tensor(tensor(1, 2**31, 2**31, content=field(4, bytes(4))))
    with pytest.raises(NotProtobuf):
        read_tensor(tensor(1, 1, content=field(4, bytes(8))))


def test_what_is_not_read_is_named() -> None:
    metadata = field(9, field(1, field(1, b"pr_curves")))
    value = field(1, b"curve") + metadata + field(8, tensor(1, 1, content=field(4, bytes(4))))
    graph = field(4, b"graph")
    assert EventReader().read(field(5, field(1, value)) + graph).said == (
        Other("curve", "pr_curves"),
        Other("", "graph"),
    )


def test_hparams_of_every_kind() -> None:
    def of(name: bytes, value: bytes) -> bytes:
        return field(1, field(1, name) + field(2, value))

    double = varint(2 << 3 | 1)
    listed = field(6, field(1, field(3, b"a")) + field(1, field(4, 1)))
    content = field(
        3,
        of(b"half", double + struct.pack("<d", 0.5))
        + of(b"units", double + struct.pack("<d", 64))
        + of(b"huge", double + struct.pack("<d", 1e300))
        + of(b"nothing", field(1, 0))
        + of(b"several", listed)
        + field(4, b"group"),
    )
    wanted = {"half": 0.5, "units": 64, "huge": 1e300, "nothing": None, "several": ["a", True]}
    found = read_hparams(content)
    assert found == HParams(wanted, "group")
    assert isinstance(found, HParams)
    assert type(found.params["units"]) is int
    assert read_hparams(field(2, b"")) is None


@pytest.mark.parametrize(
    "data", [b"\xff" * 11, b"\x80", b"\x0a\x05a", b"\x0b", field(5, field(1, field(5, b"\x09"))), field(1, 3)]
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(NotProtobuf):
        EventReader().read(data)


def test_whatever_a_bit_does_nothing_else_is_raised() -> None:
    dice = random.Random(9)
    records = [record for name in ("tensorboard", "tensorboardX", "hparams") for record in _records(name)]
    for record in dice.sample(records, 60):
        for _ in range(20):
            hurt = bytearray(record)
            hurt[dice.randrange(len(hurt))] = dice.randrange(256)
            try:
                EventReader().read(bytes(hurt))
            except NotProtobuf:
                pass


def _records(name: str) -> list[bytes]:
    return list(RecordFile(GOLDEN / f"{name}.tfevents").read_new())
