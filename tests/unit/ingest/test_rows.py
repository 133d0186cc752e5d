"""Metrics as a request names them, as columns."""

from __future__ import annotations

import pytest

from lineal.ingest import rows
from lineal.ingest.rows import read_metrics


def test_one_step_of_many_names_is_one_row() -> None:
    names = [f"m{at}" for at in range(50)]
    metrics = read_metrics(names, [float(at) for at in range(50)], [3] * 50, [7] * 50, 0)
    [row] = metrics.rows
    assert [key.name for key in row.layout.series] == names
    assert [column.tolist() for column in row.values] == [[float(at)] for at in range(50)]
    assert (row.step.tolist(), row.time_ms.tolist()) == ([3], [7])


def test_columns_are_whole_arrays_of_their_own_order() -> None:
    names = ["a", "b"] * 4
    metrics = read_metrics(names, [float(at) for at in range(8)], [at // 2 for at in range(8)], [7] * 8, 0)
    [row] = metrics.rows
    assert [column.tolist() for column in row.values] == [[0.0, 2.0, 4.0, 6.0], [1.0, 3.0, 5.0, 7.0]]
    assert all(column.flags.c_contiguous for column in row.values)


def test_layouts_at_hand_are_bounded_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_KNOWN_NAMES_MAX_COUNT", 100)
    monkeypatch.setattr(rows, "_layouts", {})
    monkeypatch.setattr(rows, "_known_names", 0)
    for start in range(0, 600, 7):
        read_metrics([f"n{start + at}" for at in range(30)], [0.0] * 30, [1] * 30, [1] * 30, 0)
        assert sum(len(names) for _, _, names in rows._layouts) <= 100
    assert rows._layouts
