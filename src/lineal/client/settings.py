"""Where data goes and as whom: arguments first, then environment variables, then what is found on disk; what is captured only where both
allow it.

LINEAL_URL             folder, or http(s) address of a server
LINEAL_FOLDER          folder in which journals wait for a server (found as without LINEAL_URL otherwise)
LINEAL_TOKEN           what a server is shown to be let in (`lineal login` keeps one otherwise)
LINEAL_CA              certificates that a server may be trusted by, too (`connecting.py` says more)
LINEAL_TENANT          tenant, default "default"
LINEAL_EXPERIMENT      experiment of `init()` without one, default "Default"
LINEAL_RUN_ID          run id of `init()` without one: how a launcher puts all ranks on one run
LINEAL_PARENT_RUN_ID   run that `init()` without one makes its run a part of
LINEAL_CAPTURE         which of its circumstances a run records: "all", "none", "code,environment", "no-console" ...
LINEAL_ATTEMPT         attempt of that run that `lineal track` has open, LINEAL_RUN_NAME its name if it was given one, LINEAL_TRACK where
                       processes of its command say what they are: set by it, for its command
LINEAL_JOURNAL_WRITER  "mapped" or "write": how segments are written (found out by itself otherwise)
"""

from __future__ import annotations

import os

from lineal.client.address import ServerAddress, is_address, parse_address
from lineal.client.capture.parts import parse_parts
from lineal.journal.layout import SERVERS_NAME, Folder, find_root
from lineal.journal.segment import WriterMode
from lineal.model.errors import InvalidInput
from lineal.model.frozen import frozen
from lineal.model.ids import DEFAULT_TENANT, check_tenant

DEFAULT_EXPERIMENT = "Default"
ATTEMPT_VARIABLE, NAME_VARIABLE, TRACK_VARIABLE = "LINEAL_ATTEMPT", "LINEAL_RUN_NAME", "LINEAL_TRACK"


@frozen
class Settings:
    """`server`: where `folder`'s journals are on their way to. `names_tenant`: somebody gave the tenant; else a server's
    token decides."""

    folder: Folder
    tenant: str
    experiment: str
    run_id: str | None
    writer_mode: WriterMode | None
    server: ServerAddress | None = None
    names_tenant: bool = False
    capture: frozenset[str] = frozenset()
    parent_run_id: str | None = None


def resolve(
    url: str | os.PathLike[str] | None = None, tenant: str | None = None, capture: str | None = None
) -> Settings:
    """Raises InvalidInput for a value that cannot be used, naming the argument or variable."""
    mode = os.environ.get("LINEAL_JOURNAL_WRITER") or None
    if mode not in (None, "mapped", "write"):
        raise InvalidInput(f"LINEAL_JOURNAL_WRITER is {mode!r}; use 'mapped' or 'write'", field="LINEAL_JOURNAL_WRITER")
    given = tenant or os.environ.get("LINEAL_TENANT")
    server = resolve_server(url)
    return Settings(
        folder=Folder(resolve_root(url) if server is None else server_root(server)),
        tenant=check_tenant(given or DEFAULT_TENANT),
        experiment=os.environ.get("LINEAL_EXPERIMENT") or DEFAULT_EXPERIMENT,
        run_id=os.environ.get("LINEAL_RUN_ID") or None,
        writer_mode=mode,  # type: ignore[arg-type]
        server=server,
        names_tenant=bool(given),
        capture=resolve_capture(capture),
        parent_run_id=os.environ.get("LINEAL_PARENT_RUN_ID") or None,
    )


def resolve_capture(capture: str | None = None) -> frozenset[str]:
    """What both the argument and LINEAL_CAPTURE allow: whoever runs a program may leave out what its code asks for, for this one
    setting is about what is not to be known (docs/adr/0034-off-wins.md)."""
    allowed = parse_parts(os.environ.get("LINEAL_CAPTURE") or "all", "LINEAL_CAPTURE")
    return allowed if capture is None else allowed & parse_parts(capture, "capture")


def resolve_server(url: str | os.PathLike[str] | None = None) -> ServerAddress | None:
    """The server meant by `url` or LINEAL_URL; None for a folder."""
    text = _text_of(url) if url is not None else os.environ.get("LINEAL_URL", "")
    return parse_address(text) if is_address(text) else None


def server_root(server: ServerAddress) -> str:
    """The folder in which journals wait for that server."""
    return os.path.join(resolve_outer_root(), SERVERS_NAME, server.digest)


def resolve_outer_root() -> str:
    """The Lineal folder in whose `servers` journals wait."""
    given = os.environ.get("LINEAL_FOLDER")
    return os.path.abspath(os.path.expanduser(given)) if given else find_root()


def resolve_root(url: str | os.PathLike[str] | None = None) -> str:
    """The Lineal folder meant by `url`, LINEAL_URL or the working directory."""
    text = _text_of(url) if url is not None else os.environ.get("LINEAL_URL", "")
    if not text:
        return find_root()
    scheme, separator, rest = text.partition("://")
    if separator and scheme == "file":
        return os.path.abspath(rest)
    if separator:
        raise InvalidInput(f"url {text!r:.80} is neither a path nor http(s)://HOST", field="url")
    return os.path.abspath(os.path.expanduser(text))


def _text_of(url: object) -> str:
    if isinstance(url, os.PathLike):
        url = os.fspath(url)
    if not isinstance(url, str) or "\0" in url:
        raise InvalidInput(f"url {url!r:.80} is not a path", field="url")
    return url
