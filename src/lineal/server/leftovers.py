"""What nobody refers to, or goes on with, is freed after the grace, as `lineal gc` does with a local folder's."""

from __future__ import annotations

import logging
import threading
import time

from lineal.ingest.sweep_hosted import bind, last_swept_s, sweep_hosted
from lineal.journal.blobs import list_blob_tenants, list_drafts
from lineal.journal.layout import Folder
from lineal.journal.parts import remove_part
from lineal.model.errors import Busy, Conflict, LinealError
from lineal.model.limits import SWEEP_GRACE_S, SWEEP_INTERVAL_S
from lineal.store.contracts import Store

LOG = logging.getLogger("lineal.server")
_INTERVAL_S = 3_600.0


def remove_leftovers(folder: Folder, older_than_s: float) -> int:
    """How many uploads that broke off. What is being written, by whichever server, stays."""
    return sum(
        remove_part(left.path, older_than_s)
        for tenant in list_blob_tenants(folder)
        for left in list_drafts(folder, tenant)
        if left.changed_s <= older_than_s
    )


class Leftovers:
    """A thread that looks now and every hour: at uploads always, at files that are whole where no server has for a while."""

    def __init__(self, folder: Folder, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._ended = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="lineal-leftovers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(_INTERVAL_S)

    def look(self) -> None:
        """Never raises for what a disk or a database may do."""
        try:
            count = remove_leftovers(self._folder, time.time() - SWEEP_GRACE_S)
            if count:
                LOG.info("%d uploads that nobody went on with are forgotten", count)
            self._sweep()
        except Busy:
            pass  # another server does it, or the database is away: there is no hurry
        except Conflict as error:
            if error.message != self._said:
                LOG.warning("%s", error.message)
            self._said = error.message
        except OSError as error:
            LOG.warning("files that nobody needs cannot be looked for: %s", error.strerror)
        except LinealError as error:
            LOG.warning("files that nobody needs cannot be looked for: %s", error.message)
        except RuntimeError:
            if not self._ended.is_set():  # the store was closed meanwhile
                raise

    def _sweep(self) -> None:
        bind(self._store, self._folder)
        if time.time() - last_swept_s(self._folder) < SWEEP_INTERVAL_S:
            return
        done = sweep_hosted(self._store, self._folder)
        taken = sum(len(one.taken) for one in done.tenants)
        if taken:
            LOG.info("%d files that no run has are freed: %d bytes", taken, done.taken_bytes)
