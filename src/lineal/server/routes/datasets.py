"""Datasets by themselves: which there are, in which versions, who used them, and what came of that."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import datasets as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.dataset_view import dataset_dict, detail_dict, made_dict, use_dict, version_dict
from lineal.store.datasets import NamesQuery, UsesQuery, VersionsQuery, resolve


def list_datasets(context: Context, asked: Asked[shapes.ListDatasets, None]) -> shapes.DatasetsPage:
    """The datasets that runs used, by name unless `order_by` says otherwise."""
    query = asked.query
    wanted = NamesQuery(query.search or "", query.order_by, query.limit, query.page_token)
    page = context.reader.datasets().list_names(wanted)
    said = [dataset_dict(one) for one in page.datasets]
    return shapes.DatasetsPage(msgspec.convert(said, list[shapes.Dataset]), page.next_token)


def get_dataset(context: Context, asked: Asked[shapes.AskDataset, Any]) -> shapes.DatasetDetail:
    """By its name, which may have slashes in it; by the digest of a version, or eight characters or more of it (of several names the one
    that was used last); by NAME@DIGEST or NAME@VERSION."""
    reader = context.reader.datasets()
    found, digest = resolve(reader, asked.path["name"], asked.query.digest)
    return msgspec.convert(plain(detail_dict(reader, found, digest)), shapes.DatasetDetail)


def list_dataset_versions(
    context: Context, asked: Asked[shapes.ListDatasetVersions, None]
) -> shapes.DatasetVersionsPage:
    """The last used first."""
    query = asked.query
    wanted = VersionsQuery(query.name, query.digest, query.version, query.limit, query.page_token)
    page = context.reader.datasets().list_versions(wanted)
    said = [version_dict(one) for one in page.versions]
    return shapes.DatasetVersionsPage(msgspec.convert(said, list[shapes.DatasetVersion]), page.next_token)


def list_dataset_uses(context: Context, asked: Asked[shapes.ListDatasetUses, None]) -> shapes.DatasetUsersPage:
    """Which runs used it, for what and when; the newest first."""
    page = context.reader.datasets().list_uses(_uses(asked.query))
    said = [use_dict(one) for one in page.uses]
    return shapes.DatasetUsersPage(msgspec.convert(said, list[shapes.DatasetUser]), page.next_token)


def list_dataset_models(context: Context, asked: Asked[shapes.ListDatasetUses, None]) -> shapes.DatasetModelsPage:
    """Model versions that runs made which used it; the newest first."""
    page = context.reader.datasets().list_made(_uses(asked.query))
    said = [made_dict(one) for one in page.models]
    return shapes.DatasetModelsPage(msgspec.convert(said, list[shapes.DatasetModel]), page.next_token)


def _uses(query: shapes.ListDatasetUses) -> UsesQuery:
    return UsesQuery(query.name, query.digest, query.limit, query.page_token)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/datasets",
        list_datasets,
        "Datasets that runs used",
        shapes.DatasetsPage,
        shapes.ListDatasets,
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/datasets/{name:text}",
        get_dataset,
        "A dataset, and one of its versions whole",
        shapes.DatasetDetail,
        shapes.AskDataset,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/dataset-versions",
        list_dataset_versions,
        "Versions of a dataset, or of a digest",
        shapes.DatasetVersionsPage,
        shapes.ListDatasetVersions,
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/dataset-uses",
        list_dataset_uses,
        "Runs that used a dataset",
        shapes.DatasetUsersPage,
        shapes.ListDatasetUses,
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/dataset-models",
        list_dataset_models,
        "Model versions whose runs used a dataset",
        shapes.DatasetModelsPage,
        shapes.ListDatasetUses,
        access="reader",
    ),
)
