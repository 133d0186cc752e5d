"""A run id that follows from what the run is made of: the same code, data and params give the same id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lineal.client.params import read_params
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.values import to_json


class ContentId(str):
    """12 hex characters as a run id; `digest` is the whole SHA-256, which `init` records and compares."""

    __slots__ = ("digest",)
    digest: str

    def __new__(cls, digest: str) -> ContentId:
        self = super().__new__(cls, digest[:12])
        self.digest = digest
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (ContentId, (self.digest,))


def content_id(*, code: str | None = None, data: Any = None, params: Any = None) -> ContentId:
    """SHA-256 over code, data and params.

    code    a commit or version; None takes the working directory's git commit and, if the tree is dirty, its patch (of the
            files that git tracks)
    data    a path (file or folder: digested), any other string (a version or digest, taken as it is), a list of them, or None
    params  whatever `init(params=)` takes; the canonical JSON of the flattened values is digested, types and all

    Raises InvalidInput if `code` is None and the working directory is in no git repository."""
    parts = {
        "code": _git_state() if code is None else code,
        "data": [_data_state(item) for item in (data if isinstance(data, (list, tuple)) else [data])],
        "params": _params_state(params),
    }
    return ContentId(_sha256(to_json(parts).encode()).hexdigest())


def _params_state(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    read = read_params(params)
    if read.refused:  # left out, two experiments that differ there would be one
        raise InvalidInput(f"content_id: {next(iter(read.refused.values()))}", field="params")
    return dict(sorted(read.flat.items()))


def _git_state() -> list[str]:
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        raise InvalidInput("content_id: no git commit here; name the code with code='...'", field="code")
    patch = _git("diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD") or b""
    return [commit.decode().strip(), _sha256(patch).hexdigest() if patch else ""]


def _git(*arguments: str) -> bytes | None:
    import subprocess  # late: 5 ms that only content ids need

    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _data_state(data: Any) -> str:
    if data is None:
        return ""
    path = Path(os.fspath(data))
    # os.path, since Path asks the system about names that it refuses; and "" is no name of the working directory here.
    if os.path.isfile(data) or os.path.isdir(data):
        return digest_of_path(path)
    if not isinstance(data, str):
        raise NotFound(f"content_id: data {str(path)!r} does not exist", field="data")
    return data


def digest_of_path(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the names and digests of a folder's files. NotFound, OSError."""
    if path.is_file():
        return _file_digest(path)
    if not path.is_dir():
        raise NotFound(f"{str(path)!r} does not exist", field="path")
    from lineal.client.datasets.files import files_below
    from lineal.client.datasets.hashing import digest_of_parts

    return digest_of_parts((name, _file_digest(path / name)) for name in files_below(str(path)))


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        hasher = _sha256(b"")
        while chunk := file.read(1024 * 1024):
            hasher.update(chunk)
        return str(hasher.hexdigest())


def _sha256(content: bytes) -> Any:
    import hashlib  # late: 2 ms of OpenSSL that only content ids and artifacts need

    return hashlib.sha256(content)
