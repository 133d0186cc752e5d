"""What the report shows of each scenario: column titles and the figures they hold."""

from __future__ import annotations

S2 = """p50 us: p50_us, p99 us: p99_us, longest us: max_us, wall us/step: wall_us, finish ms: finish_ms,
    steps: steps"""
LONGEST = """longest call ms: max_ms, longest empty loop ms: control_max_ms, calls over 1 ms: over_1ms,
    calls: calls"""
S3 = """points/s until readable: points_per_s, points/s logged: points_per_s_logged,
    first read s: first_read_s, bytes/point: bytes_per_point, on disk/point: disk_per_point, points: points"""
S5 = """first, with opening, ms: first_ms, one more ms: one_ms, all ten ms: ten_ms,
    one, ns/point: one_ns_per_point, ten, ns/point: ten_ns_per_point, points a series: points"""
S6 = """runs/s: runs_per_s, bytes/run: bytes_per_run, on disk/run: disk_per_run,
    first query ms: first_query_ms, search ms: search_ms, runs: runs"""
SEARCH = """worst question p50 ms: worst_ms, of it this thread's ms: worst_own_ms, middle question ms: middle_ms,
    worst first ms: first_ms, while runs arrive ms: arriving_ms, database bytes/run: database_bytes_per_run, runs: runs"""
S9 = """imported MiB: imported_mib, open run MiB: idle_mib, peak MiB: peak_mib, helper processes: helpers,
    helpers MiB: helper_mib"""
DRAWN = """long ms: long_ms, long, first ms: long_first_ms, short ms: short_ms,
    short, first ms: short_first_ms, long/short: ratio, buckets: buckets_most"""

SPECS = {
    "S1": "import ms: import_ms, import to first log ms: to_first_log_ms",
    "S2": S2,
    "S2/longest": LONGEST,
    "S2/longest-paced": LONGEST,
    "S3": S3,
    "S5": S5,
    "S6": S6,
    "S6/search-10k": SEARCH,
    "S6/search-100k": SEARCH,
    "S6/search-1m": SEARCH,
    "S7": "recovered: recovered, of: of, kills a round: kills, of them whole: kills_whole",
    "S9": S9,
    "draw": "log s: log_s, ingest s: ingest_s, bytes/point: bytes_per_point, points: points",
    "draw/read": DRAWN,
}

# Where more is better; everywhere else less is.
HIGHER = {"points_per_s", "points_per_s_logged", "runs_per_s", "recovered"}

# The figures that get a ratio against Lineal. S5's is by the point: MLflow reads shorter series there.
RATIOS = {
    *("import_ms", "to_first_log_ms", "p50_us", "wall_us", "points_per_s", "bytes_per_point", "first_ms"),
    *("one_ns_per_point", "ten_ns_per_point", "runs_per_s", "bytes_per_run", "search_ms", "idle_mib"),
}


def columns(scenario: str) -> list[tuple[str, str]]:
    """Titles and figures. A title may hold a comma; a figure's name never does."""
    spec = " ".join((SPECS.get(scenario) or SPECS[scenario.split("/")[0]]).split())
    out, rest = [], spec
    while rest:
        title, _, rest = rest.partition(": ")
        figure, _, rest = rest.partition(", ")
        out.append((title, figure))
    return out
