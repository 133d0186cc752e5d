"""The same numbers have the same digest however they lie in memory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lineal.client.datasets import arrays
from lineal.client.datasets.arrays import of_numpy
from lineal.model.errors import InvalidInput

DTYPES = st.one_of(
    npst.integer_dtypes(), npst.unsigned_integer_dtypes(), npst.floating_dtypes(sizes=(16, 32, 64)), npst.boolean_dtypes(),
    npst.complex_number_dtypes(sizes=(64, 128)), npst.datetime64_dtypes(),
)  # fmt: skip
ARRAYS = DTYPES.flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=3, max_side=4)))


@given(array=ARRAYS)
def test_the_layout_makes_no_difference(array: Any) -> None:
    digest = of_numpy(array).digest
    padded = np.zeros((2, *array.shape), array.dtype)
    padded[1] = array
    layouts = [
        np.array(array, order="F"),
        array.astype(array.dtype.newbyteorder(">")),
        array.astype(array.dtype.newbyteorder("<")),
        padded[1],
        array[..., ::-1][..., ::-1] if array.ndim else array,
        np.array(array.T, order="C").T,
    ]
    assert {of_numpy(one).digest for one in layouts} == {digest}


@given(array=ARRAYS, data=st.data())
def test_a_changed_byte_changes_it(array: Any, data: st.DataObject) -> None:
    changed = np.array(array)
    raw = changed.reshape(-1).view(np.uint8)
    if not len(raw):
        return
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1
    assert of_numpy(changed).digest != of_numpy(array).digest


def test_the_bytes_are_those_of_the_specification() -> None:
    said = b'["lineal-array",1,"int16",[2,2]]\n\x01\x00\x02\x00\x03\x00\x04\x00'
    assert of_numpy(np.array([[1, 2], [3, 4]], ">i2")).digest == hashlib.sha256(said).hexdigest()
    assert of_numpy(np.array([[1, 2], [3, 4]], ">i2")) == (hashlib.sha256(said).hexdigest(), "int16", (2, 2), 8)


def test_type_and_shape_count() -> None:
    numbers = np.arange(6)
    some = [
        numbers,
        numbers.astype("i4"),
        numbers.astype("f8"),
        numbers.reshape(2, 3),
        numbers.reshape(3, 2),
        numbers[:5],
    ]
    some += [np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(()), np.zeros(1)]
    assert len({of_numpy(one).digest for one in some}) == len(some)


def test_large_arrays_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.arange(3_000.0).reshape(3, 100, 10)
    whole = of_numpy(array).digest
    monkeypatch.setattr(arrays, "PIECE_BYTES", 100)
    assert of_numpy(array.transpose(2, 1, 0)).digest == of_numpy(np.ascontiguousarray(array.transpose(2, 1, 0))).digest
    assert of_numpy(np.asfortranarray(array)).digest == whole


def test_texts_and_objects_are_digested_by_their_values() -> None:
    texts = np.array([["a", "bc"], ["", "é"]])
    same = [texts, texts.astype("U50"), texts.astype(object)]
    assert {of_numpy(one)[:3] for one in same} == {(of_numpy(texts).digest, "string", (2, 2))}
    assert of_numpy(texts.T).digest != of_numpy(texts).digest
    assert of_numpy(np.array([1, None, 3], object)).dtype == "int64"
    with pytest.raises(InvalidInput):
        of_numpy(np.array([object()]))
    with pytest.raises(InvalidInput, match="records"):
        of_numpy(np.zeros(2, [("a", "i4")]))


def test_tensors_are_arrays() -> None:
    torch = pytest.importorskip("torch")
    numbers = np.arange(6, dtype="f4").reshape(2, 3)
    tensor = torch.from_numpy(numbers.copy())
    assert arrays.of_torch(tensor) == of_numpy(numbers)
    assert arrays.of_torch(tensor.T) == of_numpy(numbers.T)
    assert arrays.of_torch(tensor.requires_grad_()) == of_numpy(numbers)
    assert arrays.of_torch(tensor.detach().bfloat16()).dtype == "bfloat16"
