"""What Lineal must reach, and how far ahead of each peer the plan put it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    text: str
    scenario: str
    figure: str
    relation: str  # "<=", ">=" or "=="
    limit: float
    beside: str = ""  # a figure of the same scenario that tells how much of it was the machine

    def holds(self, value: float) -> bool:
        if self.relation == "<=":
            return value <= self.limit
        return value >= self.limit if self.relation == ">=" else value == self.limit

    def worst(self, values: list[float]) -> float:
        if self.relation == "==":
            return max(values, key=lambda value: abs(value - self.limit))
        return max(values) if self.relation == "<=" else min(values)


@dataclass(frozen=True)
class Claim:
    """`planned` times better than `peer`."""

    text: str
    scenario: str
    figure: str
    peer: str
    planned: float


TARGETS = (
    Target("S1 import over bare Python, ms", "S1", "import_ms", "<=", 40),
    Target("S2 one metric, ints among them: p50, us", "S2/1-ints", "p50_us", "<=", 2),
    Target("S2 one metric, ints among them: p99, us", "S2/1-ints", "p99_us", "<=", 10),
    Target("S2 one metric, ints among them: wall a step, us", "S2/1-ints", "wall_us", "<=", 4),
    Target("S2 longest call in 60 s, unpaced, ms", "S2/longest", "max_ms", "<=", 5, "control_max_ms"),
    Target("S2 longest call in 60 s, paced, ms", "S2/longest-paced", "max_ms", "<=", 5, "control_max_ms"),
    Target("S2 20 metrics: p50, us", "S2/20", "p50_us", "<=", 3),
    Target("S2 20 metrics: wall a step, us", "S2/20", "wall_us", "<=", 10),
    Target("S2 20 metrics, ints among them: p50, us", "S2/20-ints", "p50_us", "<=", 3.5),
    Target("S2 20 metrics, ints among them: wall a step, us", "S2/20-ints", "wall_us", "<=", 10),
    Target("S3 points/s until readable", "S3", "points_per_s", ">=", 2e6),
    Target("S3 points/s, alternating schemas", "S3/alternating", "points_per_s", ">=", 2e6),
    Target("S3 points/s, one metric a call", "S3/single", "points_per_s", ">=", 0.6e6),
    Target("S4 bytes a point, this noise", "S3", "bytes_per_point", "<=", 8),
    Target("S4 bytes a point, float32-born", "S3/float32", "bytes_per_point", "<=", 4),
    Target("S5 one series of 100,000, warm, ms", "S5", "one_ms", "<=", 2),
    Target("S5 ten series of 100,000, ms", "S5", "ten_ms", "<=", 15),
    Target("S6 short runs/s", "S6", "runs_per_s", ">=", 300),
    Target("S6 bytes a run", "S6", "bytes_per_run", "<=", 12_000),
    Target("S6 bytes a run, as blocks on disk", "S6", "disk_per_run", "<=", 12_000),
    Target("S6 search of 2,000 runs, ms", "S6", "search_ms", "<=", 5),
    Target("S6 worst question over 10,000 runs, ms", "S6/search-10k", "worst_ms", "<=", 5),
    Target("S6 worst question over 100,000 runs, ms", "S6/search-100k", "worst_ms", "<=", 50),
    Target("S6 worst question over 1,000,000 runs, ms", "S6/search-1m", "worst_ms", "<=", 100),
    Target("S7 points lost of 10,000, burst", "S7/burst", "lost", "==", 0),
    Target("S7 points lost of 10,000, paced", "S7/paced", "lost", "==", 0),
    Target("S9 MiB over bare Python, an open run", "S9", "idle_mib", "<=", 20),
    Target("S9 MiB over bare Python, peak", "S9", "peak_mib", "<=", 20),
    Target("S9 helper processes", "S9", "helpers", "==", 0),
    Target("100 x 1 M points to 1,000 buckets, ms", "draw/read", "long_ms", "<=", 300),
    Target("the same, the process's first draw, ms", "draw/read", "long_first_ms", "<=", 300),
    Target("1 M points over 10 k points", "draw/read", "ratio", "<=", 1.5),
)

# The dashboard, measured by benchmarks/page.py; the scenario is what `--only` calls it.
PAGE_TARGETS = (
    Target("`lineal ui` answers, over 100,000 runs, ms", "start", "ui_answers_ms", "<=", 1_000),
    Target("S10 cold page to the first chart, 10 runs x 10,000 points, ms", "S10", "first_chart_ms", "<=", 800),
    Target("S10 JavaScript until then, bytes gzipped", "S10", "js_gzip_bytes", "<=", 250_000),
    Target("All JavaScript of the dashboard, bytes gzipped", "S10", "all_js_gzip_bytes", "<=", 250_000),
    Target("100,000 runs: first rows, ms", "rows", "first_rows_ms", "<=", 500),
    Target("100,000 runs: sort by a metric, ms", "sort", "sort_first_ms", "<=", 300),
    Target("100,000 runs: the same, the other way round, ms", "sort", "sort_again_ms", "<=", 300),
    Target(
        "100,000 runs: longest frame while 20,000 rows go by, ms",
        "scroll",
        "worst_frame_ms",
        "<=",
        50,
        "control_worst_frame_ms",
    ),
    Target("100 runs x 10,000 points on one chart, ms", "dense", "dense_chart_ms", "<=", 400),
    Target("100 runs x 1,000,000 points on one chart, ms", "long", "long_chart_ms", "<=", 600),
    Target("From `run.log` to the pixel, ms", "pixel", "log_to_pixel_ms", "<=", 1_000),
)

CLAIMS = (
    Claim("S1 import", "S1", "import_ms", "tensorboardX", 5),
    Claim("S1 import", "S1", "import_ms", "wandb", 13),
    Claim("S2 one metric, p50", "S2/1", "p50_us", "csv", 1),
    Claim("S2 20 metrics, p50", "S2/20", "p50_us", "csv", 6),
    Claim("S2 20 metrics, p50", "S2/20", "p50_us", "wandb", 46),
    Claim("S2 20 metrics, p50", "S2/20", "p50_us", "mlflow", 2_500),
    Claim("S3 points/s", "S3", "points_per_s", "trackio", 12),
    Claim("S3 points/s", "S3", "points_per_s", "wandb", 50),
    Claim("S4 bytes a point", "S3", "bytes_per_point", "csv", 3),
    Claim("S5 one series, a point", "S5", "one_ns_per_point", "trackio", 225),
    Claim("S6 short runs/s", "S6", "runs_per_s", "mlflow", 27),
)
