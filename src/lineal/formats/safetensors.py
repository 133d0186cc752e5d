"""Safetensors, read and written: a length, a JSON header, and the arrays' bytes (README of huggingface/safetensors, "Format").

There is nothing in it that could be run, which is why a model's weights are kept so."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from lineal.model.errors import Damaged, InvalidInput
from lineal.model.limits import SAFETENSORS_HEADER_MAX_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

# Names in the header, largest numbers first: written in this order every array begins where its type may.
_SIZES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "C64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
_NUMPY = {
    "float64": "F64",
    "int64": "I64",
    "uint64": "U64",
    "complex64": "C64",
    "float32": "F32",
    "int32": "I32",
    "uint32": "U32",
    "float16": "F16",
    "int16": "I16",
    "uint16": "U16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
    # of ml_dtypes, as jax has them
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}
_TORCH_ONLY = ("BF16", "F8_E4M3", "F8_E5M2")
_FROM_TORCH = "pt"


class _Tensor(NamedTuple):
    kind: str
    shape: list[int]
    content: memoryview


class Arrays(dict[str, Any]):
    """The arrays of a model by name: a dict that weak references can point at."""


def is_tensor(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "data_ptr")


def write(arrays: Mapping[str, Any], file: IO[bytes]) -> None:
    """numpy arrays, torch tensors, or what numpy takes for an array. Raises InvalidInput that names the one that cannot be kept."""
    if sys.byteorder != "little":  # pragma: no cover - no such machine is tested
        raise InvalidInput("safetensors are written on little-endian machines only", field="model")
    tensors = {name: _tensor(name, value) for name, value in arrays.items()}
    order = sorted(tensors, key=lambda name: (-_SIZES[tensors[name].kind], name))
    header: dict[str, Any] = {}
    if any(is_tensor(value) for value in arrays.values()):
        header["__metadata__"] = {"format": _FROM_TORCH}
    at = 0
    for name in order:
        kind, shape, content = tensors[name]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + content.nbytes]}
        at += content.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > SAFETENSORS_HEADER_MAX_BYTES:
        raise InvalidInput("the names of the arrays are too long for the safetensors format", field="model")
    file.write(len(text).to_bytes(8, "little") + text)
    for name in order:
        file.write(tensors[name].content)


def _tensor(name: str, value: Any) -> _Tensor:
    if name == "__metadata__":
        raise InvalidInput("safetensors keep no array of the name '__metadata__'", field="model")
    import numpy as np

    shape = [int(count) for count in getattr(value, "shape", ())]
    if is_tensor(value):
        import torch

        flat = value.detach().cpu().contiguous().reshape(-1)
        kind = {torch.bfloat16: "BF16", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"}.get(flat.dtype)
        content = flat.view(torch.uint8).numpy()
        kind = kind or _NUMPY.get(str(flat.dtype).removeprefix("torch."))
        said = str(flat.dtype)
    else:
        array = np.asarray(value)
        shape = list(array.shape)
        kind, said = _NUMPY.get(array.dtype.name), array.dtype.name
        if kind is not None:
            little = array if array.dtype.byteorder != ">" else array.astype(array.dtype.newbyteorder("<"))
            content = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
    if kind is None:
        raise InvalidInput(f"array {name!r:.80} holds {said}, which safetensors do not", field="model")
    return _Tensor(kind, shape, memoryview(content))


def read(content: bytes | bytearray) -> Arrays:
    """The arrays, without copying them: they are writable if `content` is. Torch tensors if the model came from torch and torch
    is there, else numpy arrays. Raises Damaged for other bytes, InvalidInput where a type needs torch."""
    header = _header(content)
    metadata = header.pop("__metadata__", {})
    from_torch = isinstance(metadata, dict) and metadata.get("format") == _FROM_TORCH
    start = 8 + int.from_bytes(content[:8], "little")
    places = {name: _place(name, said, len(content) - start) for name, said in header.items()}
    if from_torch and (torch := _torch()) is not None:
        return Arrays({name: _torch_tensor(torch, content, start, place) for name, place in places.items()})
    return Arrays({name: _numpy_array(name, content, start, place) for name, place in places.items()})


class _Place(NamedTuple):
    kind: str
    shape: tuple[int, ...]
    begin: int
    item_count: int


def _header(content: bytes | bytearray) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= min(len(content) - 8, SAFETENSORS_HEADER_MAX_BYTES):
        raise Damaged("these are no safetensors: the header's length is wrong")
    try:
        said = json.loads(bytes(content[8 : 8 + length]))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Damaged("these are no safetensors: the header is no JSON object")
    return said


def _place(name: str, said: Any, size: int) -> _Place:
    """Where an array lies. Everything is checked: the header may have been written by anybody."""
    try:
        kind, shape, (begin, end) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
        good = all(type(number) is int and number >= 0 for number in (*shape, begin, end)) and kind in _SIZES
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise Damaged(f"safetensors: array {name!r:.80} is described as {said!r:.120}, which this release cannot read")
    count = 1
    for extent in shape:
        count *= extent
    if end > size or end - begin != count * _SIZES[kind]:
        raise Damaged(f"safetensors: array {name!r:.80} lies beyond the file, or has another size than its shape")
    return _Place(kind, shape, begin, count)


def _numpy_array(name: str, content: bytes | bytearray, start: int, place: _Place) -> npt.NDArray[Any]:
    import numpy as np

    if place.kind in _TORCH_ONLY:
        raise InvalidInput(
            f"array {name!r:.80} is of type {place.kind}, which numpy lacks: install torch", field="model"
        )
    dtype = next(np.dtype(known) for known, kind in _NUMPY.items() if kind == place.kind).newbyteorder("<")
    if not place.item_count:
        return np.zeros(place.shape, dtype)
    return np.frombuffer(content, dtype, place.item_count, start + place.begin).reshape(place.shape)


def _torch_tensor(torch: Any, content: bytes | bytearray, start: int, place: _Place) -> Any:
    own = {"BF16": torch.bfloat16, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}
    dtype = own.get(place.kind) or next(getattr(torch, known) for known, kind in _NUMPY.items() if kind == place.kind)
    if not place.item_count:
        return torch.zeros(place.shape, dtype=dtype)
    return torch.frombuffer(content, dtype=dtype, count=place.item_count, offset=start + place.begin).reshape(
        place.shape
    )


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        return None
    return torch
