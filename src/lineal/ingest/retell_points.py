"""A run's points as frames again: what was logged by one call, as far as the columns tell, in one record."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

import numpy as np

from lineal.ingest.told import Telling
from lineal.model.entities import SeriesKey
from lineal.model.errors import Conflict
from lineal.model.limits import MIB
from lineal.model.vocabulary import Labels
from lineal.record.kinds import POINTS_APPENDED
from lineal.record.records import LayoutDefined
from lineal.series.columns import Columns, Int64s, Numbers
from lineal.store.contracts import TenantReader

_FRAMES_BYTES = 4 * MIB  # made at a time
_HELD_MAX_COUNT = 4_000_000  # values of one group in memory: 32 MB
_CODES = {"float64": "d", "int64": "q"}
_NS_PER_MS = 1_000_000


class _Group(NamedTuple):
    """Series of one writer whose rows have the same numbers, steps and times: they were logged together. `steps` is a code."""

    attempt_id: str
    writer: str
    steps: str
    rows: int
    digest: bytes


def tell_points(
    reader: TenantReader, run_id: str, told: dict[str, list[int]], begin: Callable[[str, str], Telling]
) -> None:
    """What is not told yet, each writer's in a telling of its own from `begin(attempt, writer)`; `told` knows it then. Raises
    Conflict if rows have come between others that were told."""
    groups: dict[_Group, list[SeriesKey]] = defaultdict(list)
    news: dict[str, list[int]] = {}
    for name, labels in sorted({(info.key.name, info.key.labels) for info in reader.list_series(run_id)}):
        for attempt_id, writer, key, columns in _pieces(reader, run_id, name, labels):
            new = _untold(columns, told, attempt_id, writer, key)
            if len(new):
                groups[_group_of(attempt_id, writer, new)].append(key)
                news[_name_of(attempt_id, writer, key)] = [len(columns), int(new.seq[-1])]
    tellings: dict[tuple[str, str], Telling] = {}
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    last_ms: dict[tuple[str, str], int] = defaultdict(int)
    for group, keys in groups.items():
        of_writer = group.attempt_id, group.writer
        telling = tellings.get(of_writer) or tellings.setdefault(of_writer, begin(*of_writer))
        at_once = max(1, _HELD_MAX_COUNT // group.rows)
        for start in range(0, len(keys), at_once):
            some = keys[start : start + at_once]
            numbers[of_writer] += 1
            held = [_column(reader, run_id, group, key, told) for key in some]
            last_ms[of_writer] = max(last_ms[of_writer], int(held[0].time_ms.max()))
            _tell_group(telling, numbers[of_writer], some, held)
    for of_writer, telling in tellings.items():
        telling.close(last_ms[of_writer])
    told.update(news)


def frames_of(number: int, first_seq: int, columns: list[Columns]) -> bytes:
    """Points frames of one layout (`spec/record.md`): a row each, whose series are the columns."""
    steps, count = columns[0].step, len(columns)
    length = 40 + 8 * count
    words = np.empty((len(steps), length // 8), "<u8")
    words[:, 0] = length | POINTS_APPENDED << 32
    words[:, 1] = np.arange(first_seq, first_seq + len(steps), dtype=np.uint64)
    words[:, 2] = (columns[0].time_ms * _NS_PER_MS).view(np.uint64)
    words[:, 3] = _bits(steps)
    for index, one in enumerate(columns):
        words[:, 4 + index] = _bits(one.value)
    words[:, 4 + count] = number
    data = memoryview(words.reshape(-1)).cast("B")  # type: ignore[arg-type]
    sums = [crc32(data[at : at + length - 4]) for at in range(0, len(data), length)]
    words[:, 4 + count] |= np.array(sums, np.uint64) << np.uint64(32)
    return words.tobytes()


def _tell_group(telling: Telling, number: int, keys: list[SeriesKey], columns: list[Columns]) -> None:
    series = [[key.name, _CODES[key.value_type], *([dict(key.labels)] if key.labels else [])] for key in keys]
    telling.define(LayoutDefined(number, _code_of(columns[0].step), series))
    rows = max(1, _FRAMES_BYTES // (40 + 8 * len(keys)))
    for start in range(0, len(columns[0]), rows):
        some = [_from(one, start, start + rows) for one in columns]
        telling.add(frames_of(number, telling.next_seq(len(some[0])), some))


def _pieces(reader: TenantReader, run_id: str, name: str, labels: Labels) -> list[tuple[str, str, SeriesKey, Columns]]:
    return [
        (piece.attempt_id, piece.writer, SeriesKey(name, labels, piece.value_type), piece.columns)  # type: ignore[arg-type]
        for piece in reader.read_points(run_id, name, labels)
    ]


def _untold(columns: Columns, told: dict[str, list[int]], attempt_id: str, writer: str, key: SeriesKey) -> Columns:
    count, last_seq = told.get(_name_of(attempt_id, writer, key), (0, 0))
    if count and (len(columns) < count or int(columns.seq[count - 1]) != last_seq):
        raise Conflict(
            f"points of {key.name!r:.80} came later between others that were sent; they cannot be told apart"
        )
    return _from(columns, count, len(columns))


def _column(reader: TenantReader, run_id: str, group: _Group, key: SeriesKey, told: dict[str, list[int]]) -> Columns:
    for attempt_id, writer, found, columns in _pieces(reader, run_id, key.name, key.labels):
        if (attempt_id, writer, found) == (group.attempt_id, group.writer, key):
            new = _untold(columns, told, attempt_id, writer, key)
            return _from(new, 0, group.rows)
    raise Conflict(f"points of {key.name!r:.80} are gone meanwhile")


def _group_of(attempt_id: str, writer: str, columns: Columns) -> _Group:
    hasher = hashlib.sha256()
    for column in (columns.seq, columns.step, columns.time_ms):
        hasher.update(np.ascontiguousarray(column).tobytes())
    return _Group(attempt_id, writer, _code_of(columns.step), len(columns), hasher.digest())


def _name_of(attempt_id: str, writer: str, key: SeriesKey) -> str:
    return repr((attempt_id, writer, key.name, key.labels, key.value_type))


def _from(columns: Columns, start: int, end: int) -> Columns:
    return Columns(
        columns.seq[start:end], columns.step[start:end], columns.time_ms[start:end], columns.value[start:end]
    )


def _code_of(steps: Numbers) -> str:
    return "d" if steps.dtype == np.float64 else "q"


def _bits(column: Numbers | Int64s) -> Numbers:
    return np.ascontiguousarray(column).view(np.uint64)
