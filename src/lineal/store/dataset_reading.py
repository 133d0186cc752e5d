"""A dataset by itself, for reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.errors import InvalidInput
from lineal.model.limits import LIST_PAGE_MAX_COUNT
from lineal.store.dataset_view import detail_dict, document_of
from lineal.store.datasets import (
    DatasetReader,
    MadePage,
    NameOrder,
    NamesPage,
    NamesQuery,
    UsesPage,
    UsesQuery,
    VersionsPage,
    VersionsQuery,
    resolve,
)

Q = TypeVar("Q", NamesQuery, VersionsQuery, UsesQuery)
P = TypeVar("P", NamesPage, VersionsPage, UsesPage, MadePage)


class LoggedDataset:
    """A dataset as it was when it was asked for: a handle for reading. Where one of its versions was asked for, `runs` and `models` are
    that one's; `digest`, `source` and so on are of that one, else of the version that was used last."""

    def __init__(self, reader: Callable[[], DatasetReader], details: UsedDataset, asked_digest: str | None) -> None:
        self._reader = reader
        self._asked_digest = asked_digest
        self.details = details

    @property
    def name(self) -> str:
        return self.details.name

    @property
    def digest(self) -> str:
        return self._asked_digest or self.details.latest.digest

    @cached_property
    def _whole(self) -> DatasetVersion:
        return self._reader().get_version(self.name, self.digest)

    @property
    def version(self) -> str | None:
        """What the run calls it that used it last."""
        return self._whole.dataset.version

    @property
    def source(self) -> str | None:
        return self._whole.dataset.source

    @property
    def schema(self) -> Any:
        """As it was said; None if nobody said one."""
        return document_of(self._whole.dataset.schema)

    @property
    def profile(self) -> Any:
        """As `schema`: rows, columns, bytes, as far as they are known."""
        return document_of(self._whole.dataset.profile)

    @property
    def run_count(self) -> int:
        """Runs that used it, once each, deleted ones too."""
        return self.details.run_count if self._asked_digest is None else self._whole.run_count

    @property
    def version_count(self) -> int:
        """How many digests there are under its name."""
        return self.details.version_count

    def versions(self, limit: int = 100) -> list[DatasetVersion]:
        """Of its name, the last used first."""
        return _gathered(self._reader().list_versions, VersionsQuery(self.name), limit, lambda page: page.versions)

    def runs(self, limit: int = 100) -> list[DatasetRun]:
        """Which runs used it, for what and when; the newest use first."""
        wanted = UsesQuery(self.name, self._asked_digest)
        return _gathered(self._reader().list_uses, wanted, limit, lambda page: page.uses)

    def models(self, limit: int = 100) -> list[MadeVersion]:
        """Model versions whose runs used it, the newest first; not those that were deleted."""
        wanted = UsesQuery(self.name, self._asked_digest)
        return _gathered(self._reader().list_made, wanted, limit, lambda page: page.models)

    def to_dict(self) -> dict[str, Any]:
        """As GET /api/v1/datasets/{name} answers."""
        return detail_dict(self._reader(), self.details, self._asked_digest)

    def __repr__(self) -> str:
        return f"<lineal.LoggedDataset {self.name!r} {self.digest[:12]}>"


def list_datasets(
    reader: Callable[[], DatasetReader], search: str, order_by: NameOrder, limit: int
) -> list[LoggedDataset]:
    if order_by not in ("name", "last_used"):
        raise InvalidInput(f'order_by {order_by!r:.40} is neither "name" nor "last_used"', field="order_by")
    found = _gathered(reader().list_names, NamesQuery(search, order_by), limit, lambda page: page.datasets)
    return [LoggedDataset(reader, one, None) for one in found]


def get_dataset(reader: Callable[[], DatasetReader], ref: str, digest: str | None) -> LoggedDataset:
    return LoggedDataset(reader, *resolve(reader(), ref, digest))


def _gathered(ask: Callable[[Q], P], query: Q, limit: int, entries: Callable[[P], Any]) -> list[Any]:
    """Of as many pages as it takes."""
    if type(limit) is not int or limit < 1:
        raise InvalidInput("limit is a whole number from 1", field="limit")

    def every() -> Iterator[Any]:
        asked = replace(query, limit=min(limit, LIST_PAGE_MAX_COUNT))
        while True:
            page = ask(asked)
            yield from entries(page)
            if page.next_token is None:
                return
            asked = replace(asked, after=page.next_token)

    return list(islice(every(), limit))
