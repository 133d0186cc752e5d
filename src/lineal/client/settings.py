"""Where data goes and as whom: arguments first, then environment variables, then what is found on disk.

LINEAL_URL             folder (or, with the server, http(s) address)
LINEAL_TENANT          tenant, default "default"
LINEAL_EXPERIMENT      experiment of `init()` without one, default "Default"
LINEAL_RUN_ID          run id of `init()` without one: how a launcher puts all ranks on one run
LINEAL_JOURNAL_WRITER  "mapped" or "write": how segments are written (found out by itself otherwise)
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from lineal.journal.layout import Folder, find_root
from lineal.journal.segment import WriterMode
from lineal.model.errors import InvalidInput
from lineal.model.ids import DEFAULT_TENANT, check_tenant

DEFAULT_EXPERIMENT = "Default"


@dataclass(frozen=True, slots=True)
class Settings:
    folder: Folder
    tenant: str
    experiment: str
    run_id: str | None
    writer_mode: WriterMode | None


def resolve(url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> Settings:
    """Raises InvalidInput for a value that cannot be used, naming the argument or variable."""
    mode = os.environ.get("LINEAL_JOURNAL_WRITER") or None
    if mode not in (None, "mapped", "write"):
        raise InvalidInput(f"LINEAL_JOURNAL_WRITER is {mode!r}; use 'mapped' or 'write'", field="LINEAL_JOURNAL_WRITER")
    return Settings(
        folder=Folder(resolve_root(url)),
        tenant=check_tenant(tenant or os.environ.get("LINEAL_TENANT") or DEFAULT_TENANT),
        experiment=os.environ.get("LINEAL_EXPERIMENT") or DEFAULT_EXPERIMENT,
        run_id=os.environ.get("LINEAL_RUN_ID") or None,
        writer_mode=mode,  # type: ignore[arg-type]
    )


def resolve_root(url: str | os.PathLike[str] | None = None) -> str:
    """The Lineal folder meant by `url`, LINEAL_URL or the working directory."""
    text = _text_of(url) if url is not None else os.environ.get("LINEAL_URL", "")
    if not text:
        return find_root()
    scheme, separator, rest = text.partition("://")
    if separator and scheme == "file":
        return os.path.abspath(rest)
    if separator:
        raise InvalidInput(f"url {text!r}: this release writes to folders; give a path, or leave it out", field="url")
    return os.path.abspath(os.path.expanduser(text))


def _text_of(url: object) -> str:
    if isinstance(url, os.PathLike):
        url = os.fspath(url)
    if not isinstance(url, str) or "\0" in url:
        raise InvalidInput(f"url {url!r:.80} is not a path", field="url")
    return url
