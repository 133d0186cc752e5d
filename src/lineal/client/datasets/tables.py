"""Tables of pandas, polars and pyarrow: the same data has the same digest in each. None of them is imported here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from lineal.client.datasets.columns import PIECE_ROWS, Column, ColumnHasher, TimesHasher, column_of_objects
from lineal.client.datasets.hashing import digest_of_json
from lineal.model.errors import InvalidInput
from lineal.model.limits import DIGEST_THREADS_MAX_COUNT
from lineal.model.values import clean_text

_PARALLEL_CELLS = 200_000  # below it threads cost more than they give


class Table(NamedTuple):
    digest: str
    rows: int
    columns: list[Column]


def table_of(rows: int, columns: Sequence[Callable[[], Column]]) -> Table:
    """Of columns that are digested when they are called, several at a time where that pays."""
    threads = min(len(columns), os.cpu_count() or 1, DIGEST_THREADS_MAX_COUNT)
    if threads < 2 or rows * len(columns) < _PARALLEL_CELLS:
        made = [column() for column in columns]
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="lineal-digest") as pool:
            made = list(pool.map(lambda column: column(), columns))
    named = [[column.name, column.type, column.digest] for column in made]
    return Table(digest_of_json(["lineal-table", 1, rows, named]), rows, made)


# -- pandas ----------------------------------------------------------------------------------------------------


def of_pandas(frame: Any) -> Table:
    """A frame or a series. Rows that are only numbered (an index of whole numbers without a name) have no names; other levels of the
    index are columns, before the others."""
    pd = sys.modules["pandas"]
    if isinstance(frame, pd.Index):
        frame = frame.to_frame(index=False)
    if isinstance(frame, pd.Series):
        frame = frame.to_frame("" if frame.name is None else frame.name)
    series: list[tuple[str, Any]] = []
    index = frame.index
    if not (index.nlevels == 1 and index.name is None and index.dtype.kind in "iu"):
        for level in range(index.nlevels):
            name = index.names[level]
            values = index.get_level_values(level)
            series.append(
                (f"level_{level}" if name is None else _name(name), values.to_series(index=range(len(values))))
            )
    series += [(_name(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    return table_of(len(frame), [partial(_pandas_column, name, one) for name, one in series])


def _name(name: Any) -> str:
    """Of a name with levels: joined by "/", with a backslash before those in a level, and before backslashes."""
    if isinstance(name, tuple):
        name = "/".join(str(level).replace("\\", "\\\\").replace("/", "\\/") for level in name)
    return clean_text(str(name))


def _pandas_column(name: str, series: Any) -> Column:
    np, pd = sys.modules["numpy"], sys.modules["pandas"]
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _pandas_categories(name, series, dtype.categories)
    if hasattr(dtype, "pyarrow_dtype"):
        pa = sys.modules["pyarrow"]
        return _arrow_column(name, pa.chunked_array(pa.array(series.array)))
    if isinstance(dtype, pd.SparseDtype):
        return _pandas_column(name, series.sparse.to_dense())
    missing = series.isna().to_numpy()
    if isinstance(dtype, pd.DatetimeTZDtype):
        hasher = TimesHasher(name, f"timestamp[{dtype.tz}]")
        counts = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        hasher.counts(counts.view(np.int64), dtype.unit, missing)
        return hasher.column()
    if dtype.kind in "mM":
        hasher = TimesHasher(name, "timestamp" if dtype.kind == "M" else "duration")
        values = series.to_numpy()
        hasher.counts(values.view(np.int64), np.datetime_data(values.dtype)[0], missing)
        return hasher.column()
    if dtype.kind in "biuf" and getattr(dtype, "subtype", None) is None:
        plain = getattr(dtype, "numpy_dtype", dtype)
        values = series.to_numpy(dtype=plain, na_value=0) if plain is not dtype else series.to_numpy()
        if plain.kind == "f":  # a nullable column may have both
            missing = missing | np.isnan(values)
        numbers = ColumnHasher(name, plain.name)
        numbers.numbers(values, missing)
        return numbers.column()
    if dtype.kind == "O" and (str(dtype) == "object" or isinstance(dtype, pd.StringDtype)):
        kind = "string" if isinstance(dtype, pd.StringDtype) else None
        return column_of_objects(name, series.to_numpy(dtype=object), missing, type=kind)
    return column_of_objects(name, series.to_numpy(dtype=object), missing, type=f"pandas:{dtype}")


def _pandas_categories(name: str, series: Any, categories: Any) -> Column:
    """The values that they stand for; numbers with missing ones are those of a nullable column."""
    np = sys.modules["numpy"]
    codes = series.cat.codes.to_numpy()
    missing = codes < 0
    if not missing.any() or categories.dtype.kind not in "biu" or not isinstance(categories.dtype, np.dtype):
        return _pandas_column(name, series.astype(categories.dtype))
    hasher = ColumnHasher(name, categories.dtype.name)
    hasher.numbers(np.append(categories.to_numpy(), np.zeros(1, categories.dtype))[codes], missing)
    return hasher.column()


# -- polars ----------------------------------------------------------------------------------------------------


def of_polars(frame: Any) -> Table:
    """A frame, a lazy one (which is collected), or a series."""
    pl = sys.modules["polars"]
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.Series):
        frame = frame.to_frame()
    columns = [partial(_polars_column, one) for one in frame.get_columns()]
    return table_of(frame.height, columns)


def _polars_column(series: Any) -> Column:
    pl = sys.modules["polars"]
    name, dtype = clean_text(series.name), series.dtype
    if dtype in (pl.Categorical, pl.Enum):
        series, dtype = series.cast(pl.String), pl.String
    if dtype in (pl.Datetime, pl.Duration):
        return _polars_times(name, series, dtype)
    if dtype == pl.Null:
        hasher = ColumnHasher(name, "null")
        hasher.nothing(len(series))
        return hasher.column()
    if dtype == pl.String:
        return _polars_texts(name, series)
    if dtype in (pl.Date, pl.Time):
        series = series.to_physical().cast(pl.Int64)
        return _polars_numbers(name, "date" if dtype == pl.Date else "time", series)
    if dtype == pl.Boolean:
        return _polars_numbers(name, "bool", series.cast(pl.UInt8))
    if dtype.is_numeric() and not dtype.is_decimal() and dtype.to_python() in (int, float):
        return _polars_numbers(name, str(dtype).lower(), series)
    kind = "binary" if dtype == pl.Binary else "decimal" if dtype.is_decimal() else "json"
    return column_of_objects(name, series.to_list(), series.is_null().to_numpy(), type=kind)


def _polars_numbers(name: str, type: str, series: Any) -> Column:
    hasher = ColumnHasher(name, type)
    for piece in _polars_pieces(series):
        missing = piece.is_null()
        if type.startswith("float"):
            missing = missing | piece.is_nan().fill_null(True)
        hasher.numbers(piece.fill_null(0).to_numpy(), missing.to_numpy())
    return hasher.column()


def _polars_times(name: str, series: Any, dtype: Any) -> Column:
    zone = getattr(dtype, "time_zone", None)
    kind = "duration" if not hasattr(dtype, "time_zone") else f"timestamp[{zone}]" if zone else "timestamp"
    hasher = TimesHasher(name, kind)
    for piece in _polars_pieces(series.to_physical()):
        hasher.counts(piece.fill_null(0).to_numpy(), dtype.time_unit, piece.is_null().to_numpy())
    return hasher.column()


def _polars_texts(name: str, series: Any) -> Column:
    hasher = ColumnHasher(name, "string")
    for piece in _polars_pieces(series):
        whole = piece.fill_null("")
        content = whole.str.join("").item() or ""
        hasher.texts(content.encode(), whole.str.len_bytes().to_numpy(), piece.is_null().to_numpy())
    return hasher.column()


def _polars_pieces(series: Any) -> Any:
    return (series.slice(start, PIECE_ROWS) for start in range(0, len(series), PIECE_ROWS))


# -- pyarrow ---------------------------------------------------------------------------------------------------


def of_arrow(table: Any) -> Table:
    """A table, a batch of records, an array or a chunked one."""
    pa = sys.modules["pyarrow"]
    if isinstance(table, (pa.Array, pa.ChunkedArray)):
        table = pa.table({"": table})
    if not isinstance(table, (pa.Table, pa.RecordBatch)):  # files, and what is read once
        raise InvalidInput(
            f"a {type(table).__name__} of pyarrow has no digest: give its table (read(), to_table()), or its files",
            field="data",
        )
    columns = [
        partial(_arrow_column, clean_text(name), one)
        for name, one in zip(table.column_names, table.columns, strict=True)
    ]
    return table_of(table.num_rows, columns)


_ARROW_NUMBERS = {"float": "float32", "double": "float64", "halffloat": "float16"}


def _arrow_column(name: str, column: Any) -> Column:
    pa = sys.modules["pyarrow"]
    types, kind = pa.types, column.type
    if types.is_dictionary(kind):
        return _arrow_column(name, column.cast(kind.value_type))
    if types.is_run_end_encoded(kind):
        return _arrow_column(name, _decoded(column))
    if types.is_null(kind):
        hasher = ColumnHasher(name, "null")
        hasher.nothing(len(column))
        return hasher.column()
    if types.is_timestamp(kind) or types.is_duration(kind):
        zone = getattr(kind, "tz", None)
        type = "duration" if types.is_duration(kind) else f"timestamp[{zone}]" if zone else "timestamp"
        pairs = TimesHasher(name, type)
        for piece in _arrow_pieces(column):
            pairs.counts(_arrow_numbers(piece.cast(pa.int64())), kind.unit, _arrow_missing(piece))
        return pairs.column()
    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        return _arrow_texts(name, column)
    if types.is_date(kind) or types.is_time64(kind) or types.is_time32(kind):
        # Through the smallest common type: days, or nanoseconds since midnight.
        is_date = types.is_date(kind)
        column = column.cast(pa.date32()).cast(pa.int32()) if is_date else column.cast(pa.time64("ns"))
        return _arrow_numbers_column(name, "date" if is_date else "time", column.cast(pa.int64()))
    if types.is_boolean(kind):
        return _arrow_numbers_column(name, "bool", column.cast(pa.uint8()))
    if types.is_integer(kind) or types.is_floating(kind):
        return _arrow_numbers_column(name, _ARROW_NUMBERS.get(str(kind), str(kind)), column)
    is_bytes = str(kind).startswith(("binary", "large_binary", "fixed_size_binary"))
    type = "binary" if is_bytes else "decimal" if types.is_decimal(kind) else "json"
    missing = column.is_null().to_numpy()
    return column_of_objects(name, column.to_pylist(), missing, type=type)


def _decoded(column: Any) -> Any:
    """Of runs: value by value."""
    import importlib

    return importlib.import_module("pyarrow.compute").run_end_decode(column)


def _arrow_numbers_column(name: str, type: str, column: Any) -> Column:
    np = sys.modules["numpy"]
    hasher = ColumnHasher(name, type)
    for piece in _arrow_pieces(column):
        values, missing = _arrow_numbers(piece), _arrow_missing(piece)
        if type.startswith("float"):
            missing = missing | np.isnan(values)
        hasher.numbers(values, missing)
    return hasher.column()


def _arrow_texts(name: str, column: Any) -> Column:
    np, pa = sys.modules["numpy"], sys.modules["pyarrow"]
    hasher = ColumnHasher(name, "string")
    for piece in _arrow_pieces(column.cast(pa.large_string())):
        whole = piece.fill_null("")
        _, offsets, content = whole.buffers()
        ends = np.frombuffer(offsets, "<i8")[whole.offset : whole.offset + len(whole) + 1]
        said = b"" if content is None else memoryview(content)[int(ends[0]) : int(ends[-1])]
        hasher.texts(said, np.diff(ends), _arrow_missing(piece))
    return hasher.column()


def _arrow_pieces(column: Any) -> Any:
    chunks = column.chunks if hasattr(column, "chunks") else [column]
    return (chunk.slice(start, PIECE_ROWS) for chunk in chunks for start in range(0, len(chunk), PIECE_ROWS))


def _arrow_numbers(piece: Any) -> Any:
    return piece.fill_null(0).to_numpy(zero_copy_only=False)


def _arrow_missing(piece: Any) -> Any:
    return piece.is_null().to_numpy(zero_copy_only=False)
