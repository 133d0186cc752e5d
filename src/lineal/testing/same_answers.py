"""Two readers asked everything: equal stores give equal answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from lineal.model.entities import RunDetails, SeriesInfo, Summary
from lineal.model.errors import NotFound
from lineal.model.lineage import LoggedModel, ModelMetric
from lineal.model.lineage_graph import LineageQuery
from lineal.query.syntax import Field, Kind
from lineal.series.columns import Columns
from lineal.store.contracts import (
    BucketPiece,
    GroupPage,
    GroupQuery,
    Piece,
    RunQuery,
    SeriesName,
    Spread,
    TenantReader,
)
from lineal.store.datasets import DatasetReader, NameOrder, NamesQuery, UsesQuery, VersionsQuery
from lineal.store.lineage import ModelQuery
from lineal.store.rules import typed_text

Steps = tuple[float | None, float | None]
EVERY_STEP: Steps = (None, None)


def assert_same_answers(
    one: TenantReader,
    two: TenantReader,
    *,
    queries: Sequence[RunQuery] = (),
    groups: Iterable[GroupQuery] = (),
    models: Sequence[ModelQuery] = (),
    steps: Sequence[Steps] = (EVERY_STEP,),
    writers: Iterable[str] = (),
    with_audit: bool = True,
) -> None:
    """Fails with the first question that is answered differently. Means may differ by rounding, buckets by their cut.

    `with_audit` only if both were told the same in the same order: what changes nothing leaves no audit row."""
    everything = RunQuery(lifecycle=None, limit=1_000)
    for query in (everything, *queries):
        assert one.list_runs(query) == two.list_runs(query), query
    for query in queries:
        assert_same_pages(one, two, query)
    for asked in groups:
        assert_same_groups(one.list_groups(asked), two.list_groups(asked), asked)
    assert_same_completions(one, two)
    assert one.count_runs() == two.count_runs()
    run_ids = [run.run_id for run in one.list_runs(everything).runs]
    assert one.find_run_ids("", 1_000) == two.find_run_ids("", 1_000) == sorted(run_ids)
    for mine, others in zip(one.get_details_of(run_ids), two.get_details_of(run_ids), strict=True):
        assert comparable_details(mine) == comparable_details(others)
        assert mine.run == two.get_run(mine.run.run_id)
        for name in mine.document_names:
            assert one.get_document(mine.run.run_id, name) == two.get_document(mine.run.run_id, name)
    for run_id, mine_of, others_of in zip(
        run_ids, one.list_summaries(run_ids), two.list_summaries(run_ids), strict=True
    ):
        assert [info.key for info in mine_of] == [info.key for info in others_of]
        for info, other in zip(mine_of, others_of, strict=True):
            assert_same_summary(info, other)
        series = sorted({(info.key.name, info.key.labels) for info in mine_of})
        assert_same_series(one, two, run_id, series, steps)
    assert one.list_dataset_uses(run_ids) == two.list_dataset_uses(run_ids)
    assert list(one.list_loose_files().items()) == list(two.list_loose_files().items())
    for run_id in run_ids:
        assert one.list_captures(run_id) == two.list_captures(run_id)
    assert one.get_captures_of(run_ids, ("code",)) == two.get_captures_of(run_ids, ("code",))
    assert_same_lineage(one, two, run_ids)
    assert_same_datasets(one.datasets(), two.datasets())
    for asked_models in (ModelQuery(lifecycle=None, limit=1_000), *models):
        assert_same_models(one, two, asked_models)
    for lifecycle in ("active", "deleted", None):
        assert one.list_experiments(lifecycle=lifecycle) == two.list_experiments(lifecycle=lifecycle)
    names = [experiment.name for experiment in one.list_experiments(lifecycle=None).experiments]
    assert one.list_datasets(names) == two.list_datasets(names)
    for experiment in one.list_experiments(lifecycle=None).experiments:
        assert two.get_experiment(experiment.experiment_id) == two.find_experiment(experiment.name) == experiment
    for writer in writers:
        assert one.find_cursor(writer) == two.find_cursor(writer)
    if with_audit:
        assert one.list_audit() == two.list_audit()
        assert one.find_chain_head() == two.find_chain_head()


def assert_same_pages(one: TenantReader, two: TenantReader, query: RunQuery) -> None:
    """Page after page: the same tokens lead through either store, and the pages add up to the answer in one piece."""
    paged = replace(query, offset=0, limit=2)
    found = []
    for _ in range(1_000):
        mine, other = one.list_runs(paged), two.list_runs(paged)
        assert mine == other, paged
        found += mine.runs
        if mine.next_token is None:
            break
        paged = replace(paged, after=mine.next_token)
    assert found == one.list_runs(replace(query, offset=0, limit=2_000)).runs, query


def assert_same_lineage(one: TenantReader, two: TenantReader, run_ids: Sequence[str]) -> None:
    """Around each run and each dataset, whole and within bounds."""
    for run_id, uses in zip(run_ids, one.list_dataset_uses(run_ids), strict=True):
        things = [LineageQuery(run_id, "run"), LineageQuery(run_id, "run", depth=2, limit=4)]
        things += [LineageQuery(f"{use.dataset.name}@{use.dataset.digest}", "dataset") for use in uses]
        for asked in things:
            assert one.find_lineage(asked) == two.find_lineage(asked), asked


def assert_same_datasets(one: DatasetReader, two: DatasetReader) -> None:
    """Each name, its versions, uses and model versions; in pages, too."""
    orders: tuple[NameOrder, ...] = ("name", "last_used")
    for order in orders:
        names = one.list_names(NamesQuery(order=order, limit=1_000))
        assert names == two.list_names(NamesQuery(order=order, limit=1_000))
    for dataset in names.datasets:
        versions = one.list_versions(VersionsQuery(dataset.name, limit=1_000))
        assert versions == two.list_versions(VersionsQuery(dataset.name, limit=1_000))
        for digest in (None, *(version.dataset.digest for version in versions.versions)):
            asked = UsesQuery(dataset.name, digest, 1_000)
            uses = one.list_uses(asked)
            assert uses == two.list_uses(asked) and one.list_made(asked) == two.list_made(asked)
            if digest is not None:
                assert one.get_version(dataset.name, digest) == two.get_version(dataset.name, digest)
            half = replace(asked, limit=max(1, len(uses.uses) // 2))
            page = one.list_uses(half)
            assert page == two.list_uses(half)
            if page.next_token is not None:
                rest = replace(asked, after=page.next_token)
                assert one.list_uses(rest) == two.list_uses(rest)
                assert [*page.uses, *one.list_uses(rest).uses] == uses.uses


def assert_same_models(one: TenantReader, two: TenantReader, query: ModelQuery) -> None:
    """Page after page; the pages add up to the answer in one piece."""
    paged = replace(query, limit=2)
    found = []
    for _ in range(1_000):
        mine, other = one.list_logged_models(paged), two.list_logged_models(paged)
        assert list(map(comparable_model, mine.models)) == list(map(comparable_model, other.models)), paged
        assert mine.next_token == other.next_token, paged
        found += mine.models
        if mine.next_token is None:
            break
        paged = replace(paged, after=mine.next_token)
    whole = one.list_logged_models(replace(query, limit=2_000)).models
    assert list(map(comparable_model, found)) == list(map(comparable_model, whole)), query
    for model in found:
        assert comparable_model(two.get_logged_model(model.model_id)) == comparable_model(model)


def comparable_model(model: LoggedModel) -> tuple[LoggedModel, list[tuple[Any, ...]]]:
    return replace(model, metrics=()), [_comparable_metric(metric) for metric in model.metrics]


def _comparable_metric(metric: ModelMetric) -> tuple[Any, ...]:
    return metric._replace(value=0, step=0), _bits(metric.value), _number(metric.step)


def assert_same_groups(one: GroupPage, two: GroupPage, query: GroupQuery) -> None:
    """Means and deviations may differ by rounding."""
    assert one.total == two.total, query
    for mine, other in zip(one.groups, two.groups, strict=True):
        assert list(map(typed_text, mine.values)) == list(map(typed_text, other.values)), query
        assert (mine.run_count, mine.run_ids) == (other.run_count, other.run_ids), query
        assert list(mine.aggregates) == list(other.aggregates) == list(dict.fromkeys(query.metrics))
        for field, spread in mine.aggregates.items():
            assert_same_spread(spread, other.aggregates[field])


def assert_same_spread(one: Spread, two: Spread) -> None:
    assert (one.count, one.min, one.max) == (two.count, two.min, two.max), (one, two)
    assert (one.mean is None, one.std is None) == (two.mean is None, two.std is None), (one, two)
    # Halved, so that the distance of the largest numbers is a number.
    scale = max(abs(one.min or 0) / 2, abs(one.max or 0) / 2)
    for mine, other in ((one.mean, two.mean), (one.std, two.std)):
        if mine is not None and other is not None and mine != other:
            assert abs(mine / 2 - other / 2) <= scale * 1e-7, (one, two)


def assert_same_completions(one: TenantReader, two: TenantReader) -> None:
    kinds: tuple[Kind, ...] = ("attribute", "param", "metric", "tag", "json", "dataset", "git")
    for kind in kinds:
        names = one.list_names(kind, limit=10_000)
        others = two.list_names(kind, limit=10_000)
        # A store may also know names that only deleted runs have, or had.
        assert set(names) <= set(others) and others == sorted(set(others)), kind
        for name in names[:3]:
            assert two.list_names(kind, name[:1], 10_000) == [one for one in others if one.startswith(name[:1])]
            if kind != "metric":
                field = Field(kind, name)
                for prefix in ("", "1"):
                    assert one.list_values(field, prefix) == two.list_values(field, prefix), (field, prefix)


def comparable_details(details: RunDetails) -> dict[str, Any]:
    """Values with their type, so that 1 is not 1.0, and NaN equals NaN."""
    given = asdict(replace(details, params={}, conflicts=[]))
    given["params"] = [(name, typed_text(value)) for name, value in details.params.items()]
    given["conflicts"] = [
        (c.attempt_id, c.name, typed_text(c.kept), typed_text(c.refused), c.stamp) for c in details.conflicts
    ]
    return given


def assert_same_summary(one: SeriesInfo, two: SeriesInfo) -> None:
    assert comparable_summary(one.summary) == comparable_summary(two.summary), (one, two)
    means = one.summary.mean, two.summary.mean
    if None in means or not all(math.isfinite(mean or 0) for mean in means):
        # Which infinity or NaN a sum of huge numbers becomes depends on their order.
        assert (means[0] is None) == (means[1] is None)
        return
    spread = max(abs(one.summary.min or 0), abs(one.summary.max or 0))
    assert math.isclose(means[0] or 0, means[1] or 0, rel_tol=1e-9, abs_tol=float(spread) * 1e-9), (one, two)


def comparable_summary(summary: Summary) -> list[str]:
    """Bit-exact, but for the mean, the sign of a zero in min and max, and the type of a step where both were logged."""
    numbers = asdict(replace(summary, mean=None))
    if isinstance(summary.last_step, float) and summary.last_step.is_integer():
        numbers["last_step"] = int(summary.last_step)
    for name in ("min", "max"):
        numbers[name] = numbers[name] or (abs(numbers[name]) if numbers[name] is not None else None)
    return [f"{name}: {_bits(value)}" for name, value in numbers.items()]


def _bits(value: float | int | None) -> str:
    return np.float64(value).tobytes().hex() if isinstance(value, float) else repr(value)


def assert_same_series(
    one: TenantReader, two: TenantReader, run_id: str, series: Sequence[SeriesName], steps: Sequence[Steps]
) -> None:
    for low, high in steps:
        wanted = [(run_id, name) for name in series]
        summed = [
            reader.read_buckets(wanted, 7, step_min=low, step_max=high) if wanted else [] for reader in (one, two)
        ]
        for place, (name, labels) in enumerate(series):
            pieces = one.read_points(run_id, name, labels, step_min=low, step_max=high)
            assert_same_pieces(pieces, two.read_points(run_id, name, labels, step_min=low, step_max=high))
            for answer in summed:
                assert_sums_up(answer[place], pieces, 7)


def assert_same_pieces(one: list[Piece], two: list[Piece]) -> None:
    assert [piece[:3] for piece in one] == [piece[:3] for piece in two]
    for mine, other in zip(one, two, strict=True):
        assert_same_columns(mine.columns, other.columns)


def assert_same_columns(one: Columns, two: Columns) -> None:
    """Bit for bit; where steps of both types were logged, number for number."""
    for name in ("seq", "step", "time_ms", "value"):
        mine, other = getattr(one, name), getattr(two, name)
        if name == "step" and (mine.dtype != other.dtype or mine.dtype == object):
            assert list(map(_number, mine.tolist())) == list(map(_number, other.tolist()))
        else:
            assert mine.dtype == other.dtype and mine.tobytes() == other.tobytes(), (name, mine, other)


def _number(value: float | int) -> float | int | None:
    return None if value != value else value


def assert_sums_up(summed: list[BucketPiece], pieces: list[Piece], max_points: int) -> None:
    """Buckets say of the points what is true of them; how they are cut is the store's business."""
    assert [piece[:3] for piece in summed] == [piece[:3] for piece in pieces]
    for piece, points in zip(summed, pieces, strict=True):
        buckets, columns = piece.buckets, points.columns
        assert 1 <= len(buckets) <= max_points
        assert int(buckets.count.sum()) == len(columns)
        nans = np.isnan(columns.value)
        assert int(buckets.nan_count.sum()) == int(nans.sum())
        assert buckets.first[:1].tobytes() == columns.value[:1].tobytes()
        assert buckets.last[-1:].tobytes() == columns.value[-1:].tobytes()
        if not nans.all():
            assert np.nanmin(buckets.min) == np.nanmin(columns.value)
            assert np.nanmax(buckets.max) == np.nanmax(columns.value)
        assert buckets.time_min.min() == columns.time_ms.min() and buckets.time_max.max() == columns.time_ms.max()


def assert_no_run(reader: TenantReader, run_id: str) -> None:
    try:
        reader.get_run(run_id)
    except NotFound as error:
        assert error.field == "run_id"
    else:
        raise AssertionError(f"there is a run {run_id}")
