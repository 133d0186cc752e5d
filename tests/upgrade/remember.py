"""Writes the database of this release that later ones must open: python -m tests.upgrade.remember NAME

Kept as tests/upgrade/assets/NAME.db.gz beside what it must answer, NAME.json. A kept file is never written again: a new
schema gets a new one."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from lineal.model.entities import Artifact, Attempt, Cursor, Layout, MetricDefinition, SeriesKey, Stamp
from lineal.model.values import from_json, to_json
from lineal.series.columns import Block
from lineal.store.contracts import RunQuery, RunStart, Store, TenantReader, TenantWriter
from lineal.store.open import open_store, sqlite_url
from lineal.testing.same_answers import comparable_details, comparable_summary

ASSETS = Path(__file__).parent / "assets"
WRITER = "0123456789abcde"
LOSS, STEPS = SeriesKey("train/loss"), SeriesKey("épochs\0", (("rank", "0"),), "int64")
TRAIN, EVAL = Layout("int64", (LOSS, STEPS)), Layout("float64", (LOSS,))


def rows(layout: Layout, count: int, first_seq: int) -> Block:
    noise = np.random.default_rng(first_seq)
    values = tuple(
        noise.normal(size=count) if key.value_type == "float64" else noise.integers(-(2**60), 2**60, count)
        for key in layout.series
    )
    for value in values:
        if value.dtype == np.float64:
            value[:4] = np.array([np.nan, -0.0, np.inf, 5e-324])[:count]
    steps = np.arange(count).astype(layout.step_type)
    return Block(layout, np.arange(first_seq, first_seq + count), steps, 1_700_000_000_000 + np.arange(count), values)


def say_everything(writer: TenantWriter, run_id: str, now: int) -> None:
    def at(seq: int) -> Stamp:
        return Stamp(now + seq, WRITER, seq)

    start = RunStart("digits", "mlp", "first", "alice", "parent", None, None, "f" * 64)
    writer.start_attempt(run_id, Attempt("a1", now, host="node", pid=3), start, at(1))
    writer.set_params(run_id, "a1", {"lr": 0.1, "n": 2**70, "x": None, "ok": True, "text": "é\0", "nan": np.nan}, at(2))
    writer.set_params(run_id, "a1", {"lr": 0.2}, at(3))
    writer.set_tags(run_id, {"team": "a", "gone": "x"}, at(4))
    writer.set_tags(run_id, {"gone": None}, at(5))
    writer.set_note(run_id, "# Note\n😀", at(6))
    writer.set_document(run_id, "review", '{"score":3}', at(7))
    writer.define_metric(run_id, MetricDefinition("train/loss", "min", "epoch", "nats"), at(8))
    for seq, digest in enumerate(("a" * 64, "b" * 64), 9):
        artifact = Artifact("model.pt", 0, 10, digest, None, "application/octet-stream", now)
        writer.add_artifact(run_id, artifact, at(seq))
    writer.add_loss(run_id, "disk_full", 7, at(11))
    writer.define_layout(run_id, WRITER, 1, TRAIN)
    writer.keep_orphans(run_id, WRITER, 9, b"orphan", 1)
    writer.append_points(run_id, WRITER, "a1", [rows(TRAIN, 1_500, 20), rows(EVAL, 7, 5_000)])
    writer.end_attempt(run_id, "a1", "failed", "Traceback ...", at(12))
    writer.set_cursor(Cursor(WRITER, run_id, 5_007, 2, 4_096))
    writer.compact(run_id)
    # Another life, still fresh.
    writer.start_attempt(run_id, Attempt("a2", now + 50, resumed=True), RunStart("digits"), at(13))
    writer.append_points(run_id, WRITER, "a2", [rows(EVAL, 3, 6_000)])


def fill(store: Store) -> None:
    with store.begin() as transaction:
        writer = transaction.tenant("default")
        say_everything(writer, "b4c1f0" + "0" * 26, 1_700_000_000_000)
        writer.set_tags("mentioned", {"k": "v"}, Stamp(5, "other", 1))
        writer.set_experiment("digits", Stamp(6, "other", 2), description="hand-written", tags={"owner": "alice"})
        writer.set_lifecycle("removed", "deleted", Stamp(7, "other", 3))
        say_everything(transaction.tenant("acme"), "b4c1f0" + "0" * 26, 1_800_000_000_000)


def answers(reader: TenantReader) -> Any:
    """Everything, as JSON has it."""
    found: dict[str, Any] = {}
    for run in reader.list_runs(RunQuery(lifecycle=None)).runs:
        series = reader.list_series(run.run_id)
        found[run.run_id] = {
            "details": _as_first(comparable_details(reader.get_details(run.run_id))),
            "summaries": [[*info.key, comparable_summary(info.summary)] for info in series],
            "points": [
                [
                    piece.attempt_id,
                    piece.writer,
                    *(getattr(piece.columns, name).tobytes().hex()[-400:] for name in ("step", "value")),
                ]
                for info in series
                for piece in reader.read_points(run.run_id, info.key.name, info.key.labels)
            ],
        }
    experiments = [comparable(experiment) for experiment in reader.list_experiments(lifecycle=None).experiments]
    # As rows were in the first schemas: an experiment by its name, no actor, no link.
    names = {one.experiment_id: one.name for one in reader.list_experiments(lifecycle=None).experiments}
    audit = [[*row[:5], names.get(row.subject, row.subject), row.digest] for row in reader.list_audit()]
    return from_json(to_json({"runs": found, "experiments": experiments, "audit": audit}))


def _as_first(details: dict[str, Any]) -> dict[str, Any]:
    """Without what the first schemas did not know of a run."""
    run = {name: value for name, value in details["run"].items() if name != "is_locked"}
    later = ("datasets", "models", "artifact_uses", "version_uses", "console_line_count")
    assert not any(details[name] for name in later)
    known = {name: value for name, value in details.items() if name not in later}
    return {**known, "run": run}


def comparable(experiment: Any) -> dict[str, Any]:
    return {name: getattr(experiment, name) for name in experiment.__slots__ if name != "first_name"}


def main(name: str) -> None:
    kept = ASSETS / f"{name}.db.gz"
    if kept.exists():
        sys.exit(f"{kept} is kept, and never written again")
    ASSETS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "lineal.db"
        store = open_store(sqlite_url(database))
        fill(store)
        expected = {tenant: answers(store.tenant(tenant)) for tenant in store.list_tenants()}
        store.close()
        kept.write_bytes(gzip.compress(database.read_bytes(), mtime=0))
    (ASSETS / f"{name}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
