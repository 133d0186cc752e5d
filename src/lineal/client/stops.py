"""Whether somebody asked a run of a local folder to stop: a bell beside the journals, which its process looks at.

That it was asked is a tag of the run, STOP_TAG, like any other; the bell only saves the process a look into the store."""

from __future__ import annotations

import contextlib
import os

from lineal.journal.layout import Folder

STOPS_NAME = "stops"


def bell(folder: Folder, tenant: str, run_id: str) -> str:
    """Where it would lie: no id ever becomes a path."""
    import hashlib

    digest = hashlib.sha256(f"{tenant}\0{run_id}".encode()).hexdigest()[:32]
    return os.path.join(folder.root, STOPS_NAME, digest)


def ring(folder: Folder, tenant: str, run_id: str) -> None:
    """Raises OSError."""
    path = bell(folder, tenant, run_id)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def silence(folder: Folder, tenant: str, run_id: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(bell(folder, tenant, run_id))
