"""A column's digest: of its type and its values, however they lie in memory. See spec/dataset.md.

What frames of every library are turned into: pieces of numbers, of texts, or of Python objects, each with what is missing."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from lineal.client.datasets.hashing import digest_of_json, said_mapping
from lineal.model.errors import InvalidInput
from lineal.model.values import to_json

PIECE_ROWS = 1 << 18
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = dt.date(1970, 1, 1).toordinal()


class Column(NamedTuple):
    name: str
    type: str
    digest: str
    missing_count: int


class ColumnHasher:
    """Takes a column piece by piece. `missing` is an array of booleans, or None where nothing is."""

    def __init__(self, name: str, type: str) -> None:
        self._np = sys.modules["numpy"]
        self._name = name
        self._type = type
        self._rows = 0
        self._missing = 0
        self._nulls = hashlib.sha256()
        self._values = hashlib.sha256()
        self._lengths = hashlib.sha256()
        self._has_lengths = False

    def numbers(self, values: Any, missing: Any = None) -> None:
        """Of one dimension. What is missing becomes zero."""
        np = self._np
        if missing is not None and missing.any():
            values = np.where(missing, np.zeros((), values.dtype), values)
        self._mark(len(values), missing)
        self._values.update(bytes_of(np, values))

    def texts(self, content: bytes | memoryview, lengths: Any, missing: Any = None) -> None:
        """All of them in one, and the bytes of each; what is missing has none."""
        self._mark(len(lengths), missing)
        self._has_lengths = True
        self._values.update(content)
        self._lengths.update(bytes_of(self._np, lengths.astype("<i8", copy=False)))

    def nothing(self, rows: int) -> None:
        self._mark(rows, self._np.ones(rows, bool))

    def _mark(self, rows: int, missing: Any) -> None:
        np = self._np
        count = 0 if missing is None else int(missing.sum())
        if count and not self._missing:
            for start in range(0, self._rows, PIECE_ROWS):  # so far nothing was
                self._nulls.update(bytes(min(PIECE_ROWS, self._rows - start)))
        if count or self._missing:
            self._nulls.update(bytes_of(np, missing.astype(np.uint8)) if missing is not None else bytes(rows))
        self._rows += rows
        self._missing += count

    def column(self) -> Column:
        digests = [
            self._nulls.hexdigest() if self._missing else "",
            self._values.hexdigest(),
            self._lengths.hexdigest() if self._has_lengths else "",
        ]
        return Column(
            self._name,
            self._type,
            digest_of_json(["lineal-column", 1, self._type, self._rows, *digests]),
            self._missing,
        )


def bytes_of(np: Any, values: Any) -> memoryview:
    """In C order, little endian. What a long double holds beside its 80 bits is zero: nobody sets it."""
    if values.dtype.byteorder == ">" or (values.dtype.byteorder == "=" and sys.byteorder == "big"):
        values = values.astype(values.dtype.newbyteorder("<"))
    flat = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    if values.dtype.type in (np.longdouble, np.clongdouble) and np.finfo(np.longdouble).nmant == 63:
        flat = flat.reshape(-1, np.dtype(np.longdouble).itemsize).copy()
        flat[:, 10:] = 0
        flat = flat.reshape(-1)
    return memoryview(flat)


def times(np: Any, counts: Any, unit: str) -> Any:
    """Int64 counts of a unit as pairs of whole seconds and nanoseconds, which all units have in common."""
    per_second = _PER_SECOND[unit]
    seconds = np.floor_divide(counts, per_second)
    pairs = np.empty((len(counts), 2), "<i8")
    pairs[:, 0] = seconds
    pairs[:, 1] = (counts - seconds * per_second) * (10**9 // per_second)
    return pairs


class TimesHasher(ColumnHasher):
    """Of timestamps and durations, said as counts of a unit."""

    def counts(self, counts: Any, unit: str, missing: Any = None, *, nanoseconds: Any = 0) -> None:
        """`nanoseconds` is what there is beside the counts."""
        np = self._np
        if missing is not None and missing.any():
            counts = np.where(missing, 0, counts)
        self._mark(len(counts), missing)
        pairs = times(np, counts.astype(np.int64, copy=False), unit)
        pairs[:, 1] += nanoseconds
        self._values.update(bytes_of(np, pairs))


# -- Python's own objects --------------------------------------------------------------------------------------


def column_of_objects(name: str, values: Sequence[Any], missing: Any, *, type: str | None = None) -> Column:
    """Of any objects; what they are is found out unless `type` says it."""
    np = sys.modules["numpy"]
    here = [value for value, is_missing in zip(values, missing.tolist(), strict=True) if not is_missing]
    type = type or type_of(here)
    if type == "null":
        hasher = ColumnHasher(name, type)
        hasher.nothing(len(values))
        return hasher.column()
    if type in ("bool", "int64", "float64", "date"):
        numbers = [_days(value) for value in here] if type == "date" else here
        column = np.zeros(len(values), np.int64 if type == "date" else type)
        column[~missing] = numbers
        hasher = ColumnHasher(name, type)
        hasher.numbers(column, missing)
        return hasher.column()
    if type == "timestamp":
        pairs = TimesHasher(name, type)
        column = np.zeros(len(values), np.int64)
        column[~missing] = np.array(here, "datetime64[us]").view(np.int64)
        finer = np.zeros(len(values), np.int64)
        finer[~missing] = [getattr(value, "nanosecond", 0) for value in here]  # pandas' own
        pairs.counts(column, "us", missing, nanoseconds=finer)
        return pairs.column()
    hasher = ColumnHasher(name, type)
    texts = iter(_texts(name, type, here))
    for start in range(0, len(values), PIECE_ROWS):
        gone = missing[start : start + PIECE_ROWS]
        said = [b"" if is_missing else next(texts) for is_missing in gone.tolist()]
        hasher.texts(b"".join(said), np.fromiter(map(len, said), np.int64, len(said)), gone)
    return hasher.column()


def _days(value: dt.date) -> int:
    return value.toordinal() - _EPOCH


def type_of(here: Iterable[Any]) -> str:
    """What objects have in common; "json" where that is nothing better."""
    np = sys.modules["numpy"]
    here = list(here)
    kinds = {_kind(np, value) for value in here}
    if not kinds:
        return "null"
    if kinds == {"int64", "float64"}:  # other whole numbers would become one another
        return "float64" if all(float(value) == value for value in here) else "json"
    return kinds.pop() if len(kinds) == 1 else "json"


def _kind(np: Any, value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, np.integer)):
        return "int64" if -(2**63) <= value < 2**63 else "json"
    if isinstance(value, (float, np.floating)):
        return "json" if isinstance(value, np.longdouble) else "float64"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "binary"
    if isinstance(value, dt.datetime):
        return "timestamp" if value.tzinfo is None else "json"
    if isinstance(value, dt.date):
        return "date"
    return "decimal" if isinstance(value, decimal.Decimal) else "json"


def _texts(name: str, type: str, values: Iterable[Any]) -> Iterator[bytes]:
    for value in values:
        if type == "string":
            yield str(value).encode("utf-8", "surrogatepass")
        elif type == "binary":
            yield bytes(value)
        elif type == "decimal":
            yield format(value, "f").encode()
        elif type == "json":
            yield to_json(_plain(name, value)).encode()
        else:  # one library's own type, by its text
            yield str(value).encode("utf-8", "surrogatepass")


def _plain(name: str, value: Any) -> Any:
    """JSON of nested values: members of objects in order of their names."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return said_mapping(value, partial(_plain, name))
    if isinstance(value, (list, tuple)):
        return [_plain(name, item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, (dt.date, dt.time, dt.timedelta, decimal.Decimal)):
        return {f"${type(value).__name__.lower()}": str(value)}
    np = sys.modules["numpy"]
    if isinstance(value, (np.longdouble, np.datetime64, np.timedelta64)):  # Python has none that says as much
        return {f"${type(value).__name__}": str(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "mM":
        return [_plain(name, item) for item in value] if value.ndim else _plain(name, value[()])
    if hasattr(value, "tolist") and not isinstance(value, np.complexfloating):
        return _plain(name, value.tolist())
    if hasattr(value, "to_list"):
        return _plain(name, value.to_list())
    raise InvalidInput(
        f"column {name!r:.80} holds objects of type {type(value).__name__}, whose content has no digest: say one (digest=)",
        field="data",
    )
