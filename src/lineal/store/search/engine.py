"""Answers questions about the runs of one tenant from columns in memory. What it says is what `store/reference.py` says.

Backends hand it a `ColumnSource` of one snapshot a question, and hold `lock` from before the snapshot begins, so that what
is in memory is never ahead of it."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from lineal.model.limits import GROUP_RUN_IDS_MAX_COUNT
from lineal.query.evaluate import check_question
from lineal.query.syntax import And, Comparison, Field, Filter, Not
from lineal.series.columns import Int64s
from lineal.store.contracts import GroupPage, GroupQuery, RunGroup, RunQuery
from lineal.store.page_tokens import Place, make_token, read_token
from lineal.store.search.columns import Columns
from lineal.store.search.groups import GroupOrder, group_rows, spread, value_at
from lineal.store.search.numbers import Keys, Mask
from lineal.store.search.order import Step, by_column, by_keys, window
from lineal.store.search.runs import RunTable
from lineal.store.search.source import ColumnSource

RUN_ID = Field("attribute", "run_id")
IDS_ASKED_MAX_COUNT = 5_000  # run ids asked for by number; for more the whole column of them is worth having


class FoundRuns(NamedTuple):
    """`runs` by number, in order."""

    runs: list[int]
    total: int
    next_token: str | None


class SearchEngine:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._table = RunTable()
        self._columns = Columns(self._table)

    @property
    def size_bytes(self) -> int:
        return self._table.size_bytes + self._columns.size_bytes

    def page(self, source: ColumnSource, query: RunQuery) -> FoundRuns:
        """What `reference.page_of` says."""
        check_question(query.filter, query.order)
        start = read_token(query)
        self._refresh(source)
        rows = self._matching(source, query)
        total = len(rows)
        if start is not None:
            rows = self._behind(source, rows, query, start)
        columns = [self._columns.get(order.field, source) for order in query.order]
        steps = [by_column(column, order.descending) for column, order in zip(columns, query.order, strict=True)]
        stop = query.offset + query.limit
        chosen = window(rows, [*steps, *self._newest_first(source)], query.offset, stop)
        runs = self._table.number[chosen].tolist()
        token = None
        if len(chosen) and stop < len(rows):
            last = int(chosen[-1])
            [run_id] = source.read_run_ids(self._table.number[chosen[-1:]])
            keys = tuple(column.sort_key(last) for column in columns)
            token = make_token(query, Place(keys, int(self._table.started_ms[last]), run_id))
        self._columns.trim()
        return FoundRuns(runs, total, token)

    def groups(self, source: ColumnSource, query: GroupQuery) -> GroupPage:
        """What `reference.groups_of` says."""
        self._refresh(source)
        rows = self._matching(source, query)
        columns = [self._columns.get(field, source) for field in query.by]
        order = [
            GroupOrder(self._columns.get(one.field, source), one.field not in query.by, one.descending)
            for one in query.order
        ]
        found = group_rows(rows, columns, query.limit, order)
        metrics = {field: self._columns.get(field, source).numbers for field in query.metrics}
        newest = self._newest_first(source)
        shown = [window(members, newest, 0, GROUP_RUN_IDS_MAX_COUNT) for members in found.members]
        ids = iter(source.read_run_ids(self._table.number[np.concatenate(shown)]) if shown else [])
        groups = [
            RunGroup(
                tuple(value_at(column, int(members[0])) for column in columns),
                len(members),
                {
                    field: spread(np.empty(0) if numbers is None else numbers.value[members])
                    for field, numbers in metrics.items()
                },
                tuple(next(ids) for _ in range(len(first))),
            )
            for members, first in zip(found.members, shown, strict=True)
        ]
        self._columns.trim()
        return GroupPage(groups, found.total)

    def frequent_values(self, source: ColumnSource, field: Field, prefix: str, limit: int) -> list[str]:
        """What `reference.frequent_values` says."""
        if field.is_number:
            return []
        self._refresh(source)
        column = self._columns.get(field, source)
        rows = np.flatnonzero(~self._table.is_deleted[: self._table.count])
        counts: Counter[str] = Counter()
        for text, count in column.count_texts(rows, prefix):
            counts[text] += count
        self._columns.trim()
        return [text for _, text in heapq.nsmallest(limit, ((-count, text) for text, count in counts.items()))]

    # -- inside --------------------------------------------------------------------------------------------

    def _refresh(self, source: ColumnSource) -> None:
        known = self._table.change_number
        if known is not None and source.change_number() < known:
            # The database was put back to an earlier state.
            self._table = RunTable()
            self._columns = Columns(self._table)
        self._table.refresh(source)

    def _matching(self, source: ColumnSource, query: RunQuery | GroupQuery) -> Int64s:
        count = self._table.count
        mask = np.ones(count, np.bool_)
        if query.lifecycle is not None:
            mask &= self._table.is_deleted[:count] == (query.lifecycle == "deleted")
        if query.experiments is not None:
            mask &= np.isin(self._table.experiment[:count], source.find_experiments(query.experiments))
        if query.filter is not None:
            mask &= self._satisfying(source, query.filter)
        return np.flatnonzero(mask)

    def _satisfying(self, source: ColumnSource, filter: Filter) -> Mask:
        if isinstance(filter, Comparison):
            return self._columns.mask(filter, source)
        if isinstance(filter, Not):
            return ~self._satisfying(source, filter.part)
        is_and = isinstance(filter, And)
        masks = (self._satisfying(source, part) for part in filter.parts)
        start = np.full(self._table.count, is_and, np.bool_)
        return reduce(np.logical_and if is_and else np.logical_or, masks, start)

    def _newest_first(self, source: ColumnSource) -> Sequence[Step]:
        return (
            by_keys(lambda rows: [-self._table.started_ms[rows]]),
            by_keys(lambda rows: self._by_run_id(source, rows)),
        )

    def _by_run_id(self, source: ColumnSource, rows: Int64s) -> Keys:
        if len(rows) > IDS_ASKED_MAX_COUNT:
            texts = self._columns.get(RUN_ID, source).texts
            assert texts is not None
            return [texts.keys(rows, False)]
        ids = source.read_run_ids(self._table.number[rows])
        ranks = np.empty(len(ids), np.int64)
        ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
        return [ranks]

    def _behind(self, source: ColumnSource, rows: Int64s, query: RunQuery, start: Place) -> Int64s:
        """Rows that come after a place."""
        behind = np.zeros(len(rows), np.bool_)
        tied = np.ones(len(rows), np.bool_)
        for key, order in zip(start.keys, query.order, strict=True):
            after, level = self._columns.get(order.field, source).beside(key, order.descending, rows)
            behind |= tied & after
            tied &= level
        started_ms = self._table.started_ms[rows]
        behind |= tied & (started_ms < start.started_ms)
        same = np.flatnonzero(tied & (started_ms == start.started_ms))
        if len(same) > IDS_ASKED_MAX_COUNT:
            texts = self._columns.get(RUN_ID, source).texts
            assert texts is not None
            behind[same] = texts.compare_order(">", start.run_id, rows[same])
        elif len(same):
            ids = source.read_run_ids(self._table.number[rows[same]])
            behind[same] = [run_id > start.run_id for run_id in ids]
        return rows[behind]
