"""Models written and read by the packages that people use: what comes back, what is refused, and why."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import onnx
import pytest
import skops.io
from onnx import TensorProto, helper, numpy_helper
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from lineal.formats.checked import CheckedFile
from lineal.formats.pack import pack_files, pack_object
from lineal.formats.unpack import unpack
from lineal.model.errors import Damaged, InvalidInput, NotFound, NotTrusted

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


class Own:
    """A user's own class."""

    def __init__(self):
        self.weights = np.arange(3)


class Picky:
    """Its state refuses to be looked at, except by pickle."""

    def __getstate__(self):
        raise TypeError("not by skops")

    def __reduce__(self):
        return revived, ()


def revived():
    picky = Picky()
    picky.left = "five"  # type: ignore[attr-defined]
    return picky


class Rude:
    """What an attacker logs: reading it runs a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def read(packed, **options):
    files = {path: checked(file) for path, file in packed.files.items()}
    return unpack("model version m/1", packed.format, files, **options)


def checked(path):
    return CheckedFile(f"file {path.name}", str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def written(path, content):
    path.write_bytes(content)
    return checked(path)


def test_arrays_are_kept_as_safetensors(tmp_path):
    packed = pack_object({"w": X, "b": Y}, None, tmp_path)
    assert packed.format == "safetensors" and list(packed.files) == ["model.safetensors"] and packed.warning is None
    arrays = read(packed)
    assert (arrays["w"] == X).all() and (arrays["b"] == Y).all()


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression().fit(X, Y),
        KMeans(2, random_state=0, n_init=1).fit(X),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
    ],
    ids=["logistic", "k-means", "pipeline"],
)
def test_scikit_learn_is_kept_by_skops_and_needs_no_trust(tmp_path, model):
    packed = pack_object(model, None, tmp_path)
    assert packed.format == "skops" and packed.warning is None
    assert (read(packed).predict(X) == model.predict(X)).all()


def test_onnx_is_kept_as_itself(tmp_path):
    model = linear()
    packed = pack_object(model, None, tmp_path)
    assert packed.format == "onnx"
    assert read(packed) == model


def test_arrays_of_types_that_safetensors_lack_go_by_skops(tmp_path):
    packed = pack_object({"names": np.array(["a", "b"])}, None, tmp_path)
    assert packed.format == "skops" and list(tmp_path.iterdir()) == list(packed.files.values())
    assert read(packed)["names"].tolist() == ["a", "b"]


def test_skops_files_with_unknown_types_are_refused_by_name(tmp_path):
    packed = pack_object(Own(), None, tmp_path)
    assert packed.format == "skops"
    with pytest.raises(NotTrusted, match=r"not known to be harmless: .*\.Own'.*trust=True"):
        read(packed)
    assert read(packed, trust=True).weights.tolist() == [0, 1, 2]


def test_types_may_be_vouched_for_by_name(tmp_path):
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)  # its trees could be forged, skops says
    packed = pack_object(forest, None, tmp_path)
    tree = "sklearn.tree._tree.Tree"
    with pytest.raises(NotTrusted, match=rf"trust=\['{tree}'\]"):
        read(packed)
    assert (read(packed, trust=[tree]).predict(X) == forest.predict(X)).all()
    assert (read(packed, trust=tree).predict(X) == forest.predict(X)).all()
    for other in (["sklearn.tree._tree.Tre"], f"{tree} and more", "yes"):
        with pytest.raises(NotTrusted, match=tree):
            read(packed, trust=other)
    with pytest.raises(NotTrusted):
        read(pack_object(forest, "pickle", tmp_path), trust=[tree])


def test_a_function_within_a_pipeline_is_named(tmp_path):
    packed = pack_object(make_pipeline(FunctionTransformer(np.unique)), None, tmp_path)
    with pytest.raises(NotTrusted, match=r"numpy\.unique"):
        read(packed)
    assert read(packed, trust=True).transform(np.array([2, 1, 2])).tolist() == [1, 2]


@pytest.mark.parametrize("format", ["pickle", "joblib"])
def test_pickles_are_read_only_with_trust(tmp_path, format):
    packed = pack_object(LogisticRegression().fit(X, Y), format, tmp_path)
    assert packed.format == format
    with pytest.raises(NotTrusted, match=f"model version m/1 is a {format}.*runs whatever code.*trust=True"):
        read(packed)
    assert (read(packed, trust=True).predict(X) == LogisticRegression().fit(X, Y).predict(X)).all()


@pytest.mark.parametrize("claim", [None, "safetensors", "onnx", "skops", "pickle", "joblib", "torch"])
@pytest.mark.parametrize(
    "name", ["model.pkl", "model.skops", "model.safetensors", "model.onnx", "model.joblib", "model.pt"]
)
def test_nothing_runs_without_trust_whatever_the_file_is_called_or_said_to_be(tmp_path, name, claim):
    witness = tmp_path / "it-ran"
    file = written(tmp_path / name, pickle.dumps(Rude(str(witness))))
    with pytest.raises((NotTrusted, Damaged)):
        unpack("m/1", claim, {name: file})
    assert not witness.exists()


def test_what_skops_does_not_take_is_not_lost_but_pickled_with_a_warning(tmp_path):
    packed = pack_object(Picky(), None, tmp_path)
    assert packed.format == "pickle" and "trust=True" in str(packed.warning)
    assert list(tmp_path.iterdir()) == list(packed.files.values())
    assert read(packed, trust=True).left == "five"


def test_without_skops_it_is_pickled_and_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    packed = pack_object(LogisticRegression(), None, tmp_path)
    assert packed.format == "pickle" and "skops is not installed" in str(packed.warning)
    with pytest.raises(InvalidInput, match="needs a package that is not here"):
        pack_object(LogisticRegression(), "skops", tmp_path)


def test_what_nothing_takes_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be kept"):
        pack_object(threading.Lock(), None, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "format", "said"),
    [
        ({"w": X}, "keras", "'keras' is not one of safetensors, onnx, skops, joblib, pickle"),
        (LogisticRegression(), "safetensors", "give a dict of arrays or a torch module, not a sklearn"),
        ({"w": np.array(["a"])}, "safetensors", "array 'w' holds str"),
        (LogisticRegression(), "onnx", "takes an onnx.ModelProto"),
        (lambda: 0, "pickle", "cannot be kept as pickle"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(tmp_path, model, format, said):
    with pytest.raises(InvalidInput, match=said):
        pack_object(model, format, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_is_taken_as_it_is(tmp_path):
    path = tmp_path / "anything.bin"
    skops.io.dump(LogisticRegression(), path)
    assert pack_files(path) == ("skops", {"anything.bin": path}, None)
    assert pack_files(path, "mine").format == "mine"


def test_a_folder_is_taken_whole(tmp_path):
    (tmp_path / "weights").mkdir()
    for number in (1, 2):
        written = pack_object({f"w{number}": X * number}, None, tmp_path / "weights").files["model.safetensors"]
        written.rename(tmp_path / "weights" / f"model-{number}.safetensors")
    (tmp_path / "config.json").write_text("{}")
    packed = pack_files(tmp_path)
    assert packed.format == "safetensors"
    assert list(packed.files) == ["config.json", "weights/model-1.safetensors", "weights/model-2.safetensors"]
    assert sorted(read(packed)) == ["w1", "w2"]


def test_an_array_in_two_files_is_refused(tmp_path):
    for number in (1, 2):
        pack_object({"w": X}, None, tmp_path).files["model.safetensors"].rename(tmp_path / f"{number}.safetensors")
    with pytest.raises(InvalidInput, match="'w' is in more than one"):
        read(pack_files(tmp_path))


def test_folders_that_cannot_be_logged_are_refused(tmp_path):
    with pytest.raises(NotFound, match="does not exist"):
        pack_files(tmp_path / "gone")
    with pytest.raises(InvalidInput, match="holds no files"):
        pack_files(tmp_path)


def test_what_has_no_format_that_is_read_says_where_its_files_are(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {}")
    (tmp_path / "model.keras").write_bytes(b"hello")
    packed = pack_files(tmp_path)
    assert packed.format == "mlflow"
    with pytest.raises(InvalidInput, match=r"its format is 'mlflow'.*download\(folder\).*mlflow.pyfunc"):
        read(packed, trust=True)
    with pytest.raises(InvalidInput, match="its format is not known"):
        unpack("m/1", None, {"a.txt": written(tmp_path / "a.txt", b"hello")})


def test_the_model_in_a_folder_of_mlflow_s_is_read_as_what_it_is(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {}")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(5))
    with pytest.raises(NotTrusted, match="is a pickle"):
        read(pack_files(tmp_path))
    assert read(pack_files(tmp_path), trust=True) == 5
    (tmp_path / "model.pkl").unlink()
    skops.io.dump(LogisticRegression(C=3.0), tmp_path / "model.skops")
    assert read(pack_files(tmp_path)).C == 3


@pytest.mark.parametrize("format", ["safetensors", "onnx", "skops", "pickle"])
def test_a_file_beside_the_model_is_compared_too_and_none_may_have_other_bytes(tmp_path, format):
    graph = helper.make_model(helper.make_graph([], "g", [], []))
    model = {"safetensors": {"w": X}, "onnx": graph}.get(format, LogisticRegression())
    packed = pack_object(model, format, tmp_path)
    [name] = packed.files
    files = {name: checked(tmp_path / name), "README": written(tmp_path / "README", b"read me")}
    unpack("m/1", format, files, trust=True)
    files["README"] = CheckedFile("file README", str(tmp_path / "README"), "0" * 64)
    with pytest.raises(Damaged, match="file README has other bytes"):
        unpack("m/1", format, files, trust=True)
    files = {name: CheckedFile("the model", str(tmp_path / name), "0" * 64)}
    with pytest.raises(Damaged, match="the model has other bytes"):
        unpack("m/1", format, files, trust=True)


def test_a_file_that_grew_or_shrank_while_it_was_read_is_damaged(tmp_path, monkeypatch):
    file = written(tmp_path / "a", b"x" * 100)
    for size in (99, 101):
        monkeypatch.setattr("lineal.formats.checked.os.fstat", lambda _, size=size: SimpleNamespace(st_size=size))
        with pytest.raises(Damaged):
            file.read()


def test_two_models_in_one_folder_are_not_guessed_between(tmp_path):
    for name in ("a.skops", "b.skops"):
        skops.io.dump(LogisticRegression(), tmp_path / name)
    with pytest.raises(InvalidInput, match="2 files of format skops"):
        read(pack_files(tmp_path))


@pytest.mark.parametrize("format", ["safetensors", "onnx", "skops"])
def test_bytes_of_another_kind_are_damaged(tmp_path, format):
    with pytest.raises(Damaged, match=r"m/1|safetensors"):
        unpack("m/1", format, {"model": written(tmp_path / "model", b"\x08\x09 no such thing")})


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    packed = pack_object(LogisticRegression(), None, tmp_path)
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(InvalidInput, match=r"needs what is not installed.*skops"):
        read(packed)


def test_joblib_content_in_a_file_said_to_be_a_pickle_is_read(tmp_path):
    joblib.dump({"w": X}, tmp_path / "model.pkl")
    packed = pack_files(tmp_path / "model.pkl", "pickle")
    assert (read(packed, trust=True)["w"] == X).all()


# -- ONNX with its weights in other files ---------------------------------------------------------


def linear():
    weights = numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(3, 4), "w")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size]) for name, size in (("x", 3), ("y", 4))]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], [weights]))


def kept_apart(folder, location="weights.bin"):
    onnx.save(
        linear(),
        folder / "model.onnx",
        save_as_external_data=True,
        location=location,
        size_threshold=0,
        convert_attribute=False,
    )


def test_onnx_weights_in_another_file_of_the_version_are_read(tmp_path):
    kept_apart(tmp_path)
    packed = pack_files(tmp_path)
    assert packed.format == "onnx" and sorted(packed.files) == ["model.onnx", "weights.bin"]
    model = read(packed)
    assert numpy_helper.to_array(model.graph.initializer[0]).tolist() == np.arange(12.0).reshape(3, 4).tolist()
    onnx.checker.check_model(model)


@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "other.bin", ""])
def test_onnx_never_leads_to_a_file_that_was_not_logged(tmp_path, location):
    kept_apart(tmp_path)
    model = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InvalidInput, match="was not logged with it"):
        read(pack_files(tmp_path))


def test_onnx_weights_beyond_their_file_are_damaged(tmp_path):
    kept_apart(tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"short")
    with pytest.raises(Damaged, match="beyond"):
        read(pack_files(tmp_path))


# -- torch ----------------------------------------------------------------------------------------


def test_a_torch_module_is_kept_as_its_arrays(tmp_path):
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(3, 2)
    packed = pack_object(net, None, tmp_path)
    assert packed.format == "safetensors"
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(read(packed))
    assert torch.equal(other(torch.ones(1, 3)), net(torch.ones(1, 3)))


def test_files_of_torch_save_are_read_only_with_trust(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(3, 2), tmp_path / "model.pt")
    packed = pack_files(tmp_path / "model.pt")
    assert packed.format == "torch"
    with pytest.raises(NotTrusted, match=r"torch\.save"):
        read(packed)
    assert isinstance(read(packed, trust=True), torch.nn.Linear)


def test_telling_and_packing_files_loads_no_package_of_a_format():
    program = (
        "import lineal.formats.pack, lineal.formats.tell, lineal.formats.unpack, lineal.formats.example, sys\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"numpy", "skops", "onnx", "joblib", "torch", "sklearn", "safetensors"}
    assert not heavy & set(done.stdout.split())
