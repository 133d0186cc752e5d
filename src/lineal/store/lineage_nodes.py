"""What is said of the nodes of a lineage graph, and what they are called in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lineal.model.entities import Artifact
from lineal.model.lineage_graph import Edge, LineageGraph, Node, NodeKind
from lineal.store.lineage_keys import Key, Link
from lineal.store.links import DataWords, Links, VersionLinks


def describe(
    links: Links, start: Key, keys: Collection[Key], found: Collection[Link], *, is_complete: bool
) -> LineageGraph:
    """At a constant number of statements."""
    of_kind: dict[NodeKind, list[tuple[str, ...]]] = {}
    for key in sorted(keys):
        of_kind.setdefault(key.kind, []).append(key.parts)
    nodes: dict[tuple[NodeKind, tuple[str, ...]], Node] = {}
    nodes |= {("run", parts): node for parts, node in _runs(links, of_kind.get("run", []))}
    nodes |= {("dataset", parts): node for parts, node in _datasets(links, of_kind.get("dataset", []))}
    nodes |= {("artifact", parts): node for parts, node in _artifacts(links, of_kind.get("artifact", []))}
    nodes |= {("logged_model", parts): node for parts, node in _models(links, of_kind.get("logged_model", []))}
    nodes |= {("model_version", parts): node for parts, node in _versions(links, of_kind.get("model_version", []))}

    def name(key: Key) -> tuple[NodeKind, str]:
        return key.kind, nodes[key.kind, key.parts].id

    edges = {Edge(name(link.origin), name(link.target), link.relation, link.context) for link in found}
    return LineageGraph(
        name(start),
        sorted(nodes.values(), key=lambda node: (node.kind, node.id)),
        sorted(edges, key=lambda edge: (*edge[:3], edge.context or "")),
        is_complete,
    )


def _runs(links: Links, wanted: list[tuple[str, ...]]) -> Iterable[tuple[tuple[str, ...], Node]]:
    known = links.runs([run_id for (run_id,) in wanted]) if wanted else {}
    for (run_id,) in wanted:
        if run_id not in known:
            yield (run_id,), Node("run", run_id, run_id[:8], False, run_id=run_id)
            continue
        run = known[run_id].run
        yield (
            (run_id,),
            Node(
                "run",
                run_id,
                run.name,
                is_deleted=run.lifecycle == "deleted",
                run_id=run_id,
                status=run.status,
                experiment=run.experiment_name,
                started_ms=run.started_ms,
                attempt_count=known[run_id].attempt_count,
            ),
        )


def _datasets(links: Links, wanted: list[tuple[str, ...]]) -> Iterable[tuple[tuple[str, ...], Node]]:
    words: dict[str, list[DataWords]] = {}
    for said in links.words_on_data({digest for digest, *_ in wanted}) if wanted else ():
        words.setdefault(said.digest, []).append(said)
    for parts in wanted:
        digest, *named = parts
        of_it = [one for one in words.get(digest, []) if not named or [one.name] == named]
        names = tuple(sorted({one.name for one in of_it}))
        name = named[0] if named else (names[0] if names else digest[:12])
        yield (
            parts,
            Node(
                "dataset",
                f"{name}@{digest}" if named else digest,
                name,
                bool(of_it),
                digest=digest,
                names=names,
                version=max((one.version for one in of_it if one.version is not None), default=None),
                source=min((one.source for one in of_it if one.source is not None), default=None),
            ),
        )


def _artifacts(links: Links, wanted: list[tuple[str, ...]]) -> Iterable[tuple[tuple[str, ...], Node]]:
    found = links.artifacts_at({(run_id, path) for run_id, path, _ in wanted}) if wanted else {}
    versions: dict[tuple[str, str], list[Artifact]] = {}
    for run_id, of_run in found.items():
        for artifact in of_run:
            versions.setdefault((run_id, artifact.path), []).append(artifact)
    for parts in wanted:
        run_id, path, digest = parts
        of_path = versions.get((run_id, path), [])
        said = next((one for one in reversed(of_path) if (one.digest or "") == digest), None)
        if said is None:  # only spoken of: its digest tells it from others of that path
            yield parts, Node("artifact", f"{run_id}:{path}@{digest}", path, False, run_id=run_id, digest=digest)
            continue
        is_latest = said is of_path[-1]
        yield (
            parts,
            Node(
                "artifact",
                f"{run_id}:{path}" if is_latest else f"{run_id}:{path}@{said.version}",
                path,
                run_id=run_id,
                digest=said.digest,
                version=str(said.version),
                size_bytes=said.size_bytes,
                uri=said.uri,
            ),
        )


def _models(links: Links, wanted: list[tuple[str, ...]]) -> Iterable[tuple[tuple[str, ...], Node]]:
    known = {one.model_id: one for one in links.logged_models([model_id for (model_id,) in wanted])} if wanted else {}
    for (model_id,) in wanted:
        one = known.get(model_id)
        if one is None:
            yield (model_id,), Node("logged_model", model_id, model_id, False)
            continue
        deleted = one.lifecycle == "deleted"
        yield (model_id,), Node("logged_model", model_id, one.name, is_deleted=deleted, run_id=one.run_id)


def _versions(links: Links, wanted: list[tuple[str, ...]]) -> Iterable[tuple[tuple[str, ...], Node]]:
    known: dict[str, VersionLinks] = {}
    if wanted:
        known = {one.version_id: one for one in links.versions([version_id for (version_id,) in wanted])}
    for (version_id,) in wanted:
        one = known.get(version_id)
        if one is None:
            yield (version_id,), Node("model_version", version_id, version_id[:8], False)
            continue
        yield (
            (version_id,),
            Node(
                "model_version",
                version_id,
                one.name,
                is_deleted=one.lifecycle == "deleted",
                run_id=one.run_id,
                version=str(one.number),
                stage=one.stage,
            ),
        )
