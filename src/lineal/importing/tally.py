"""Counts of an import: what the source has, and what of it is at its destination afterwards, asked there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lineal.importing.destination import Known
from lineal.importing.nouns import SourceRun
from lineal.importing.translate import tags_of
from lineal.model.values import value_text
from lineal.record.records import ArtifactLogged

KINDS = ("experiments", "runs", "points", "params", "tags", "datasets", "artifacts", "references", "bytes")
MODEL_KINDS = ("logged_models", "registered_models", "model_versions", "aliases")


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be taken over, and why; `run_id` None: it is no run's."""

    run_id: str | None
    why: str


@dataclass(slots=True)
class Tally:
    """By kind. `new` runs were not there before, `changed` ones had something more or otherwise."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, *MODEL_KINDS), 0))
    there: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, *MODEL_KINDS), 0))
    new_runs: int = 0
    changed_runs: int = 0
    unchanged_runs: int = 0
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.problems and all(self.there[kind] >= self.found[kind] for kind in self.found)

    def add_found(self, run: SourceRun, point_count: int, artifacts: Sequence[ArtifactLogged]) -> None:
        self.found["runs"] += 1
        self.found["points"] += point_count
        self.found["params"] += len(run.params)
        self.found["tags"] += len(tags_of(run))
        self.found["datasets"] += len(run.datasets)
        for one in artifacts:
            self.found["references" if one.digest is None else "artifacts"] += 1
            self.found["bytes"] += one.size_bytes or 0

    def add_there(
        self,
        run: SourceRun,
        known: Known | None,
        point_count: int,
        artifacts: Sequence[ArtifactLogged],
        taken_tags: Mapping[str, str],
    ) -> None:
        """`taken_tags`: those that an earlier import took over, whatever became of them here."""
        if known is None:
            self.problems.append(Problem(run.run_id, "it is not there"))
            return
        details = known.details
        self.there["runs"] += 1
        points = sum(info.summary.count for info in known.series)
        self.there["points"] += min(points, point_count)
        params = sum(
            1
            for key, value in run.params.items()
            if key in details.params and value_text(details.params[key]) == value_text(value)
        )
        self.there["params"] += params
        tags = sum(1 for key in tags_of(run) if key in details.tags or key in taken_tags)
        self.there["tags"] += tags
        datasets = len({(one.dataset.name, one.dataset.digest, one.context) for one in details.datasets} & _keys(run))
        self.there["datasets"] += datasets
        there = {(one.path, one.digest, one.uri) for one in details.artifacts}
        kept = [one for one in artifacts if (one.path, one.digest, one.uri) in there]
        for one in kept:
            self.there["references" if one.digest is None else "artifacts"] += 1
            self.there["bytes"] += one.size_bytes or 0
        for kind, has, wanted in (
            ("points", min(points, point_count), point_count),
            ("params", params, len(run.params)),
            ("tags", tags, len(tags_of(run))),
            ("datasets", datasets, len(run.datasets)),
            ("artifacts", len(kept), len(artifacts)),
        ):
            if has < wanted:
                self.problems.append(Problem(run.run_id, f"{has:,} of {wanted:,} {kind} are there"))


def _keys(run: SourceRun) -> set[tuple[str, str, str]]:
    return {(one.name, one.digest, one.context) for one in run.datasets}
