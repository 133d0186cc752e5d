"""Which format a model file has: by its content, and by the ending of its name where the content does not say."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import IO

from lineal.model.limits import KIB, SAFETENSORS_HEADER_MAX_BYTES

SAFETENSORS, ONNX, SKOPS, JOBLIB, PICKLE, TORCH, MLFLOW = (
    "safetensors",
    "onnx",
    "skops",
    "joblib",
    "pickle",
    "torch",
    "mlflow",
)
RUNS_CODE = (JOBLIB, PICKLE, TORCH)
"""Reading one of these runs whatever code it holds."""

_HEAD_BYTES = 64 * KIB
_ZIP = b"PK\x03\x04"
_JOBLIB_MARK = b"joblib.numpy_pickle"  # the module of what stands for an array in joblib's pickles
_OLD_TORCH_MARK = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # torch.save before release 1.6: a pickled number comes first
# Tags of ModelProto's fields, the number and type of each in a byte: what may follow `ir_version` (onnx/onnx.proto).
_ONNX_TAGS = frozenset((0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72))
_BY_ENDING = {".joblib": JOBLIB, ".pkl": PICKLE, ".pickle": PICKLE, ".pt": TORCH, ".pth": TORCH}


def tell(name: str, file: IO[bytes]) -> str | None:
    """The format; None for what is no model that Lineal knows. Reads little, runs nothing, and never raises for odd content."""
    head = file.read(_HEAD_BYTES)
    return _tell_zip(file) if head[:4] == _ZIP else _tell(name, head, file.seek(0, 2))


def _tell(name: str, head: bytes, size: int) -> str | None:
    if _is_safetensors(head, size):
        return SAFETENSORS
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if _is_pickle(head):
        if head[2:14] == _OLD_TORCH_MARK:
            return TORCH
        return JOBLIB if ending == ".joblib" or _JOBLIB_MARK in head else PICKLE
    if _is_onnx(head):
        return ONNX
    return _BY_ENDING.get(ending)


def tell_together(told: Iterable[tuple[str, str | None]]) -> str | None:
    """Of a folder: the format that its model files share, from the (path, format) of each; None if there is no such one."""
    pairs = list(told)
    if any(path.rpartition("/")[2] == "MLmodel" for path, _ in pairs):
        return MLFLOW
    found = {kind for _, kind in pairs if kind is not None}
    return found.pop() if len(found) == 1 else None


def _tell_zip(file: IO[bytes]) -> str | None:
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if "schema.json" in names:
        return SKOPS
    return TORCH if any(name.endswith("/data.pkl") for name in names) else None


def _is_safetensors(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and 2 <= length <= min(size - 8, SAFETENSORS_HEADER_MAX_BYTES)


def _is_pickle(head: bytes) -> bool:
    """Of protocol 2 or later: it begins with its number."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _is_onnx(head: bytes) -> bool:
    """Its first field is the version of the format, a small number."""
    return len(head) > 2 and head[0] == 0x08 and 1 <= head[1] <= 64 and head[2] in _ONNX_TAGS
