"""Hypothesis strategies for what registries are told and asked, made to collide; and two registries asked everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from lineal.model.entities import Stamp
from lineal.model.registry import STAGES, NewVersion, VersionContent, VersionFile
from lineal.store.contracts import TenantWriter
from lineal.store.registry import By, ModelsQuery, RegistryReader, RegistryWriter, Term, TransitionsQuery, VersionsQuery
from lineal.testing.strategies import WRITERS, maybe_texts, texts, times_ms

VERSION_IDS = ("1" * 32, "2" * 32, "3" * 32, "4" * 32)
MODEL_NAMES = ("digits", "é\0", "Words_%")
ALIASES = ("champion", "b-side")

_ids = st.sampled_from(VERSION_IDS)
_names = st.sampled_from(MODEL_NAMES)
_lifecycles = st.sampled_from(("active", "deleted"))
_statuses = st.sampled_from(("pending", "ready", "failed"))
_tags = st.dictionaries(st.sampled_from(("k", "\0", "x" * 300)), maybe_texts, max_size=2)
_why = st.fixed_dictionaries({}, optional={"why": texts})
_versions = st.builds(
    NewVersion,
    _ids,
    _names,
    run_id=st.sampled_from((None, "r1", "R1")),
    model_id=maybe_texts,
    source=texts,
    path=maybe_texts,
    location=maybe_texts,
    run_link=maybe_texts,
    format=maybe_texts,
    description=maybe_texts,
    tags=_tags,
    status=_statuses,
    content=st.builds(
        VersionContent,
        st.lists(st.builds(VersionFile, texts, st.sampled_from((None, 0, 2**53)), maybe_texts), max_size=2).map(tuple),
        maybe_texts,
        maybe_texts,
    ),
)
_set_model = st.fixed_dictionaries(
    {}, optional={"description": texts, "tags": _tags, "lifecycle": _lifecycles, "is_new": st.booleans()}
)
_set_version = st.fixed_dictionaries(
    {}, optional={"description": texts, "tags": _tags, "lifecycle": _lifecycles, "status": _statuses}
)
_stage = st.fixed_dictionaries({}, optional={"why": texts, "archive_existing": st.booleans()})
_BODIES: dict[str, tuple[st.SearchStrategy[tuple[Any, ...]], st.SearchStrategy[dict[str, Any]]]] = {
    "set_model": (st.tuples(_names), _set_model),
    "rename_model": (st.tuples(_names, _names), st.just({})),
    "create_version": (st.tuples(_versions), st.just({})),
    "set_version": (st.tuples(_ids), _set_version),
    "set_stage": (st.tuples(_ids, st.sampled_from(STAGES)), _stage),
    "set_alias": (st.tuples(_names, st.sampled_from(ALIASES), st.one_of(_ids, st.none())), _why),
}


@st.composite
def registry_statements(draw: st.DrawFn, next_seq: Callable[[], int]) -> Callable[[TenantWriter], object]:
    """One statement; `next_seq` numbers them, so that a stamp is given once."""
    stamp = Stamp(draw(times_ms), draw(st.sampled_from(WRITERS)), next_seq())
    method = draw(st.sampled_from((*_BODIES, "create_version", "set_stage")))
    values, named = draw(_BODIES[method][0]), draw(_BODIES[method][1])

    def say(writer: TenantWriter) -> object:
        registry: RegistryWriter = writer.registry()
        arguments = (*values, stamp) if method != "create_version" else (values[0], stamp)
        return getattr(registry, method)(*arguments, **named)

    return say


_text_values = st.one_of(texts, st.sampled_from((*MODEL_NAMES, *VERSION_IDS, *STAGES, "r1")))
_patterns = st.one_of(st.text(st.sampled_from("%_aAdé\0"), max_size=4), texts)


def _terms(fields: Sequence[str]) -> st.SearchStrategy[Term]:
    keys = st.sampled_from(("k", "\0"))
    of = st.sampled_from(fields)
    return st.one_of(
        st.builds(Term, of, st.sampled_from(("=", "!=", "isnt")), _text_values, keys),
        st.builds(Term, of, st.just("in"), st.lists(_text_values, max_size=3).map(tuple), keys),
        st.builds(Term, of, st.sampled_from(("like", "ilike", "contains")), _patterns, keys),
    )


_numbers = st.builds(
    Term, st.just("version"), st.sampled_from(("=", "!=", "<", "<=", ">", ">=", "isnt")), st.integers(0, 5)
)
_all = st.sampled_from(("active", "deleted", None))


def _orders(fields: Sequence[str]) -> st.SearchStrategy[tuple[By, ...]]:
    keys = st.builds(By, st.sampled_from(fields), st.booleans())
    return st.lists(keys, max_size=3, unique_by=lambda by: by.field).map(tuple)


models_queries = st.builds(
    ModelsQuery,
    st.lists(_terms(("name", "tag")), max_size=2).map(tuple),
    _orders(("name", "created", "updated")),
    _all,
    st.integers(1, 3),
)
versions_queries = st.builds(
    VersionsQuery,
    st.lists(
        st.one_of(_numbers, _terms(("name", "tag", "version_id", "run_id", "model_id", "source", "stage", "format"))),
        max_size=2,
    ).map(tuple),
    _orders(("name", "version", "created", "updated")),
    _all,
    st.integers(1, 3),
)


def assert_same_registry(
    one: RegistryReader,
    two: RegistryReader,
    models: Sequence[ModelsQuery] = (),
    versions: Sequence[VersionsQuery] = (),
) -> None:
    """Fails with the first question that is answered differently."""
    for query in (ModelsQuery(lifecycle=None, limit=1_000), *models):
        assert _all_pages(one, query) == _all_pages(two, query), query
    for asked in (VersionsQuery(lifecycle=None, limit=1_000), *versions):
        assert _all_pages(one, asked) == _all_pages(two, asked), asked
    for version in one.list_versions(VersionsQuery(lifecycle=None, limit=1_000)).versions:
        assert one.find_version(version.version_id) == two.find_version(version.version_id) == version
        assert one.get_content(version.version_id) == two.get_content(version.version_id)
    assert one.list_latest(MODEL_NAMES) == two.list_latest(MODEL_NAMES)
    for name in MODEL_NAMES:
        assert one.find_model(name) == two.find_model(name)
        for alias in ALIASES:
            assert one.find_alias(name, alias) == two.find_alias(name, alias)
        if one.find_model(name) is not None:
            for wanted in (TransitionsQuery(name), TransitionsQuery(name, version=1), TransitionsQuery(name, before=3)):
                assert one.list_transitions(wanted) == two.list_transitions(wanted)


def _all_pages(registry: RegistryReader, query: ModelsQuery | VersionsQuery) -> list[list[Any]]:
    """Tokens are a store's own."""
    pages: list[list[Any]] = []
    while True:
        found: Any = registry.list_models(query) if isinstance(query, ModelsQuery) else registry.list_versions(query)
        pages.append(found[0])
        if found.next_token is None:
            return pages
        query = replace(query, after=found.next_token)
