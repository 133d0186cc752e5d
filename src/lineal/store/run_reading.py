"""What is read of one run when it is asked for: points, documents, captures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from lineal.model.captures import Capture
from lineal.model.console import ConsoleLine, ConsoleStream
from lineal.model.entities import RunDetails, SeriesInfo
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import CONSOLE_PAGE_MAX_COUNT
from lineal.model.values import from_json, texts_of
from lineal.model.vocabulary import Labels
from lineal.store.console import ConsoleQuery, read_lines
from lineal.store.contracts import BucketPiece, Piece, TenantReader

if TYPE_CHECKING:
    from lineal.series.merge import History

_FORKS_MAX_COUNT = 32  # a fork of a fork of a ...: a bound against rings made by hand


class RunReading:
    """Of the run that `details` says; a subclass knows where to ask."""

    details: RunDetails

    if TYPE_CHECKING:

        def _reader(self) -> TenantReader: ...

        @property
        def series(self) -> list[SeriesInfo]: ...

    @property
    def run_id(self) -> str:
        return self.details.run.run_id

    @property
    def captures(self) -> list[Capture]:
        """What its attempts recorded by themselves of their circumstances: the latest attempt first, then by part."""
        return self._reader().list_captures(self.run_id)

    def capture(self, part: str) -> dict[str, Any] | None:
        """The content of that part ("execution", "code", "environment" ...) that the latest attempt recorded which recorded any."""
        found = self._reader().find_capture(self.run_id, part)
        return None if found is None else found.content

    def console(
        self,
        *,
        search: str | None = None,
        stream: ConsoleStream | None = None,
        attempt_id: str | None = None,
        after: int = 0,
    ) -> list[ConsoleLine]:
        """What the run printed: lines with `number` (from 1), `time_ms`, `stream`, `text`, `attempt_id` and `rank`, as a terminal
        would have shown them.

        search      a part of a line, in whatever case
        stream      "stdout", "stderr", or "both": lines of which that cannot be told
        attempt_id  of one attempt
        after       the number of a line: only later ones"""
        query = ConsoleQuery(after, None, CONSOLE_PAGE_MAX_COUNT, stream, attempt_id, search)
        return list(read_lines(self._reader(), self.run_id, query))

    def document(self, name: str) -> object:
        """The JSON document set under that name. NotFound."""
        return from_json(self._reader().get_document(self.run_id, name))

    def history(
        self,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        max_points: int | None = None,
        step_min: float | None = None,
        step_max: float | None = None,
        attempts: Literal["all", "latest"] | None = None,
    ) -> History:
        """A metric's points as numpy columns `step`, `time_ms`, `value`.

        Without `max_points`: every point that was logged, bit-exact, in order of logging, all attempts.
        With it: at most about so many buckets (`.buckets`: min, max, first, last, count ...), nothing sampled away; the chart's
        policy is that a later attempt replaces the steps it covers (`attempts="all"` shows both).
        NotFound if the run has no such metric."""
        return self.histories(
            [name], labels=labels, max_points=max_points, step_min=step_min, step_max=step_max, attempts=attempts
        )[name]

    def histories(
        self,
        names: str | Sequence[str],
        *,
        labels: Mapping[str, str] | None = None,
        max_points: int | None = None,
        step_min: float | None = None,
        step_max: float | None = None,
        attempts: Literal["all", "latest"] | None = None,
    ) -> dict[str, History]:
        """`history` of several metrics in one reading."""
        from lineal.series import merge

        if max_points is not None and max_points < 1:
            raise InvalidInput("max_points is 1 or more", field="max_points")
        key: Labels = tuple(sorted((labels or {}).items()))
        reader = self._reader()
        sources = self._sources(step_max)
        found: dict[str, History] = {}
        names = texts_of(names, "names")
        wanted = [(name, key) for name in names]
        if max_points is None:
            pieces: list[list[Piece]] = [[] for _ in names]
            for run_id, end in sources:
                of_run = [(run_id, series) for series in wanted]
                read = reader.read_points_of(of_run, step_min=step_min, step_max=end)
                for known, more in zip(pieces, read, strict=True):
                    known.extend(more)
            for name, of_name in zip(names, pieces, strict=True):
                kept = merge.latest_attempt_wins(of_name) if attempts == "latest" else of_name
                found[name] = merge.merge_pieces(kept, name, key)
        else:
            summed: list[list[BucketPiece]] = [[] for _ in names]
            for run_id, end in sources:
                of_run = [(run_id, series) for series in wanted]
                drawn = reader.read_buckets(of_run, max_points, step_min=step_min, step_max=end)
                for all_of, some in zip(summed, drawn, strict=True):
                    all_of.extend(some)
            for name, buckets in zip(names, summed, strict=True):
                shown = buckets if attempts == "all" else merge.latest_attempt_wins_buckets(buckets)
                found[name] = merge.merge_bucket_pieces(shown, max_points, name, key)
        for name, history in found.items():
            if not len(history) and not any(self._has(run_id, name, key) for run_id, _ in sources):
                said = f" with labels {dict(key)}" if key else ""
                raise NotFound(f"run {self.run_id} has no metric {name!r}{said}", field="name")
        return found

    def _sources(self, step_max: float | None) -> list[tuple[str, float | None]]:
        """The runs whose points make up this run's curves, oldest first, each with the last step that counts: a fork begins
        with what the run it was forked from had logged up to the fork's step."""
        sources = [(self.run_id, step_max)]
        run, end = self.details.run, step_max
        while run.forked_from is not None and len(sources) < _FORKS_MAX_COUNT:
            if run.fork_step is not None:
                end = run.fork_step if end is None else min(end, run.fork_step)
            try:
                run = self._reader().get_run(run.forked_from)
            except NotFound:
                break
            sources.append((run.run_id, end))
        return sources[::-1]

    def _has(self, run_id: str, name: str, labels: Labels) -> bool:
        series = self.series if run_id == self.run_id else self._reader().list_series(run_id)
        return any(info.key.name == name and info.key.labels == labels for info in series)
