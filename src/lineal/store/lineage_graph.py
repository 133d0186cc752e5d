"""The walk from one thing to what led to it and to what it led to: level by level, at a constant number of statements each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TypeAlias, TypeVar

from lineal.model.limits import LINEAGE_ARTIFACTS_COUNT, LINEAGE_VERSION_FILES_COUNT
from lineal.model.lineage_graph import LineageGraph, LineageQuery, NodeKind, Relation, is_content_digest
from lineal.store.lineage_keys import Key, Link, artifact_key, dataset_key, model_key, run_key, version_key
from lineal.store.lineage_nodes import describe
from lineal.store.links import ArtifactId, Links, ModelLinks, RunLinks, VersionLinks

T = TypeVar("T")


Look: TypeAlias = Callable[["_Level"], Iterator[Link]]


def walk(links: Links, start: Key, query: LineageQuery) -> LineageGraph:
    """The graph around a node, within the bounds of the question."""
    walker = _Walker(links, query.limit)
    walker.nodes.add(start)
    if query.up:
        walker.follow(start, walker.above, query.depth, is_up=True)
    if query.down:
        walker.follow(start, walker.below, query.depth, is_up=False)
    return describe(links, start, walker.nodes, walker.edges, is_complete=walker.is_complete)


class _Level:
    """The nodes of a level, by kind."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = set(keys)
        by_kind: dict[NodeKind, list[tuple[str, ...]]] = {}
        for key in sorted(self.keys):
            by_kind.setdefault(key.kind, []).append(key.parts)
        self.runs = [parts[0] for parts in by_kind.get("run", [])]
        self.digests = sorted({parts[0] for parts in by_kind.get("dataset", [])})
        self.artifact_runs = sorted({parts[0] for parts in by_kind.get("artifact", [])})
        self.models = [parts[0] for parts in by_kind.get("logged_model", [])]
        self.versions = [parts[0] for parts in by_kind.get("model_version", [])]


