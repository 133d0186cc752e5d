"""Model files, read. Bytes come in, already checked against their digests, and nothing is opened here: a model file cannot lead
a reader to another file."""

from __future__ import annotations

import io
import pickle
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lineal.formats import safetensors
from lineal.formats.tell import JOBLIB, MLFLOW, ONNX, PICKLE, RUNS_CODE, SAFETENSORS, SKOPS, TORCH, tell_bytes
from lineal.model.errors import Damaged, InvalidInput, LinealError, NotTrusted

Files = Mapping[str, bytearray]
Trust: TypeAlias = bool | Sequence[str]

READ = (SAFETENSORS, ONNX, SKOPS, JOBLIB, PICKLE, TORCH)
_JOBLIB_MARK = b"joblib.numpy_pickle"
_DOWNLOAD = "`lineal.get_model_version(...).download(folder)` gives the files"


def unpack(what: str, format: str | None, files: Files, *, trust: Trust = False) -> Any:
    """The model. `what` names it in messages, `format` is what its version says. `trust`: True for anything, or names of types that
    a skops file may hold besides those known to be harmless.

    Raises NotTrusted for what would run code, or holds types that nobody vouched for, without `trust`; InvalidInput for a format
    that is not read; Damaged for bytes that are not of their format."""
    told = {path: tell_bytes(path, content) for path, content in files.items()}
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
    try:
        if format == SAFETENSORS:
            return _read_arrays(what, {path: files[path] for path in paths})
        if format == ONNX:
            return _read_onnx(what, paths[0], files)
        if format == SKOPS:
            return _read_skops(what, files[paths[0]], trust)
        return _TRUSTED_READERS[format](files[paths[0]])
    except LinealError:
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
        for name, array in safetensors.read(files[path]).items():
            if name in arrays:
                raise InvalidInput(
                    f"{what}: array {name!r:.80} is in more than one of its files; {_DOWNLOAD}", field="model"
                )
            arrays[name] = array
    return arrays


def _read_onnx(what: str, path: str, files: Files) -> Any:
    import onnx

    model: Any = onnx.load_from_string(bytes(files[path]))
    for tensor in list(_tensors(model)):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            tensor.raw_data = _external(what, path, {entry.key: entry.value for entry in tensor.external_data}, files)
            del tensor.external_data[:]
            tensor.data_location = onnx.TensorProto.DEFAULT
    return model


def _external(what: str, path: str, said: Mapping[str, str], files: Files) -> bytes:
    """The bytes of a tensor that lies in another file, which must be one of the version's own."""
    other = posixpath.normpath(posixpath.join(posixpath.dirname(path), said.get("location", "")))
    content = files.get(other)
    if content is None:
        raise InvalidInput(
            f"{what} refers to a file {said.get('location', '')!r:.120} that was not logged with it: log the model's folder",
            field="model",
        )
    start = int(said.get("offset", "0"))
    end = start + int(said["length"]) if "length" in said else len(content)
    if not 0 <= start <= end <= len(content):
        raise Damaged(f"{what}: a tensor lies beyond {other!r}")
    return bytes(content[start:end])


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


def _read_skops(what: str, content: bytearray, trust: Trust) -> Any:
    import skops.io

    kept = bytes(content)
    unknown = skops.io.get_untrusted_types(data=kept)
    refused = [] if trust is True else [name for name in unknown if name not in (trust or ())]
    if refused:
        names = ", ".join(repr(name) for name in refused[:20]) + (" ..." if len(refused) > 20 else "")
        raise NotTrusted(
            f"{what} is a skops file with types that are not known to be harmless: {names}. If you trust them, say trust=[{names}], or "
            "trust=True if you trust whoever logged it with anything",
            field="trust",
        )
    return skops.io.loads(kept, trusted=unknown)


def _read_pickle(content: bytearray) -> Any:
    return _read_joblib(content) if _JOBLIB_MARK in content else pickle.loads(content)


def _read_joblib(content: bytearray) -> Any:
    import joblib

    return joblib.load(io.BytesIO(content))


def _read_torch(content: bytearray) -> Any:
    import torch

    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)


_TRUSTED_READERS: dict[str, Callable[[bytearray], Any]] = {
    PICKLE: _read_pickle,
    JOBLIB: _read_joblib,
    TORCH: _read_torch,
}
