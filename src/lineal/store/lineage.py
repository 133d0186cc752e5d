"""What a store promises of datasets and logged models, and what a set of statements about them means.

Both are said in words that may arrive twice and in any order (see `contracts.py`). That a run used a dataset, a model, an artifact or
a version of a registered model is said once: the first word on it stands. What a logged model is, too: of its name, experiment, run,
type, path and each of its params the first word stands; of its tags, files, status and lifecycle the last.

A model's metrics are points of runs: series that carry the label "model_id", and "dataset_name" and "dataset_digest" where they were
measured on a dataset. Whichever run logged them, they are found from the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from lineal.model.entities import Stamp
from lineal.model.limits import DATASET_SOURCE_SEARCHED_MAX_CHARS, DATASETS_SEARCHED_MAX_COUNT
from lineal.model.lineage import (
    ArtifactUse,
    DatasetSummary,
    DatasetUse,
    LoggedModel,
    ModelFile,
    ModelMetric,
    ModelUse,
    VersionUse,
)
from lineal.model.lineage_graph import LineageGraph, LineageQuery
from lineal.model.values import from_json, to_json
from lineal.model.vocabulary import Lifecycle, ModelRole, ModelStatus
from lineal.query.syntax import DATASET_PROPERTIES, Field, Filter
from lineal.query.value_sets import join_values
from lineal.store.datasets import HasDatasetReader

K = TypeVar("K")
V = TypeVar("V")

DatasetKey: TypeAlias = tuple[str, str, str]
"""Name, digest, context."""
ModelKey: TypeAlias = tuple[ModelRole, str]
"""Role, model id."""
ArtifactKey: TypeAlias = tuple[str, str, str]
"""Whose run, path, digest."""
ModelSettings: TypeAlias = dict[tuple[str, str], tuple[Stamp, str | None]]
"""(kind, name) -> the word that counts; None is removed."""

MODEL_TEXTS = ("model_id", "name", "experiment", "experiment_id", "source_run_id", "model_type", "status")
MODEL_TIMES = ("creation_time", "last_updated_time")
"""Attributes of a logged model: texts, and ms since the epoch."""

MODEL_WORDS = ("param", "tag", "file")
"""Kinds of settings of which a model may have many."""

_FIRST_STANDS = frozenset(("name", "experiment", "run_id", "model_type", "path", "param"))


class LineageWriter(Protocol):
    """Changes of one tenant, within a transaction."""

    def use_dataset(self, run_id: str, use: DatasetUse, stamp: Stamp) -> None:
        """By name, digest and context the earliest stamp stands. `use.used_ms` is not read: it is the stamp's time."""
        ...

    def use_model(self, run_id: str, use: ModelUse, stamp: Stamp) -> None:
        """By role and model the earliest stamp stands. The model need not be known."""
        ...

    def use_artifact(self, run_id: str, use: ArtifactUse, stamp: Stamp) -> None:
        """By whose it is, path and digest the earliest stamp stands. Neither that run nor the artifact need be known."""
        ...

    def use_version(self, run_id: str, use: VersionUse, stamp: Stamp) -> None:
        """By version the earliest stamp stands. The version need not be known."""
        ...

    def set_logged_model(
        self,
        model_id: str,
        stamp: Stamp,
        *,
        name: str | None = None,
        experiment: str | None = None,
        run_id: str | None = None,
        model_type: str | None = None,
        path: str | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str | None] | None = None,
        status: ModelStatus | None = None,
        lifecycle: Lifecycle | None = None,
        files: Mapping[str, ModelFile | None] | None = None,
    ) -> None:
        """Makes the model if it is new, and sets what is given (None leaves as it is; a tag or file of None is removed). A given experiment
        is mentioned by it. What nobody said: its name is its id, its experiment "Default"."""
        ...

    def find_logged_model(self, model_id: str) -> Lifecycle | None:
        """As of this transaction; None for one that nobody mentioned."""
        ...


