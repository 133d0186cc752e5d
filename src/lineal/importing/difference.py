"""A run that is there already: what its source has more, or otherwise than when it was imported last.

What was changed here since stands: a tag is said again only if it is another one there than the last import found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lineal.client.given import split
from lineal.importing.destination import Known, read_history
from lineal.importing.nouns import Source, SourcePoint, SourceRun
from lineal.importing.segments import TIME_MAX_MS, Segments
from lineal.importing.translate import (
    NOTE_TAG,
    capture_records,
    captured_digests,
    document_of,
    end_of,
    ended_ms,
    lineage_records,
    say_points,
    short_digest,
    start_record,
    tags_of,
    taken_from,
)
from lineal.local import LocalStore
from lineal.model.errors import NotFound
from lineal.model.values import from_json
from lineal.record.records import (
    ArtifactLogged,
    AttemptEnded,
    AttemptStarted,
    DatasetUsed,
    DocumentSet,
    ModelUsed,
    NameSet,
    NoteSet,
    ParamsSet,
    Record,
    TagsSet,
)

_ROWS_COUNT = 50_000


@dataclass(slots=True)
class Difference:
    """`records` with their times; `has_points`: some may be missing. `seen` tells what was compared, so that whoever sees
    the same says the same as the same writer."""

    records: list[tuple[Record, int]] = field(default_factory=list)
    has_points: bool = False
    seen: str = ""
    lifecycle_changed: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.records and not self.has_points


def read_document(store: LocalStore, known: Known, name: str) -> Any:
    """None if the run has none."""
    if name not in known.details.document_names:
        return None
    try:
        return from_json(store.reader().get_document(known.details.run.run_id, name))
    except (NotFound, ValueError):
        return None


def compare(
    run: SourceRun, known: Known, document: Any, artifacts: list[tuple[ArtifactLogged, int]], attempt: str, now_ms: int
) -> Difference:
    """`attempt`: of the run's first import."""
    before = taken_from(document)
    found = Difference(seen=_seen(run, known, document))
    details = known.details
    records = found.records
    if not details.attempts:
        records.append((start_record(run, attempt), run.started_ms))
    attempt = details.attempts[-1].attempt_id if details.attempts else attempt
    taken: Mapping[str, Any] = {} if before is None else before[1]
    attempt = _compare_end(run, known, taken, attempt, now_ms, records)
    params = {key: value for key, value in run.params.items() if key not in details.params}
    if params:
        records += [(ParamsSet(attempt, dict(part)), run.started_ms) for part in split(params)]
    _compare_texts(run, known, taken, now_ms, records)
    captured: Mapping[str, str] = taken.get("captures", {})
    told = captured_digests(run)
    # Of the attempt that it was imported as: one that was made here since has its own.
    of_import = details.attempts[0].attempt_id if details.attempts else attempt
    records += [(one, now_ms) for one in capture_records(run, of_import) if captured.get(one.part) != told[one.part]]
    used = {("dataset", one.dataset.name, one.dataset.digest, one.context) for one in details.datasets}
    used |= {("model", one.model_id, one.role, "") for one in details.models}
    records += [(one, run.started_ms) for one in lineage_records(run) if _use_key(one) not in used]
    there = {(one.path, one.digest, one.uri) for one in details.artifacts}
    records += [(one, at_ms) for one, at_ms in artifacts if (one.path, one.digest, one.uri) not in there]
    found.has_points = before is None or before[0] != run.point_count
    was_deleted = taken.get("lifecycle", "active") == "deleted"
    found.lifecycle_changed = (run.lifecycle == "deleted") != was_deleted
    if found.has_points or document != document_of(run, run.point_count):
        found.records.append((DocumentSet(run.document, document_of(run, run.point_count)), now_ms))
    return found


def _use_key(record: DatasetUsed | ModelUsed) -> tuple[str, str, str, str]:
    if isinstance(record, DatasetUsed):
        return "dataset", record.name, record.digest, record.context or ""
    return "model", record.model_id, record.role, ""


