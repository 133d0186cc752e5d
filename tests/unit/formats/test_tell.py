"""A file's format is what its content says, whatever its name claims."""

from __future__ import annotations

import io
import pickle
import zipfile

import joblib
import numpy as np
import onnx
import pytest
import safetensors.numpy
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from sklearn.linear_model import LinearRegression

from lineal.formats.tell import tell, tell_together


def identity():
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "xy"]
    return helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:]))


def dumped_by_joblib(**options):
    file = io.BytesIO()
    joblib.dump({"w": np.arange(10)}, file, **options)
    return file.getvalue()


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    return file.getvalue()


CONTENT = {
    "safetensors": safetensors.numpy.save({"x": np.zeros(3)}),
    "onnx": identity().SerializeToString(),
    "skops": skops.io.dumps(LinearRegression()),
    "joblib": dumped_by_joblib(),
    "pickle": pickle.dumps({"w": [1, 2]}),
    "torch": zipped("archive/data.pkl"),
}


@pytest.mark.parametrize("name", ["model", "model.bin", "model.safetensors", "model.onnx", "model.txt", "a.b/model"])
@pytest.mark.parametrize("format", CONTENT)
def test_the_content_decides(format, name):
    content = CONTENT[format]
    assert tell(name, io.BytesIO(content)) == format


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("model.joblib", pickle.dumps(5), "joblib"),
        ("model.joblib", dumped_by_joblib(compress=3), "joblib"),
        ("model.pkl", b"(lp0\n.", "pickle"),
        ("model.pt", b"", "torch"),
        ("model.pth", pickle.dumps(0x1950A86A20F9469CFC6C, 2), "torch"),
        ("model.onnx", b"hello", None),
        ("model.safetensors", b"hello", None),
        ("model.skops", zipped("something"), None),
        ("model", zipped("something"), None),
        ("notes.txt", b"hello", None),
        ("empty", b"", None),
        ("broken.skops", CONTENT["skops"][:40], None),
    ],
    # Bytes hold a time: the processes of a run would collect other tests.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_the_ending_decides_where_the_content_does_not(name, content, format):
    assert tell(name, io.BytesIO(content)) == format


@given(st.binary(max_size=200), st.sampled_from(["", "PK\x03\x04"]))
def test_odd_content_never_raises(content, head):
    tell("model", io.BytesIO(head.encode("latin-1") + content))


def test_a_folder_has_the_format_that_its_model_files_share():
    assert (
        tell_together([("config.json", None), ("a.safetensors", "safetensors"), ("b.safetensors", "safetensors")])
        == "safetensors"
    )
    assert tell_together([("a", "onnx"), ("b", "pickle")]) is None
    assert tell_together([("README", None)]) is None
    assert tell_together([("model/MLmodel", None), ("model/model.pkl", "pickle")]) == "mlflow"


def test_onnx_of_every_kind_is_told(tmp_path):
    for number in range(3, onnx.IR_VERSION + 1):
        model = identity()
        model.ir_version = number
        assert tell("model", io.BytesIO(model.SerializeToString())) == "onnx"
