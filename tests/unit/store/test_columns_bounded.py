"""What the search engine keeps is bounded in small folders too, where the columns themselves weigh nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineal
from lineal.local import LocalStore
from lineal.store.search import columns
from lineal.store.search.columns import Columns


def _trimmed(monkeypatch: pytest.MonkeyPatch) -> list[Columns]:
    seen: list[Columns] = []
    trim = Columns.trim

    def watched(self: Columns) -> None:
        trim(self)
        seen.append(self)

    monkeypatch.setattr(Columns, "trim", watched)
    return seen


def test_answers_to_long_lists_and_fields_that_nobody_has_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineal.init(url=tmp_path / "runs", params={"lr": "a"}).finish()
    monkeypatch.setattr(columns, "COLUMNS_MAX_COUNT", 5)
    monkeypatch.setattr(columns, "MASKS_MAX_COUNT", 7)
    monkeypatch.setattr(columns, "MASKS_MAX_BYTES", 1_000_000)
    with LocalStore(tmp_path / "runs") as store:
        seen = _trimmed(monkeypatch)
        for number in range(20):
            assert store.runs(f"params.lr = 'a' and params.p{number} is null").total == 1
            assert len(seen[-1]._held) <= 5 and len(seen[-1]._masks) <= 7
        for number in range(6):  # some 350 KB each
            listed = ", ".join(f"'{number}-{one}'" for one in range(5_000))
            text = f"params.lr in ({listed}, 'a')"
            assert store.runs(text).total == 1
            assert sum(known.size_bytes for known in seen[-1]._masks.values()) <= 1_000_000
        assert len(seen[-1]._masks) <= 3
