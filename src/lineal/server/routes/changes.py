"""Changes of many runs at once."""

from __future__ import annotations

from typing import Any

from lineal.ingest.desk import Said
from lineal.server import changes
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.runs import Changed, NameRuns, TagRuns


def tag_runs(context: Context, asked: Asked[Any, TagRuns]) -> Said:
    """Sets tags; one of null is removed."""
    return changes.tag_runs(context, asked.body.run_ids, asked.body.tags)


def delete_runs(context: Context, asked: Asked[Any, NameRuns]) -> Said:
    """Puts runs away: lists leave them out, `restore` brings them back."""
    return changes.set_lifecycle(context, asked.body.run_ids, "deleted")


def restore_runs(context: Context, asked: Asked[Any, NameRuns]) -> Said:
    """The opposite of `delete`."""
    return changes.set_lifecycle(context, asked.body.run_ids, "active")


def lock_runs(context: Context, asked: Asked[Any, NameRuns]) -> Said:
    """From now on they refuse changes (409, code "locked"). A run that is still running is refused: end it first."""
    return changes.set_lock(context, asked.body.run_ids, locked=True)


def unlock_runs(context: Context, asked: Asked[Any, NameRuns]) -> Said:
    """The opposite of `lock`."""
    return changes.set_lock(context, asked.body.run_ids, locked=False)


ENDPOINTS = (
    Endpoint(
        "POST", "/api/v1/runs/tags", tag_runs, "Tag runs", Changed, body=TagRuns, refusals=(404, 409), access="writer"
    ),
    Endpoint(
        "POST",
        "/api/v1/runs/delete",
        delete_runs,
        "Put runs away",
        Changed,
        body=NameRuns,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "POST",
        "/api/v1/runs/restore",
        restore_runs,
        "Bring runs back",
        Changed,
        body=NameRuns,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "POST",
        "/api/v1/runs/lock",
        lock_runs,
        "Lock runs",
        Changed,
        body=NameRuns,
        refusals=(404, 409),
        access="approver",
    ),
    Endpoint(
        "POST",
        "/api/v1/runs/unlock",
        unlock_runs,
        "Unlock runs",
        Changed,
        body=NameRuns,
        refusals=(404, 409),
        access="approver",
    ),
)
