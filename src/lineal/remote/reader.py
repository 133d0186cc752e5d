"""The store's reading contract over HTTP, as far as programs and commands ask it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lineal.client.transport import Transport, error_of, path_of
from lineal.model.captures import Capture
from lineal.model.entities import Experiment, Run, RunDetails, SeriesInfo
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import LIST_PAGE_MAX_COUNT, REQUEST_RUNS_MAX_COUNT, REQUEST_SERIES_MAX_COUNT
from lineal.model.lineage_graph import LineageGraph, LineageQuery
from lineal.model.vocabulary import Labels, Lifecycle
from lineal.query.syntax import Field, Kind
from lineal.query.text import field_text, filter_text, order_text
from lineal.remote import nouns
from lineal.remote.datasets import RestDatasetReader
from lineal.remote.registry import RestRegistry
from lineal.store.captures import CapturePage, CaptureQuery, capture_page
from lineal.store.console import ConsolePage, ConsoleQuery
from lineal.store.contracts import (
    BucketPiece,
    ExperimentPage,
    GroupPage,
    GroupQuery,
    Piece,
    RunPage,
    RunQuery,
    SeriesName,
)

_KEPT_MAX_COUNT = 2_000
_ID_PATTERN_LIMIT = 3


class RestReader:
    """See `lineal.store.contracts.TenantReader`: each method here is that of the same name. Raises Unreachable, NotAllowed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._series: dict[str, list[SeriesInfo]] = {}

    # -- runs -----------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> Run:
        return self.get_details(run_id).run

    def find_run_ids(self, prefix: str, limit: int = 2) -> list[str]:
        try:
            return [str(self._ask("GET", ("runs", prefix))["run_id"])]
        except NotFound:
            return []
        except InvalidInput:  # several begin so
            literal = prefix.replace("'", "''")
            body = {"filter": f"run_id like '{literal}%'", "limit": max(limit, 2), "lifecycle_stage": "all"}
            return sorted(run["run_id"] for run in self._ask("POST", ("runs", "search"), body)["runs"])

    def list_runs(self, query: RunQuery) -> RunPage:
        body: dict[str, Any] = {
            "filter": filter_text(query.filter),
            "order_by": [order_text(order) for order in query.order],
            "experiments": None if query.experiments is None else list(query.experiments),
            "lifecycle_stage": query.lifecycle or "all",
            "offset": query.offset,
            "page_token": query.after,
        }
        runs: list[Run] = []
        while True:
            body["limit"] = min(LIST_PAGE_MAX_COUNT, query.limit - len(runs))
            page = self._ask("POST", ("runs", "search"), body)
            runs += [nouns.run_of(one) for one in page["runs"]]
            token = page["next_page_token"]
            if token is None or len(runs) >= query.limit:
                return RunPage(runs, page["total"], token)
            body |= {"page_token": token, "offset": 0}

    def get_details(self, run_id: str) -> RunDetails:
        return self.get_details_of([run_id])[0]

    def get_details_of(self, run_ids: Sequence[str]) -> list[RunDetails]:
        wanted = list(run_ids)
        found: list[RunDetails] = []
        if len(self._series) + len(wanted) > _KEPT_MAX_COUNT:
            self._series.clear()
        for start in range(0, len(wanted), REQUEST_RUNS_MAX_COUNT):
            body = {"run_ids": wanted[start : start + REQUEST_RUNS_MAX_COUNT]}
            for one in self._ask("POST", ("runs", "details"), body)["runs"]:
                details, series = nouns.details_of(one)
                self._series[details.run.run_id] = series
                found.append(details)
        return found

    def get_document(self, run_id: str, name: str) -> str:
        return json.dumps(self._ask("GET", ("runs", run_id, "documents", name)))

    def list_captures(self, run_id: str) -> list[Capture]:
        return self._captures(run_id)

    def find_capture(self, run_id: str, part: str) -> Capture | None:
        return next(iter(self._captures(run_id, part)), None)

    def get_captures_of(self, run_ids: Sequence[str], parts: Sequence[str]) -> list[dict[str, Capture]]:
        found: list[dict[str, Capture]] = []
        for run_id in run_ids:
            latest: dict[str, Capture] = {}
            for capture in self._captures(run_id):
                if capture.part in parts:
                    latest.setdefault(capture.part, capture)
            found.append(dict(sorted(latest.items())))
        return found

    def _captures(self, run_id: str, part: str | None = None) -> list[Capture]:
        found: list[Capture] = []
        while True:
            page = self.read_captures(run_id, CaptureQuery(part, offset=len(found)))
            found += page.captures
            if len(found) >= page.total or not page.captures:
                return found

    def read_captures(self, run_id: str, query: CaptureQuery) -> CapturePage:
        asked = {"part": query.part, "attempt": query.attempt_id, "offset": query.offset}
        said = {name: value for name, value in asked.items() if value is not None}
        answer = self._ask("GET", ("runs", run_id, "captures"), query=said)
        page = [nouns.capture_of(one) for one in answer["captures"]]
        return capture_page(iter(page), query, answer["total"])

    def list_series(self, run_id: str) -> list[SeriesInfo]:
        return self.list_summaries([run_id])[0]

    def list_summaries(self, run_ids: Sequence[str]) -> list[list[SeriesInfo]]:
        """Those that came with the details, if these were asked for just before."""
        missing = [run_id for run_id in run_ids if run_id not in self._series]
        if missing:
            self.get_details_of(list(run_ids))
        return [self._series.pop(run_id) for run_id in run_ids]

    def list_groups(self, query: GroupQuery) -> GroupPage:
        metrics = {field_text(field): field for field in query.metrics}
        body = {
            "by": [field_text(field) for field in query.by],
            "metrics": list(metrics),
            "filter": filter_text(query.filter),
            "experiments": None if query.experiments is None else list(query.experiments),
            "lifecycle_stage": query.lifecycle or "all",
            "limit": max(1, min(LIST_PAGE_MAX_COUNT, query.limit)),
        }
        if query.order:  # older servers do not know it
            body["order_by"] = [order_text(order) for order in query.order]
        page = self._ask("POST", ("runs", "groups"), body)
        return GroupPage([nouns.group_of(one, metrics) for one in page["groups"]][: query.limit], page["total"])

    def list_names(self, kind: Kind, prefix: str = "", limit: int = 100) -> list[str]:
        query = {"kind": kind, "prefix": prefix, "limit": max(1, min(LIST_PAGE_MAX_COUNT, limit))}
        return list(self._ask("GET", ("fields",), query=query)["names"])[:limit]

    def list_values(self, field: Field, prefix: str = "", limit: int = 20) -> list[str]:
        query = {"field": field_text(field), "prefix": prefix, "limit": max(1, min(LIST_PAGE_MAX_COUNT, limit))}
        return list(self._ask("GET", ("fields", "values"), query=query)["values"])[:limit]

    def read_console(self, run_id: str, query: ConsoleQuery) -> ConsolePage:
        asked = {
            "after": query.after,
            "before": query.before,
            "limit": query.limit,
            "search": query.search,
            "stream": query.stream,
            "attempt": query.attempt_id,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return nouns.console_of(self._ask("GET", ("runs", run_id, "console"), query=given))

    # -- points ---------------------------------------------------------------------------------

    def read_points(
        self,
        run_id: str,
        name: str,
        labels: Labels = (),
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[Piece]:
        return self.read_points_of([(run_id, (name, labels))], step_min=step_min, step_max=step_max)[0]

    def read_points_of(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[Piece]]:
        from lineal.remote.pieces import points_from

        return [
            pieces for some in _portions(wanted) for pieces in points_from(self._pieces(some, None, step_min, step_max))
        ]

    def read_buckets(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        max_points: int,
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[BucketPiece]]:
        from lineal.remote.pieces import buckets_from

        return [
            pieces
            for some in _portions(wanted)
            for pieces in buckets_from(self._pieces(some, max_points, step_min, step_max))
        ]

    def _pieces(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        max_points: int | None,
        step_min: float | None,
        step_max: float | None,
    ) -> bytes:
        series = [{"run_id": run_id, "name": name, "labels": dict(labels)} for run_id, (name, labels) in wanted]
        body = {"series": series, "max_points": max_points, "step_min": step_min, "step_max": step_max}
        content = json.dumps(body).encode()
        reply = self._transport.send(
            "POST", path_of(("runs", "pieces")), body=content, headers={"Content-Type": "application/json"}
        )
        if not reply.is_good:
            raise error_of(reply, self._transport.address)
        return reply.body

    # -- experiments ----------------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Experiment:
        return nouns.experiment_of(self._ask("GET", ("experiments", experiment_id)))

    def find_experiment(self, name: str) -> Experiment | None:
        for lifecycle in ("active", "deleted"):
            offset = 0
            while True:
                page = self._experiments(name, lifecycle, LIST_PAGE_MAX_COUNT, offset)
                for one in page["experiments"]:
                    if one["name"] == name:
                        return nouns.experiment_of(one)
                offset += LIST_PAGE_MAX_COUNT
                if offset >= page["total"]:
                    break
        return None

    def list_experiments(
        self, *, search: str | None = None, lifecycle: Lifecycle | None = "active", limit: int = 100, offset: int = 0
    ) -> ExperimentPage:
        found: list[Experiment] = []
        while True:
            count = max(1, min(LIST_PAGE_MAX_COUNT, limit - len(found)))
            page = self._experiments(search, lifecycle or "active", count, offset + len(found))
            found += [nouns.experiment_of(one) for one in page["experiments"]][: limit - len(found)]
            if len(found) >= limit or offset + len(found) >= page["total"] or not page["experiments"]:
                return ExperimentPage(found, page["total"])

    def _experiments(self, search: str | None, lifecycle: str, limit: int, offset: int) -> Any:
        query: dict[str, Any] = {"lifecycle_stage": lifecycle, "limit": limit, "offset": offset}
        if search:
            query["search"] = search
        return self._ask("GET", ("experiments",), query=query)

    # -- lineage --------------------------------------------------------------------------------

    def find_lineage(self, query: LineageQuery) -> LineageGraph:
        asked: dict[str, Any] = {"id": query.thing, "depth": query.depth, "limit": query.limit}
        if query.kind is not None:
            asked["kind"] = query.kind
        if not (query.up and query.down):
            asked["direction"] = "up" if query.up else "down"
        return nouns.lineage_of(self._ask("GET", ("lineage",), query=asked))

    # -- datasets and registered models ---------------------------------------------------------

    def datasets(self) -> RestDatasetReader:
        return RestDatasetReader(self._transport)

    def registry(self) -> RestRegistry:
        return RestRegistry(self._transport)

    # -- the server -----------------------------------------------------------------------------

    def change_number(self) -> int:
        return int(self._ask("GET", ("health",))["change_number"])

    def _ask(
        self,
        method: str,
        parts: Sequence[str],
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, Any] | None = None,
    ) -> Any:
        return self._transport.ask(method, parts, query=query, body=body)


def _portions(wanted: Sequence[tuple[str, SeriesName]]) -> list[Sequence[tuple[str, SeriesName]]]:
    """As many series as one question may have."""
    return [
        wanted[start : start + REQUEST_SERIES_MAX_COUNT] for start in range(0, len(wanted), REQUEST_SERIES_MAX_COUNT)
    ]
