"""A folder of TensorBoard's event files: each folder in it that holds some is a run, as TensorBoard itself has it.

Its id is made of the folder's name, of its first file's, and of that file's first moment, so that a folder which is imported
again, or from elsewhere, is the same run. An event file does not say how its run ended, unless hyperparameters were kept: it is
finished as of its last event."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lineal.client.tracked.events import FOLDER, histogram_line, path_of, suffix_of
from lineal.formats.events.event import Audio, Event, EventReader, Histogram, Images, Other, Scalar, Text
from lineal.formats.events.frames import RecordFile
from lineal.formats.events.hparams import HParams, RunEnd
from lineal.formats.events.wire import NotProtobuf
from lineal.importing.nouns import (
    Place,
    SourceExperiment,
    SourceLoggedModel,
    SourcePoint,
    SourceRegisteredModel,
    SourceRun,
)
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.values import ParamValue
from lineal.model.vocabulary import Labels

DOCUMENT = "tensorboard"
_STATUSES = {"finished": "FINISHED", "failed": "FAILED"}


class TensorboardFiles:
    """`experiment`: what its runs belong to."""

    def __init__(self, folder: Path, experiment: str) -> None:
        if not folder.is_dir():
            raise NotFound(f"{folder} is no folder", field="source")
        self._folder = folder
        self._experiment = SourceExperiment("", experiment)
        self._places: dict[str, Path] = {}
        self._kept: tuple[str, list[SourcePoint]] | None = None
        self.problems: list[tuple[str | None, str]] = []
        self.notices: list[str] = []
        self._found = _folders_of_runs(folder)
        if not self._found:
            raise InvalidInput(f"in {folder} there is no event file of TensorBoard", field="source")
        self._work = tempfile.TemporaryDirectory(prefix="lineal-import-")

    @property
    def place(self) -> str:
        return str(self._folder)

    def close(self) -> None:
        self._work.cleanup()

    def list_experiments(self) -> list[SourceExperiment]:
        return [self._experiment]

    def count_runs(self) -> int:
        return len(self._found)

    def chunks(self, size: int) -> Iterator[Sequence[SourceRun]]:
        for start in range(0, len(self._found), size):
            chunk = []
            for folder in self._found[start : start + size]:
                try:
                    run = self._run_of(folder)
                except OSError as error:
                    self.problems.append((None, f"{error.filename or folder}: {error.strerror}"))
                    continue
                if run is not None:
                    chunk.append(run)
            yield chunk

    def _run_of(self, folder: Path) -> SourceRun | None:
        """None if nothing is said in it."""
        point_count, started, ended = 0, math.inf, -math.inf
        params: dict[str, ParamValue] = {}
        status = "FINISHED"
        unread: Counter[str] = Counter()
        first = ""
        for event in self._events(folder, counts=True):
            first = first or repr(event.wall_time)
            started, ended = min(started, event.wall_time), max(ended, event.wall_time)
            for said in event.said:
                if isinstance(said, Scalar):
                    point_count += 1
                elif isinstance(said, HParams):
                    params |= {name: value if _is_plain(value) else str(value) for name, value in said.params.items()}
                elif isinstance(said, RunEnd) and said.status is not None:
                    status = _STATUSES[said.status]
                elif isinstance(said, Other):
                    unread[said.what] += 1
        if not first:
            self.problems.append((None, f"in {folder} nothing was found: no event could be read from its event files"))
            return None
        name = folder.resolve().name if folder == self._folder else folder.relative_to(self._folder).as_posix()
        identity = "\0".join((DOCUMENT, folder.resolve().name, _event_files(folder)[0].name, first))
        run_id = hashlib.sha256(identity.encode()).hexdigest()[:32]
        if run_id in self._places:
            self.problems.append((run_id, f"{folder} and {self._places[run_id]} are the same run: one was taken"))
            return None
        self._places[run_id] = folder
        not_read = ", ".join(f"{count} {what}" for what, count in sorted(unread.items()))
        if not_read:
            self.notices.append(f"{folder}: events of kinds that are not read: {not_read}")
        return SourceRun(
            run_id,
            self._experiment,
            name,
            status,
            started_ms=_ms(started),
            ended_ms=_ms(ended),
            point_count=point_count,
            params=params,
            provenance={"not_read": not_read},
            document=DOCUMENT,
        )

    def _events(self, folder: Path, *, counts: bool = False) -> Iterator[Event]:
        """Of all its files; `counts`: damage is told."""
        for path in _event_files(folder):
            file, reader, damaged, is_empty = RecordFile(path), EventReader(), 0, True
            for record in file.read_new():
                try:
                    yield reader.read(record)
                    is_empty = False
                except NotProtobuf:
                    damaged += 1
            damaged += file.corrupt_count + file.too_large_count
            if not counts:
                continue
            if is_empty:
                why = "it is empty" if path.stat().st_size == 0 else "it is damaged, or holds none"
                self.problems.append((None, f"{path}: no event could be read: {why}"))
            elif damaged or not file.may_go_on():
                damaged += not file.may_go_on()
                self.problems.append((None, f"{path}: {damaged:,} damaged events were stepped over"))

    # -- points ---------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[SourcePoint]:
        if self._kept is None or self._kept[0] != run.run_id:
            found = [
                SourcePoint(event.step, _ms(event.wall_time), said.tag, said.value == said.value, said.value)
                for event in self._events(self._places[run.run_id])
                for said in event.said
                if isinstance(said, Scalar)
            ]
            self._kept = run.run_id, sorted(found, key=lambda point: point[:4])
        yield from self._kept[1]

    def series(self, run: SourceRun) -> list[tuple[str, Labels, int]]:
        counts = Counter(point.name for point in self.points(run))
        return [(name, (), count) for name, count in sorted(counts.items())]

    def points_of(self, run: SourceRun, name: str, labels: Labels) -> Iterator[SourcePoint]:
        return (point for point in self.points(run) if point.name == name)

    # -- files ----------------------------------------------------------------------------------

    def artifacts(self, run: SourceRun) -> list[Place]:
        """Pictures, sounds, texts and histograms, as `lineal track` keeps them: files of the time at which they were written."""
        root = Path(self._work.name, run.run_id)
        for event in self._events(self._places[run.run_id]):
            for said in event.said:
                if isinstance(said, (Images, Audio)):
                    kind = "images" if isinstance(said, Images) else "audio"
                    for number, content in enumerate(said.files):
                        which = f"{event.step}" if len(said.files) == 1 else f"{event.step}-{number}"
                        name = f"{path_of(said.tag)}/{which}{suffix_of(content)}"
                        _write(root / FOLDER / kind / name, content, event.wall_time, appends=False)
                elif isinstance(said, Text):
                    text = "## Step {}\n\n{}\n\n".format(event.step, "\n\n".join(said.texts))
                    path = root / FOLDER / "texts" / f"{path_of(said.tag)}.md"
                    _write(path, text.encode("utf-8", "backslashreplace"), event.wall_time, appends=True)
                elif isinstance(said, Histogram):
                    path = root / FOLDER / "histograms" / f"{path_of(said.tag)}.jsonl"
                    _write(path, histogram_line(said, event).encode(), event.wall_time, appends=True)
        return [Place(str(root), None)] if root.is_dir() else []

    # -- what it has not ------------------------------------------------------------------------

    def logged_models(self) -> Iterator[SourceLoggedModel]:
        return iter(())

    def model_files(self, model: SourceLoggedModel) -> Place:
        return Place(None, None)

    def registered_models(self) -> Iterator[SourceRegisteredModel]:
        return iter(())


def _folders_of_runs(folder: Path) -> list[Path]:
    found = [Path(place) for place, _, names in os.walk(folder) if any("tfevents" in name for name in names)]
    return sorted(found)


def _event_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if "tfevents" in path.name and path.is_file())


def _write(path: Path, content: bytes, at_s: float, *, appends: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if appends else "wb") as file:
        file.write(content)
    at_ns = _ms(at_s) * 1_000_000
    os.utime(path, ns=(at_ns, at_ns))


def _ms(at_s: float) -> int:
    return max(0, round(at_s * 1_000)) if math.isfinite(at_s) and abs(at_s) < 2**33 else 0


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
