"""`python -m benchmarks.page`: the dashboard in a real Chromium, against what it must reach.

make bench-page                              everything; the folders are made once (minutes), outside of the repository
make bench-page ARGS="--only dense,pixel --tries 15 --write-docs"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import lineal
from benchmarks import environments, page_measures, page_peers, page_site, page_stores, report
from benchmarks.page_measures import Figures, Made
from benchmarks.targets import PAGE_TARGETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = environments.HERE.parent / "docs" / "benchmarks.md"
STATIC = environments.HERE.parent / "src" / "lineal" / "server" / "static"
BEGIN, END = "<!-- page: begin -->", "<!-- page: end -->"

Measure = Callable[["Browser", Made], Iterator[Figures]]
MEASURES: dict[str, Measure] = {
    "start": page_measures.start,
    "S10": page_measures.first_chart,
    "rows": page_measures.first_rows,
    "sort": page_measures.sort,
    "scroll": page_measures.scroll,
    "dense": partial(page_measures.one_chart, name="dense"),
    "long": partial(page_measures.one_chart, name="long"),
    "pixel": page_measures.log_to_pixel,
    "peers": page_measures.peers,
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--only", default=",".join(MEASURES), help="by comma, of: %(default)s")
    parser.add_argument("--tries", type=int, default=9)
    parser.add_argument(
        "--place", type=Path, default=page_stores.cache(), help="where the folders are kept (%(default)s)"
    )
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/benchmarks.md")
    chosen = parser.parse_args()
    unknown = set(chosen.only.split(",")) - set(MEASURES)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))} (there are {', '.join(MEASURES)})")
    return chosen


def measure(chosen: argparse.Namespace, versions: dict[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    made = Made(partial(page_stores.make, place=chosen.place), chosen.tries, versions)
    for name in chosen.only.split(","):
        load = os.getloadavg()[0]
        began = time.monotonic()
        try:
            with page_site.browser() as chromium:
                for figures in MEASURES[name](chromium, made):
                    for figure, value in figures.items():
                        found[figure].append(value)
        except Exception as error:  # one that cannot be measured does not take the others along
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"{name:8} {time.monotonic() - began:6.1f} s  load before {load:.1f}", file=sys.stderr, flush=True)
    if "S10" in chosen.only and STATIC.is_dir():
        for figure, value in page_measures.whole_js(STATIC).items():
            found[figure].append(value)
    return found


def table(found: dict[str, list[float]]) -> list[str]:
    body = []
    for target in PAGE_TARGETS:
        values = found.get(target.figure, [])
        if not values:
            continue
        ordered = sorted(values)
        spread = f"{report.number(median(values))} ({report.number(ordered[0])} to {report.number(ordered[-1])})"
        said = report.verdict(target, values)
        if target.beside and found.get(target.beside):
            beside = found[target.beside]
            said += f"; a bare tall page: {report.number(median(beside))} (up to {report.number(max(beside))})"
        body.append([target.text, f"{target.relation} {report.number(target.limit)}", spread, str(len(values)), said])
    return report.table(["Target", "Limit", "Median (from to)", "Tries", "Verdict"], body)


def rest(found: dict[str, list[float]]) -> list[str]:
    named = {target.figure for target in PAGE_TARGETS}
    body = [
        [f"`{figure}`", report.number(median(values)), report.number(min(values)), report.number(max(values))]
        for figure, values in sorted(found.items())
        if figure not in named and not figure.startswith("peers/")
    ]
    return ["", "Beside them:", "", *report.table(["Figure", "Median", "Least", "Most"], body)] if body else []


def beside_peers(found: dict[str, list[float]], versions: dict[str, str]) -> list[str]:
    """Medians beside medians: in each try all were opened one after another, each time another one first."""
    own = found.get("peers/lineal/chart_ms", [])
    if not own:
        return []
    body = []
    for name in ("lineal", *page_peers.PEERS):
        charts = found.get(f"peers/{name}/chart_ms", [])
        if not charts:
            continue
        times = "" if name == "lineal" else f"**{median(charts) / median(own):.1f}x**"
        body.append(
            [
                f"{name} {versions.get(name, '')}".strip(),
                f"{report.number(median(charts))} ({report.number(min(charts))} to {report.number(max(charts))})",
                times,
                report.number(median(found[f"peers/{name}/js_gzip_bytes"])),
                report.number(median(found[f"peers/{name}/requests"])),
                str(len(charts)),
            ]
        )
    head = [
        "S10, cold",
        "To the first chart, ms (from to)",
        "Lineal is faster by",
        "JavaScript gzipped",
        "Requests",
        "Tries",
    ]
    return ["", "Beside other trackers' pages, in turn, in the same Chromium:", "", *report.table(head, body)]


def main() -> int:
    chosen = options()
    load = os.getloadavg()[0]
    versions = {"lineal": lineal.__version__}
    found = measure(chosen, versions)
    machine = environments.machine(chosen.place)
    at = time.strftime("%Y-%m-%d %H:%M")
    where = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, load before {load:.1f}"
    text = "\n".join(
        [
            f"Measured {at} by `make bench-page`: {where}.",
            "",
            *table(found),
            *beside_peers(found, versions),
            *rest(found),
        ]
    )
    print(text)
    results = environments.HERE / "results"
    results.mkdir(exist_ok=True)
    with open(results / f"page-{time.strftime('%Y%m%d-%H%M%S')}.json", "w", encoding="utf-8") as file:
        json.dump({"at": at, "machine": machine, "load": load, "versions": versions, "figures": found}, file, indent=1)
    if chosen.write_docs:
        page = DOCS.read_text(encoding="utf-8")
        before, _, rest_of = page.partition(BEGIN)
        after = rest_of.partition(END)[2]
        DOCS.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
