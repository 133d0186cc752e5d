"""`Run.log_dataset`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineal.client.datasets.described import Described
from lineal.client.given import check_tags
from lineal.model.errors import InvalidInput
from lineal.model.limits import NAME_MAX_BYTES, SHORT_NAME_MAX_LENGTH
from lineal.model.values import check_name
from lineal.record.records import DatasetUsed


def dataset_used(
    name: str,
    data: Any,
    root: str,
    *,
    version: str | None,
    context: str | None,
    source: str | None,
    digest: str | None,
    tags: Mapping[str, Any] | None,
) -> DatasetUsed:
    """What is recorded. InvalidInput, NotFound; OSError as the disk says."""
    name = check_name(name, field="dataset name", max_bytes=NAME_MAX_BYTES)
    said_version = None if version is None else check_name(str(version), field="version", max_bytes=NAME_MAX_BYTES)
    said_context = None
    if context:
        said_context = check_name(context, field="context", max_bytes=SHORT_NAME_MAX_LENGTH)
    texts = {key: value for key, value in check_tags(tags or {}).items() if value is not None}
    found = _found(data, root, said_version, digest)
    if source is not None:
        from lineal.client.datasets.places import public_source

        source = public_source(str(source))
    return DatasetUsed(
        name,
        found.digest,
        said_version,
        found.source_type,
        found.source if source is None else source,
        found.schema,
        found.profile,
        said_context,
        texts,
    )


def _found(data: Any, root: str, version: str | None, digest: str | None) -> Described:
    from lineal.client.datasets.places import is_uri, of_uri

    if digest is None:
        if data is None:
            raise InvalidInput("log_dataset takes the data, or a digest of it (digest=)", field="data")
        from lineal.client.datasets.describe import describe

        return describe(data, root, version)
    digest = check_name(digest, field="digest", max_bytes=SHORT_NAME_MAX_LENGTH).removeprefix("sha256:")
    if isinstance(data, str) and is_uri(data):
        return of_uri(data, version)._replace(digest=digest)
    place = str(data) if isinstance(data, str) or hasattr(data, "__fspath__") else None
    return Described(digest, "local" if place is not None else "given", place)
