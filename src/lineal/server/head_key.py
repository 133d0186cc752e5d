"""The key that this server, and others over the same blobs folder, sign heads of audit chains with."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from lineal.model.limits import HEAD_MAX_AGE_S
from lineal.server.key_file import load_key
from lineal.store.contracts import Store
from lineal.store.heads import SEED_BYTES, SignedHead, can_sign, sign

LOG = logging.getLogger("lineal.server")
KEY_NAME = "audit-key"


def load_seed(folder: Path) -> bytes | None:
    """The folder's key, which is made if it is not there: of servers that start at once all get the same. None without
    PyNaCl."""
    if not can_sign():
        LOG.warning('heads of audit chains are not signed: pip install "lineal[server]"')
        return None
    return load_key(folder, KEY_NAME, SEED_BYTES)


class Heads:
    """The heads as they are handed out: worked out at most once in HEAD_MAX_AGE_S a tenant. For many threads."""

    def __init__(self, store: Store, seed: bytes | None) -> None:
        self._store = store
        self._seed = seed
        self._known: dict[str, tuple[float, SignedHead | None]] = {}

    def find(self, tenant: str) -> SignedHead | None:
        known = self._known.get(tenant)
        now_s = time.monotonic()
        if known is not None and now_s - known[0] < HEAD_MAX_AGE_S:
            return known[1]
        head = self._store.tenant(tenant).find_chain_head()
        found = None if head is None else sign(head, self._seed)
        if len(self._known) > 1_000:
            self._known.clear()
        self._known[tenant] = (now_s, found)
        return found