@dataclass(frozen=True, slots=True)
class ModelOrder:
    """By a field of a logged model; of a metric, the last point (by time, then step, then run id) on the dataset if one is named."""

    field: Field
    descending: bool = False
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """Which logged models, in which order: by each key of `order`, then newest, then id.

    Fields are attributes (MODEL_TEXTS, MODEL_TIMES), params, tags and metrics; operators mean what `query/evaluate.py` says. A
    comparison of a metric is with its last point, as in an order. `datasets`: (name, digest or None for any), on which points were
    measured; others do not count then, and a model without any is not found. `experiments` are names.
    `after` is the `next_token` of the page before."""

    experiments: tuple[str, ...] | None = None
    filter: Filter | None = None
    order: tuple[ModelOrder, ...] = ()
    datasets: tuple[tuple[str, str | None], ...] = ()
    lifecycle: Lifecycle | None = "active"
    limit: int = 100
    after: str | None = None


class ModelPage(NamedTuple):
    models: list[LoggedModel]
    next_token: str | None = None


class LineageReader(HasDatasetReader, Protocol):
    """Answers about one tenant."""

    def list_dataset_uses(self, run_ids: Sequence[str]) -> list[list[DatasetUse]]:
        """Of each run, whole, in the order in which they were said; equal datasets are one object. NotFound."""
        ...

    def list_datasets(self, experiments: Sequence[str], limit: int = 1_000) -> list[DatasetSummary]:
        """What runs of these experiments (names), deleted ones too, used: each once, sorted."""
        ...

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """NotFound. Deleted ones are found too; `lifecycle` says so."""
        ...

    def find_lineage(self, query: LineageQuery) -> LineageGraph:
        """What led to the thing, and what it led to: `lineage_graph.py`. At a constant number of statements for each level. NotFound;
        InvalidInput for bounds, and for what names several things."""
        ...

    def list_logged_models(self, query: ModelQuery) -> ModelPage:
        """At a constant number of statements and, where the filter and the order ask for metrics, a look at the summaries of the
        runs that logged any of the candidates'. InvalidInput for what cannot be asked, and for a page token that is damaged or
        another query's."""
        ...


# -- what statements mean ----------------------------------------------------------------------------------


def say_first(known: dict[K, tuple[Stamp, V]], key: K, stamp: Stamp, said: V) -> bool:
    """The earliest statement stands; True if this one does now."""
    standing = known.get(key)
    if standing is not None and standing[0] <= stamp:
        return False
    known[key] = (stamp, said)
    return True


def dataset_key(use: DatasetUse) -> DatasetKey:
    return use.dataset.name, use.dataset.digest, use.context


def artifact_key(use: ArtifactUse) -> ArtifactKey:
    return use.run_id, use.path, use.digest


def in_order_said(said: Iterable[tuple[Stamp, V]]) -> list[V]:
    return [use for _, use in sorted(said, key=lambda item: item[0])]


def counts_in(profile: str | None) -> tuple[int | None, int | None]:
    """Rows and columns that a profile tells of: ours, or that of MLflow's clients. It is whatever somebody said."""
    said = profile_of(profile)
    return said["row_count"], said["column_count"]


def profile_of(profile: str | None) -> dict[str, int | None]:
    """Rows, columns, files and bytes, each None where it does not tell of them."""
    try:
        said = from_json(profile) if profile else {}
    except (ValueError, TypeError, RecursionError):
        said = {}
    if not isinstance(said, dict):
        said = {}
    said = {**said, "row_count": said.get("row_count", said.get("num_rows"))}
    return {name: one if type(one := said.get(name)) is int and 0 <= one < 2**63 else None for name in _PROFILE}


_PROFILE = ("row_count", "column_count", "file_count", "size_bytes")


