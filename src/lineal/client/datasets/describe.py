"""What a thing is, by the module that it comes from: nothing is imported that the user did not import."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from lineal.client.datasets import arrays, items, places, tables
from lineal.client.datasets.described import Described, columns_schema, described
from lineal.client.datasets.hashing import digest_of_parts
from lineal.model.errors import InvalidInput
from lineal.model.values import from_json

_HUGGING_FACE = ("datasets.arrow_dataset", "datasets.dataset_dict", "datasets.iterable_dataset")
_KINDS = (
    "a path, a pattern or a URI, an array of numpy or torch, a table of pandas, polars or pyarrow, a dataset of torch or Hugging Face, "
    "or a dict, tuple or list of these"
)


def describe(data: Any, root: str, version: str | None = None) -> Described:
    """`root`: the Lineal folder, where digests of files are remembered. NotFound; InvalidInput for what has no digest; OSError."""
    if isinstance(data, (str, os.PathLike)):
        place = os.fspath(data)
        if not isinstance(place, str):
            place = os.fsdecode(place)
        return places.of_uri(place, version) if places.is_uri(place) else places.of_path(place, root)
    library = _library(data)
    if library == "pandas":
        return _table(tables.of_pandas(data), library)
    if library == "polars":
        return _table(tables.of_polars(data), library)
    if library == "pyarrow":
        return _table(tables.of_arrow(data), library)
    if library == "datasets":
        return _hugging_face(data, root)
    if library == "torch":
        return _torch(data, root)
    if isinstance(data, Mapping):
        return _collection(_named(data), root)
    if isinstance(data, (tuple, list)):
        return _collection({str(place): one for place, one in enumerate(data)}, root)
    if "numpy" in sys.modules and hasattr(data, "__array__"):
        return _array(arrays.of_numpy(data), "numpy")
    raise InvalidInput(
        f"data of type {type(data).__module__}.{type(data).__qualname__} has no digest: give {_KINDS}; or say it (digest=)",
        field="data",
    )


def _library(data: Any) -> str:
    """Of the class, or of one that it stands on. Many programs have a package of their own called "datasets"."""
    for one in type(data).__mro__:
        name = one.__module__.partition(".")[0]
        if name in ("pandas", "polars", "pyarrow", "torch") and name in sys.modules:
            return name
        if one.__module__ in _HUGGING_FACE:
            return "datasets"
    return ""


def _array(array: arrays.Array, library: str) -> Described:
    rows = {"row_count": array.shape[0]} if array.shape else {}
    columns = {"column_count": array.shape[1]} if len(array.shape) == 2 else {}
    schema = {"dtype": array.dtype, "shape": list(array.shape)}
    return described(array.digest, library, schema, **rows, **columns, size_bytes=array.size_bytes)


def _table(table: tables.Table, library: str) -> Described:
    return described(
        table.digest, library, columns_schema(table.columns), row_count=table.rows, column_count=len(table.columns)
    )


def _torch(data: Any, root: str) -> Described:
    if hasattr(data, "detach"):
        return _array(arrays.of_torch(data), "torch")
    tensors = getattr(data, "tensors", None)
    if isinstance(tensors, tuple) and type(data).__name__ == "TensorDataset":
        return _collection({str(place): one for place, one in enumerate(tensors)}, root)._replace(source_type="torch")
    found = items.of_items(data)
    counts = {"row_count": found.total} | ({"digested_count": found.digested} if found.digested < found.total else {})
    return described(found.digest, "torch", {"item": found.shape}, **counts)


def _hugging_face(data: Any, root: str) -> Described:
    """By its table, not its fingerprint: that is of how it was made, and another machine makes the same data in another way."""
    if isinstance(data, Mapping):
        return _collection(_named(data), root)._replace(source_type="huggingface")
    if not hasattr(data, "with_format") or not hasattr(data, "num_rows"):
        raise InvalidInput(
            "a dataset that is streamed has no digest before it was read: give one (digest=)", field="data"
        )
    return _table(tables.of_arrow(data.with_format("arrow")[:]), "huggingface")


def _named(data: Mapping[Any, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for name, one in data.items():
        if str(name) in parts:
            raise InvalidInput(f"two of its parts are called {str(name)!r:.80}: rename one", field="data")
        parts[str(name)] = one
    return parts


def _collection(parts: dict[str, Any], root: str) -> Described:
    """Of named things: its digest is that of a folder that holds them."""
    if not parts:
        raise InvalidInput(f"nothing is in it: give {_KINDS}", field="data")
    found = {name: describe(one, root) for name, one in parts.items()}
    schema = {name: None if one.schema is None else from_json(one.schema) for name, one in found.items()}
    profiles = [from_json(one.profile) if one.profile is not None else {} for one in found.values()]
    rows = {profile.get("row_count") for profile in profiles}
    same = {"row_count": rows.pop()} if len(rows) == 1 and None not in rows else {}
    return described(
        digest_of_parts((name, one.digest) for name, one in found.items()),
        "collection",
        {"parts": schema},
        part_count=len(found),
        **same,
    )
