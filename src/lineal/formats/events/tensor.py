"""TensorProto (tensorflow/core/framework/tensor.proto), as far as summaries use it: numbers and texts."""

from __future__ import annotations

import math
from typing import NamedTuple

from lineal.formats.events.wire import (
    FIXED32,
    NotProtobuf,
    bytes_of,
    doubles_of,
    fields,
    float_of,
    int64_of,
    unpacked,
    varints_of,
)
from lineal.model.limits import TENSOR_NUMBERS_MAX_COUNT

# Numbers of types.proto: how their bytes in tensor_content are unpacked.
_FORMS = {
    1: "<f",
    2: "<d",
    3: "<i",
    4: "<B",
    5: "<h",
    6: "<b",
    9: "<q",
    10: "<?",
    17: "<H",
    19: "<e",
    22: "<I",
    23: "<Q",
}
_STRING, _BFLOAT16, _HALF = 7, 14, 19


class Tensor(NamedTuple):
    """`numbers` or `texts` in row order, one for each place of `shape`; both empty for a type that is not read."""

    shape: tuple[int, ...]
    numbers: tuple[float, ...] = ()
    texts: tuple[bytes, ...] = ()


def read_tensor(data: bytes) -> Tensor:
    """Raises NotProtobuf."""
    kind, content = 0, b""
    shape: tuple[int, ...] = ()
    numbers: list[float] = []
    texts: list[bytes] = []
    for number, wire, value in fields(data):
        if number == 1:
            kind = int64_of(value)
        elif number == 2:
            shape = _shape(bytes_of(value))
        elif number == 4:
            content = bytes_of(value)
        elif number == 5:
            numbers += (float_of(value),) if wire == FIXED32 else unpacked("<f", bytes_of(value))
        elif number == 6:
            numbers += doubles_of(wire, value)
        elif number in (7, 10, 11, 13, 16, 17):
            numbers += varints_of(wire, value)
        elif number == 8:
            texts.append(bytes_of(value))
    if kind == _STRING:
        return Tensor(shape, texts=tuple(texts))
    if kind == _BFLOAT16:
        bits = list(unpacked("<H", content)) if content else numbers
        return Tensor(shape, _whole(shape, [float_of((int(one) << 16).to_bytes(4, "little")) for one in bits]))
    if kind not in _FORMS:
        return Tensor(shape)
    if content:
        numbers = list(unpacked(_FORMS[kind], content))
    elif kind == _HALF:
        numbers = [unpacked("<e", int(one).to_bytes(2, "little"))[0] for one in numbers]
    return Tensor(shape, _whole(shape, numbers))


def _whole(shape: tuple[int, ...], numbers: list[float]) -> tuple[float, ...]:
    """The last number stands for all that are left out after it."""
    count = math.prod(shape)
    if not 0 <= count <= TENSOR_NUMBERS_MAX_COUNT or len(numbers) > count:
        raise NotProtobuf("a tensor's shape and its numbers contradict each other")
    return (*numbers, *[numbers[-1] if numbers else 0.0] * (count - len(numbers)))


def _shape(data: bytes) -> tuple[int, ...]:
    sizes = []
    for number, _, value in fields(data):
        if number == 2:
            sizes.append(sum(int64_of(size) for field, _, size in fields(bytes_of(value)) if field == 1))
    return tuple(sizes)
