"""What attempts recorded by themselves of their circumstances."""

from __future__ import annotations

from lineal.model.limits import CAPTURES_ANSWER_MAX_BYTES
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import captures as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.run_view import iso_time


def list_captures(context: Context, asked: Asked[shapes.AskCaptures, None]) -> shapes.CapturesList:
    """Command, code, environment, hardware ... as the run's attempts recorded them."""
    wanted = asked.query
    found = [
        one
        for one in context.reader.list_captures(context.full_id(asked.path["run_id"]))
        if wanted.part in (None, one.part) and wanted.attempt in (None, one.attempt_id)
    ]
    answer: list[shapes.Capture] = []
    size_bytes = 0
    for one in found[wanted.offset :]:
        size_bytes += len(one.json_text)
        if answer and size_bytes > CAPTURES_ANSWER_MAX_BYTES:
            break
        answer.append(shapes.Capture(one.attempt_id, one.part, one.digest, iso_time(one.said_ms), plain(one.content)))
    return shapes.CapturesList(answer, len(found))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/runs/{run_id}/captures",
        list_captures,
        "What a run recorded of its circumstances",
        shapes.CapturesList,
        query=shapes.AskCaptures,
        refusals=(404,),
        access="reader",
    ),
)
