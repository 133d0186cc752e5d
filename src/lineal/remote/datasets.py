"""The reading contract of datasets by themselves, over HTTP."""

from __future__ import annotations

from typing import Any

from lineal.client.transport import Transport
from lineal.model.datasets import DatasetVersion, UsedDataset
from lineal.model.errors import NotFound
from lineal.model.limits import LIST_PAGE_MAX_COUNT
from lineal.remote import nouns
from lineal.store.datasets import (
    MadePage,
    NamesPage,
    NamesQuery,
    UsesPage,
    UsesQuery,
    VersionsPage,
    VersionsQuery,
)


class RestDatasetReader:
    """See `lineal.store.datasets.DatasetReader`: each method here is that of the same name, of 1,000 entries at most. Raises Unreachable,
    NotAllowed. Profiles tell of rows, columns, files and bytes alone, but in `get_version`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_names(self, query: NamesQuery) -> NamesPage:
        page = self._page(("datasets",), query, search=query.search or None, order_by=query.order)
        return NamesPage([nouns.used_dataset_of(one) for one in page["datasets"]], page["next_page_token"])

    def get_name(self, name: str) -> UsedDataset:
        said = self._ask(("datasets", name))
        if said["name"] != name:  # it was taken for a digest
            raise NotFound(f"no run used a dataset {name!r:.80}", field="name")
        return nouns.used_dataset_of(said)

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        page = self._page(("dataset-versions",), query, name=query.name, digest=query.digest, version=query.version)
        return VersionsPage([nouns.dataset_version_of(one) for one in page["versions"]], page["next_page_token"])

    def get_version(self, name: str, digest: str) -> DatasetVersion:
        said = self._ask(("datasets", name), digest=digest)["shown"]
        if (said["name"], said["digest"]) != (name, digest):
            raise NotFound(f"no run used a dataset {name!r:.80} of the digest {digest!r:.80}", field="digest")
        return nouns.dataset_version_of(said)

    def list_uses(self, query: UsesQuery) -> UsesPage:
        page = self._page(("dataset-uses",), query, name=query.name, digest=query.digest)
        return UsesPage([nouns.dataset_run_of(one) for one in page["uses"]], page["next_page_token"])

    def list_made(self, query: UsesQuery) -> MadePage:
        page = self._page(("dataset-models",), query, name=query.name, digest=query.digest)
        return MadePage([nouns.made_version_of(one) for one in page["models"]], page["next_page_token"])

    def _page(self, parts: tuple[str, ...], query: NamesQuery | VersionsQuery | UsesQuery, **asked: str | None) -> Any:
        return self._ask(parts, limit=min(query.limit, LIST_PAGE_MAX_COUNT), page_token=query.after, **asked)

    def _ask(self, parts: tuple[str, ...], **asked: Any) -> Any:
        given = {name: value for name, value in asked.items() if value is not None}
        return self._transport.ask("GET", parts, query=given)
