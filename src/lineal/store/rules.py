"""What a set of statements means: the rules of `contracts.py` as pure functions, one place for every backend.

Nothing here depends on the order in which statements became known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from lineal.model.entities import Artifact, Attempt, ParamConflict, Run, Stamp
from lineal.model.errors import InvalidInput
from lineal.model.values import ParamValue, float_text
from lineal.model.vocabulary import EndStatus, Lifecycle, Status
from lineal.store.contracts import RunStart

CLOCK_AHEAD_MAX_MS = (
    600_000  # of one server before another; a clock that was a year ahead for a moment is not waited for
)
DEFAULT_EXPERIMENT = "Default"
DEFAULT_NAME_CHARS = 8


def after(last_ms: int, now_ms: int) -> int:
    """The time of a transaction: now, but not before the last one's, whichever process it was of and whatever its clock
    said. A later statement would lose against an earlier one."""
    return last_ms if now_ms < last_ms <= now_ms + CLOCK_AHEAD_MAX_MS else now_ms


# -- attempts ----------------------------------------------------------------------------------------------


class Opening(NamedTuple):
    attempt: Attempt
    start: RunStart
    stamp: Stamp


class Ending(NamedTuple):
    status: EndStatus
    error: str | None
    stamp: Stamp


def ended_at(stamp: Stamp, ended_ms: int | None) -> Stamp:
    """What decides between two ends: when it was, then who said so."""
    return stamp if ended_ms is None else stamp._replace(time_ms=ended_ms)


@dataclass(slots=True)
class AttemptFacts:
    """What was said of one attempt so far: perhaps its end before its start."""

    attempt_id: str
    opening: Opening | None = None
    ending: Ending | None = None
    lost: Stamp | None = None
    """The earliest loss."""
    lost_last_ms: int | None = None
    heard_ms: int | None = None

    @property
    def loss(self) -> Stamp | None:
        """The loss that counts: none where its writer was heard of again since."""
        if self.lost is None or self.lost_last_ms is None:
            return None
        if self.heard_ms is None or self.lost.time_ms > self.heard_ms:
            return self.lost
        return self.lost._replace(time_ms=self.lost_last_ms) if self.lost_last_ms > self.heard_ms else None

    @property
    def status(self) -> Status:
        if self.ending is not None:
            return self.ending.status
        return "running" if self.loss is None else "lost"

    def open(self, opening: Opening) -> bool:
        """True if that changed anything; of two openings the earlier stands."""
        if self.opening is not None and self.opening.stamp <= opening.stamp:
            return False
        self.opening = opening
        return True

    def end(self, ending: Ending) -> bool:
        """The later end stands: a process may survive the signal that it recorded."""
        if self.ending is not None and self.ending.stamp >= ending.stamp:
            return False
        self.ending = ending
        return True

    def lose(self, stamp: Stamp) -> bool:
        """Of several the earliest stands, unless it was heard of in between."""
        known = self.lost, self.lost_last_ms
        self.lost = stamp if self.lost is None else min(self.lost, stamp)
        self.lost_last_ms = max(stamp.time_ms, self.lost_last_ms or 0)
        return (self.lost, self.lost_last_ms) != known

    def regain(self, stamp: Stamp) -> bool:
        """A loss before that does not count any more."""
        if self.heard_ms is not None and self.heard_ms >= stamp.time_ms:
            return False
        self.heard_ms = stamp.time_ms
        return True

    def copy(self) -> AttemptFacts:
        return replace(self)


Rank: TypeAlias = tuple[bool, int, str]


def rank(facts: AttemptFacts | None, attempt_id: str) -> Rank:
    """Where an attempt stands among those of its run: by start, then id; before all, those that never started."""
    opening = None if facts is None else facts.opening
    return (opening is not None, 0 if opening is None else opening.attempt.started_ms, attempt_id)


def started(attempts: Iterable[AttemptFacts]) -> list[AttemptFacts]:
    """Those that were opened, in order of start."""
    return sorted((a for a in attempts if a.opening is not None), key=lambda a: rank(a, a.attempt_id))


def attempt_of(facts: AttemptFacts) -> Attempt:
    """The attempt as it stands: running, ended, or lost. It must have been opened."""
    if facts.opening is None:
        raise ValueError(f"attempt {facts.attempt_id} was never opened")
    said = facts.opening.attempt
    attempt = Attempt(
        facts.attempt_id,
        said.started_ms,
        user_id=said.user_id if said.user_id is not None else facts.opening.start.user_id,
        host=said.host,
        pid=said.pid,
        resumed=said.resumed,
    )
    if facts.ending is not None:
        return _closed(attempt, facts.ending.stamp.time_ms, facts.ending.status, facts.ending.error)
    if facts.loss is not None:
        return _closed(attempt, facts.loss.time_ms, "lost", None)
    return attempt


def _closed(attempt: Attempt, ended_ms: int, status: EndStatus | str, error: str | None) -> Attempt:
    return Attempt(
        attempt.attempt_id,
        attempt.started_ms,
        ended_ms,
        status,  # type: ignore[arg-type]
        error,
        attempt.user_id,
        attempt.host,
        attempt.pid,
        attempt.resumed,
    )


def status_of(attempts: Iterable[AttemptFacts]) -> Status:
    """Of a run: of its latest attempt."""
    last = _last(list(attempts))
    return "running" if last is None else last.status


def _last(attempts: list[AttemptFacts]) -> Attempt | None:
    """The latest that was opened; without one, what is known of an end."""
    opened = started(attempts)
    return attempt_of(opened[-1]) if opened else _startless(attempts)


# -- runs --------------------------------------------------------------------------------------------------


def run_of(
    run_id: str,
    attempts: Iterable[AttemptFacts],
    rename: tuple[Stamp, str] | None,
    lifecycle: Lifecycle,
    experiment_of: Callable[[str], tuple[str, str]],
    is_locked: bool = False,
) -> Run:
    """The run that its attempts and its latest renaming make. Known by mention only: running since 0; where only the end
    of an attempt is known (its start was damaged, or never written whole), that end."""
    attempts = list(attempts)
    openings = [facts.opening for facts in started(attempts) if facts.opening is not None]
    first = openings[0].start if openings else RunStart(DEFAULT_EXPERIMENT)
    last = _last(attempts)
    starts = [opening.start for opening in reversed(openings)]
    user_ids = [o.start.user_id if o.start.user_id is not None else o.attempt.user_id for o in reversed(openings)]
    return Run(
        run_id=run_id,
        experiment_id=experiment_of(first.experiment)[0],
        experiment_name=experiment_of(first.experiment)[1],
        name=_name_of(run_id, openings, rename),
        status=last.status if last else "running",
        lifecycle=lifecycle,
        started_ms=openings[0].attempt.started_ms if openings else last.started_ms if last else 0,
        ended_ms=last.ended_ms if last else None,
        description=_first_given([start.description for start in starts]) or "",
        user_id=_first_given(user_ids),
        parent_run_id=first.parent_run_id,
        forked_from=first.forked_from,
        fork_step=first.fork_step,
        content_digest=first.content_digest,
        is_locked=is_locked,
    )


def _startless(attempts: Iterable[AttemptFacts]) -> Attempt | None:
    """The latest end among attempts whose start is unknown, as an attempt that started when it ended."""
    ends: list[tuple[Stamp, EndStatus | str]] = []
    for facts in attempts:
        if facts.ending is not None:
            ends.append((facts.ending.stamp, facts.ending.status))
        elif facts.loss is not None:
            ends.append((facts.loss, "lost"))
    if not ends:
        return None
    stamp, status = max(ends)
    return _closed(Attempt("", stamp.time_ms), stamp.time_ms, status, None)


def _name_of(run_id: str, openings: list[Opening], rename: tuple[Stamp, str] | None) -> str:
    for opening in reversed(openings):
        if opening.start.name is not None:
            if rename is None or opening.attempt.started_ms > rename[0].time_ms:
                return opening.start.name
            break
    return run_id[:DEFAULT_NAME_CHARS] if rename is None else rename[1]


def attribute_of(run: Run, name: str) -> str | int | None:
    """What `syntax.ATTRIBUTES` calls by that name; None if the run has no value for it."""
    match name:
        case "experiment":
            return run.experiment_name
        case "start_time":
            return run.started_ms
        case "end_time":
            return run.ended_ms
        case "duration":
            return run.duration_ms
        case "description":
            return run.description or None
        case "forked_from" | "run_id" | "name" | "status" | "experiment_id" | "user_id" | "parent_run_id":
            value: str | None = getattr(run, name)
            return value
    raise InvalidInput(f"a run has no attribute {name!r:.80}", field="filter")


def _first_given(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)


# -- params ------------------------------------------------------------------------------------------------

SaidParams: TypeAlias = dict[str, dict[str, tuple[Stamp, ParamValue]]]
"""Of one attempt: name -> typed text of a value -> (when it was said first, the value)."""


def typed_text(value: ParamValue) -> str:
    """Equal for equal values of equal type only: 1, 1.0, True and "1" differ, as do the zeros; NaN is NaN."""
    if isinstance(value, str):
        return "s" + value
    if isinstance(value, float):
        return "f" + float_text(value)
    if isinstance(value, bool) or value is None:
        return "c" + str(value)
    return f"i{value:x}"


def say_params(said: SaidParams, params: Mapping[str, ParamValue], stamp: Stamp) -> dict[str, ParamValue]:
    """Adds a statement; returns what of it was new."""
    fresh: dict[str, ParamValue] = {}
    for name, value in params.items():
        values = said.setdefault(name, {})
        text = typed_text(value)
        known = values.get(text)
        if known is None or stamp < known[0]:
            values[text] = (stamp, value)
            fresh[name] = value
    return fresh


def effective_params(attempts: Iterable[tuple[Rank, SaidParams]]) -> dict[str, ParamValue]:
    """By name: the earliest value of the latest attempt that set it."""
    effective: dict[str, ParamValue] = {}
    for _, said in sorted(attempts, key=lambda item: item[0]):
        for name, values in said.items():
            # Mostly there is one, and pages of runs are made of thousands of these.
            said_first = next(iter(values.values())) if len(values) == 1 else min(values.values(), key=_when)
            effective[name] = said_first[1]
    return dict(sorted(effective.items()))


def param_conflicts(attempts: Iterable[tuple[Rank, SaidParams]]) -> list[ParamConflict]:
    """By attempt, then stamp, then name."""
    conflicts = []
    for (_, _, attempt_id), said in sorted(attempts, key=lambda item: item[0]):
        found = []
        for name, values in said.items():
            if len(values) == 1:
                continue
            (_, kept), *refused = sorted(values.values(), key=_when)
            found += [ParamConflict(attempt_id, name, kept, value, stamp) for stamp, value in refused]
        conflicts += sorted(found, key=lambda conflict: (conflict.stamp, conflict.name))
    return conflicts


def _when(entry: tuple[Stamp, ParamValue]) -> Stamp:
    return entry[0]


# -- artifacts and losses ----------------------------------------------------------------------------------


def artifact_versions(statements: Iterable[tuple[Stamp, Artifact]]) -> list[Artifact]:
    """By path, then version: by stamp, saying the same content again being no new version."""
    versions: list[Artifact] = []
    for _, said in sorted(statements, key=lambda item: (item[1].path, item[0])):
        before = versions[-1] if versions and versions[-1].path == said.path else None
        if before is not None and _content(before) == _content(said):
            continue
        number = 1 if before is None else before.version + 1
        versions.append(
            Artifact(
                said.path,
                number,
                said.size_bytes,
                said.digest,
                said.uri,
                said.media_type,
                said.logged_ms,
            )
        )
    return versions


def _content(artifact: Artifact) -> tuple[str | None, str | None, int | None]:
    return artifact.digest, artifact.uri, artifact.size_bytes


def loss_sums(losses: Iterable[tuple[str, int]]) -> dict[str, int]:
    """(reason, count) pairs added up, by reason."""
    sums: dict[str, int] = {}
    for reason, count in losses:
        sums[reason] = sums.get(reason, 0) + count
    return dict(sorted(sums.items()))
