"""An input example as JSON, and the signature it shows: names, shapes and types of what goes in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import MODEL_EXAMPLE_MAX_BYTES
from lineal.model.values import float_text

_ANY = None  # an extent that varies: the number of rows


def example_json(example: Any) -> Any:
    """The example as JSON: arrays as nested lists, a table as {"columns", "data"}; NaN and infinities as the strings that stand for
    them. Raises InvalidInput for what has no such form, OverLimit for a long one."""
    said = _plain(example, 0)
    size = len(json.dumps(said))
    if size > MODEL_EXAMPLE_MAX_BYTES:
        raise OverLimit(
            f"the input example has {size:,} bytes as JSON; the limit is {MODEL_EXAMPLE_MAX_BYTES:,}: a few rows are enough",
            field="input_example",
        )
    return said


def signature_of(example: Any) -> dict[str, Any]:
    """{"inputs": [{"name", "dtype", "shape"}, ...]}. A first extent is that of rows and may be any: null."""
    if _is_table(example):
        inputs = [
            {"name": str(name), "dtype": _dtype(example[name].dtype), "shape": [_ANY]} for name in list(example.columns)
        ]
    elif isinstance(example, Mapping):
        inputs = [_input(str(name), value) for name, value in example.items()]
    else:
        inputs = [_input(None, example)]
    return {"inputs": inputs}


def given_signature(signature: Any) -> Any:
    """What the caller gave, as JSON: a dict, or an object that gives one (an MLflow `ModelSignature`, say)."""
    said = signature.to_dict() if hasattr(signature, "to_dict") else signature
    if not isinstance(said, Mapping):
        raise InvalidInput(
            f'signature is a dict such as {{"inputs": [{{"name": "x", "dtype": "float32", "shape": [null, 4]}}]}}, '
            f"not {type(signature).__name__}",
            field="signature",
        )
    plain = _plain(said, 0)
    if len(json.dumps(plain)) > MODEL_EXAMPLE_MAX_BYTES:
        raise OverLimit(f"the signature has more than {MODEL_EXAMPLE_MAX_BYTES:,} bytes as JSON", field="signature")
    return plain


def _input(name: str | None, value: Any) -> dict[str, Any]:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        shape = [int(extent) for extent in value.shape]
        return {"name": name, "dtype": _dtype(value.dtype), "shape": [_ANY, *shape[1:]] if shape else []}
    if isinstance(value, (list, tuple)):
        import numpy as np

        try:
            array = np.asarray(value)
        except ValueError:  # rows of different lengths
            return {"name": name, "dtype": "object", "shape": [_ANY]}
        dtype = "str" if array.dtype.kind == "U" else _dtype(array.dtype)
        return {"name": name, "dtype": dtype, "shape": [_ANY, *array.shape[1:]]}
    return {"name": name, "dtype": type(value).__name__, "shape": []}


def _dtype(dtype: object) -> str:
    return str(getattr(dtype, "name", None) or dtype).removeprefix("torch.")


def _is_table(value: Any) -> bool:
    """A pandas or polars frame."""
    return hasattr(value, "columns") and (hasattr(value, "itertuples") or hasattr(value, "iter_rows"))


def _check_small(value: Any) -> None:
    """Before anything large is turned into text."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and math.prod(int(extent) for extent in shape) * 2 > MODEL_EXAMPLE_MAX_BYTES:
        raise OverLimit(
            f"an input example of shape {tuple(shape)} is longer than {MODEL_EXAMPLE_MAX_BYTES:,} bytes as JSON: "
            "a few rows are enough",
            field="input_example",
        )


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    if depth > 32:
        raise InvalidInput("the input example is nested too deep", field="input_example")
    _check_small(value)
    if _is_table(value):
        rows = value.itertuples(index=False, name=None) if hasattr(value, "itertuples") else value.iter_rows()
        return {
            "columns": [str(name) for name in value.columns],
            "data": [[_plain(cell, depth + 1) for cell in row] for row in rows],
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise InvalidInput(
        f"an input example is made of arrays, tables, lists, dicts and numbers, not of {type(value).__name__}",
        field="input_example",
    )
