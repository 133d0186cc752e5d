"""What the walk through a lineage graph asks of a store: the links of many things at once, all as of one moment.

Every list is sorted as its method says and cut at `limit`; a cut one has exactly that many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from lineal.model.entities import Artifact, Run
from lineal.model.lineage import ArtifactUse, DatasetUse, ModelUse, VersionUse
from lineal.model.lineage_graph import Relation
from lineal.model.registry import Stage, VersionFile
from lineal.model.vocabulary import Lifecycle, ModelRole

OWN_FOLDER = ".lineal"
"""Of a run's artifacts: what Lineal itself keeps of it."""
DIGEST_BEGINNING_MIN_CHARS = 8
ArtifactId: TypeAlias = tuple[str, str, str]
"""Whose run, path, digest ("" for a reference without one)."""


@dataclass(frozen=True, slots=True)
class RunLinks:
    """A run and what leads to it. `models`: logged ones that it took in."""

    run: Run
    attempt_count: int
    reproduces: str | None
    datasets: list[DatasetUse]
    artifacts: list[ArtifactUse]
    versions: list[VersionUse]
    models: list[ModelUse]


class Below(NamedTuple):
    """A run that another one, which need not be known, led to."""

    relation: Relation
    above: str
    run_id: str


class DataUse(NamedTuple):
    used_ms: int
    run_id: str
    name: str
    digest: str
    context: str


class DataWords(NamedTuple):
    """How some run described a dataset that it used."""

    name: str
    digest: str
    version: str | None
    source: str | None


class ArtifactUser(NamedTuple):
    used_ms: int
    run_id: str
    artifact: ArtifactId


class VersionUser(NamedTuple):
    used_ms: int
    run_id: str
    version_id: str


class ModelUser(NamedTuple):
    used_ms: int
    run_id: str
    model_id: str
    role: ModelRole


class ModelLinks(NamedTuple):
    """A logged model, deleted ones too. `run_id`: of the run that made it; `path`: of its files among that one's artifacts."""

    model_id: str
    name: str
    run_id: str | None
    path: str | None
    lifecycle: Lifecycle


class VersionLinks(NamedTuple):
    """Deleted ones too. `files` that say no digest are left out."""

    version_id: str
    name: str
    number: int
    run_id: str | None
    stage: Stage
    lifecycle: Lifecycle
    files: tuple[VersionFile, ...]
    model_id: str | None = None


def is_own(path: str) -> bool:
    return path.startswith(f"{OWN_FOLDER}/")


def is_beginning(text: str) -> bool:
    """Whether it is enough of a digest to look for one that begins so."""
    return len(text) >= DIGEST_BEGINNING_MIN_CHARS and not set(text) - set("0123456789abcdef")


class Links(Protocol):
    """Of one tenant."""

    def runs(self, run_ids: Collection[str]) -> dict[str, RunLinks]:
        """Those that are known."""
        ...

    def runs_below(self, run_ids: Collection[str], limit: int) -> list[Below]:
        """By relation (parent, forked, reproduction), start and id; `limit` of each."""
        ...

    def uses_of_data(self, digests: Collection[str], limit: int) -> list[DataUse]:
        """Sorted."""
        ...

    def uses_of_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactUser]:
        """Of artifacts of these runs, known or not; sorted."""
        ...

    def uses_of_versions(self, version_ids: Collection[str], limit: int) -> list[VersionUser]:
        """Sorted."""
        ...

    def uses_of_models(self, model_ids: Collection[str], limit: int) -> list[ModelUser]:
        """Of logged models, in either role; sorted."""
        ...

    def logged_models(self, model_ids: Collection[str]) -> list[ModelLinks]:
        """Those that are known, in any order."""
        ...

    def models_of(self, run_ids: Collection[str], limit: int) -> list[tuple[str, str]]:
        """(Run id, model id) of the logged models that these runs made or put out; sorted."""
        ...

    def versions_of_models(self, model_ids: Collection[str], limit: int) -> list[VersionLinks]:
        """By id."""
        ...

    def versions(self, version_ids: Collection[str]) -> list[VersionLinks]: ...

    def versions_of(self, run_ids: Collection[str], limit: int) -> list[VersionLinks]:
        """By id."""
        ...

    def artifacts_of(self, run_ids: Collection[str], each: int) -> list[ArtifactId]:
        """Sorted; of each run `each` at most, the first by path and digest. Not those in the folder `.lineal`."""
        ...

    def artifacts_at(self, places: Collection[tuple[str, str]]) -> dict[str, list[Artifact]]:
        """Run id -> all versions of its artifacts of these (run id, path), by path and version. Others may be among them."""
        ...

    def sources_of_data(self, digests: Collection[str], limit: int) -> list[ArtifactId]:
        """Artifacts that have the content of a dataset of that digest: logged not later than any run used it first, by a run that did not
        use it itself. Sorted."""
        ...

    def data_in_artifacts(self, run_ids: Collection[str], limit: int) -> list[ArtifactId]:
        """Of these runs: artifacts that are such a source of any dataset. Sorted."""
        ...

    def words_on_data(self, digests: Collection[str]) -> list[DataWords]:
        """Each once, in any order."""
        ...

    def find_data(self, text: str) -> list[DataWords]:
        """Of datasets that have that name, or that digest, or (if it is eight hexadecimal digits or more) whose digest begins so. As
        `words_on_data`."""
        ...
