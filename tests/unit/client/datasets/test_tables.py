"""The same data has the same digest in pandas, polars and (where it is installed) pyarrow; other data has another one."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.client.datasets import arrays, tables
from lineal.model.errors import InvalidInput
from lineal.model.limits import DATASET_COLUMNS_MAX_COUNT

try:
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
except ImportError:
    pa = None

ZONE = "Europe/Berlin"
TIMES = st.datetimes(dt.datetime.fromisoformat("1700-01-01"), dt.datetime.fromisoformat("2200-01-01"))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
COLUMNS: dict[str, tuple[st.SearchStrategy[Any], Any, Any]] = {
    # type -> values, type of polars, how pandas holds it
    "bool": (st.booleans(), pl.Boolean, "bool"),
    "int8": (st.integers(-(2**7), 2**7 - 1), pl.Int8, "int8"),
    "int64": (st.integers(-(2**63), 2**63 - 1), pl.Int64, "int64"),
    "uint64": (st.integers(0, 2**64 - 1), pl.UInt64, "uint64"),
    "float32": (st.floats(width=32), pl.Float32, "float32"),
    "float64": (st.floats(), pl.Float64, "float64"),
    "string": (TEXTS, pl.String, "str"),
    "date": (st.dates(), pl.Date, "object"),
    "timestamp": (TIMES, pl.Datetime("us"), "datetime64[us]"),
    "duration": (st.timedeltas(dt.timedelta(-(10**5)), dt.timedelta(10**5)), pl.Duration("us"), "timedelta64[us]"),
    "binary": (st.binary(max_size=4), pl.Binary, "object"),
    "json": (st.lists(st.integers(-5, 5), max_size=3), pl.List(pl.Int64), "object"),
}
NULLABLE = {"bool": "boolean", "int8": "Int8", "int64": "Int64", "uint64": "UInt64"}


def three_ways(name: str, kind: str, values: list[Any]) -> list[str]:
    """The digests of one column, by each library and by what it calls the same."""
    _, polars_type, pandas_type = COLUMNS[kind]
    of_polars = pl.DataFrame({name: pl.Series(name, values, dtype=polars_type)})
    held = NULLABLE.get(kind, pandas_type) if None in values else pandas_type
    of_pandas = pd.DataFrame({name: pd.Series(values, dtype=held)})
    found = [tables.of_polars(of_polars), tables.of_pandas(of_pandas), tables.of_polars(of_polars.lazy())]
    if kind == "string":
        found.append(tables.of_polars(of_polars.cast(pl.Categorical)))
        found.append(tables.of_pandas(of_pandas.astype("category")))
        found.append(tables.of_pandas(of_pandas.astype(object)))
    if kind in ("timestamp", "duration"):
        finer = pl.Datetime("ns") if kind == "timestamp" else pl.Duration("ns")
        found.append(tables.of_polars(of_polars.cast(finer)))
        found.append(tables.of_pandas(of_pandas.astype(pandas_type.replace("us", "ns"))))
    if pa is not None:
        table = of_polars.to_arrow()
        found += [tables.of_arrow(table), tables.of_arrow(pa.concat_tables([table.slice(0, 1), table.slice(1)]))]
    types = {one.columns[0].type for one in found}
    assert types == ({"null", kind} if len(types) == 2 else {kind}), types
    return [one.digest for one in found if one.columns[0].type == kind]


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=st.data())
def test_a_column_has_one_digest_in_every_library(kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.one_of(st.none(), COLUMNS[kind][0]), max_size=8))
    digests = three_ways("näme", kind, values)
    assert len(set(digests)) == 1
    other = data.draw(st.lists(st.one_of(st.none(), COLUMNS[kind][0]), max_size=8))
    is_same = tables.of_polars(pl.DataFrame({"näme": pl.Series(other, dtype=COLUMNS[kind][1])})).digest == digests[0]
    assert is_same == (_said(values) == _said(other))


def _said(values: list[Any]) -> list[str]:
    """NaN is missing, and -0.0 is another number than 0.0."""
    return ["None" if value is None or value != value else repr(value) for value in values]


def test_what_tells_tables_apart() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    changed = [
        frame,
        frame.rename({"a": "c"}),
        frame.select("b", "a"),
        frame.reverse(),
        frame.with_columns(a=pl.Series([1, 3])),
        frame.with_columns(a=pl.Series([1, None])),
        frame.with_columns(a=pl.Series([1, 0])),
        frame.cast({"a": pl.Int32}),
        frame.with_columns(b=pl.Series(["xy", ""])),
        frame.with_columns(b=pl.Series(["x", None])),
        frame.with_columns(b=pl.Series(["x", ""])),
        frame.head(0),
        frame.head(1),
        frame.select("a"),
    ]
    digests = [tables.of_polars(one).digest for one in changed]
    assert len(set(digests)) == len(changed)


def test_long_columns_are_cut_in_pieces_that_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"t": [None, *("x" * (n % 7) for n in range(50))], "n": [*map(float, range(50)), None], "d": [*range(51)]}
    frame = pl.DataFrame(values)
    whole = tables.of_polars(frame).digest
    monkeypatch.setattr(tables, "PIECE_ROWS", 3)
    monkeypatch.setattr("lineal.client.datasets.columns.PIECE_ROWS", 3)
    assert tables.of_polars(frame).digest == whole == tables.of_pandas(pd.DataFrame(values)).digest
    assert tables.of_polars(pl.concat([frame[:7], frame[7:]])).digest == whole


def test_many_columns_are_digested_at_a_time() -> None:
    frame = pl.DataFrame({f"c{n}": np.arange(20_000) * n for n in range(40)})
    several = tables.of_polars(frame)
    one_by_one = [tables.of_polars(frame.select(f"c{n}")).columns[0] for n in range(40)]
    assert several.columns == one_by_one


def test_rows_that_are_only_numbered_have_no_names() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    digest = tables.of_pandas(frame).digest
    assert tables.of_pandas(frame.set_index(pd.Index([7, 3, 1]))).digest == digest
    named = frame.set_index(pd.Index(["x", "y", "z"], name="key"))
    assert tables.of_pandas(named).digest == tables.of_pandas(named.reset_index()).digest != digest
    two = frame.set_index(pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["n", None]))
    assert [column.name for column in tables.of_pandas(two).columns] == ["n", "level_1", "a"]
    assert tables.of_pandas(frame["a"]).digest == digest
    assert tables.of_pandas(pd.Index([1, 2, 3], name="a")).digest == digest
    assert tables.of_polars(pl.Series("a", [1, 2, 3])).digest == digest


def test_odd_columns_of_pandas() -> None:
    frame = pd.DataFrame(
        {
            "zone": pd.to_datetime(["2020-01-01T12:00:00Z", None]).tz_convert(ZONE),
            "mixed": [1, "x"],
            "none": [None, None],
            "ints": pd.Series([2**40, None], dtype=object),
            "decimal": [decimal.Decimal("1.50"), None],
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "sparse": pd.arrays.SparseArray([0, 1]),
            "nullable": pd.Series([1.5, None], dtype="Float64"),
            ("a", 1): [1, 2],
        }
    )
    found = {column.name: column for column in tables.of_pandas(frame).columns}
    assert {name: column.type for name, column in found.items()} == {
        "zone": f"timestamp[{ZONE}]",
        "mixed": "json",
        "none": "null",
        "ints": "int64",
        "decimal": "decimal",
        "period": "pandas:period[M]",
        "sparse": "int64",
        "nullable": "float64",
        "a/1": "int64",
    }
    theirs = pl.DataFrame(
        {
            "zone": pl.Series([dt.datetime.fromisoformat("2020-01-01T12:00"), None])
            .dt.replace_time_zone("UTC")
            .dt.convert_time_zone(ZONE),
            "none": [None, None],
            "ints": [2**40, None],
            "decimal": [decimal.Decimal("1.50"), None],
            "nullable": [1.5, None],
        }
    )
    for column in tables.of_polars(theirs).columns:
        assert column == found[column.name]


def test_odd_columns_of_polars() -> None:
    frame = pl.DataFrame(
        {
            "time": [dt.time(1, 2, 3), None],
            "struct": [{"b": 1, "a": [dt.date(2020, 1, 1)]}, None],
            "enum": pl.Series(["x", None], dtype=pl.Enum(["y", "x"])),
        }
    )
    assert [column.type for column in tables.of_polars(frame).columns] == ["time", "json", "string"]
    objects = pd.DataFrame({"struct": [{"a": [dt.date(2020, 1, 1)], "b": 1}, None]})
    assert tables.of_pandas(objects).columns[0] == tables.of_polars(frame).columns[1]


def test_objects_that_have_no_content_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"'things'.*type object"):
        tables.of_pandas(pd.DataFrame({"things": [object()]}))


def test_the_schema_is_bounded() -> None:
    from lineal.client.datasets.described import columns_schema

    columns = tables.of_pandas(pd.DataFrame(np.zeros((1, DATASET_COLUMNS_MAX_COUNT + 5)))).columns
    assert len(columns) == DATASET_COLUMNS_MAX_COUNT + 5
    assert len(columns_schema(columns)["columns"]) == DATASET_COLUMNS_MAX_COUNT


def test_moments_of_pandas_keep_their_nanoseconds() -> None:
    texts = ["2020-01-01T00:00:00.000000001", "2020-01-01T00:00:00.000000002"]
    digests = []
    for text in texts:
        objects = pd.DataFrame({"t": pd.Series([pd.Timestamp(text), None], dtype=object)})
        digests.append(tables.of_pandas(objects).digest)
        assert digests[-1] == tables.of_pandas(pd.DataFrame({"t": pd.to_datetime([text, None])})).digest
    assert len(set(digests)) == 2


@pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "float64"])
def test_categories_of_numbers_may_be_missing(kind: str) -> None:
    values = [1, None, 0, 1]
    numbers = [None if value is None else np.array(value, kind)[()] for value in values]
    held = pd.Categorical(numbers, categories=pd.Index(np.array([0, 1], kind)))
    found = tables.of_pandas(pd.DataFrame({"a": held}))
    plain = {"int64": "Int64", "uint8": "UInt8", "bool": "boolean"}.get(kind, kind)
    assert found.digest == tables.of_pandas(pd.DataFrame({"a": pd.Series(values, dtype=plain)})).digest
    assert found.columns[0].missing_count == 1
    nothing = pd.Categorical([None], categories=pd.Index(np.array([], kind)))
    assert tables.of_pandas(pd.DataFrame({"a": nothing})).columns[0].missing_count == 1


def test_names_with_levels_are_told_apart() -> None:
    digests = set()
    for name in (("a/b", "c"), ("a", "b/c"), ("a\\", "b/c"), ("a\\/b", "c"), ("a", "b", "c")):
        columns = pd.MultiIndex.from_tuples([name])
        digests.add(tables.of_pandas(pd.DataFrame([[1]], columns=columns)).digest)
    assert len(digests) == 5


def test_the_kinds_of_pyarrow() -> None:
    pa = pytest.importorskip("pyarrow")
    bits = [pa.table({"x": pa.array([b"ab", None], kind)}) for kind in (pa.binary(), pa.binary_view(), pa.binary(2))]
    assert len({tables.of_arrow(table).digest for table in bits}) == 1
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])
    assert tables.of_arrow(pa.table({"x": runs})).digest == tables.of_arrow(pa.table({"x": ["a", "a", "b"]})).digest
    for other in (pa.schema([]), pa.scalar(1), pa.RecordBatchReader.from_batches(pa.schema([]), [])):
        with pytest.raises(InvalidInput, match="of pyarrow has no digest"):
            tables.of_arrow(other)


def test_tensors_without_numbers() -> None:
    torch = pytest.importorskip("torch")
    parts = [torch.zeros(2), torch.zeros(3)]
    for tensor in (torch.empty(3, device="meta"), torch.nested.nested_tensor(parts, layout=torch.jagged)):
        with pytest.raises(InvalidInput, match="has no digest"):
            arrays.of_torch(tensor)
