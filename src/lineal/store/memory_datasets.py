"""Datasets by themselves in the memory store: a look at everything, which is the specification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.errors import NotFound
from lineal.model.lineage import Dataset
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.datasets import (
    MadePage,
    NamesPage,
    NamesQuery,
    Query,
    UsesPage,
    UsesQuery,
    VersionsPage,
    VersionsQuery,
    digests_meant,
    listed_profile,
    question_of,
    start_of,
)
from lineal.store.memory_state import TenantState, values_of
from lineal.store.place_tokens import Key, token_of

T = TypeVar("T")


class _Use(NamedTuple):
    run: DatasetRun
    dataset: Dataset
    is_reproduction: bool


class MemoryDatasetReader:
    """See `datasets.DatasetReader`."""

    def __init__(self, tenant: Callable[[], TenantState]) -> None:
        self._tenant = tenant

    def list_names(self, query: NamesQuery) -> NamesPage:
        part = query.search.casefold()
        found = [_named(name, uses) for name, uses in self._by_name() if part in name.casefold()]

        def key(one: UsedDataset) -> tuple[Key, ...]:
            return (one.name,) if query.order == "name" else (-one.last_used_ms, one.name)

        return NamesPage(*_page(found, key, query, "names"))

    def get_name(self, name: str) -> UsedDataset:
        for one, uses in self._by_name():
            if one == name:
                return _named(one, uses)
        raise NotFound(f"no run used a dataset {name!r:.80}", field="name")

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        start_of(query, "versions")
        first, end = digests_meant(query.digest or "")
        found = [
            _version(uses, whole=False)
            for name, of_name in self._by_name()
            if query.name in (None, name)
            for digest, uses in _by(of_name, lambda use: use.run.digest)
            if query.digest is None or first <= digest < end
            if query.version is None or any(use.dataset.version == query.version for use in uses)
        ]

        def key(one: DatasetVersion) -> tuple[Key, ...]:
            return -one.last_used_ms, one.dataset.name, one.dataset.digest

        return VersionsPage(*_page(found, key, query, "versions"))

    def get_version(self, name: str, digest: str) -> DatasetVersion:
        uses = [use for use in self._uses() if (use.dataset.name, use.run.digest) == (name, digest)]
        if not uses:
            raise NotFound(f"no run used a dataset {name!r:.80} of the digest {digest!r:.80}", field="digest")
        return _version(uses, whole=True)

    def list_uses(self, query: UsesQuery) -> UsesPage:
        return UsesPage(*_page([use.run for use in self._meant(query)], use_key, query, "uses"))

    def list_made(self, query: UsesQuery) -> MadePage:
        runs = {use.run.run_id for use in self._meant(query)}
        found = [
            MadeVersion(one.created_ms, one.version_id, one.name, one.version, one.run_id, one.stage)
            for one, _ in self._tenant().registry.list_contents()
            if one.lifecycle == "active" and one.run_id is not None and one.run_id in runs
        ]
        return MadePage(*_page(found, made_key, query, "made"))

    def _meant(self, query: UsesQuery) -> list[_Use]:
        return [
            use for use in self._uses() if use.dataset.name == query.name and query.digest in (None, use.run.digest)
        ]

    def _uses(self) -> list[_Use]:
        """The newest first."""
        tenant = self._tenant()
        found = []
        for run_id, state in tenant.runs.items():
            run = state.run(tenant, run_id) if state.datasets else None
            is_reproduction = REPRODUCES_TAG in values_of(state.settings, "tag")
            for _, use in state.datasets.values() if run is not None else ():
                assert run is not None
                data = use.dataset
                said = run_id, use.context, data.version, run.name, run.experiment_name, run.status, run.lifecycle
                found.append(_Use(DatasetRun(use.used_ms, data.digest, *said), data, is_reproduction))
        return sorted(found, key=lambda use: use_key(use.run))

    def _by_name(self) -> Iterator[tuple[str, list[_Use]]]:
        return _by(self._uses(), lambda use: use.dataset.name)


def use_key(use: DatasetRun) -> tuple[Key, ...]:
    return -use.used_ms, use.digest, use.run_id, use.context


def made_key(made: MadeVersion) -> tuple[Key, ...]:
    return -made.created_ms, made.version_id


def _by(uses: Iterable[_Use], of: Callable[[_Use], str]) -> Iterator[tuple[str, list[_Use]]]:
    found: dict[str, list[_Use]] = {}
    for use in uses:
        found.setdefault(of(use), []).append(use)
    return iter(found.items())


def _named(name: str, uses: Sequence[_Use]) -> UsedDataset:
    digests, runs = {use.run.digest for use in uses}, {use.run.run_id for use in uses}
    return UsedDataset(name, len(digests), len(runs), uses[0].run.used_ms, _listed(_latest(uses)))


def _latest(uses: Sequence[_Use]) -> Dataset:
    return next((use.dataset for use in uses if not use.is_reproduction), uses[0].dataset)


def _version(uses: Sequence[_Use], *, whole: bool) -> DatasetVersion:
    dataset = _latest(uses) if whole else _listed(_latest(uses))
    runs = {use.run.run_id for use in uses}
    return DatasetVersion(dataset, len(runs), uses[-1].run.used_ms, uses[0].run.used_ms)


def _listed(dataset: Dataset) -> Dataset:
    return replace(dataset, schema=None, profile=listed_profile(dataset.profile))


def _page(found: list[T], key: Callable[[T], tuple[Key, ...]], query: Query, kind: str) -> tuple[list[T], str | None]:
    start = start_of(query, kind)
    rest = sorted((one for one in found if start is None or key(one) > tuple(start)), key=key)
    page = rest[: query.limit]
    return page, token_of(question_of(query, kind), key(page[-1])) if len(rest) > len(page) else None
