"""Model files, read: those of the version and no others, each compared with its digest before its bytes come to a reader. A model
file cannot lead a reader to another file. What is large is read piece by piece: a model costs once its size, and what its format's
own reader needs besides."""

from __future__ import annotations

import pickle
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeAlias

from lineal.formats import safetensors
from lineal.formats.checked import CheckedFile
from lineal.formats.tell import JOBLIB, MLFLOW, ONNX, PICKLE, RUNS_CODE, SAFETENSORS, SKOPS, TORCH
from lineal.model.errors import Damaged, InvalidInput, LinealError, NotTrusted
from lineal.model.values import texts_of

Files = Mapping[str, CheckedFile]
Trust: TypeAlias = bool | str | Sequence[str]

READ = (SAFETENSORS, ONNX, SKOPS, JOBLIB, PICKLE, TORCH)
_JOBLIB_MARK = b"joblib.numpy_pickle"
_PIECE_BYTES = 1 << 20
_DOWNLOAD = "`lineal.get_model_version(...).download(folder)` gives the files"


def unpack(what: str, format: str | None, files: Files, *, trust: Trust = False) -> Any:
    """The model. `what` names it in messages, `format` is what its version says. `trust`: True for anything, or names of types that
    a skops file may hold besides those known to be harmless.

    Raises NotTrusted for what would run code, or holds types that nobody vouched for, without `trust`; InvalidInput for a format
    that is not read; Damaged for bytes that are not of their format, and for a file of the version, loaded or not, that has not the
    bytes that were logged."""
    told = {path: file.tell(path) for path, file in files.items()}
    claimed = format
    if format in (None, MLFLOW):  # MLflow keeps a folder, of which one file is the model
        found = {kind for kind in told.values() if kind is not None}
        format = found.pop() if len(found) == 1 else None
    if format not in READ:
        said = "its format is not known" if claimed is None else f"its format is {claimed!r}"
        other = " (for `mlflow.pyfunc.load_model`, say)" if claimed == MLFLOW else ""
        raise InvalidInput(f"{what} cannot be loaded here: {said}; {_DOWNLOAD}{other}", field="model")
    if format in RUNS_CODE and trust is not True:
        raise NotTrusted(
            f"{what} is a {_WORDS[format]}: to read it runs whatever code is in it. If you trust who logged it, say trust=True; "
            "models logged as safetensors, ONNX or skops load without",
            field="trust",
        )
    paths = [path for path, kind in told.items() if kind == format] or (list(files) if len(files) == 1 else [])
    if format != SAFETENSORS and len(paths) != 1:
        raise InvalidInput(
            f"{what} has {len(paths)} files of format {format}, and one is loaded; {_DOWNLOAD}", field="model"
        )
    if format != ONNX:  # which takes some of the others, too
        for path in files.keys() - set(paths):
            files[path].check()
    try:
        if format == SAFETENSORS:
            return _read_arrays(what, {path: files[path] for path in paths})
        if format == ONNX:
            return _read_onnx(what, paths[0], files)
        with files[paths[0]].opened() as file:
            return _read_skops(what, file, trust) if format == SKOPS else _TRUSTED_READERS[format](file)
    except (LinealError, MemoryError):
        raise
    except ImportError as error:
        raise InvalidInput(
            f"{what} is of format {format}, and needs what is not installed: {error}", field="model"
        ) from error
    except Exception as error:
        raise Damaged(f"{what} could not be read as {format}: {error!r:.200}") from error


_WORDS = {PICKLE: "pickle", JOBLIB: "joblib file (a pickle)", TORCH: "file of torch.save (a pickle)"}


def _read_arrays(what: str, files: Files) -> safetensors.Arrays:
    """Of all files together: large models are kept in several."""
    arrays = safetensors.Arrays()
    for path in sorted(files):
        for name, array in safetensors.read(files[path].read()).items():
            if name in arrays:
                raise InvalidInput(
                    f"{what}: array {name!r:.80} is in more than one of its files; {_DOWNLOAD}", field="model"
                )
            arrays[name] = array
    return arrays


def _read_onnx(what: str, path: str, files: Files) -> Any:
    import onnx

    with files[path].opened() as file:
        model: Any = onnx.load_from_string(file.read())
    elsewhere: dict[str, list[Any]] = defaultdict(list)
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            elsewhere[_place_of(what, path, tensor, files)].append(tensor)
    for other, tensors in elsewhere.items():
        with files[other].opened() as file:
            for tensor in tensors:
                tensor.raw_data = _external(what, other, tensor, file)
                del tensor.external_data[:]
                tensor.data_location = onnx.TensorProto.DEFAULT
    for one in files.values():
        one.check()
    return model


def _said(tensor: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def _place_of(what: str, path: str, tensor: Any, files: Files) -> str:
    """The file that a tensor's bytes lie in, which must be one of the version's own."""
    location = _said(tensor).get("location", "")
    other = posixpath.normpath(posixpath.join(posixpath.dirname(path), location))
    if other not in files:
        raise InvalidInput(
            f"{what} refers to a file {location!r:.120} that was not logged with it: log the model's folder",
            field="model",
        )
    return other


def _external(what: str, other: str, tensor: Any, file: BinaryIO) -> bytes:
    said = _said(tensor)
    size = file.seek(0, 2)
    start = int(said.get("offset", "0"))
    end = start + int(said["length"]) if "length" in said else size
    if not 0 <= start <= end <= size:
        raise Damaged(f"{what}: a tensor lies beyond {other!r}")
    file.seek(start)
    return file.read(end - start)


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor of an ONNX message, wherever it lies in it."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in (value,) if hasattr(value, "ListFields") else value:
            if field.message_type.full_name == "onnx.TensorProto":
                yield inner
            else:
                yield from _tensors(inner)


def _read_skops(what: str, file: BinaryIO, trust: Trust) -> Any:
    import skops.io

    # It says a path, and gives what it is given to `ZipFile`, which takes an open file as well.
    unknown = skops.io.get_untrusted_types(file=file)  # type: ignore[arg-type, unused-ignore]
    vouched = () if isinstance(trust, bool) or not trust else texts_of(trust, "trust")
    refused = [] if trust is True else [name for name in unknown if name not in vouched]
    if refused:
        names = ", ".join(repr(name) for name in refused[:20]) + (" ..." if len(refused) > 20 else "")
        raise NotTrusted(
            f"{what} is a skops file with types that are not known to be harmless: {names}. If you trust them, say trust=[{names}], or "
            "trust=True if you trust whoever logged it with anything",
            field="trust",
        )
    return skops.io.load(file, trusted=unknown)


def _read_pickle(file: BinaryIO) -> Any:
    if _holds(file, _JOBLIB_MARK):
        return _read_joblib(file)
    return pickle.load(file)


def _holds(file: BinaryIO, mark: bytes) -> bool:
    """Whether the bytes are anywhere in the file, which is at its beginning again afterwards."""
    before = b""
    found = False
    while not found and (piece := file.read(_PIECE_BYTES)):
        found = mark in before + piece
        before = piece[-len(mark) :]
    file.seek(0)
    return found


def _read_joblib(file: BinaryIO) -> Any:
    import joblib

    return joblib.load(file)


def _read_torch(file: BinaryIO) -> Any:
    import torch

    return torch.load(file, map_location="cpu", weights_only=False)


_TRUSTED_READERS: dict[str, Callable[[BinaryIO], Any]] = {
    PICKLE: _read_pickle,
    JOBLIB: _read_joblib,
    TORCH: _read_torch,
}
