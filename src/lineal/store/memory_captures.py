"""Captures in the memory store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from lineal.model.captures import Capture, content_digest, is_running_total
from lineal.model.entities import Stamp
from lineal.model.values import ParamValue
from lineal.store.audit import Action
from lineal.store.captures import CODE, has_room, latest_of_parts, searched_code
from lineal.store.memory_state import RunState
from lineal.store.rules import Rank


class _Writer(Protocol):
    """What a `MemoryWriter` has for this."""

    changed: bool

    def draft_run(self, run_id: str) -> RunState: ...

    def audit(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None: ...


class MemoryCaptureWriter:
    """See `captures.CaptureWriter`. Part of a `MemoryWriter`."""

    def set_capture(self: _Writer, run_id: str, attempt_id: str, part: str, json_text: str, stamp: Stamp) -> bool:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        standing = run.captures.get((attempt_id, part))
        if standing is None and not has_room(sum(one == attempt_id for one, _ in run.captures)):
            return False
        if standing is None or standing[0] < stamp:
            run.captures[attempt_id, part] = (stamp, json_text)
            if standing is None or not is_running_total(part):
                digest = content_digest(json_text).hex()
                self.audit("capture.set", run_id, stamp, {"attempt": attempt_id, "part": part, "digest": digest})
            self.changed = True
        return True


def captures_of(state: RunState) -> Iterator[tuple[Rank, Capture]]:
    for (attempt_id, part), (stamp, text) in state.captures.items():
        digest = content_digest(text).hex()
        yield state.rank(attempt_id), Capture(attempt_id, part, text, digest, stamp.time_ms)


def code_of(state: RunState) -> dict[str, ParamValue]:
    code = latest_of_parts(captures_of(state), (CODE,)).get(CODE)
    return searched_code(None if code is None else code.json_text)
