"""What a route may use: the source, the tenant that was asked for, the store as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineal.model.errors import InvalidInput, NotFound
from lineal.server.answers import Submitted
from lineal.server.principals import OPEN, Principal

if TYPE_CHECKING:
    from lineal.ingest.group_commit import Once, Work
    from lineal.server.gate import Gate
    from lineal.server.kept_rows import KeptRows
    from lineal.server.live import Live
    from lineal.server.observed import Observed
    from lineal.server.source import Source
    from lineal.store.contracts import Store, TenantReader


@dataclass(frozen=True, slots=True)
class Context:
    """`store` is open while the route runs; async routes have none, and no `gate`. `artifact_root`: where MLflow's clients
    are told to keep the files of experiments that they make ("": here)."""

    source: Source
    tenant: str
    live: Live
    rows: KeptRows
    observed: Observed
    _store: Store | None = None
    once: Once | None = None
    principal: Principal = OPEN
    gate: Gate | None = None
    artifact_root: str = ""

    @property
    def store(self) -> Store:
        assert self._store is not None, "an async route may not read the store"
        return self._store

    @property
    def reader(self) -> TenantReader:
        return self.store.tenant(self.tenant)

    @property
    def actor(self) -> str | None:
        """On whose behalf audit rows shall say that something was said."""
        return self.principal.user

    def submit(self, work: Work, then: Callable[[Context], Any] | None = None) -> Submitted:
        return Submitted(self.source.submit(self.tenant, work, self.once, self.actor), then)

    def known_id(self, run_id: str) -> str:
        """The run of that very id: for what changes a run. NotFound."""
        if self.reader.find_run_ids(run_id, limit=1) != [run_id]:
            raise NotFound(f"no run {run_id!r:.80}", field="run_id")
        return run_id

    def full_id(self, run_id: str) -> str:
        """The run of that id, or the only one that begins so: for what is read, since the answer says which one it is."""
        found = self.reader.find_run_ids(run_id, limit=2) if run_id else []
        if not found:
            raise NotFound(f"no run {run_id!r:.80}", field="run_id")
        if len(found) > 1:
            raise InvalidInput(f"several runs begin with {run_id!r:.80}; give more characters", field="run_id")
        return found[0]
