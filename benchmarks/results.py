"""Raw results, read back: scenario -> tracker -> round -> figures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.columns import HIGHER

Line = dict[str, Any]


class Results:
    """The figures of one session or of several."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.sessions: list[Line] = []
        self.versions: dict[str, str] = {}
        self.rounds: dict[tuple[str, str], dict[tuple[str, int], Line]] = {}
        for line in lines:
            if "machine" in line:
                self.sessions.append(line)
                continue
            place = self.rounds.setdefault((line["scenario"], line["tracker"]), {})
            place[line["session"], line["round"]] = line["figures"]
            if "version" in line["figures"]:
                self.versions[line["tracker"]] = line["figures"]["version"]

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Results:
        texts = (path.read_text(encoding="utf-8") for path in paths)
        return cls(json.loads(line) for text in texts for line in text.splitlines())

    @property
    def quick(self) -> bool:
        return any(session["quick"] for session in self.sessions)

    def of(self, scenario: str, tracker: str) -> list[Line]:
        return list(self.rounds.get((scenario, tracker), {}).values())

    def values(self, scenario: str, tracker: str, figure: str) -> list[float]:
        return [float(figures[figure]) for figures in self.of(scenario, tracker) if figure in figures]

    def troubles(self, scenario: str, tracker: str) -> list[str]:
        """Errors, and differences between what was logged and what was read."""
        found = self.of(scenario, tracker)
        return sorted({str(figures[key]) for figures in found for key in ("error", "wrong") if key in figures})

    def ratio(self, scenario: str, figure: str, peer: str) -> float | None:
        """How many times better Lineal is: the median of the ratios made within each round."""
        ours, theirs = (self.rounds.get((scenario, name), {}) for name in ("lineal", peer))
        ratios = []
        for at in ours.keys() & theirs.keys():
            our, their = ours[at].get(figure, 0), theirs[at].get(figure, 0)
            if our > 0 and their > 0:
                ratios.append(our / their if figure in HIGHER else their / our)
        return median(ratios) if ratios else None
