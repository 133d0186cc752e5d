"""Ranges of long series: whole buckets inside, exact points at the edges."""

import numpy as np
import pytest

from lineal.series.blocks import slice_steps
from lineal.series.columns import Columns
from lineal.series.downsample import concat_buckets
from lineal.series.pyramid import build
from lineal.store.sql import zoom
from lineal.store.sql.ranges import Range
from lineal.store.sql.zoom import BlockHead

ROWS = 40_000
RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def few_exact_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoom, "EXACT_MAX_POINTS", 100)


def series(steps: np.ndarray) -> tuple[Columns, list[BlockHead], dict[int, Columns]]:
    """A series in blocks of 7,000 points."""
    columns = Columns(np.arange(ROWS), steps, np.arange(ROWS), RNG.normal(size=ROWS))
    heads, blocks = [], {}
    for pk, first in enumerate(range(0, ROWS, 7_000)):
        rows = slice(first, first + 7_000)
        block = Columns(columns.seq[rows], columns.step[rows], columns.time_ms[rows], columns.value[rows])
        blocks[pk] = block
        heads.append(
            BlockHead(pk, 1, len(block), int(block.seq[0]), int(block.seq[-1]), block.step.min(), block.step.max())
        )
    return columns, heads, blocks


STEPS = {
    "rising": np.arange(ROWS),
    "going back": np.concatenate([np.arange(ROWS // 2), np.arange(ROWS // 2)]),
    "repeated": np.arange(ROWS) // 50,
    "fractions": np.arange(ROWS) / 7,
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize(("low", "high"), [(100, 9_000), (777.5, None), (None, 5_003), (0, 10**6), (3_000, 3_600)])
def test_counts_and_extremes_are_exact(kind: str, low: float | None, high: float | None) -> None:
    columns, heads, blocks = series(STEPS[kind])
    read: list[int] = []

    def reading(head: BlockHead) -> Columns:
        read.append(head.pk)
        return blocks[head.pk]

    pieces = zoom.zoom(build(columns).buckets, heads, Range(low, high), reading)
    expected = slice_steps(columns, low, high)
    if not len(expected):
        assert not pieces
        return
    assert pieces is not None
    buckets = concat_buckets(pieces)
    assert int(buckets.count.sum()) == len(expected)
    assert buckets.min.min() == expected.value.min() and buckets.max.max() == expected.value.max()
    assert buckets.first[0] == expected.value[0] and buckets.last[-1] == expected.value[-1]
    assert (buckets.time_min[1:] > buckets.time_max[:-1]).all()
    assert len(set(read)) <= 4


def test_few_points_are_read_one_by_one() -> None:
    columns, heads, blocks = series(STEPS["rising"])
    assert zoom.zoom(build(columns).buckets, heads, Range(5, 50), lambda head: blocks[head.pk]) is None


def test_blocks_that_overlap_or_lack_points_are_read_whole() -> None:
    columns, heads, blocks = series(STEPS["rising"])
    buckets = build(columns).buckets
    assert zoom.zoom(buckets, heads[:-1], Range(5, 20_000), lambda head: blocks[head.pk]) is None
    crossed = [heads[0], heads[1]._replace(first_seq=0), *heads[2:]]
    assert zoom.zoom(buckets, crossed, Range(5, 20_000), lambda head: blocks[head.pk]) is None


def test_ranges_of_blocks() -> None:
    head = BlockHead(1, 1, 10, 0, 9, 5, 8)
    assert head.touches(Range()) and head.touches(Range(8, None)) and head.touches(Range(None, 5))
    assert (
        not head.touches(Range(8.5, None))
        and not head.touches(Range(None, 4))
        and not head.touches(Range(float("nan"), None))
    )
    assert head._replace(step_min=None, step_max=None).touches(Range(100, 200))
