"""Each metric of a run in a few numbers, for the search index."""

from __future__ import annotations

from lineal.series.stats import summary_of
from lineal.store.sql.attributes import AttributeIndex, stored_metric
from lineal.store.sql.draft import RunDraft
from lineal.store.sql.fresh import Source
from lineal.store.sql.names import Names
from lineal.store.sql.overview import SourceSummary
from lineal.store.summaries import PieceStats, merge_in_order


def index_metrics(names: Names, run: RunDraft, summaries: dict[Source, SourceSummary], index: AttributeIndex) -> None:
    """Sets what the index knows of every metric: with another attempt the latest value may be another one, too."""
    attempt_ids = {number: attempt_id for attempt_id, number in run.numbers.items()}
    by_name: dict[str, list[PieceStats]] = {}
    for summary in summaries.values():
        names.keep_series_keys(summary.entries)
    for (number, writer), summary in summaries.items():
        rank, writer_name = run.rank(attempt_ids[number]), names.writer_name(writer)
        for pk, entry in summary.entries.items():
            key = names.series_key(pk)
            if not key.labels:
                piece = PieceStats(rank, writer_name, key.value_type, entry.last_seq, entry.stats)
                by_name.setdefault(key.name, []).append(piece)
    index.keep_metric_names(list(by_name))
    for name, pieces in by_name.items():
        index.set_metric(run.pk, name, stored_metric(summary_of(merge_in_order(pieces))))
