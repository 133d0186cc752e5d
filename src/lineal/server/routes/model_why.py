"""Why a version of a model, as JSON or in words."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.ingest.registry_work import find_version
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.registry import ModelVersion, is_version_id
from lineal.server.answers import Content
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import why as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.registry import By, RegistryReader, Term, VersionsQuery
from lineal.store.why import why
from lineal.store.why_text import why_markdown, why_text
from lineal.store.why_view import why_dict

_MEDIA = {"text": "text/plain; charset=utf-8", "markdown": "text/markdown; charset=utf-8"}
_VERSIONS_NAMED_COUNT = 20


def why_model_version(context: Context, asked: Asked[shapes.AskWhy, None]) -> shapes.WhyVersion | Content:
    """The run that made it, with params, code and data as recorded; the runs of the same experiment that it was chosen over, and by
    which metric; the version before it side by side; and how it came to its stage and aliases. `version`: a number, or "@" and an
    alias."""
    which = asked.path["version"]
    version = find_version(context.reader.registry(), asked.path["name"], which)
    return _answer(context, version, which[1:] if which.startswith("@") else None, asked.query)


def why_stamped(context: Context, asked: Asked[shapes.AskWhy, None]) -> shapes.WhyVersion | Content:
    """The same by an id that was stamped on a prediction: of a version, or of the run that made it (if it made one only)."""
    return _answer(context, _stamped(context.reader.registry(), asked.path["stamped_id"]), None, asked.query)


def _stamped(registry: RegistryReader, stamped_id: str) -> ModelVersion:
    found = registry.find_version(stamped_id) if is_version_id(stamped_id) else None
    if found is not None:
        return found
    query = VersionsQuery((Term("run_id", "=", stamped_id),), (By("created"),), limit=_VERSIONS_NAMED_COUNT)
    of_run = registry.list_versions(query).versions
    if not of_run:
        raise NotFound(f"no version has the id {stamped_id!r:.80}, or was made by a run of that id", field="stamped_id")
    if len(of_run) > 1:
        names = ", ".join(f"{one.name}/{one.version}" for one in of_run)
        raise InvalidInput(f"run {stamped_id!r:.80} made {len(of_run)} versions: {names}", field="stamped_id")
    return of_run[0]


def _answer(
    context: Context, version: ModelVersion, alias: str | None, query: shapes.AskWhy
) -> shapes.WhyVersion | Content:
    found = why(context.reader, version, alias=alias, metric=query.metric)
    if query.format != "json":
        text = why_text(found) if query.format == "text" else why_markdown(found)
        return Content(text.encode(), _MEDIA[query.format])
    return msgspec.convert(plain(why_dict(found)), shapes.WhyVersion)


_WORDS: dict[str, Any] = dict.fromkeys(("text/plain", "text/markdown"))
ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/models/{name}/versions/{version}/why",
        why_model_version,
        "Why this version",
        shapes.WhyVersion,
        shapes.AskWhy,
        media=_WORDS,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/model-versions/{stamped_id}/why",
        why_stamped,
        "Why the version of a stamped id",
        shapes.WhyVersion,
        shapes.AskWhy,
        media=_WORDS,
        refusals=(404,),
        access="reader",
    ),
)
