"""What of a store's runs has been said again for a server, kept beside the journals that say it: so that nothing is said twice.

A run's journals are drafts until its mark, which names them, is on disk; whoever comes next finishes what was broken off
in between. So a run is told whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field

from lineal.journal.layout import Folder, sync_folder
from lineal.model.limits import SEGMENT_MAX_BYTES
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import LayoutDefined, Record, SegmentOpened, SegmentSealed

TOLD_NAME = "told"
_DRAFT = ".told"
_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Mark:
    """`part` counts tellings. `attempts`: id -> [status, end]. `said`: digests of tags, params and the like, by kind and name.
    `points`: of each writer's series, how many were told and the sequence number of the last. `writers`: of the last telling.
    `console`: the number of its last line that was told."""

    part: int = 0
    attempts: dict[str, list[object]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[int]] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)
    writers: list[str] = field(default_factory=list)
    console: int = 0


class Marks:
    """Those of one folder for a server. Whoever tells holds the folder's ingest lock."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._place = os.path.join(folder.root, TOLD_NAME)

    def own_name(self) -> str:
        """Tells this folder from others that speak of an experiment or a registered model of the same name. Made at first."""
        path = os.path.join(self._place, "own-name")
        if not os.path.exists(path):
            self._write(path, os.urandom(8).hex())
        with open(path, encoding="ascii") as file:
            return file.read()

    def find(self, tenant: str, name: str) -> Mark | None:
        """That of a run, or of an experiment (`name` begins with a slash)."""
        try:
            with open(self._path(tenant, name), encoding="utf-8") as file:
                mark = Mark(**json.load(file))
        except FileNotFoundError:
            return None
        for writer in mark.writers:
            self._publish(writer)
        return mark

    def keep(self, tenant: str, name: str, mark: Mark) -> None:
        """From now on it is told: its drafts become segments. Raises OSError."""
        sync_folder(self._folder.journals)
        self._write(self._path(tenant, name), json.dumps(asdict(mark)))
        for writer in mark.writers:
            self._publish(writer)

    def _write(self, path: str, text: str) -> None:
        """Whole or not at all."""
        os.makedirs(self._place, mode=0o700, exist_ok=True)
        draft = f"{path}.draft"
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        sync_folder(self._place)

    def clear_drafts(self) -> None:
        """Of tellings that were broken off before they counted. After every mark has been looked at."""
        for name in os.listdir(self._folder.journals):
            if name.endswith(_DRAFT):
                os.unlink(os.path.join(self._folder.journals, name))

    def _publish(self, writer: str) -> None:
        for name in os.listdir(self._folder.journals):
            if name.startswith(f"{writer}-") and name.endswith(_DRAFT):
                path = os.path.join(self._folder.journals, name)
                os.replace(path, path.removesuffix(_DRAFT))

    def _path(self, tenant: str, name: str) -> str:
        return os.path.join(self._place, f"{hashlib.sha256(f'{tenant}/{name}'.encode()).hexdigest()[:32]}.json")


class Telling:
    """One writer's segments, as drafts. `began_ns`: its place among those of the same run, or tenant, which are sent in that order."""

    def __init__(self, folder: Folder, opened: SegmentOpened, began_ns: int = 0) -> None:
        self._folder = folder
        self._opened = opened
        self._began_ns = began_ns
        self._number = 1
        self._seq = 0
        self._layouts: list[LayoutDefined] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._begin()

    @property
    def writer(self) -> str:
        return self._opened.writer

    def say(self, record: Record, time_ms: int) -> None:
        """Raises OverLimit for what fits no frame."""
        self._add(encode_frame(record, self._seq + 1, time_ms * _NS_PER_MS))
        self._seq += 1

    def define(self, layout: LayoutDefined) -> None:
        self._layouts.append(layout)
        self._add(encode_frame(layout, 0, 0))

    def next_seq(self, count: int) -> int:
        """The first of so many numbers, which are given away."""
        first, self._seq = self._seq + 1, self._seq + count
        return first

    def add(self, frames: bytes) -> None:
        """With numbers from `next_seq`."""
        self._add(frames)

    def close(self, time_ms: int) -> None:
        """The last word was said at that time: an attempt without an end is lost then."""
        self._end(SegmentSealed(self._seq), time_ms)

    def _begin(self) -> None:
        opened = SegmentOpened(
            self._opened.tenant,
            self._opened.run_id,
            self._opened.writer,
            self._opened.attempt,
            self._opened.primary,
            self._number,
        )
        head = encode_frame(opened, 0, self._began_ns)
        self._parts, self._size = [MAGIC, head, head], len(MAGIC) + 2 * len(head)
        for layout in self._layouts:
            self._parts.append(encode_frame(layout, 0, 0))
            self._size += len(self._parts[-1])

    def _add(self, frames: bytes) -> None:
        if self._size > SEGMENT_MAX_BYTES:
            self._end(SegmentSealed(self._seq, next=True), 0)
            self._number += 1
            self._begin()
        self._parts.append(frames)
        self._size += len(frames)

    def _end(self, seal: SegmentSealed, time_ms: int) -> None:
        path = f"{self._folder.segment(self.writer, self._number)}{_DRAFT}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.writelines([*self._parts, encode_frame(seal, 0, time_ms * _NS_PER_MS)])
            file.flush()
            os.fsync(file.fileno())
