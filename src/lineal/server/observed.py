"""What the server knows of itself, for whoever watches over it. Labels take few values: a route's template, never an address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineal._version import __version__
from lineal.server.processes import cpu_s, resident_bytes
from lineal.server.prometheus import Counter, Histogram, gauge

if TYPE_CHECKING:
    from lineal.ingest.tally import Tally
    from lineal.server.live import Live
    from lineal.server.source import Source

_LATENCIES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# Others come from journals of newer clients, or of whoever makes one up.
_REASONS = frozenset(
    (
        *("damaged", "torn", "undefined", "internal_fault"),
        *("not_a_number", "not_exact", "name_over_limit", "bad_name", "param_refused"),
        *("disk_refuses", "artifact_not_kept", "after_finish"),
    )
)


class Observed:
    """Requests are counted by the event loop, commits by the thread that makes them."""

    def __init__(self) -> None:
        self._started_s = time.time()
        self.in_flight = 0
        self.connections = 0
        self._requests = Counter(
            "lineal_requests_total", "Requests answered, by route and status.", ("method", "route", "status")
        )
        self._latencies = Histogram(
            "lineal_request_seconds",
            "From a request's head to the last byte of its answer.",
            _LATENCIES_S,
            ("method", "route"),
        )
        self._sent = Counter("lineal_answer_bytes_total", "Bytes of answers' bodies.", ("route",))
        self._turned_away = Counter(
            "lineal_connections_ended_total", "Connections that were ended because of how they behaved.", ("reason",)
        )
        self._points = Counter("lineal_points_total", "Points taken in.")
        self._records = Counter("lineal_records_total", "Records taken in; a point of a request is one.")
        self._journal = Counter("lineal_journal_bytes_total", "Bytes of journals taken in.")
        self._losses = Counter(
            "lineal_losses_total", "Records that clients or damage lost, as told to this server.", ("reason",)
        )
        self._commit_s = Histogram(
            "lineal_commit_seconds", "How long a commit took, its requests' work included.", _LATENCIES_S
        )
        self._commit_size = Histogram("lineal_commit_requests", "How many requests shared a commit.", _SIZES)
        self._refused = Counter("lineal_commits_refused_total", "Commits that the database or its disk refused.")

        self._tries = Counter(
            "lineal_webhook_tries_total", "Tries to tell a webhook something, by outcome.", ("outcome",)
        )

    def tried(self, outcome: str) -> None:
        """By the threads that send, one at a time."""
        self._tries.add(1, outcome)

    def answered(self, method: str, route: str, status: int, duration_s: float, sent_bytes: int) -> None:
        method = method if method in _METHODS else "other"
        self._requests.add(1, method, route, str(status))
        self._latencies.observe(duration_s, method, route)
        self._sent.add(sent_bytes, route)

    def turned_away(self, reason: str) -> None:
        self._turned_away.add(1, reason)

    def committed(self, tally: Tally) -> None:
        if tally.refused:
            self._refused.add(1)
            return
        self._commit_s.observe(tally.duration_s)
        self._commit_size.observe(tally.request_count)
        self._points.add(tally.point_count)
        self._records.add(tally.record_count)
        self._journal.add(tally.journal_bytes)
        for reason, count in tally.losses.items():
            self._losses.add(count, reason if reason in _REASONS else "other")

    def text(self, source: Source, live: Live) -> str:
        return "\n".join(self._lines(source, live)) + "\n"

    def _lines(self, source: Source, live: Live) -> Iterator[str]:
        yield from gauge("lineal_info", "The version, as a label.", {__version__: 1}, "version")
        for one in (self._requests, self._latencies, self._sent, self._turned_away):
            yield from one.lines()
        yield from gauge("lineal_requests_in_flight", "Requests that are being answered.", self.in_flight)
        yield from gauge("lineal_connections", "Open connections.", self.connections)
        yield from gauge("lineal_live_streams", "Pages and programs that watch for changes.", live.watcher_count)
        for counted in (self._points, self._records, self._journal, self._losses):
            yield from counted.lines()
        for written in (self._commit_s, self._commit_size, self._refused, self._tries):
            yield from written.lines()
        room = source.room()
        yield from gauge("lineal_commit_waiting", "Requests that wait for the next commit.", room.waiting_count)
        if room.store_bytes is not None:
            yield from gauge("lineal_store_bytes", "What the database takes on its disk.", room.store_bytes)
        yield from gauge(
            "lineal_disk_free_bytes", "Room on the disks of database and artifacts.", room.free_bytes, "place"
        )
        yield from gauge("process_resident_memory_bytes", "Memory of this process.", resident_bytes())
        yield from gauge("process_start_time_seconds", "When it started, since 1970.", self._started_s)
        cpu = Counter("process_cpu_seconds_total", "Processor time that it took.")
        cpu.add(cpu_s())
        yield from cpu.lines()
