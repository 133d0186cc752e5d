"""Rows of answers as columns, and as tables of pandas and polars."""

import math
import sys
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from lineal.model.entities import Run, RunDetails
from lineal.query.syntax import Field
from lineal.store.contracts import GroupPage, RunGroup, Spread
from lineal.store.grouped import Groups
from lineal.store.tables import columns_of, run_row, to_pandas, to_polars


def details(run_id: str, ended_ms: int | None = None, **params: Any) -> RunDetails:
    run = Run(run_id, "e1", "digits", run_id, "running", "active", 1_000, ended_ms)
    return RunDetails(run, params, {"odd name": "x"} if params else {}, "", [], [], {}, [], {}, [])


ROWS = [
    run_row(details("a", 3_500, lr=0.1, layers=2, flag=True, mixed=1), {"loss": 1.5, "epochs": 3}),
    run_row(details("b", None, lr="high", layers=2**70, flag=False, mixed=2.5), {"loss": math.nan}),
    run_row(details("c"), {}),
]


def test_a_row_has_typed_values() -> None:
    assert ROWS[0] == {
        "run_id": "a",
        "name": "a",
        "experiment": "digits",
        "status": "running",
        "start_time": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        "end_time": datetime(1970, 1, 1, 0, 0, 3, 500_000, tzinfo=UTC),
        "duration_seconds": 2.5,
        "user_id": None,
        "description": "",
        "parent_run_id": None,
        "params": {"lr": 0.1, "layers": 2, "flag": True, "mixed": 1},
        "metrics": {"loss": 1.5, "epochs": 3},
        "tags": {"odd name": "x"},
    }


def test_columns_are_named_as_filters_name_them() -> None:
    columns = columns_of(ROWS)
    assert list(columns)[-7:] == [
        "params.flag",
        "params.layers",
        "params.lr",
        "params.mixed",
        "metrics.epochs",
        "metrics.loss",
        "tags.`odd name`",
    ]
    assert columns["run_id"] == ["a", "b", "c"] and columns["params.layers"] == [2, 2**70, None]
    assert columns_of([]) == {}


def test_pandas() -> None:
    table = to_pandas(columns_of(ROWS))
    assert table.shape == (3, 17)
    assert str(table["start_time"].dtype).startswith("datetime64") and table["start_time"].dt.tz is not None
    assert table["end_time"].isna().tolist() == [False, True, True]
    assert table["params.lr"].tolist()[:2] == [0.1, "high"]
    assert table["params.mixed"].tolist()[:2] == [1.0, 2.5] and table["params.mixed"].dtype == float
    assert table["metrics.loss"].dtype == float and table["metrics.loss"].isna().tolist() == [False, True, True]
    assert to_pandas({}).shape == (0, 0)


def test_polars() -> None:
    table = to_polars(columns_of(ROWS))
    assert table.shape == (3, 17)
    assert table.schema["start_time"] == pl.Datetime("ms", "UTC")
    assert table["params.lr"].to_list() == ["0.1", "high", None]
    assert table["params.layers"].to_list() == [2.0, float(2**70), None]
    assert table["params.flag"].to_list() == [True, False, None]
    assert table["metrics.epochs"].to_list() == [3, None, None] and table.schema["metrics.epochs"] == pl.Int64
    assert table["metrics.loss"].is_nan().to_list() == [False, True, None]
    assert table.schema["user_id"] == pl.Null
    assert to_polars({}).shape == (0, 0)


@pytest.mark.parametrize("missing", ["pandas", "polars"])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=f"pip install {missing}"):
        (to_pandas if missing == "pandas" else to_polars)({})


def test_groups() -> None:
    lr, loss = Field("param", "lr"), Field("metric", "loss", "min")
    group = RunGroup((0.1,), 2, {loss: Spread(2, 1.0, 0.5, 0.5, 1.5)}, ("a", "b"))
    none = RunGroup((None,), 1, {loss: Spread(0, None, None, None, None)}, ("c",))
    groups = Groups(GroupPage([group, none], 7), [lr], [loss])
    assert (len(groups), groups.total, groups[0].values, groups[1].values) == (
        2,
        7,
        {"params.lr": 0.1},
        {"params.lr": None},
    )
    assert groups[0].metrics["min(metrics.loss)"].std == 0.5
    assert groups.to_list()[0] == {
        "params.lr": 0.1,
        "run_count": 2,
        "min(metrics.loss).count": 2,
        "min(metrics.loss).mean": 1.0,
        "min(metrics.loss).std": 0.5,
        "min(metrics.loss).min": 0.5,
        "min(metrics.loss).max": 1.5,
    }
    assert groups.to_pandas()["min(metrics.loss).mean"].isna().tolist() == [False, True]
    assert groups.to_polars()["run_count"].to_list() == [2, 1]
    assert repr(groups) == "<2 of 7 groups by params.lr>"
    empty = Groups(GroupPage([], 0), [lr], [loss])
    assert list(empty.to_pandas().columns) == list(groups.to_pandas().columns) and empty.to_list() == []
