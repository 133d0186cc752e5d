"""A torch dataset that makes its items when they are asked for: the digest is of the items, as many as the bound allows."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from lineal.client.datasets import arrays
from lineal.client.datasets.hashing import digest_of_json, said_mapping
from lineal.model.errors import InvalidInput
from lineal.model.limits import DATASET_ITEMS_MAX_COUNT
from lineal.model.values import to_json


class Items(NamedTuple):
    """`total`: how many there are. `digested`: of how many the digest is, which is part of it. `shape`: of the first item."""

    digest: str
    total: int
    digested: int
    shape: Any


def of_items(dataset: Any) -> Items:
    """Random transformations make other items each time, and so another digest: digest the data below them."""
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise InvalidInput("a dataset that is only gone through has no digest: give one (digest=)", field="data")
    count = len(dataset)
    digested = min(count, DATASET_ITEMS_MAX_COUNT)
    hasher = hashlib.sha256((to_json(["lineal-items", 1, count, digested]) + "\n").encode())
    shape: Any = None
    for place in range(digested):
        said = _said(dataset[place])
        if place == 0:
            shape = _shape(said)
        hasher.update(bytes.fromhex(digest_of_json(said)))
    return Items(hasher.hexdigest(), count, digested, shape)


def _said(item: Any) -> Any:
    """JSON, with an array as [dtype, shape, digest]."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if isinstance(item, bytes):
        return {"$bytes": hashlib.sha256(item).hexdigest()}
    if isinstance(item, Mapping):
        return said_mapping(item, _said)
    if isinstance(item, (tuple, list)):
        return [_said(one) for one in item]
    if hasattr(item, "detach") and "torch" in sys.modules:
        array = arrays.of_torch(item)
    elif "numpy" in sys.modules and (hasattr(item, "__array__") or hasattr(item, "__array_interface__")):
        array = arrays.of_numpy(item)
    else:
        raise InvalidInput(
            f"items of type {type(item).__name__} have no digest: give that of the dataset (digest=)", field="data"
        )
    return {"$array": [array.dtype, list(array.shape), array.digest]}


def _shape(said: Any) -> Any:
    """The same without contents."""
    if isinstance(said, dict):
        if "$array" in said:
            dtype, shape, _ = said["$array"]
            return {"dtype": dtype, "shape": shape}
        return {name: _shape(one) for name, one in said.items()}
    if isinstance(said, list):
        return [_shape(one) for one in said]
    return type(said).__name__
