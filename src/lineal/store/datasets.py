"""What a store promises of datasets by themselves: a reader of one tenant, which `TenantReader.datasets` hands out.

All of it is derived from what runs said that they used (`store/lineage.py`). A *version* is what has one digest under one name. Uses
are in order of their time, the newest first, then by digest, run id and context; what is said of a version, or of a name, is what the
first use in that order says of those by runs that are no reproductions (`vocabulary.REPRODUCES_TAG`), whose copies of the data are gone
when they are; by one where there is no other. Runs that were deleted count, and say that they were: they may be brought back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import DATASET_PROFILE_LISTED_MAX_CHARS
from lineal.store.links import DIGEST_BEGINNING_MIN_CHARS
from lineal.store.place_tokens import Key, place_of

NameOrder = Literal["name", "last_used"]
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class NamesQuery:
    """Names that contain `search`, in any case; by name, or the last used first. `after`: the `next_token` of the page before."""

    search: str = ""
    order: NameOrder = "name"
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class VersionsQuery:
    """Versions of a name, of a digest under any name, or both; the last used first. `digest`: whole, or the beginning of one in
    hexadecimal digits. `version`: what a run that used it calls it."""

    name: str | None = None
    digest: str | None = None
    version: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class UsesQuery:
    """Of a name, or of one version of it (`digest`: whole)."""

    name: str
    digest: str | None = None
    limit: int = 100
    after: str | None = None


class NamesPage(NamedTuple):
    """`next_token` is None where none follows."""

    datasets: list[UsedDataset]
    next_token: str | None = None


class VersionsPage(NamedTuple):
    versions: list[DatasetVersion]
    next_token: str | None = None


class UsesPage(NamedTuple):
    uses: list[DatasetRun]
    next_token: str | None = None


class MadePage(NamedTuple):
    models: list[MadeVersion]
    next_token: str | None = None


Query = NamesQuery | VersionsQuery | UsesQuery


class DatasetReader(Protocol):
    """Committed state. InvalidInput for bounds, and (field="page_token") for a token that is damaged or another question's. Schemas are
    None but in `get_version`, as are profiles of more than DATASET_PROFILE_LISTED_MAX_CHARS."""

    def list_names(self, query: NamesQuery) -> NamesPage: ...

    def get_name(self, name: str) -> UsedDataset:
        """NotFound."""
        ...

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        """By last use, then name, then digest. Nothing for a name or a digest that nobody used; InvalidInput without either."""
        ...

    def get_version(self, name: str, digest: str) -> DatasetVersion:
        """Whole. NotFound."""
        ...

    def list_uses(self, query: UsesQuery) -> UsesPage: ...

    def list_made(self, query: UsesQuery) -> MadePage:
        """Model versions whose runs used it, the newest first, then by id; not those that were deleted."""
        ...


class HasDatasetReader(Protocol):
    """What a reader of a tenant has for them."""

    def datasets(self) -> DatasetReader: ...


# -- rules that the stores share -----------------------------------------------------------------------------


def start_of(query: Query, kind: str) -> list[Key] | None:
    """Where the page begins, as keys of the entry before it. InvalidInput."""
    if type(query.limit) is not int or query.limit < 1:
        raise InvalidInput("limit is a whole number from 1", field="limit")
    if isinstance(query, VersionsQuery) and query.name is None and not query.digest:
        raise InvalidInput("give a name or a digest", field="digest")
    return place_of(question_of(query, kind), query.after)


def question_of(query: Query, kind: str) -> tuple[object, ...]:
    """What a page token is bound to. `kind`: what is listed."""
    if isinstance(query, NamesQuery):
        return kind, query.search, query.order
    if isinstance(query, VersionsQuery):
        return kind, query.name, query.digest, query.version
    return kind, query.name, query.digest


def digests_meant(digest: str) -> tuple[str, str]:
    """From which digest on, and below which: those that begin so. Of what is no hexadecimal digits, that one alone."""
    return digest, f"{digest}g" if digest and not set(digest) - _HEX else f"{digest}\0"


def listed_profile(profile: str | None) -> str | None:
    return profile if profile is not None and len(profile) <= DATASET_PROFILE_LISTED_MAX_CHARS else None


def resolve(reader: DatasetReader, text: str, digest: str | None = None) -> tuple[UsedDataset, str | None]:
    """What "NAME", "DIGEST" (or the beginning of one) or "NAME@DIGEST" or "NAME@VERSION" names: the name, and the digest if one was
    given, by `text` or by `digest` (its beginning will do). Of a digest under several names, the one that was used last. NotFound;
    InvalidInput where it may be several digests."""
    try:
        found = reader.get_name(text)
    except NotFound:
        if digest:
            raise
    else:
        return found, _only(reader, VersionsQuery(text, digest), text) if digest else None
    if len(text) >= DIGEST_BEGINNING_MIN_CHARS:
        of_digest = reader.list_versions(VersionsQuery(None, text, limit=_MAX_COUNT)).versions
        if of_digest:
            which = _only(reader, VersionsQuery(None, text), text)
            name = next(one.dataset.name for one in of_digest if one.dataset.digest == which)
            return reader.get_name(name), which
    name, _, which = text.rpartition("@")
    for asked in (VersionsQuery(name, version=which), VersionsQuery(name, which)):
        if name and which and reader.list_versions(replace(asked, limit=1)).versions:
            return reader.get_name(name), _only(reader, asked, text)
    raise NotFound(f"no run used a dataset {text!r:.80}: give a name, a digest, or NAME@DIGEST", field="name")


_MAX_COUNT, _SHOWN_COUNT, _SHOWN_CHARS = 100, 6, 16


def _only(reader: DatasetReader, query: VersionsQuery, text: str) -> str:
    """The digest that it can only mean; a whole one, if there is one."""
    found = reader.list_versions(replace(query, limit=_MAX_COUNT)).versions
    digests = list(dict.fromkeys(one.dataset.digest for one in found))
    if query.digest in digests:
        return str(query.digest)
    if not digests:
        raise NotFound(f"no version of {text!r:.80} has the digest {query.digest!r:.80}", field="digest")
    if len(digests) > 1:
        said = ", ".join(digest[:_SHOWN_CHARS] for digest in digests[:_SHOWN_COUNT])
        raise InvalidInput(f"{text!r:.80} names several datasets of different content: {said}", field="digest")
    return digests[0]
