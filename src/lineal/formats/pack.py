"""A model as files: the object somebody trained is written in the safest format that holds it; files are taken as they are."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lineal.formats import safetensors
from lineal.formats.tell import JOBLIB, ONNX, PICKLE, SAFETENSORS, SKOPS, tell, tell_together
from lineal.model.errors import InvalidInput, NotFound

WRITTEN = (SAFETENSORS, ONNX, SKOPS, JOBLIB, PICKLE)
_NAMES = {
    SAFETENSORS: "model.safetensors",
    ONNX: "model.onnx",
    SKOPS: "model.skops",
    JOBLIB: "model.joblib",
    PICKLE: "model.pkl",
}


class Packed(NamedTuple):
    """`files`: path within the model -> file on disk. `warning`: what whoever logs it should know."""

    format: str | None
    files: dict[str, Path]
    warning: str | None = None


def pack_files(source: Path, format: str | None = None, *, own: Path | None = None) -> Packed:
    """A file, or every file of a folder (but those below `own`), as it lies there. Raises NotFound, InvalidInput."""
    if source.is_dir():
        found = sorted(item for item in source.rglob("*") if item.is_file() and own not in item.absolute().parents)
        files = {item.relative_to(source).as_posix(): item for item in found}
        if not files:
            raise InvalidInput(f"folder {str(source)!r} holds no files", field="model")
    elif source.exists():
        files = {source.name: source}
    else:
        raise NotFound(f"model file {str(source)!r} does not exist", field="model")
    return Packed(format or tell_together((path, _tell(item)) for path, item in files.items()), files)


def _tell(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return tell(path.name, file)
    except OSError:
        return None


def pack_object(model: Any, format: str | None, place: Path) -> Packed:
    """Writes the model into the folder `place`, in that format or, without one, in the safest that holds it: arrays as safetensors,
    ONNX as itself, other objects by skops, and by pickle only what nothing else takes. Raises InvalidInput."""
    if format is not None and format not in WRITTEN:
        raise InvalidInput(f"format {format!r:.60} is not one of {', '.join(WRITTEN)}", field="format")
    arrays = _arrays_of(model)
    if format is None:
        if arrays:
            try:
                return _write(SAFETENSORS, arrays, place)
            except InvalidInput:  # a type that safetensors lack
                pass
        if _is_onnx(model):
            return _write(ONNX, model, place)
        return _write_object(model, place)
    if format == SAFETENSORS:
        if not arrays:
            raise InvalidInput(
                f"safetensors hold arrays by name: give a dict of arrays or a torch module, not {_kind(model)}",
                field="model",
            )
        return _write(format, arrays, place)
    if format == ONNX and not _is_onnx(model):
        raise InvalidInput(
            f"format 'onnx' takes an onnx.ModelProto or the path of a file, not {_kind(model)}", field="model"
        )
    try:
        return _write(format, model, place)
    except ImportError as error:
        raise InvalidInput(f"format {format!r} needs a package that is not here ({error})", field="format") from None
    except Exception as error:
        raise InvalidInput(f"{_kind(model)} cannot be kept as {format}: {error!r:.200}", field="model") from error


def _write_object(model: Any, place: Path) -> Packed:
    """A model must not be lost at the end of a long training because a safe format does not take it."""
    try:
        return _write(SKOPS, model, place, checked=True)
    except ImportError:
        why = "the package skops is not installed"
    except Exception as error:
        why = f"skops does not take it ({error!r:.120})"
    try:
        packed = _write(PICKLE, model, place)
    except Exception as error:
        raise InvalidInput(
            f"{_kind(model)} cannot be kept: {why}, nor does pickle ({error!r:.200})", field="model"
        ) from error
    return packed._replace(
        warning=f"{_kind(model)} is kept as a pickle, which only `load_model(..., trust=True)` reads: {why}"
    )


def _write(format: str, model: Any, place: Path, *, checked: bool = False) -> Packed:
    path = place / _NAMES[format]
    try:
        _WRITERS[format](model, path)
        if checked:
            _read_again(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Packed(format, {path.name: path})


def _write_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    with open(path, "wb") as file:
        safetensors.write(arrays, file)


def _write_onnx(model: Any, path: Path) -> None:
    path.write_bytes(model.SerializeToString())


def _write_skops(model: Any, path: Path) -> None:
    import skops.io

    skops.io.dump(model, path)


def _read_again(path: Path) -> None:
    """skops writes objects (locks, open files) that it cannot read: better known now than when somebody needs the model."""
    import skops.io

    skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _write_joblib(model: Any, path: Path) -> None:
    import joblib

    joblib.dump(model, path)


def _write_pickle(model: Any, path: Path) -> None:
    with open(path, "wb") as file:
        pickle.dump(model, file, protocol=5)


_WRITERS: dict[str, Callable[[Any, Path], None]] = {
    SAFETENSORS: _write_arrays,
    ONNX: _write_onnx,
    SKOPS: _write_skops,
    JOBLIB: _write_joblib,
    PICKLE: _write_pickle,
}


def _arrays_of(model: Any) -> Mapping[str, Any] | None:
    """The arrays of a dict of arrays or of a torch module; None for anything else."""
    if not isinstance(model, Mapping) and any(kind.__module__.startswith("torch.nn.") for kind in type(model).__mro__):
        model = model.state_dict()
    if not isinstance(model, Mapping) or not model:
        return None
    fits = all(
        isinstance(name, str) and hasattr(value, "shape") and hasattr(value, "dtype") for name, value in model.items()
    )
    return model if fits else None


def _is_onnx(model: Any) -> bool:
    kind = type(model)
    return kind.__name__ == "ModelProto" and kind.__module__.startswith("onnx")


def _kind(model: Any) -> str:
    kind = type(model)
    return f"a {kind.__module__}.{kind.__qualname__}"


def is_path(model: Any) -> bool:
    return isinstance(model, (str, os.PathLike))
