"""Ids are made by whoever says a thing first, at random: no server is asked, and none collide."""

from __future__ import annotations

import os
import re

from lineal.model.errors import InvalidInput
from lineal.model.limits import RUN_ID_MAX_CHARS, TENANT_MAX_CHARS

DEFAULT_TENANT = "default"

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,%d}" % (RUN_ID_MAX_CHARS - 1))
_TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,%d}" % (TENANT_MAX_CHARS - 1))


def new_run_id() -> str:
    """32 hex characters, random, so that six of them are a usable prefix."""
    return os.urandom(16).hex()


def new_writer_id() -> str:
    """15 hex characters, random: 60 bits, so that the id is also a byte offset that a POSIX lock can name."""
    return os.urandom(8).hex()[:15]


def experiment_id(tenant: str, name: str) -> str:
    """16 hex characters derived from tenant and name, so that two offline machines agree on the id.

    A renamed experiment keeps its id; a later one under the old name gets the next free derivation
    (see the store's `ensure_experiment`)."""
    import hashlib  # late: 2 ms of OpenSSL that a training script need not pay at import

    return hashlib.sha256(f"experiment\0{tenant}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def check_run_id(run_id: object, *, field: str = "run_id") -> str:
    """The id itself, or InvalidInput."""
    if isinstance(run_id, str) and is_run_id(run_id):
        return run_id
    raise InvalidInput(
        f"{field} {run_id!r:.80} is not usable: 1 to {RUN_ID_MAX_CHARS} characters, letters and digits, "
        "then also '_' and '-'",
        field=field,
    )


def check_tenant(tenant: object) -> str:
    """The tenant's name itself, or InvalidInput."""
    if isinstance(tenant, str) and _TENANT.fullmatch(tenant):
        return tenant
    raise InvalidInput(
        f"tenant {tenant!r:.80} is not usable: 1 to {TENANT_MAX_CHARS} characters, lower-case letters and "
        "digits, then also '.', '_' and '-'",
        field="tenant",
    )
