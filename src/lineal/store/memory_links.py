"""The links of a lineage graph in the memory store: a look at everything, which is the specification."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lineal.model.entities import Artifact, Stamp
from lineal.model.lineage import DatasetUse
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.lineage import in_order_said, model_of
from lineal.store.links import (
    ArtifactId,
    ArtifactUser,
    Below,
    DataUse,
    DataWords,
    ModelLinks,
    ModelUser,
    RunLinks,
    VersionLinks,
    VersionUser,
    is_beginning,
    is_own,
)
from lineal.store.memory_state import RunState, TenantState, values_of
from lineal.store.rules import artifact_versions, started


class MemoryLinks:
    """See `links.Links`."""

    def __init__(self, tenant: TenantState) -> None:
        self._tenant = tenant

    def runs(self, run_ids: Collection[str]) -> dict[str, RunLinks]:
        return {
            run_id: self._run(run_id, self._tenant.runs[run_id]) for run_id in run_ids if run_id in self._tenant.runs
        }

    def _run(self, run_id: str, state: RunState) -> RunLinks:
        return RunLinks(
            state.run(self._tenant, run_id),
            len(started(state.attempts.values())),
            values_of(state.settings, "tag").get(REPRODUCES_TAG),
            in_order_said(state.datasets.values()),
            in_order_said(state.artifact_uses.values()),
            in_order_said(state.version_uses.values()),
            [use for use in in_order_said(state.models.values()) if use.role == "input"],
        )

    def runs_below(self, run_ids: Collection[str], limit: int) -> list[Below]:
        found: dict[str, list[tuple[int, Below]]] = {"parent": [], "forked": [], "reproduction": []}
        for run_id in self._tenant.runs:
            links = self._run(run_id, self._tenant.runs[run_id])
            above = (links.run.parent_run_id, links.run.forked_from, links.reproduces)
            for relation, one in zip(found, above, strict=True):
                if one in run_ids:
                    below = Below(relation, one, run_id)  # type: ignore[arg-type]
                    found[relation].append((links.run.started_ms, below))
        in_order = (sorted(some, key=lambda item: (item[0], item[1].run_id))[:limit] for some in found.values())
        return [below for some in in_order for _, below in some]

    def _uses(self) -> Iterator[tuple[str, DatasetUse]]:
        for run_id, state in self._tenant.runs.items():
            for _, use in state.datasets.values():
                yield run_id, use

    def uses_of_data(self, digests: Collection[str], limit: int) -> list[DataUse]:
        found = [
            DataUse(use.used_ms, run_id, use.dataset.name, use.dataset.digest, use.context)
            for run_id, use in self._uses()
            if use.dataset.digest in digests
        ]
        return sorted(found)[:limit]

    def uses_of_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactUser]:
        found = [
            ArtifactUser(use.used_ms, run_id, (use.run_id, use.path, use.digest))
            for run_id, state in self._tenant.runs.items()
            for _, use in state.artifact_uses.values()
            if use.run_id in run_ids
        ]
        return sorted(found)[:limit]

    def uses_of_versions(self, version_ids: Collection[str], limit: int) -> list[VersionUser]:
        found = [
            VersionUser(use.used_ms, run_id, use.version_id)
            for run_id, state in self._tenant.runs.items()
            for _, use in state.version_uses.values()
            if use.version_id in version_ids
        ]
        return sorted(found)[:limit]

    def uses_of_models(self, model_ids: Collection[str], limit: int) -> list[ModelUser]:
        return sorted(one for one in self._model_users() if one.model_id in model_ids)[:limit]

    def _model_users(self) -> Iterator[ModelUser]:
        for run_id, state in self._tenant.runs.items():
            for _, use in state.models.values():
                yield ModelUser(use.used_ms, run_id, use.model_id, use.role)

    def logged_models(self, model_ids: Collection[str]) -> list[ModelLinks]:
        return [one for one in self._models() if one.model_id in model_ids]

    def models_of(self, run_ids: Collection[str], limit: int) -> list[tuple[str, str]]:
        found = {(one.run_id, one.model_id) for one in self._models() if one.run_id is not None}
        found |= {(one.run_id, one.model_id) for one in self._model_users() if one.role == "output"}
        return sorted(one for one in found if one[0] in run_ids)[:limit]

    def _models(self) -> Iterator[ModelLinks]:
        for model_id, settings in self._tenant.models.items():
            model = model_of(model_id, settings, ("", ""))
            yield ModelLinks(model_id, model.name, model.source_run_id, model.path, model.lifecycle)

    def versions_of_models(self, model_ids: Collection[str], limit: int) -> list[VersionLinks]:
        found = (one for one in self._versions() if one.model_id in model_ids)
        return sorted(found, key=lambda one: one.version_id)[:limit]

    def versions(self, version_ids: Collection[str]) -> list[VersionLinks]:
        return [one for one in self._versions() if one.version_id in version_ids]

    def versions_of(self, run_ids: Collection[str], limit: int) -> list[VersionLinks]:
        found = (one for one in self._versions() if one.run_id in run_ids)
        return sorted(found, key=lambda one: one.version_id)[:limit]

    def _versions(self) -> Iterator[VersionLinks]:
        for version, content in self._tenant.registry.list_contents():
            yield VersionLinks(
                version.version_id,
                version.name,
                version.version,
                version.run_id,
                version.stage,
                version.lifecycle,
                tuple(file for file in content.files if file.digest is not None),
                version.model_id,
            )

    def _artifacts(self, run_ids: Collection[str]) -> Iterator[tuple[ArtifactId, Stamp]]:
        for run_id in run_ids:
            state = self._tenant.runs.get(run_id)
            for (path, stamp), artifact in state.artifacts.items() if state is not None else ():
                yield (run_id, path, artifact.digest or ""), stamp

    def artifacts_of(self, run_ids: Collection[str], each: int) -> list[ArtifactId]:
        found: list[ArtifactId] = []
        for run_id in sorted(run_ids):
            of_run = {artifact for artifact, _ in self._artifacts([run_id]) if not is_own(artifact[1])}
            found += sorted(of_run)[:each]
        return found

    def artifacts_at(self, places: Collection[tuple[str, str]]) -> dict[str, list[Artifact]]:
        found: dict[str, list[Artifact]] = {}
        for run_id in {run_id for run_id, _ in places} & self._tenant.runs.keys():
            said = self._tenant.runs[run_id].artifacts.items()
            of_run = artifact_versions((stamp, one) for (path, stamp), one in said if (run_id, path) in places)
            if of_run:
                found[run_id] = of_run
        return found

    def sources_of_data(self, digests: Collection[str], limit: int) -> list[ArtifactId]:
        return sorted({one for one in self._sources(self._tenant.runs) if one[2] in digests})[:limit]

    def data_in_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactId]:
        return sorted(set(self._sources(run_ids)))[:limit]

    def _sources(self, run_ids: Collection[str]) -> Iterator[ArtifactId]:
        first: dict[str, int] = {}
        users: set[tuple[str, str]] = set()
        for run_id, use in self._uses():
            digest = use.dataset.digest
            first[digest] = min(first.get(digest, use.used_ms), use.used_ms)
            users.add((run_id, digest))
        for artifact, stamp in self._artifacts(run_ids):
            run_id, _, digest = artifact
            if digest in first and stamp.time_ms <= first[digest] and (run_id, digest) not in users:
                yield artifact

    def words_on_data(self, digests: Collection[str]) -> list[DataWords]:
        return sorted({one for one in self._words() if one.digest in digests}, key=repr)

    def find_data(self, text: str) -> list[DataWords]:
        begins = text if is_beginning(text) else None
        found = {
            one
            for one in self._words()
            if text in (one.name, one.digest) or (begins is not None and one.digest.startswith(begins))
        }
        return sorted(found, key=repr)

    def _words(self) -> Iterator[DataWords]:
        for _, use in self._uses():
            yield DataWords(use.dataset.name, use.dataset.digest, use.dataset.version, use.dataset.source)
