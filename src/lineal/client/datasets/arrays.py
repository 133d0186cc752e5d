"""Arrays of numpy and torch, and collections of them: the same numbers have the same digest however they lie in memory."""

from __future__ import annotations

import hashlib
import sys
from typing import Any, NamedTuple

from lineal.client.datasets.columns import bytes_of, column_of_objects
from lineal.client.datasets.hashing import PIECE_BYTES, is_missing
from lineal.model.errors import InvalidInput
from lineal.model.values import to_json


class Array(NamedTuple):
    digest: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


def of_numpy(array: Any, *, dtype: str | None = None) -> Array:
    """`dtype`: what its numbers are called where numpy has no name for them."""
    np = sys.modules["numpy"]
    masked = np.ma.getmaskarray(array) if np.ma.is_masked(array) else None
    array = np.asarray(array)
    if array.dtype.names is not None:
        raise InvalidInput(
            "an array of records has no digest of its own: give a table (pandas.DataFrame(array)), or a digest",
            field="data",
        )
    shape = tuple(int(length) for length in array.shape)
    if array.dtype.kind in "OUST":
        flat = array.reshape(-1).astype(object)
        missing = np.fromiter(map(is_missing, flat), bool, len(flat))
        if masked is not None:
            missing |= masked.reshape(-1)
        column = column_of_objects("", flat, missing)
        hasher = _head(column.type, shape)
        hasher.update(bytes.fromhex(column.digest))
        return Array(hasher.hexdigest(), column.type, shape, int(array.nbytes))
    if array.dtype.kind not in "biufcmM":
        raise InvalidInput(f"an array of {array.dtype} has no digest: give one (digest=)", field="data")
    name = dtype or array.dtype.name
    if masked is not None:
        array = np.where(masked, np.zeros((), array.dtype), array)
    hasher = _head(name, shape, masked)
    for piece in _pieces(array):
        hasher.update(bytes_of(np, piece))
    return Array(hasher.hexdigest(), name, shape, int(array.nbytes))


def of_torch(tensor: Any) -> Array:
    torch = sys.modules["torch"]
    if getattr(tensor, "is_nested", False):
        raise InvalidInput("a nested tensor has no digest: give a list of its parts (unbind())", field="data")
    try:
        if tensor.is_sparse or tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    except RuntimeError as error:  # of no storage, say
        raise InvalidInput(f"a tensor whose numbers cannot be had ({error}) has no digest", field="data") from error
    name = str(tensor.dtype).removeprefix("torch.")
    try:
        return of_numpy(tensor.numpy())
    except TypeError:  # bfloat16 and the like, of which numpy knows nothing
        width = {1: torch.uint8, 2: torch.int16}.get(tensor.element_size())
        if width is None:
            raise InvalidInput(f"a tensor of {name} has no digest: give one (digest=)", field="data") from None
        return of_numpy(tensor.contiguous().view(width).numpy(), dtype=name)


def _head(dtype: str, shape: tuple[int, ...], masked: Any = None) -> Any:
    said = ["lineal-array", 1, dtype, list(shape)]
    if masked is not None:
        said.append(hashlib.sha256(masked.tobytes()).hexdigest())
    return hashlib.sha256((to_json(said) + "\n").encode())


def _pieces(array: Any) -> Any:
    """Without a second copy of the whole of an array that does not lie in C order."""
    if array.ndim == 0 or array.flags.c_contiguous or array.nbytes <= PIECE_BYTES or len(array) == 0:
        return [array]
    rows = max(1, PIECE_BYTES // max(1, array.nbytes // len(array)))
    return (array[start : start + rows] for start in range(0, len(array), rows))