class _Walker:
    def __init__(self, links: Links, limit: int) -> None:
        self._links = links
        self._limit = limit
        self.nodes: set[Key] = set()
        self.edges: set[Link] = set()
        self.is_complete = True

    def follow(self, start: Key, look: Look, depth: int, *, is_up: bool) -> None:
        """Breadth first, each node once. One look more than the depth tells whether there is more."""
        done: set[Key] = set()
        ahead = {start}
        for distance in range(depth + 1):
            level = _Level(ahead)
            done |= ahead
            ahead = set()
            for link in look(level):
                near, far = (link.target, link.origin) if is_up else (link.origin, link.target)
                if near not in level.keys:
                    continue
                if far not in self.nodes:
                    if distance == depth or len(self.nodes) >= self._limit:
                        self.is_complete = False
                        continue
                    self.nodes.add(far)
                self.edges.add(link)
                if far not in done:
                    ahead.add(far)
            if not ahead or distance == depth:
                return

    # -- what led to the nodes of a level ------------------------------------------------------------------

    def above(self, level: _Level) -> Iterator[Link]:
        if level.runs:
            known = self._links.runs(level.runs)
            for run_id in level.runs:
                if run_id in known:
                    yield from _above_run(known[run_id])
        for key in sorted(level.keys):
            if key.kind == "artifact":
                yield Link(run_key(key.parts[0]), key, "made")
        contents = [digest for digest in level.digests if is_content_digest(digest)]
        if contents:
            for source in self._cut(self._links.sources_of_data(contents, self._limit + 1)):
                yield Link(artifact_key(source), dataset_key("", source[2]), "same_content")
        if level.models:
            yield from self._above_models(level.models)
        if level.versions:
            yield from self._above_versions(self._links.versions(level.versions))

    def _above_models(self, model_ids: list[str]) -> Iterator[Link]:
        for model in self._links.logged_models(model_ids):
            if model.run_id is not None:
                yield Link(run_key(model.run_id), model_key(model.model_id), "made")
        for user in self._cut(self._links.uses_of_models(model_ids, self._limit + 1)):
            if user.role == "output":
                yield Link(run_key(user.run_id), model_key(user.model_id), "made")

    def _above_versions(self, versions: list[VersionLinks]) -> Iterator[Link]:
        models = {version.model_id for version in versions if version.model_id is not None}
        known = {model.model_id for model in self._links.logged_models(models)} if models else set()
        for version in versions:
            if version.model_id in known:
                yield Link(model_key(str(version.model_id)), version_key(version.version_id), "version")
            else:
                yield from self._above_version(version)

    def _above_version(self, version: VersionLinks) -> Iterator[Link]:
        if version.run_id is None:
            return
        target = version_key(version.version_id)
        if not 0 < len(version.files) <= LINEAGE_VERSION_FILES_COUNT:
            yield Link(run_key(version.run_id), target, "made")
            return
        for file in version.files:
            yield Link(artifact_key((version.run_id, file.path, file.digest or "")), target, "version")

    # -- what they led to ----------------------------------------------------------------------------------

    def below(self, level: _Level) -> Iterator[Link]:
        if level.runs:
            for below in self._cut(self._links.runs_below(level.runs, self._limit + 1)):
                yield Link(run_key(below.above), run_key(below.run_id), below.relation)
            models = self._cut(self._links.models_of(level.runs, self._limit + 1))
            for run_id, model_id in models:
                yield Link(run_key(run_id), model_key(model_id), "made")
            yield from self._artifacts_of(level, self._links.logged_models({model_id for _, model_id in models}))
        if level.digests:
            for use in self._cut(self._links.uses_of_data(level.digests, self._limit + 1)):
                yield Link(dataset_key(use.name, use.digest), run_key(use.run_id), "used", use.context or None)
        if level.artifact_runs:
            yield from self._below_artifacts(level.artifact_runs)
            yield from self._models_around(level)
        if level.models:
            for taker in self._cut(self._links.uses_of_models(level.models, self._limit + 1)):
                if taker.role == "input":
                    yield Link(model_key(taker.model_id), run_key(taker.run_id), "used")
            yield from self._above_versions(self._cut(self._links.versions_of_models(level.models, self._limit + 1)))
        if level.versions:
            for user in self._cut(self._links.uses_of_versions(level.versions, self._limit + 1)):
                yield Link(version_key(user.version_id), run_key(user.run_id), "used")

    def _models_around(self, level: _Level) -> Iterator[Link]:
        """The logged models that artifacts are files of."""
        made = self._cut(self._links.models_of(level.artifact_runs, self._limit + 1))
        models = self._links.logged_models({model_id for _, model_id in made}) if made else []
        for key in sorted(level.keys):
            if key.kind == "artifact":
                for model in models:
                    if _is_file_of(key.parts[0], key.parts[1], model):
                        yield Link(key, model_key(model.model_id), "version")

    def _artifacts_of(self, level: _Level, models: list[ModelLinks]) -> Iterator[Link]:
        """Those first that lead on; versions whose files are none of them, too. Files of logged models stand for themselves in these."""
        runs = set(level.runs)
        linked: set[ArtifactId] = set()
        for link in self._below_artifacts(level.runs):
            if link.origin.kind == "run":
                yield link
            elif link.origin.kind == "artifact":
                run_id, path, digest = link.origin.parts
                linked.add((run_id, path, digest))
        for artifact in sorted(linked):
            if artifact[0] in runs:
                yield Link(run_key(artifact[0]), artifact_key(artifact), "made")
        found = self._links.artifacts_of(level.runs, LINEAGE_ARTIFACTS_COUNT + len(linked) + 1)
        for run_id, of_run in groupby(found, key=lambda artifact: artifact[0]):
            others = [
                artifact
                for artifact in of_run
                if artifact not in linked and not any(_is_file_of(run_id, artifact[1], model) for model in models)
            ]
            if len(others) > LINEAGE_ARTIFACTS_COUNT:
                self.is_complete = False
            for artifact in others[:LINEAGE_ARTIFACTS_COUNT]:
                yield Link(run_key(run_id), artifact_key(artifact), "made")

    def _below_artifacts(self, run_ids: list[str]) -> Iterator[Link]:
        """Of all artifacts of these runs that lead on."""
        for user in self._cut(self._links.uses_of_artifacts(run_ids, self._limit + 1)):
            yield Link(artifact_key(user.artifact), run_key(user.run_id), "used")
        yield from self._above_versions(self._cut(self._links.versions_of(run_ids, self._limit + 1)))
        for source in self._cut(self._links.data_in_artifacts(run_ids, self._limit + 1)):
            if is_content_digest(source[2]):
                yield Link(artifact_key(source), dataset_key("", source[2]), "same_content")

    def _cut(self, found: list[T]) -> list[T]:
        if len(found) > self._limit:
            self.is_complete = False
        return found[: self._limit]


def _is_file_of(run_id: str, path: str, model: ModelLinks) -> bool:
    return bool(model.path) and model.run_id == run_id and (path == model.path or path.startswith(f"{model.path}/"))


def _above_run(run: RunLinks) -> Iterator[Link]:
    target = run_key(run.run.run_id)
    for data in run.datasets:
        yield Link(dataset_key(data.dataset.name, data.dataset.digest), target, "used", data.context or None)
    for artifact in run.artifacts:
        yield Link(artifact_key((artifact.run_id, artifact.path, artifact.digest)), target, "used")
    for version in run.versions:
        yield Link(version_key(version.version_id), target, "used")
    for model in run.models:
        yield Link(model_key(model.model_id), target, "used")
    relations: tuple[tuple[str | None, Relation], ...] = (
        (run.run.parent_run_id, "parent"),
        (run.run.forked_from, "forked"),
        (run.reproduces, "reproduction"),
    )
    for above, relation in relations:
        if above is not None:
            yield Link(run_key(above), target, relation)
