"""Series and their summaries: what is stored, and fresh rows on top."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.model.entities import SeriesInfo
from lineal.model.values import to_json
from lineal.series.batch import decode_batch
from lineal.series.stats import summary_of
from lineal.store.rules import Rank
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.database import Connection
from lineal.store.sql.fresh import Source, join_parts
from lineal.store.sql.overview import SourceSummary
from lineal.store.sql.stats_codec import unpack_stats
from lineal.store.summaries import PieceStats, merge_in_order

_OF_RUNS = "run IN (SELECT value FROM json_each(?))"


def read_pieces(
    connection: Connection, catalog: Catalog, runs: Sequence[int]
) -> dict[int, dict[int, list[PieceStats]]]:
    """Run -> series key's number -> stats of each of its pieces, everything appended included."""
    wanted = to_json(list(runs))
    ranks = _ranks(connection, wanted)
    summaries: dict[int, dict[Source, SourceSummary]] = {run: {} for run in runs}
    sql = f"SELECT run, attempt, writer, through_seq, payload FROM summary WHERE {_OF_RUNS}"
    for run, attempt, writer, through_seq, payload in connection.execute(sql, (wanted,)):
        summaries[run][attempt, writer] = SourceSummary(through_seq, unpack_stats(payload))
    _add_fresh(connection, catalog, wanted, summaries)
    found: dict[int, dict[int, list[PieceStats]]] = {run: {} for run in runs}
    for run, sources in summaries.items():
        for (attempt, writer), summary in sources.items():
            name = catalog.writer(connection, writer)
            keys = catalog.series_keys(connection, list(summary.entries))
            for pk, entry in summary.entries.items():
                piece = PieceStats(ranks[run, attempt], name, keys[pk].value_type, entry.last_seq, entry.stats)
                found[run].setdefault(pk, []).append(piece)
    return found


def read_series_infos(connection: Connection, catalog: Catalog, runs: Sequence[int]) -> dict[int, list[SeriesInfo]]:
    """Run -> its series, sorted by key."""
    found = {}
    for run, series in read_pieces(connection, catalog, runs).items():
        infos = [
            SeriesInfo(catalog.series_key(connection, pk), summary_of(merge_in_order(pieces)))
            for pk, pieces in series.items()
        ]
        found[run] = sorted(infos, key=lambda info: info.key)
    return found


def _add_fresh(
    connection: Connection, catalog: Catalog, wanted: str, summaries: dict[int, dict[Source, SourceSummary]]
) -> None:
    """Only batches that the stored summary does not cover are read."""
    rows = connection.execute(
        "SELECT f.run, f.attempt, f.writer, f.payload FROM fresh f LEFT JOIN summary s"
        " ON s.run = f.run AND s.attempt = f.attempt AND s.writer = f.writer"
        f" WHERE f.{_OF_RUNS} AND (s.through_seq IS NULL OR f.last_seq > s.through_seq)",
        (wanted,),
    )
    batches: dict[tuple[int, Source], list[bytes]] = {}
    for run, attempt, writer, payload in rows:
        batches.setdefault((run, (attempt, writer)), []).append(payload)
    for (run, source), payloads in batches.items():
        blocks = [
            item
            for payload in payloads
            for item in decode_batch(payload, lambda pk: catalog.layout(connection, pk).layout)
        ]
        summary = summaries[run].setdefault(source, SourceSummary())
        summary.extend(join_parts(blocks), lambda pk: catalog.layout(connection, pk))


def _ranks(connection: Connection, wanted: str) -> dict[tuple[int, int], Rank]:
    """As `rules.rank`. Columns of the first schema alone: the step to the second reads them before later ones are there."""
    sql = f"SELECT run, number, attempt_id, opened_ms IS NOT NULL, started_ms FROM attempt WHERE {_OF_RUNS}"
    return {
        (run, number): (bool(is_opened), started_ms if is_opened else 0, attempt_id)
        for run, number, attempt_id, is_opened, started_ms in connection.execute(sql, (wanted,))
    }
