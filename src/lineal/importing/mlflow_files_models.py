"""Datasets, logged models and registered models in an mlruns folder.

EXPERIMENT/datasets/ID/meta.yaml, EXPERIMENT/RUN/inputs/ID/meta.yaml, EXPERIMENT/RUN/outputs/MODEL/meta.yaml,
EXPERIMENT/models/MODEL/{meta.yaml,params,tags,metrics,artifacts}, models/NAME/{meta.yaml,tags,aliases,version-N/{meta.yaml,tags}}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lineal.importing.files import folders, names, read_meta, read_text, read_texts
from lineal.importing.mlflow_words import (
    CONTEXT_TAG,
    DELETED_STAGE,
    lifecycle_of,
    model_status_of,
    stage_of,
    version_status_of,
)
from lineal.importing.nouns import (
    SourceDataset,
    SourceExperiment,
    SourceLoggedModel,
    SourceModelUse,
    SourceRegisteredModel,
    SourceVersion,
)

META = "meta.yaml"


def datasets_of(run: Path) -> list[SourceDataset]:
    found = []
    for folder in folders(run / "inputs"):
        said = read_meta(folder / META)
        place = run.parent / "datasets" / str(said.get("source_id")) / META
        if not place.is_file():
            continue
        dataset = read_meta(place)
        tags = {str(key): str(value) for key, value in (said.get("tags") or {}).items()}
        purpose = tags.pop(CONTEXT_TAG, "")
        found.append(
            SourceDataset(
                str(dataset["name"]),
                str(dataset["digest"]),
                dataset.get("source_type"),
                dataset.get("source"),
                dataset.get("schema"),
                dataset.get("profile"),
                purpose,
                tags,
            )
        )
    return sorted(found, key=lambda one: one[:2])


def model_uses_of(run: Path) -> list[SourceModelUse]:
    found = []
    for folder in folders(run / "inputs"):
        model_id = str(read_meta(folder / META).get("source_id"))
        if model_id.startswith("m-"):
            found.append(SourceModelUse(model_id, "input", None))
    for folder in folders(run / "outputs"):
        said = read_meta(folder / META)
        found.append(SourceModelUse(str(said.get("destination_id", folder.name)), "output", int(said.get("step") or 0)))
    return sorted(found, key=lambda one: (one.role, one.model_id))


def logged_models_of(experiments: Mapping[Path, SourceExperiment]) -> Iterator[tuple[Path, SourceLoggedModel]]:
    for place, experiment in experiments.items():
        for folder in folders(place / "models"):
            if not (folder / META).is_file():
                continue
            said = read_meta(folder / META)
            created_ms = int(said.get("creation_timestamp") or 0)
            yield (
                folder,
                SourceLoggedModel(
                    str(said.get("model_id", folder.name)),
                    str(said.get("name") or folder.name),
                    experiment,
                    said.get("source_run_id") or None,
                    said.get("model_type") or None,
                    model_status_of(said.get("status")),
                    lifecycle_of(said.get("lifecycle_stage")),
                    created_ms,
                    int(said.get("last_updated_timestamp") or created_ms),
                    read_texts(folder / "params"),
                    read_texts(folder / "tags"),
                    said.get("artifact_location"),
                ),
            )


def registered_models_in(root: Path) -> Iterator[SourceRegisteredModel]:
    for folder in folders(root / "models"):
        if not (folder / META).is_file():
            continue
        said = read_meta(folder / META)
        aliases = {name: int(read_text(folder / "aliases" / name)) for name in names(folder / "aliases")}
        versions = [
            _version_of(below, read_meta(below / META))
            for below in folders(folder)
            if below.name.startswith("version-")
        ]
        created_ms = int(said.get("creation_timestamp") or 0)
        yield SourceRegisteredModel(
            str(said.get("name", folder.name)),
            str(said.get("description") or ""),
            created_ms,
            int(said.get("last_updated_timestamp") or created_ms),
            read_texts(folder / "tags"),
            aliases,
            sorted(versions, key=lambda one: one.number),
        )


def _version_of(folder: Path, said: Mapping[str, Any]) -> SourceVersion:
    created_ms = int(said.get("creation_timestamp") or 0)
    stage = said.get("current_stage")
    return SourceVersion(
        int(said.get("version") or folder.name.removeprefix("version-")),
        created_ms,
        int(said.get("last_updated_timestamp") or created_ms),
        str(said.get("description") or ""),
        stage_of(stage),
        str(said.get("source") or ""),
        said.get("storage_location") or None,
        said.get("run_id") or None,
        said.get("run_link") or None,
        version_status_of(said.get("status")),
        read_texts(folder / "tags"),
        stage == DELETED_STAGE,
    )
