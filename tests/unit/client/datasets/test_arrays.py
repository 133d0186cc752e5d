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


def test_what_is_masked_counts() -> None:
    numbers = np.array([[1, 2], [3, 4]])
    masked = np.ma.array(numbers, mask=[[False, True], [False, False]])
    other = np.ma.array([[1, 9], [3, 4]], mask=[[False, True], [False, False]])
    said = (
        b'["lineal-array",1,"int64",[2,2],"%s"]\n' % hashlib.sha256(b"\0\1\0\0").hexdigest().encode()
        + np.array([1, 0, 3, 4], "<i8").tobytes()
    )
    assert of_numpy(masked).digest == of_numpy(other).digest == hashlib.sha256(said).hexdigest()
    assert of_numpy(masked.copy(order="F")).digest == of_numpy(masked).digest
    shown = np.ma.array(numbers, mask=[[False, False], [True, False]])
    zeros = np.array([[1, 0], [3, 4]])
    assert len({of_numpy(one).digest for one in (masked, shown, numbers, zeros)}) == 4
    assert of_numpy(np.ma.array(numbers)).digest == of_numpy(numbers).digest, "nothing is masked"
    texts = np.ma.array(["a", "b"], mask=[False, True])
    assert of_numpy(texts).digest == of_numpy(np.array(["a", None], object)).digest


@pytest.mark.parametrize("kind", [np.longdouble, np.clongdouble])
def test_what_a_long_double_holds_beside_its_number_makes_no_difference(kind: Any) -> None:
    numbers = np.array([1.5, 2.5], kind)
    width = np.dtype(np.longdouble).itemsize
    other = numbers.copy()
    if np.finfo(np.longdouble).nmant == 63:
        other.view(np.uint8).reshape(-1, width)[:, 10:] = 255
    assert (other == numbers).all()
    assert of_numpy(other).digest == of_numpy(numbers).digest != of_numpy(numbers + 1).digest


def test_objects_that_differ_are_told_apart() -> None:
    moment = np.datetime64("2020-01-01T00:00:00", "ns")
    pairs: list[tuple[list[Any], list[Any]]] = [
        ([2**53, 1.5], [2**53 + 1, 1.5]),
        ([np.longdouble(1) + np.finfo(np.longdouble).eps], [np.longdouble(1)]),
        ([moment, "x"], [moment.astype(int).item(), "x"]),
        ([moment, "x"], [moment + 1, "x"]),
        ([{1: "a"}], [{"1": "a"}]),
        ([{1: "a", "1": "b"}], [{"1": "b"}]),
        ([{"$bytes": "00"}, 1], [b"\0", 1]),
        ([[1, memoryview(b"a")]], [[1, [97]]]),
        ([[np.array([moment])]], [[np.array([moment.astype(int)])]]),
    ]
    for one, other in pairs:
        assert len({of_numpy(_objects(one)).digest, of_numpy(_objects(other)).digest}) == 2, one
    assert of_numpy(_objects([1, 1.5])).dtype == "float64"


def test_objects_that_hold_arrays_have_a_digest() -> None:
    arrays_in = _objects([np.arange(2), np.arange(3)])
    assert of_numpy(arrays_in).digest == of_numpy(_objects([[0, 1], [0, 1, 2]])).digest
    assert of_numpy(_objects([np.arange(2), np.arange(4)])).digest != of_numpy(arrays_in).digest
    pd = pytest.importorskip("pandas")
    assert of_numpy(_objects(["a", pd.NA])).digest == of_numpy(_objects(["a", None])).digest
    for odd in (1j, np.complex64(1), np.clongdouble(1)):
        with pytest.raises(InvalidInput):
            of_numpy(_objects([odd]))


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), object)
    for place, value in enumerate(values):
        array[place] = value
    return array
