"""What only an approver may say, through whichever door: the routes ask for the role, and a journal that says it, too."""

from __future__ import annotations

from lineal.record.records import AliasSet, ModelSet, ModelVersionSet, Record, RunLockSet, StageSet

_APPROVERS = (RunLockSet, StageSet, AliasSet)
_PUT_AWAY = (ModelSet, ModelVersionSet)


def needs_approver(record: Record) -> bool:
    """Whether a writer's role is not enough for it (docs/how-to/share-with-a-team.md)."""
    return isinstance(record, _APPROVERS) or (isinstance(record, _PUT_AWAY) and record.lifecycle is not None)
