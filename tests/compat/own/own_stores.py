"""REST stores that take what MLflow's SQL store suites say to SQL stores. What a REST store has no word for fails, at a stock
server as here, and so is no part of the comparison."""

from __future__ import annotations

import functools
import re
from typing import Any

from mlflow.entities import ViewType, _DatasetSummary
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.store.entities import PagedList
from mlflow.store.model_registry.rest_store import RestStore as RestRegistryStore
from mlflow.store.tracking import SEARCH_MAX_RESULTS_DEFAULT
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.rest_utils import MlflowHostCreds, http_request


class TrackingStore(RestStore):
    def __init__(self, url: str) -> None:
        super().__init__(lambda: MlflowHostCreds(url))

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: list[Any] | None, run_name: str
    ) -> Any:
        return super().create_run(experiment_id, user_id, start_time, tags or [], run_name)

    def log_batch(self, run_id: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
        super().log_batch(run_id, metrics or [], params or [], tags or [])

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = SEARCH_MAX_RESULTS_DEFAULT,
        *given: Any,
        **named: Any,
    ) -> Any:
        return super().search_experiments(view_type, max_results, *given, **named)

    def _search_datasets(self, experiment_ids: list[str]) -> list[Any]:
        """The dashboard's address; the client has no method for it."""
        answer = http_request(
            self.get_host_creds(),
            "/ajax-api/2.0/mlflow/experiments/search-datasets",
            "POST",
            json={"experiment_ids": experiment_ids},
        )
        answer.raise_for_status()
        return [_DatasetSummary(**summary) for summary in answer.json().get("dataset_summaries", [])]


# A server refuses a version whose source is a path of its own disk, unless the run that it belongs to is there; a SQL store
# takes anything. So sources are sent with a scheme, and come back without it.
SCHEME = "s3://suite/"
_SOURCE = re.compile(r"(source_path\s*(?:=|!=|LIKE|ILIKE)\s*['\"])(?!%)", re.IGNORECASE)


def _plain(value: Any) -> Any:
    """The entity as a SQL store would have given it: over the wire a missing text and an empty one are the same, and versions are texts."""
    if isinstance(value, PagedList):
        return PagedList([_plain(one) for one in value], value.token or None)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return value.removeprefix(SCHEME)
    if isinstance(value, ModelVersion):
        value._source = (value.source or "").removeprefix(SCHEME) or None
        value._version = int(value.version)
    if isinstance(value, ModelVersion | RegisteredModel):
        value._description = value.description or None
    if isinstance(value, RegisteredModel):
        value._latest_version = _plain(value.latest_versions)
        value._aliases = {alias: int(version) for alias, version in value.aliases.items()}
    return value


class RegistryStore(RestRegistryStore):
    def __init__(self, url: str) -> None:
        super().__init__(lambda: MlflowHostCreds(url))

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not callable(found) or name.startswith("_"):
            return found

        @functools.wraps(found)
        def spoken(*given: Any, **named: Any) -> Any:
            if isinstance(named.get("max_results"), float):
                named["max_results"] = int(named["max_results"])
            return _plain(found(*given, **named))

        return spoken

    def create_model_version(self, name: str, source: str, *given: Any, **named: Any) -> Any:
        remote = source if source is None or ":" in source else SCHEME + source
        return super().create_model_version(name, remote, *given, **named)

    def search_model_versions(self, filter_string: str | None = None, *given: Any, **named: Any) -> Any:
        sent = filter_string and _SOURCE.sub(rf"\g<1>{SCHEME}", filter_string)
        return super().search_model_versions(sent, *given, **named)
