"""Uploads that nobody goes on with are forgotten after the grace, as `lineal gc` does with a local folder's."""

from __future__ import annotations

import logging
import threading
import time

from lineal.journal.blobs import list_blob_tenants, list_drafts
from lineal.journal.layout import Folder
from lineal.journal.parts import remove_part
from lineal.model.limits import SWEEP_GRACE_S

LOG = logging.getLogger("lineal.server")
_INTERVAL_S = 3_600.0


def remove_leftovers(folder: Folder, older_than_s: float) -> int:
    """How many. What is being written, by whichever server, stays."""
    return sum(
        remove_part(left.path, older_than_s)
        for tenant in list_blob_tenants(folder)
        for left in list_drafts(folder, tenant)
        if left.changed_s <= older_than_s
    )


class Leftovers:
    """A thread that looks now and every hour."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lineal-leftovers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                count = remove_leftovers(self._folder, time.time() - SWEEP_GRACE_S)
                if count:
                    LOG.info("%d uploads that nobody went on with are forgotten", count)
            except OSError as error:
                LOG.warning("uploads that broke off cannot be looked for: %s", error.strerror)
            if self._ended.wait(_INTERVAL_S):
                return
