"""Folders in which journals wait for a server: who they are for, and how long what was sent is kept."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from lineal.client.address import ServerAddress, parse_address
from lineal.client.guard import Guard
from lineal.journal.layout import SERVERS_NAME, Folder
from lineal.journal.segment import file_system
from lineal.model.errors import InvalidInput
from lineal.model.ids import check_tenant
from lineal.model.limits import MIB, SENT_MAX_AGE_S, SENT_MAX_BYTES

HEADS_NAME = "heads"
_DAY_S = 86_400.0
# What is written there is gone with the container, or with the machine's power.
_FLEETING = {"overlay": "the container's own layer", "tmpfs": "memory", "ramfs": "memory"}


def prepare(folder: Folder, server: ServerAddress) -> None:
    """Makes the folder and notes whose it is. A disk that refuses is the journal's to report."""
    with contextlib.suppress(OSError):
        if find_server(folder) == server:
            return
        folder.ensure()
        draft = f"{folder.server}.{os.urandom(8).hex()}"
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump({"url": server.url}, file)
        os.replace(draft, folder.server)
        _warn_if_fleeting(folder)


def find_server(folder: Folder) -> ServerAddress | None:
    """Which server the folder's journals are for; None for a local folder."""
    try:
        with open(folder.server, encoding="utf-8") as file:
            return parse_address(json.load(file)["url"])
    except (OSError, ValueError, KeyError, TypeError, InvalidInput):
        return None


def keep_head(folder: Folder, head: Mapping[str, Any]) -> None:
    """The newest signed head of a tenant's audit chain, for `lineal audit verify --against`. A disk that refuses costs only that."""
    try:
        tenant = check_tenant(head["tenant"])
        place = os.path.join(folder.root, HEADS_NAME)
        os.makedirs(place, mode=0o700, exist_ok=True)
        path = os.path.join(place, f"{tenant}.json")
        draft = f"{path}.{os.urandom(8).hex()}"
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(dict(head)) + "\n")
        os.replace(draft, path)
    except (OSError, InvalidInput, KeyError, TypeError, ValueError):
        pass


def clear_sent(folder: Folder, time_s: float) -> None:
    """Deletes what was acknowledged long ago, and the oldest of what is too much of it."""
    found = []
    for place, _, names in os.walk(folder.sent):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(os.path.join(place, name))
                found.append((status.st_mtime, status.st_size, os.path.join(place, name)))
    size = sum(one for _, one, _ in found)
    most_bytes, oldest_s = sent_max_bytes(), time_s - sent_max_age_s()
    for changed_s, one, path in sorted(found):
        if changed_s >= oldest_s and size <= most_bytes:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
            size -= one


def sent_max_bytes() -> float:
    return _given("LINEAL_SENT_MIB", SENT_MAX_BYTES / MIB) * MIB


def sent_max_age_s() -> float:
    return _given("LINEAL_SENT_DAYS", SENT_MAX_AGE_S / _DAY_S) * _DAY_S


def _given(variable: str, default: float) -> float:
    """A number of 0 or more; the default for what is none."""
    try:
        number = float(os.environ.get(variable, ""))
    except ValueError:
        return default
    return number if number >= 0 else default


def list_outboxes(root: str) -> list[Folder]:
    """The folders within a Lineal folder whose journals are for servers."""
    place = os.path.join(root, SERVERS_NAME)
    try:
        names = sorted(os.listdir(place))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Folder(os.path.join(place, name)) for name in names if os.path.isdir(os.path.join(place, name))]


def _warn_if_fleeting(folder: Folder) -> None:
    kind = file_system(folder.root)
    if kind in _FLEETING:
        Guard().warn_once(
            "fleeting",
            f"journals wait for the server in {folder.root}, which is in {_FLEETING[kind]} ({kind}): what is not sent when "
            "that ends is lost. LINEAL_FOLDER names another place",
        )
