"""Every endpoint there is. The first path that fits counts, so fixed ones come before those with a name in them."""

from __future__ import annotations

from collections.abc import Iterable

from lineal.server.endpoint import Endpoint
from lineal.server.routes import (
    artifacts,
    audit,
    blobs,
    captures,
    changes,
    compare,
    console,
    datasets,
    details,
    diff,
    experiment_changes,
    experiment_runs,
    experiments,
    fields,
    filters,
    groups,
    health,
    journals,
    lineage,
    live,
    log_artifact,
    logging,
    members,
    metrics,
    model_changes,
    model_why,
    models,
    pieces,
    prometheus,
    run,
    search,
    series,
    session,
    stop,
    tokens,
    users,
    webhooks,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *health.ENDPOINTS,
    *audit.ENDPOINTS,
    *prometheus.ENDPOINTS,
    *compare.ENDPOINTS,
    *metrics.ENDPOINTS,
    *artifacts.ENDPOINTS,
    *blobs.ENDPOINTS,
    *experiment_runs.ENDPOINTS,
    *logging.ENDPOINTS,
    *log_artifact.ENDPOINTS,
    *experiments.ENDPOINTS,
    *experiment_changes.ENDPOINTS,
    *journals.ENDPOINTS,
    *lineage.ENDPOINTS,
    *datasets.ENDPOINTS,
    *search.ENDPOINTS,
    *groups.ENDPOINTS,
    *series.ENDPOINTS,
    *pieces.ENDPOINTS,
    *stop.ENDPOINTS,
    *details.ENDPOINTS,
    *diff.ENDPOINTS,
    *changes.ENDPOINTS,
    *filters.ENDPOINTS,
    *fields.ENDPOINTS,
    *live.ENDPOINTS,
    *console.ENDPOINTS,
    *run.ENDPOINTS,
    *captures.ENDPOINTS,
    *models.ENDPOINTS,
    *model_why.ENDPOINTS,
    *model_changes.ENDPOINTS,
    *session.ENDPOINTS,
    *tokens.ENDPOINTS,
    *members.ENDPOINTS,
    *users.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


def by_path(endpoints: Iterable[Endpoint]) -> dict[str, dict[str, Endpoint]]:
    """Path -> method -> endpoint, paths in order."""
    found: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        of_path = found.setdefault(endpoint.path, {})
        assert endpoint.method not in of_path, endpoint.path
        of_path[endpoint.method] = endpoint
    return found
