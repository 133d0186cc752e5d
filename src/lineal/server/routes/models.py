"""Registered models and their versions, read."""

from __future__ import annotations

from typing import Any

from lineal.ingest.registry_work import find_version
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import LIST_PAGE_MAX_COUNT
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.model_views import detail_of, model_of, models_of, transition_of, version_of
from lineal.server.shapes import models as shapes
from lineal.store.registry import By, ModelsQuery, Term, TransitionsQuery, VersionsQuery


def list_models(context: Context, asked: Asked[shapes.ListRegistered, None]) -> shapes.RegisteredPage:
    """Registered models, by name unless `order_by` says otherwise."""
    query = asked.query
    terms = (Term("name", "contains", query.search),) if query.search else ()
    order = (By("updated", True),) if query.order_by == "last_updated" else ()
    registry = context.reader.registry()
    page = registry.list_models(ModelsQuery(terms, order, query.lifecycle_stage, query.limit, query.page_token))
    return shapes.RegisteredPage(models_of(registry, page.models), page.next_token)


def get_model(context: Context, asked: Asked[Any, Any]) -> shapes.Registered:
    """Deleted ones are found, too; `lifecycle_stage` says so."""
    return model_of(context.reader.registry(), asked.path["name"])


def list_model_versions(context: Context, asked: Asked[shapes.ListVersions, None]) -> shapes.VersionsPage:
    """The highest number first."""
    query, registry = asked.query, context.reader.registry()
    name = registry.get_model(asked.path["name"]).name
    terms = [Term("name", "=", name)]
    if query.stage is not None:
        terms.append(Term("stage", "=", query.stage))
    wanted = VersionsQuery(tuple(terms), (), query.lifecycle_stage, query.limit, query.page_token)
    page = registry.list_versions(wanted)
    return shapes.VersionsPage([version_of(version) for version in page.versions], page.next_token)


def get_model_version(context: Context, asked: Asked[Any, Any]) -> shapes.VersionDetail:
    """By its number, or "@" and an alias."""
    registry = context.reader.registry()
    return detail_of(registry, find_version(registry, asked.path["name"], asked.path["version"]).version_id)


def list_aliases(context: Context, asked: Asked[Any, None]) -> shapes.AliasesList:
    return shapes.AliasesList(context.reader.registry().get_model(asked.path["name"]).aliases)


def get_alias(context: Context, asked: Asked[Any, Any]) -> shapes.VersionDetail:
    """The version that it means."""
    registry = context.reader.registry()
    return detail_of(registry, find_version(registry, asked.path["name"], f"@{asked.path['alias']}").version_id)


def list_transitions(context: Context, asked: Asked[shapes.ListTransitions, None]) -> shapes.TransitionsPage:
    """How versions came to their stages, and aliases to their versions: who, when and why; newest first."""
    query = asked.query
    wanted = TransitionsQuery(asked.path["name"], query.version, query.before, query.limit)
    rows = context.reader.registry().list_transitions(wanted)
    return shapes.TransitionsPage(
        [transition_of(row) for row in rows], rows[-1].number if len(rows) == query.limit else None
    )


def find_model_versions(context: Context, asked: Asked[shapes.FindVersions, None]) -> shapes.VersionsPage:
    """Of an id (deleted or not), or of a run: where a model leads back to, and what came of a run."""
    query, registry = asked.query, context.reader.registry()
    if (query.version_id is None) == (query.run_id is None):
        raise InvalidInput("give a version_id or a run_id", field="version_id")
    if query.version_id is not None:
        found = registry.find_version(query.version_id)
        if found is None:
            raise NotFound(f"no version has the id {query.version_id!r:.80}", field="version_id")
        return shapes.VersionsPage([version_of(found)], None)
    wanted = VersionsQuery(
        (Term("run_id", "=", query.run_id or ""),), (By("created", True),), limit=LIST_PAGE_MAX_COUNT
    )
    page = registry.list_versions(wanted)
    return shapes.VersionsPage([version_of(version) for version in page.versions], None)


_ONE = "/api/v1/models/{name}"
ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/models",
        list_models,
        "Registered models",
        shapes.RegisteredPage,
        shapes.ListRegistered,
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/model-versions/find",
        find_model_versions,
        "Model versions of a run, or of an id",
        shapes.VersionsPage,
        shapes.FindVersions,
        refusals=(404,),
        access="reader",
    ),
    Endpoint("GET", _ONE, get_model, "A registered model", shapes.Registered, refusals=(404,), access="reader"),
    Endpoint(
        "GET",
        f"{_ONE}/versions",
        list_model_versions,
        "Versions of a registered model",
        shapes.VersionsPage,
        shapes.ListVersions,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        f"{_ONE}/versions/{{version}}",
        get_model_version,
        "A model version",
        shapes.VersionDetail,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        f"{_ONE}/aliases",
        list_aliases,
        "Aliases of a registered model",
        shapes.AliasesList,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        f"{_ONE}/aliases/{{alias}}",
        get_alias,
        "The version that an alias means",
        shapes.VersionDetail,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        f"{_ONE}/transitions",
        list_transitions,
        "Transitions of a registered model",
        shapes.TransitionsPage,
        shapes.ListTransitions,
        refusals=(404,),
        access="reader",
    ),
)
