"""Changes of runs that exist: checked here, said to the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from lineal.ingest.desk import Said
from lineal.model.errors import Conflict, OverLimit
from lineal.model.limits import NOTE_MAX_BYTES
from lineal.model.values import clean_text
from lineal.model.vocabulary import Lifecycle
from lineal.record.records import NameSet, NoteSet, Record, RunLifecycleSet, RunLockSet, RunTagsSet, TagsSet
from lineal.server.context import Context
from lineal.server.given import given_name, given_tags
from lineal.server.shapes.runs import Changed
from lineal.server.source import Saying

if TYPE_CHECKING:
    from lineal.server.shapes.runs import EditRun


def edits_of(body: EditRun) -> list[Record]:
    """What is to be said of the run; [] if nothing is. Raises InvalidInput, OverLimit."""
    said: list[Record] = []
    if body.name is not None:
        said.append(NameSet(given_name(body.name)))
    if body.note is not None:
        note = clean_text(body.note)
        if len(note.encode()) > NOTE_MAX_BYTES:
            raise OverLimit(f"a note has at most {NOTE_MAX_BYTES:,} bytes", field="note")
        said.append(NoteSet(note))
    if body.tags:
        said.append(TagsSet(given_tags(body.tags)))
    return said


def edit_run(context: Context, run_id: str, records: Sequence[Record]) -> None:
    if records:
        context.source.say(
            context.tenant, [Saying(run_id, record) for record in records], Said(200, b""), None, context.actor
        )


def tag_runs(context: Context, run_ids: Sequence[str], tags: Mapping[str, str | None]) -> Said:
    checked = given_tags(tags)
    full_ids = known_ids(context, run_ids)
    return _say(context, [Saying(None, RunTagsSet(run_id, checked)) for run_id in full_ids if checked], len(full_ids))


def set_lifecycle(context: Context, run_ids: Sequence[str], lifecycle: Lifecycle) -> Said:
    full_ids = known_ids(context, run_ids)
    sayings = [Saying(None, RunLifecycleSet(run_id, lifecycle)) for run_id in full_ids]
    return _say(context, sayings, len(full_ids))


def set_lock(context: Context, run_ids: Sequence[str], *, locked: bool) -> Said:
    full_ids = known_ids(context, run_ids)
    runs = [context.reader.get_run(run_id) for run_id in full_ids]
    for run in runs:
        if locked and run.status == "running":
            raise Conflict(f"run {run.run_id!r:.80} is still running: end it first", field="run_ids")
    changed = [run.run_id for run in runs if run.is_locked != locked]
    return _say(context, [Saying(None, RunLockSet(run_id, locked)) for run_id in changed], len(full_ids))


def _say(context: Context, sayings: list[Saying], count: int) -> Said:
    answer = Said(200, msgspec.json.encode(Changed(count)))
    return context.source.say(context.tenant, sayings, answer, context.once, context.actor)


def known_ids(context: Context, run_ids: Sequence[str]) -> list[str]:
    """Each run once; NotFound, before anything is said, if there is none of an id."""
    return list(dict.fromkeys(context.known_id(run_id) for run_id in run_ids))
