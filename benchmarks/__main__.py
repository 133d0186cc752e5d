"""`python -m benchmarks`: the scenarios, tracker after tracker, round after round, and the report."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from benchmarks import environments, outside, report
from benchmarks.results import Results
from benchmarks.scenarios import BY_KEY, FOLLOWERS, SCENARIOS, TRACKERS, Scenario

RESULTS = environments.HERE / "results"
DOCS = environments.HERE.parent / "docs" / "benchmarks.md"
QUICK_TIMEOUT_S = 120.0


def options(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of small sizes: a smoke, not a measurement")
    parser.add_argument("--only", default="", help="scenarios or their groups, by comma: S1,S2/20,draw")
    parser.add_argument("--trackers", default=",".join(TRACKERS), help="by comma; default all")
    parser.add_argument("--search", action="store_true", help="S6 also searches: top 50 by m0 where p0 > 0.5")
    parser.add_argument("--kills", type=int, default=5, help="kills of Lineal in each round of S7 (peers: one)")
    parser.add_argument("--draw-steps", type=int, help="points a long series in `draw` (default 1,000,000)")
    parser.add_argument("--work", type=Path, help="where the trackers write; default the temporary folder")
    parser.add_argument("--write-docs", action="store_true", help="put the report into docs/benchmarks.md")
    parser.add_argument("--from", dest="source", type=Path, nargs="+", help="report these raw results, measure nothing")
    chosen = parser.parse_args(argv)
    unknown = set(chosen.trackers.split(",")) - set(TRACKERS)
    if unknown:
        parser.error(f"no such tracker: {', '.join(sorted(unknown))} (there are {', '.join(TRACKERS)})")
    if chosen.only and not select(chosen.only):
        parser.error(f"no such scenario: {chosen.only} (there are {', '.join(BY_KEY)})")
    if chosen.quick:
        chosen.rounds, chosen.kills = 1, 1
    return chosen


def select(only: str) -> list[Scenario]:
    """What was asked for; a follower (S5) brings its leader (S3), which makes the folder that it reads."""
    asked = set(filter(None, only.split(",")))

    def wanted(one: Scenario) -> bool:
        names = {one.key, *one.then, *(("S3",) if "S4" in asked else ())}
        if not one.on_request:
            names.add(one.group)
        return bool(asked & names) if asked else not one.on_request

    return [one for one in SCENARIOS if one.key not in FOLLOWERS and wanted(one)]


class Session:
    def __init__(self, chosen: argparse.Namespace, file: TextIO, name: str) -> None:
        self.chosen, self.file, self.name = chosen, file, name
        self.pythons: dict[str, Path] = {}
        for tracker in chosen.trackers.split(","):
            try:
                self.pythons[tracker] = environments.python_of(tracker)
            except environments.NotInstalled as why:
                print(f"left out, not installed: {why}", file=sys.stderr)

    def keep(self, line: dict[str, Any]) -> None:
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def arguments(self, scenario: Scenario, tracker: str) -> dict[str, Any]:
        args = scenario.arguments(tracker, self.chosen.quick)
        if scenario.measure == "short_runs":
            args["search"] = self.chosen.search
        if scenario.measure == "kill" and tracker == "lineal":
            args["kills"] = self.chosen.kills
        if scenario.measure == "draw_write" and self.chosen.draw_steps:
            args["long"] = self.chosen.draw_steps
        return args

    def measure(self, scenario: Scenario, tracker: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The scenario and those that follow on its folder."""
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=self.chosen.work))
        timeout = min(scenario.timeout_s, QUICK_TIMEOUT_S) if self.chosen.quick else scenario.timeout_s
        target = outside.Tracker(tracker, self.pythons[tracker], folder, timeout)
        args = self.arguments(scenario, tracker)
        try:
            if scenario.measure in outside.MEASURES:
                figures = outside.MEASURES[scenario.measure](target, **args)
            else:
                figures = target.run(scenario.measure, args)
            yield scenario.key, figures
            for key in scenario.then if "run" in figures else ():
                follower = BY_KEY[key]
                given = self.arguments(follower, tracker) | {"run": figures["run"]}
                yield key, target.run(follower.measure, given)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def go(self) -> None:
        scenarios = select(self.chosen.only)
        known = list(self.pythons)
        for turn in range(self.chosen.rounds):
            order = known[turn % len(known) :] + known[: turn % len(known)]
            for scenario in (one for one in scenarios if turn == 0 or not one.once):
                for tracker in (name for name in order if name in scenario.trackers):
                    began, load = time.monotonic(), os.getloadavg()[0]
                    for key, figures in self.measure(scenario, tracker):
                        spent, began = time.monotonic() - began, time.monotonic()
                        line = {"session": self.name, "round": turn, "scenario": key, "tracker": tracker}
                        self.keep(line | {"load": load, "took_s": round(spent, 2), "figures": figures})
                        trouble = figures.get("error") or figures.get("wrong") or ""
                        said = f"round {turn + 1} {key:16} {tracker:13} {spent:7.1f} s  load {load:.1f}"
                        print(f"{said}  {trouble}", file=sys.stderr, flush=True)


def main() -> int:
    chosen = options()
    paths = chosen.source
    if not paths:
        RESULTS.mkdir(exist_ok=True)
        name = time.strftime("%Y%m%d-%H%M%S")
        paths = [RESULTS / f"{name}.jsonl"]
        work = chosen.work or Path(tempfile.gettempdir())
        with open(paths[0], "w", encoding="utf-8") as file:
            session = Session(chosen, file, name)
            about = {"session": name, "at": time.strftime("%Y-%m-%d %H:%M"), "quick": chosen.quick}
            session.keep(about | {"rounds": chosen.rounds, "machine": environments.machine(work)})
            session.go()
    text = report.markdown(Results.load(paths))
    print(text)
    if chosen.write_docs:
        report.write_docs(DOCS, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