def _compare_end(
    run: SourceRun, known: Known, taken: Mapping[str, Any], attempt: str, now_ms: int, records: list[tuple[Record, int]]
) -> str:
    """The attempt that what follows belongs to."""
    status = end_of(run)
    said = f"{run.status} {ended_ms(run)}" if status else ""
    if taken.get("end", "") == said and (taken or status is None):
        return attempt
    if status is not None:
        records.append((AttemptEnded(attempt, status), ended_ms(run)))
        return attempt
    if known.details.run.status == "running":
        return attempt
    again = short_digest(f"{attempt} {taken.get('end')}")  # it goes on, after an end
    records.append((AttemptStarted(again, run.experiment.name, resumed=True), now_ms))
    return again


def _compare_texts(
    run: SourceRun, known: Known, taken: Mapping[str, Any], now_ms: int, records: list[tuple[Record, int]]
) -> None:
    """Name, tags and note."""
    details = known.details
    name = run.name or ""
    if name and name != taken.get("name", details.run.name) and name != details.run.name:
        records.append((NameSet(name), now_ms))
    before: Mapping[str, str] = taken.get("tags", {})
    changed: dict[str, str | None] = {}
    for key, value in tags_of(run).items():
        if before.get(key) != short_digest(value) and details.tags.get(key) != value:
            changed[key] = value
    for key in before:
        if key not in run.tags and key in details.tags:
            changed[key] = None
    if changed:
        records += [(TagsSet(dict(part)), now_ms) for part in split(changed)]
    note = run.tags.get(NOTE_TAG, "")
    if (before.get(NOTE_TAG) != short_digest(note) if note else NOTE_TAG in before) and details.note != note:
        records.append((NoteSet(note), now_ms))


def _seen(run: SourceRun, known: Known, document: Any) -> str:
    details = known.details
    counts = [info.summary.count for info in known.series]
    there = [len(details.params), sorted(details.tags), len(details.artifacts), len(details.attempts), sum(counts)]
    there += [len(details.datasets), len(details.models)]
    wanted = [run.point_count, len(run.params), len(run.datasets), len(run.models), document_of(run, run.point_count)]
    return json.dumps([document, there, wanted], sort_keys=True, default=str)


def say_missing_points(out: Segments, source: Source, store: LocalStore, run: SourceRun, known: Known) -> int:
    """Points of the source that are not there yet, metric by metric. Returns how many."""
    there = {(info.key.name, info.key.labels): info.summary.count for info in known.series}
    said = 0
    for name, labels, count in source.series(run):
        points = source.points_of(run, name, labels)
        if not there.get((name, labels)):
            said += say_points(out, points)
        elif count:
            history = read_history(store, run.run_id, name, dict(labels))
            there_now = _There(_keys(history.step, history.time_ms, history.value))
            said += say_points(out, there_now.without(points))
    return said


class _There:
    """Points of one metric, each as often as it is there."""

    def __init__(self, keys: npt.NDArray[Any]) -> None:
        self._keys, self._left = np.unique(keys, return_counts=True)

    def without(self, points: Iterable[SourcePoint]) -> Iterator[SourcePoint]:
        waiting: list[SourcePoint] = []
        for point in points:
            waiting.append(point)
            if len(waiting) >= _ROWS_COUNT:
                yield from self._filtered(waiting)
                waiting = []
        yield from self._filtered(waiting)

    def _filtered(self, points: list[SourcePoint]) -> Iterator[SourcePoint]:
        if not points:
            return
        keys = _keys(
            np.array([point.step for point in points], np.int64),
            np.array([point.time_ms for point in points], np.int64),
            np.array([point.value for point in points], np.float64),
        )
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        is_there = self._keys[places] == keys
        for point, place, known in zip(points, places.tolist(), is_there.tolist(), strict=True):
            if known and self._left[place]:
                self._left[place] -= 1
            else:
                yield point


def _keys(step: Any, time_ms: Any, value: Any) -> npt.NDArray[Any]:
    """One sortable key a point; every NaN is the same."""
    keys = np.empty(len(step), [("step", np.float64), ("time", np.int64), ("value", np.int64)])
    keys["step"] = step
    keys["time"] = np.clip(time_ms, 0, TIME_MAX_MS)
    numbers = np.asarray(value, np.float64).copy()
    numbers[np.isnan(numbers)] = math.nan
    keys["value"] = numbers.view(np.int64)
    return keys
