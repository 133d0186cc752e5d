"""Event files of TensorBoard, followed while a command writes them: what they say becomes the run's.

Scalars become points with their step and time, hyperparameters params. Pictures and sounds become artifacts as they are, a file
each; texts are gathered in one Markdown file a tag, histograms in one file a tag with a line of JSON for each step."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineal.client.given import artifact_path
from lineal.client.tracked.discovery import Discovery
from lineal.client.tracked.gathered import GatheredFile
from lineal.client.tracked.places import Places
from lineal.formats.events.event import Audio, Event, EventReader, Histogram, Images, Other, Scalar, Text
from lineal.formats.events.frames import RecordFile
from lineal.formats.events.hparams import HParams
from lineal.formats.events.wire import NotProtobuf
from lineal.model.errors import LinealError
from lineal.model.limits import TRACK_DISCOVERY_INTERVAL_S, TRACK_FILES_MAX_COUNT

if TYPE_CHECKING:
    from lineal.client.run import Run
    from lineal.formats.events.event import Said

FOLDER = "tensorboard"


class _Followed:
    def __init__(self, path: str, position: int, prefix: str) -> None:
        self.file = RecordFile(path, position)
        self.reader = EventReader()
        self.prefix = prefix
        self.size = -1
        self.damaged_count = 0


class EventFollower:
    """`spool`: a folder for what grows. `pid`: the command's, once it runs."""

    def __init__(self, run: Run, folders: Sequence[str] | None, spool: str) -> None:
        self._run = run
        self._discovery = Discovery(folders)
        self._places = Places()
        self._spool = os.path.join(spool, FOLDER)
        self._followed: dict[str, _Followed] = {}
        self._gathered: dict[str, GatheredFile] = {}
        self._file_count = 0
        self._looked_s = float("-inf")
        self.pid: int | None = None

    def poll(self, *, final: bool) -> None:
        """Takes what is new. `final`: the command has ended."""
        now_s = time.monotonic()
        if final or now_s - self._looked_s >= TRACK_DISCOVERY_INTERVAL_S:
            self._looked_s = now_s
            self._look(None if final else self.pid)
        for one in self._followed.values():
            self._read(one, final=final)
        for gathered in self._gathered.values():
            gathered.keep(final=final)
        if final:
            self._count_losses()

    def _look(self, pid: int | None) -> None:
        new = self._discovery.find(pid) - self._followed.keys()
        for path in sorted(new, key=lambda path: (path.count(os.sep), path)):
            position = self._discovery.before.get(path, 0)
            self._followed[path] = _Followed(path, position, self._places.prefix_of(path))

    def _read(self, one: _Followed, *, final: bool) -> None:
        try:
            size = os.stat(one.file.path).st_size
            if size == one.size and not final:
                return
            one.size = size
            for record in one.file.read_new(final=final):
                try:
                    event = one.reader.read(record)
                except NotProtobuf:
                    one.damaged_count += 1
                    continue
                for said in event.said:
                    self._take(one.prefix, event, said)
        except OSError as error:
            self._run._guard.warn_once(
                f"event file {one.file.path}", f"{one.file.path} cannot be read: {error.strerror}"
            )

    def _take(self, prefix: str, event: Event, said: Said) -> None:
        if isinstance(said, Scalar):
            self._run.log({prefix + said.tag: said.value}, event.step, timestamp=_ms(event.wall_time))
        elif isinstance(said, HParams):
            self._run.log_params(said.params)
        elif isinstance(said, Images):
            self._keep_files("images", prefix + said.tag, event.step, said.files)
        elif isinstance(said, Audio):
            self._keep_files("audio", prefix + said.tag, event.step, said.files)
        elif isinstance(said, Text):
            text = "\n\n".join(said.texts)
            self._gather("texts", prefix + said.tag, ".md", f"## Step {event.step}\n\n{text}\n\n")
        elif isinstance(said, Histogram):
            self._gather("histograms", prefix + said.tag, ".jsonl", histogram_line(said, event))
        elif isinstance(said, Other):
            self._run._journal.count_loss("not_read", 1, f"{said.what} {said.tag}".strip())

    def _keep_files(self, kind: str, tag: str, step: int, files: Sequence[bytes]) -> None:
        for number, content in enumerate(files):
            if self._file_count >= TRACK_FILES_MAX_COUNT:
                self._run._refuse(
                    "artifact_not_kept", f"of {TRACK_FILES_MAX_COUNT:,} pictures and sounds no more are kept"
                )
                return
            self._file_count += 1
            which = f"{step}" if len(files) == 1 else f"{step}-{number}"
            try:
                self._run._keep_bytes(content, f"{FOLDER}/{kind}/{path_of(tag)}/{which}{suffix_of(content)}")
            except LinealError as error:
                self._run._refuse("artifact_not_kept", error.message)

    def _gather(self, kind: str, tag: str, suffix: str, text: str) -> None:
        path = f"{FOLDER}/{kind}/{path_of(tag)}{suffix}"
        gathered = self._gathered.get(path)
        if gathered is None:
            place = os.path.join(self._spool, str(len(self._gathered)))
            gathered = self._gathered[path] = GatheredFile(self._run, place, path)
        gathered.append(text)

    def _count_losses(self) -> None:
        for one in self._followed.values():
            corrupt = one.file.corrupt_count + one.damaged_count
            if corrupt:
                self._run._refuse(
                    "damaged_event", f"{one.file.path}: {corrupt:,} damaged events were stepped over", corrupt
                )
            if one.file.too_large_count:
                what = f"{one.file.path}: events over the limit were stepped over"
                self._run._refuse("event_over_limit", what, one.file.too_large_count)


def _ms(at_s: float) -> int | None:
    """None, which is now, for what is no time: whoever writes such a file may say anything."""
    return round(at_s * 1_000) if math.isfinite(at_s) and abs(at_s) < 2**33 else None


def histogram_line(said: Histogram, event: Event) -> str:
    """One line of JSON: what of a histogram was kept."""
    line: dict[str, object] = {
        "step": event.step,
        "time": event.wall_time,
        "count": said.value_count,
        "buckets": said.buckets,
    }
    for name, value in (
        ("min", said.least),
        ("max", said.most),
        ("sum", said.total),
        ("sum_squares", said.total_squares),
    ):
        if value is not None:
            line[name] = value
    from lineal.client.given import finite

    return json.dumps(finite(line), allow_nan=False) + "\n"


def path_of(tag: str) -> str:
    """A tag as folders and a name; ".." and the like leave it."""
    return artifact_path("/".join(part for part in tag.replace("\\", "/").split("/") if part != "..")) or "untitled"


def suffix_of(content: bytes) -> str:
    for start, suffix in ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"), (b"RIFF", ".wav")):
        if content.startswith(start):
            return suffix
    return ".bin"
