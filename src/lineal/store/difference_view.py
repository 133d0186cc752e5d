"""A difference as plain dictionaries: the JSON of the command, of Python and of the server."""

from __future__ import annotations

from typing import Any

from lineal.store.circumstance_difference import DatasetRow, Fact
from lineal.store.comparable import Comparable
from lineal.store.difference import Row
from lineal.store.full_difference import CodeRow, FullDifference
from lineal.store.parting import Parting
from lineal.store.run_view import iso_time


def difference_dict(found: FullDifference, *, show_all: bool = False) -> dict[str, Any]:
    """Differing rows, or all."""

    def rows(section: Any) -> list[Row]:
        return found.rows.of(section, only_differing=not show_all)

    return {
        "runs": [
            {
                "run_id": one.run.run_id,
                "name": one.run.name,
                "experiment": one.run.experiment_name,
                "status": one.run.status,
            }
            for one in found.details
        ],
        "comparable": comparable_dict(found.comparable),
        "attributes": [_attribute(row) for row in rows("attribute")],
        "params": [_row(row) for row in rows("param")],
        "metrics": [_row(row) | {"goal": row.goal, "best_run_ids": list(row.best_run_ids)} for row in rows("metric")],
        "tags": [_row(row) for row in rows("tag")],
        "code": [_code(row) for row in found.code],
        "packages": [{"name": row.name, "values": dict(row.values), "change": row.change} for row in found.packages],
        "packages_unknown": found.packages_unknown or None,
        "datasets": [_dataset(row) for row in found.datasets if row.differs or show_all],
        "execution": _facts(found.execution, show_all),
        "environment": _facts(found.environment, show_all),
        "hardware": _facts(found.hardware, show_all),
        "parts": [_parting(one) for one in found.parts.found if one.step is not None or show_all],
        "parts_left_out": list(found.parts.left_out),
        "equal_count": sum(not row.differs for row in found.rows.rows),
        "is_empty": found.is_empty,
    }


def comparable_dict(found: Comparable) -> dict[str, Any]:
    return {
        "is_fair": found.is_fair,
        "reasons": [
            {"kind": one.kind, "text": one.text, "name": one.name, "values": dict(one.values)} for one in found.reasons
        ],
        "unknown": list(found.unknown),
    }


def _attribute(row: Row) -> dict[str, Any]:
    """Under the names and in the units of the REST run."""
    said = _row(row)
    if row.name == "start_time":
        said["values"] = {run_id: iso_time(int(value or 0)) for run_id, value in row.values.items()}
    elif row.name == "duration":
        said["name"] = "duration_seconds"
        said["values"] = {run_id: int(value or 0) / 1_000 for run_id, value in row.values.items()}
    return said


def _row(row: Row) -> dict[str, Any]:
    return {"name": row.name, "values": row.values, "differs": row.differs}


def _code(row: CodeRow) -> dict[str, Any]:
    patch = row.patch
    return {
        "run_id": row.run_id,
        "kind": row.kind,
        "commit": row.commit,
        "branch": row.branch,
        "remote": row.remote,
        "is_dirty": row.is_dirty,
        "digest": row.digest,
        "patch": None
        if patch is None
        else {
            "text": patch.text,
            "files": list(patch.files),
            "unknown": list(patch.unknown),
            "is_cut": patch.is_cut,
        },
    }


def _dataset(row: DatasetRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "context": row.context or None,
        "values": row.values,
        "versions": row.versions,
        "differs": row.differs,
    }


def _facts(found: tuple[Fact, ...], show_all: bool) -> list[dict[str, Any]]:
    return [
        {"name": fact.name, "values": fact.values, "differs": fact.differs}
        for fact in found
        if fact.differs or show_all
    ]


def _parting(one: Parting) -> dict[str, Any]:
    return {"metric": one.metric, "labels": dict(one.labels), "step": one.step, "values": one.values}
