"""What is said again of a run's datasets and captures, of the artifacts and models that it used, and of the logged models that it
made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lineal.model.entities import RunDetails
from lineal.model.lineage import LoggedModel
from lineal.query.syntax import Comparison, Field
from lineal.record.records import (
    ArtifactUsed,
    CaptureSet,
    DatasetUsed,
    ModelLogged,
    ModelUsed,
    ModelVersionUsed,
    Record,
)
from lineal.store.contracts import TenantReader
from lineal.store.lineage import ModelQuery, artifact_key, dataset_key

IsNews = Callable[[str, str, str], bool]
"""(kind, name, text): whether that was not told before. It is known then."""
_SEPARATOR = "\0"


def lineage_statements(
    reader: TenantReader, details: RunDetails, is_news: IsNews, told_names: Callable[[str], list[str]]
) -> Iterator[tuple[Record, int]]:
    """What is news, with its times. `told_names`: names of a kind that were told before and may be gone, which they are not told to
    be again."""
    run_id = details.run.run_id
    for use in reader.list_dataset_uses([run_id])[0] if details.datasets else ():
        data = use.dataset
        if is_news("dataset", _SEPARATOR.join(dataset_key(use)), repr(use)):
            yield (
                DatasetUsed(
                    data.name,
                    data.digest,
                    data.version,
                    data.source_type,
                    data.source,
                    data.schema,
                    data.profile,
                    use.context or None,
                    dict(use.tags),
                ),
                use.used_ms,
            )
    for capture in reader.list_captures(run_id):
        if is_news("capture", f"{capture.attempt_id}{_SEPARATOR}{capture.part}", capture.digest):
            yield CaptureSet(capture.attempt_id, capture.part, capture.content), capture.said_ms
    for used in details.models:
        if is_news("model-use", f"{used.role}{_SEPARATOR}{used.model_id}", repr(used)):
            yield ModelUsed(used.model_id, used.role, used.step), used.used_ms
    for taken in details.artifact_uses:
        if is_news("artifact-use", _SEPARATOR.join(artifact_key(taken)), repr(taken)):
            yield ArtifactUsed(taken.run_id, taken.path, taken.digest, taken.version), taken.used_ms
    for version in details.version_uses:
        if is_news("version-use", version.version_id, repr(version)):
            yield ModelVersionUsed(version.version_id, version.name), version.used_ms
    for model in _models_of(reader, run_id):
        if is_news("model", model.model_id, repr(replace(model, metrics=()))):
            yield from _model_statements(model, is_news, told_names)


def _model_statements(
    model: LoggedModel, is_news: IsNews, told_names: Callable[[str], list[str]]
) -> Iterator[tuple[Record, int]]:
    made = ModelLogged(
        model.model_id,
        model.name,
        model.experiment_name,
        model.source_run_id,
        model.model_type,
        model.path,
        dict(model.params) or None,
    )
    yield made, model.created_ms
    kind = f"model-tag{_SEPARATOR}{model.model_id}"
    tags: dict[str, str | None] = dict(model.tags)
    tags |= {name: None for name in told_names(kind) if name not in model.tags}
    for name, value in model.tags.items():
        is_news(kind, name, value)
    later = ModelLogged(model.model_id, tags=tags or None, status=model.status, lifecycle=model.lifecycle)
    yield later, model.updated_ms


def _models_of(reader: TenantReader, run_id: str) -> Iterator[LoggedModel]:
    query = ModelQuery(filter=Comparison(Field("attribute", "source_run_id"), "=", run_id), lifecycle=None, limit=1_000)
    while True:
        page = reader.list_logged_models(query)
        yield from page.models
        if page.next_token is None:
            return
        query = replace(query, after=page.next_token)
