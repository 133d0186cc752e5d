"""ExperimentTracker: experiments and runs through one object, with string params and dictionaries as answers.

from lineal import ExperimentTracker, RunConfig

tracker = ExperimentTracker()
with tracker.start_run(experiment_name="fraud-detection-v3", run_config=RunConfig(run_name="baseline")) as run:
    run.log_params({"learning_rate": 0.01})
    run.log_metrics({"train_loss": 0.3}, step=0)
tracker.search_runs(experiment_names=["fraud-detection-v3"], filter_string="metrics.train_loss < 0.5")
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lineal import api

if TYPE_CHECKING:
    from lineal.api import LocalStore, LoggedRun


@dataclass(frozen=True)
class ExperimentConfig:
    """What an experiment is made with."""

    name: str
    description: str = ""
    tags: Mapping[str, Any] = field(default_factory=dict)
    artifact_location: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True)
class RunConfig:
    """What a run is started with. `job_id` is kept as the tag "job_id"."""

    run_name: str | None = None
    tenant_id: str | None = None
    user_id: str | None = None
    job_id: str | None = None
    description: str = ""
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunMetrics:
    """Metrics of one step; accepted wherever `log_metrics` takes a dict. `timestamp` is in ms since the epoch."""

    metrics: Mapping[str, float]
    step: int | None = None
    timestamp: int | None = None


class ActiveRun:
    """A started run; ends with the `with` block, or by `ExperimentTracker.end_run`."""

    def __init__(self, run: api.Run) -> None:
        self._run = run

    @property
    def run_id(self) -> str:
        return self._run.run_id

    @property
    def run(self) -> api.Run:
        """The same run with all that Lineal can do."""
        return self._run

    def log_params(self, params: Any) -> None:
        self._run.log_params(params)

    def log_param(self, key: str, value: Any) -> None:
        self._run.log_param(key, value)

    def log_metrics(
        self, metrics: Mapping[str, Any] | RunMetrics, step: int | None = None, timestamp: int | None = None
    ) -> None:
        """Records metrics at a step; see `Run.log`. Arguments beat what a RunMetrics carries."""
        if isinstance(metrics, RunMetrics):
            step = metrics.step if step is None else step
            timestamp = metrics.timestamp if timestamp is None else timestamp
            metrics = metrics.metrics
        self._run.log(metrics, step, timestamp=timestamp)

    def log_metric(self, key: str, value: Any, step: int | None = None, timestamp: int | None = None) -> None:
        self._run.log({key: value}, step, timestamp=timestamp)

    def log_artifact(self, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        self._run.log_artifact(local_path, artifact_path)

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        self._run.log_dict(dictionary, artifact_file)

    def log_text(self, text: str, artifact_file: str) -> None:
        self._run.log_text(text, artifact_file)

    def log_figure(self, figure: Any, artifact_file: str) -> None:
        self._run.log_figure(figure, artifact_file)

    def set_tag(self, key: str, value: Any) -> None:
        self._run.set_tag(key, value)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        self._run.set_tags(tags)

    def __enter__(self) -> ActiveRun:
        self._run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run.__exit__(kind, error, traceback)


class ExperimentTracker:
    """Experiments and runs of one Lineal folder.

    tracking_uri           folder to record in; found as `lineal.init` finds it without one
    default_artifact_root  `artifact_location` noted on experiments made without one of their own
    registry_uri           accepted for compatibility; the registry is in the same place

    Raises InvalidInput, NotFound and Conflict (`lineal.LinealError`) for what cannot be done."""

    def __init__(
        self,
        tracking_uri: str | os.PathLike[str] | None = None,
        default_artifact_root: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        self.tracking_uri = tracking_uri
        self.default_artifact_root = default_artifact_root
        self.registry_uri = registry_uri
        self._stores: dict[str, LocalStore] = {}
        self._active: dict[str, ActiveRun] = {}

    def create_experiment(self, config: ExperimentConfig) -> str:
        """The id of the new experiment. Raises Conflict if the name is in use."""
        store = self._store(config.tenant_id)
        if any(experiment.name == config.name for experiment in store.experiments()):
            raise api.Conflict(f"experiment {config.name!r} exists already", field="name")
        return api.set_experiment(
            config.name,
            description=config.description,
            artifact_location=config.artifact_location or self.default_artifact_root,
            tags={str(key): str(value) for key, value in config.tags.items()},
            url=self.tracking_uri,
            tenant=config.tenant_id,
        )

    def start_run(
        self, experiment_name: str | None = None, run_config: RunConfig | None = None, run_id: str | None = None
    ) -> ActiveRun:
        """Starts a run in that experiment, which is made if it is new."""
        config = run_config or RunConfig()
        tags = dict(config.tags)
        if config.job_id is not None:
            tags.setdefault("job_id", config.job_id)
        self._store(config.tenant_id)
        run = api.init(
            experiment_name,
            config.run_name,
            description=config.description or None,
            tags=tags,
            run_id=run_id,
            user_id=config.user_id,
            url=self.tracking_uri,
            tenant=config.tenant_id,
        )
        self._active = {run_id: known for run_id, known in self._active.items() if not known.run.finished}
        active = self._active[run.run_id] = ActiveRun(run)
        return active

    def end_run(self, run_id: str, status: Any = "finished") -> None:
        """Ends a run as finished, failed or killed."""
        active = self._active.pop(run_id, None)
        if active is not None:
            active.run.finish(status)
            return
        store, run = self._find(run_id)
        api.end_run(run.run_id, status, url=self.tracking_uri, tenant=store.named_tenant)

    def get_run(self, run_id: str) -> dict[str, Any]:
        """The run as GET /experiments/runs/{run_id} answers; params are strings."""
        return self._find(run_id)[1].to_dict()

    def get_metric_history(self, run_id: str, key: str) -> list[dict[str, Any]]:
        """Every point, in order of logging: key, value, timestamp (ms) and step. [] if the run has no such metric."""
        run = self._find(run_id)[1]
        try:
            history = run.history(key)
        except api.NotFound:
            return []
        columns = zip(history.value.tolist(), history.time_ms.tolist(), history.step.tolist(), strict=True)
        return [{"key": key, "value": value, "timestamp": time_ms, "step": step} for value, time_ms, step in columns]

    def search_runs(
        self,
        experiment_names: str | Sequence[str] | None = None,
        filter_string: str | None = "",
        max_results: int = 100,
        order_by: str | Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Runs that match, as `get_run` gives them: of the named experiments, in the first tenant (of those this tracker has
        used, then of the folder) that has one of them; without names, of the default tenant. `filter_string` is in MLflow's
        language or Lineal's, which includes it; `order_by` lists keys such as "metrics.val_accuracy DESC"."""
        store = self._store(None)
        names = [experiment_names] if isinstance(experiment_names, str) else experiment_names
        if names is not None:
            store = next((known for known in self._all_stores() if self._knows(known, names)), store)
        page = store.runs(filter_string or "", order_by=order_by, limit=max_results, experiments=names)
        return [run.to_dict() for run in page]

    @staticmethod
    def _knows(store: LocalStore, experiment_names: Sequence[str]) -> bool:
        return any(experiment.name in experiment_names for experiment in store.experiments())

    def compare_runs(self, run_ids: Sequence[str], metrics: str | Sequence[str] | None = None) -> dict[str, Any]:
        """2 to 100 runs side by side, as POST /experiments/runs/compare answers."""
        run_ids = [run_ids] if isinstance(run_ids, str) else run_ids
        if not 2 <= len(run_ids) <= 100:
            raise api.InvalidInput(f"run_ids has {len(run_ids)} entries; 2 to 100 can be compared", field="run_ids")
        return self._find(run_ids[0])[0].compare_dict(run_ids, metrics)

    def _store(self, tenant: str | None) -> LocalStore:
        store = api.open_store(self.tracking_uri, tenant=tenant)
        return self._stores.setdefault(store.tenant, store)

    def _all_stores(self) -> list[LocalStore]:
        """The tenants this tracker has used, then every other one of the folder."""
        first = self._store(None)
        for tenant in first.tenants():
            if tenant not in self._stores:
                self._stores[tenant] = first.of_tenant(tenant)
        return list(self._stores.values())

    def _find(self, run_id: str) -> tuple[LocalStore, LoggedRun]:
        for store in self._all_stores():
            try:
                return store, store.get_run(run_id)
            except api.NotFound:
                continue
        raise api.NotFound(f"no run {run_id!r} in {self._store(None).place}", field="run_id")
