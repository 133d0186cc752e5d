"""Input examples as JSON, and the signatures they show."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lineal.formats.example import example_json, given_signature, signature_of
from lineal.model.errors import InvalidInput, OverLimit

TABLE = {"age": [31, 44], "name": ["a", "b"], "score": [0.5, float("nan")]}

SIGNATURES = [
    (np.zeros((5, 64), np.float32), [{"name": None, "dtype": "float32", "shape": [None, 64]}]),
    (np.float64(3), [{"name": None, "dtype": "float64", "shape": []}]),
    ({"x": np.zeros((2, 3)), "n": 5}, [
        {"name": "x", "dtype": "float64", "shape": [None, 3]},
        {"name": "n", "dtype": "int", "shape": []},
    ]),
    ([[1, 2], [3, 4]], [{"name": None, "dtype": "int64", "shape": [None, 2]}]),
    (["a text"], [{"name": None, "dtype": "str", "shape": [None]}]),
    ([[1], [2, 3]], [{"name": None, "dtype": "object", "shape": [None]}]),
    (pl.DataFrame({"age": [31]}), [{"name": "age", "dtype": "Int64", "shape": [None]}]),
    (pd.DataFrame({"age": [31], "w": [0.5]}), [
        {"name": "age", "dtype": "int64", "shape": [None]},
        {"name": "w", "dtype": "float64", "shape": [None]},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("example", "inputs"), SIGNATURES)
def test_signatures_are_read_off_the_example(example, inputs):
    assert signature_of(example) == {"inputs": inputs}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_tables_are_kept_by_columns_and_rows(frame):
    said = example_json(frame(TABLE))
    assert said == {"columns": ["age", "name", "score"], "data": [[31, "a", 0.5], [44, "b", "NaN"]]}
    json.dumps(said, allow_nan=False)


def test_arrays_and_what_holds_them():
    said = example_json(
        {"x": np.eye(2, dtype=np.float32), "y": (1, None, True, float("-inf")), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    )
    assert said == {"x": [[1.0, 0.0], [0.0, 1.0]], "y": [1, None, True, "-Infinity"], "at": "2026-01-02T00:00:00+00:00"}


@pytest.mark.parametrize(
    "example", [np.zeros((10_000, 1_000)), pd.DataFrame(np.zeros((3_000_000, 1))), ["x" * 5_000_000]]
)
def test_long_examples_are_refused_with_the_bound(example):
    with pytest.raises(OverLimit, match=r"4,194,304.*a few rows"):
        example_json(example)


def test_what_is_no_example_is_named():
    with pytest.raises(InvalidInput, match="not of object"):
        example_json([object()])
    nested: list = []
    nested.append(nested)
    with pytest.raises(InvalidInput, match="nested"):
        example_json(nested)


def test_a_signature_that_is_given_is_kept():
    class OfSomebody:
        def to_dict(self):
            return {"inputs": '[{"type": "long"}]', "outputs": None}

    assert given_signature(OfSomebody()) == {"inputs": '[{"type": "long"}]', "outputs": None}
    assert given_signature({"inputs": []}) == {"inputs": []}
    with pytest.raises(InvalidInput, match="signature is a dict"):
        given_signature("x: float")
    with pytest.raises(OverLimit):
        given_signature({"inputs": "x" * 5_000_000})