def searched_fields(uses: Iterable[DatasetUse]) -> dict[str, str]:
    """What filters see of a run's datasets: name of a field (`Field("dataset", ...)`) -> its values as one text. Of many datasets the
    first, by name, digest and context; a long source is not among them."""
    found: dict[str, set[str]] = {}
    for use in sorted(uses, key=dataset_key)[:DATASETS_SEARCHED_MAX_COUNT]:
        dataset = use.dataset
        values = (dataset.name, dataset.version, dataset.digest, use.context or None, dataset.source)
        for name, value in zip(DATASET_PROPERTIES, values, strict=True):
            if value is None or (name == "source" and len(value) > DATASET_SOURCE_SEARCHED_MAX_CHARS):
                continue
            found.setdefault(name, set()).add(value)
            found.setdefault(f"{dataset.name}.{name}", set()).add(value)
    return {name: join_values(values) for name, values in found.items()}


def model_words(
    name: str | None,
    experiment: str | None,
    run_id: str | None,
    model_type: str | None,
    path: str | None,
    status: ModelStatus | None,
    lifecycle: Lifecycle | None,
) -> dict[str, str | None]:
    """What a model has one of, by kind of setting; None: not given."""
    return {
        "name": name,
        "experiment": experiment,
        "run_id": run_id,
        "model_type": model_type,
        "path": path,
        "status": status,
        "lifecycle": lifecycle,
    }


def say_model(
    settings: ModelSettings,
    stamp: Stamp,
    given: Mapping[str, str | None],
    params: Mapping[str, str] | None,
    tags: Mapping[str, str | None] | None,
    files: Mapping[str, ModelFile | None] | None = None,
) -> list[tuple[str, str]]:
    """Which settings the statement changed. `given`: as `model_words` has it."""
    words = [(kind, "", value) for kind, value in given.items() if value is not None]
    words += [("param", name, value) for name, value in (params or {}).items()]
    told: list[tuple[str, str, str | None]] = [*words, *(("tag", name, value) for name, value in (tags or {}).items())]
    told += [("file", path, None if one is None else to_json(list(one))) for path, one in (files or {}).items()]
    changed = []
    for kind, name, value in told:
        standing = settings.get((kind, name))
        if standing is not None and (
            standing[0] <= stamp if kind in _FIRST_STANDS else standing[0] >= stamp
        ):  # a stamp belongs to one statement
            continue
        settings[kind, name] = (stamp, value)
        changed.append((kind, name))
    return changed


def model_of(
    model_id: str,
    settings: ModelSettings,
    experiment: tuple[str, str],
    metrics: Iterable[ModelMetric] = (),
) -> LoggedModel:
    """As it stands. `experiment`: id and name."""
    one = {kind: value for (kind, _), (_, value) in settings.items() if kind not in MODEL_WORDS}
    many = {
        of: {name: value for (kind, name), (_, value) in sorted(settings.items()) if kind == of and value is not None}
        for of in MODEL_WORDS
    }
    stamps = [stamp for stamp, _ in settings.values()]
    named = settings.get(("name", ""))
    return LoggedModel(
        model_id,
        one.get("name") or model_id,
        *experiment,
        source_run_id=one.get("run_id"),
        model_type=one.get("model_type"),
        path=one.get("path"),
        status=one.get("status") or "pending",  # type: ignore[arg-type]
        lifecycle="deleted" if one.get("lifecycle") == "deleted" else "active",
        created_ms=named[0].time_ms if named is not None else min(stamps, default=Stamp(0, "", 0)).time_ms,
        updated_ms=max(stamps, default=Stamp(0, "", 0)).time_ms,
        params=many["param"],
        tags=many["tag"],
        metrics=tuple(metrics),
        files={path: ModelFile(*from_json(text)) for path, text in many["file"].items()},
    )


def largest(sizes: Iterable[tuple[str, int | None]]) -> dict[str, int | None]:
    """Digest -> its size: what is known of one is known of all."""
    found: dict[str, int | None] = {}
    for digest, size_bytes in sizes:
        known = found.get(digest)
        found[digest] = known if size_bytes is None else max(known or 0, size_bytes)
    return found
