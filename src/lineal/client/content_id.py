"""A run id that follows from what the run is made of: the same code, data and params give the same id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lineal.client.params import read_params
from lineal.model.errors import InvalidInput
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

    code    a commit or version; None takes the working directory's git commit and, if the tree is dirty, its patch
    data    a path (file or folder: digested), any other string (a version or digest, taken as it is), a list of them, or None
    params  whatever `init(params=)` takes; the canonical JSON of the flattened values is digested, types and all

    Raises InvalidInput if `code` is None and the working directory is in no git repository."""
    parts = {
        "code": _git_state() if code is None else code,
        "data": [_data_state(item) for item in (data if isinstance(data, (list, tuple)) else [data])],
        "params": dict(sorted(read_params(params).flat.items())) if params is not None else {},
    }
    return ContentId(_sha256(to_json(parts).encode()).hexdigest())


def _git_state() -> list[str]:
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        raise InvalidInput("content_id: no git commit here; name the code with code='...'", field="code")
    patch = _git("diff", "--binary", "HEAD") or b""
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
    if path.is_file():
        return _file_digest(path)
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        names = [[item.relative_to(path).as_posix(), _file_digest(item)] for item in files]
        return str(_sha256(to_json(names).encode()).hexdigest())
    return str(data)


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        hasher = _sha256(b"")
        while chunk := file.read(1024 * 1024):
            hasher.update(chunk)
        return str(hasher.hexdigest())


def _sha256(content: bytes) -> Any:
    import hashlib  # late: 2 ms of OpenSSL that only content ids and artifacts need

    return hashlib.sha256(content)
