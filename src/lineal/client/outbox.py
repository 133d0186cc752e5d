"""Folders in which journals wait for a server: who they are for, and how long what was sent is kept."""

from __future__ import annotations

import contextlib
import json
import os

from lineal.client.address import ServerAddress, parse_address
from lineal.client.guard import Guard
from lineal.journal.layout import SERVERS_NAME, Folder
from lineal.journal.segment import file_system
from lineal.model.errors import InvalidInput

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
