"""Our safetensors beside the format's own package: what one writes the other reads, and bytes that lie are refused."""

from __future__ import annotations

import io
import json

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from lineal.formats import safetensors as ours
from lineal.model.errors import Damaged, InvalidInput

TYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "<i1", "<u8", "<u4", "<u2", "<u1", "?", "<c8"]


def written(arrays):
    file = io.BytesIO()
    ours.write(arrays, file)
    return file.getvalue()


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and one[name].tobytes() == other[name].tobytes()
        for name in one
    )


arrays = st.dictionaries(
    st.text(min_size=1, max_size=20).filter(lambda name: name != "__metadata__"),
    st.sampled_from(TYPES).flatmap(
        lambda kind: of_numpy.arrays(
            np.dtype(kind), of_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
        )
    ),
    min_size=1,
    max_size=5,
)


@given(arrays)
def test_what_we_write_the_format_s_own_package_reads(given_arrays):
    assert same(safetensors.numpy.load(written(given_arrays)), given_arrays)


@given(arrays)
def test_what_the_format_s_own_package_writes_we_read(given_arrays):
    assert same(ours.read(bytearray(safetensors.numpy.save(given_arrays))), given_arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12).reshape(3, 4).T,
        np.arange(20)[::2],
        np.arange(24).reshape(2, 3, 4)[:, ::-1],
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.float64(3.5),
    ],
    ids=["transposed", "every second", "backwards", "fortran", "big-endian", "a scalar"],
)
def test_arrays_that_do_not_lie_in_one_piece_keep_their_values(array):
    read = safetensors.numpy.load(written({"x": array}))["x"]
    assert read.tolist() == array.tolist() and read.shape == array.shape


def test_every_array_begins_where_its_type_may():
    content = written({"a": np.zeros(3, np.int8), "b": np.zeros(3, np.float64), "c": np.zeros(1, np.float16)})
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert header["b"]["data_offsets"][0] % 8 == 0 and header["c"]["data_offsets"][0] % 2 == 0


def test_arrays_read_from_a_bytearray_may_be_changed():
    read = ours.read(bytearray(written({"x": np.zeros(2)})))
    read["x"][0] = 1
    assert read["x"].tolist() == [1, 0]


def test_what_numpy_lacks_says_that_torch_has_it():
    content = written({"w": np.ones((2, 2), ml_dtypes.bfloat16)})
    assert json.loads(content[8 : 8 + content[0]])["w"]["dtype"] == "BF16"
    with pytest.raises(InvalidInput, match=r"'w' is of type BF16.*install torch"):
        ours.read(content)


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([object()]), np.zeros(1, np.complex128)])
def test_types_that_safetensors_lack_are_named(array):
    with pytest.raises(InvalidInput, match=r"array 'x' holds"):
        written({"x": array})


def test_the_name_of_the_metadata_is_not_an_array_s():
    with pytest.raises(InvalidInput, match="__metadata__"):
        written({"__metadata__": np.zeros(1)})


def lying(header, body=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


LIES = {
    "nothing": b"",
    "half a length": b"\x08\0\0",
    "a length beyond the file": (2**40).to_bytes(8, "little") + b"{}",
    "no JSON": lying(b"{]"),
    "a list": lying(b"[]"),
    "nested without end": lying(b"[" * 100_000),
    "no shape": lying({"x": {"dtype": "F32", "data_offsets": [0, 4]}}),
    "a negative extent": lying({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}),
    "a fraction": lying({"x": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}),
    "true as a number": lying({"x": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}),
    "beyond the file": lying({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
    "a negative place": lying({"x": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}),
    "backwards": lying({"x": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}),
    "another size": lying({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}),
    "a type of tomorrow": lying({"x": {"dtype": "F2", "shape": [1], "data_offsets": [0, 4]}}),
    "no object": lying({"x": 5}),
    "three places": lying({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}),
    "a huge shape": lying({"x": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}}),
}


@pytest.mark.parametrize("content", LIES.values(), ids=LIES)
def test_bytes_that_lie_are_damaged(content):
    with pytest.raises(Damaged):
        ours.read(bytearray(content))


@given(st.data())
def test_a_changed_byte_is_read_or_refused_and_nothing_else(data):
    content = bytearray(written({"a": np.arange(6, dtype=np.float32), "b": np.zeros((2, 3), np.int16)}))
    length = 8 + int.from_bytes(content[:8], "little")
    content[data.draw(st.integers(0, length - 1))] = data.draw(st.integers(0, 255))
    try:
        ours.read(content)
    except (Damaged, InvalidInput):
        pass


def test_torch_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).to(torch.bfloat16)
    read = ours.read(bytearray(written(net.state_dict())))
    assert read.keys() == net.state_dict().keys()
    assert all(
        torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype
        for name, tensor in net.state_dict().items()
    )
    assert torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).to(torch.bfloat16).load_state_dict(read)


def test_tied_weights_are_kept_under_both_names():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    read = ours.read(bytearray(written(net.state_dict())))
    assert torch.equal(read["0.weight"], read["1.weight"])
