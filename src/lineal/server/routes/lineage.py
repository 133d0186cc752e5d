"""What led to what."""

from __future__ import annotations

import msgspec

from lineal.model.lineage_graph import LineageQuery
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.lineage import AskLineage, Lineage
from lineal.store.lineage_view import lineage_dict


def get_lineage(context: Context, asked: Asked[AskLineage, None]) -> Lineage:
    """Around a run, a dataset, an artifact, a logged model or a model version: what led to it, and what it led to. Datasets lead to the
    runs that used them, runs to the artifacts and logged models that they made, these to versions of registered models and to the runs
    that took them; and artifacts to a dataset that has the same content, where they were there first. Runs lead to their children, forks
    and reproductions."""
    query = asked.query
    return msgspec.convert(
        lineage_dict(
            context.reader.find_lineage(
                LineageQuery(
                    query.id,
                    query.kind,
                    up=query.direction != "down",
                    down=query.direction != "up",
                    depth=query.depth,
                    limit=query.limit,
                )
            )
        ),
        Lineage,
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/lineage",
        get_lineage,
        "What led to a thing, and what it led to",
        Lineage,
        AskLineage,
        refusals=(404,),
        access="reader",
    ),
)
