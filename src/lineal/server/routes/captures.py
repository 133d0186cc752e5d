"""What attempts recorded by themselves of their circumstances."""

from __future__ import annotations

from lineal.model.limits import CAPTURES_ANSWER_MAX_BYTES
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import captures as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.captures import CaptureQuery
from lineal.store.run_view import iso_time


def list_captures(context: Context, asked: Asked[shapes.AskCaptures, None]) -> shapes.CapturesList:
    """Command, code, environment, hardware ... as the run's attempts recorded them."""
    wanted = asked.query
    page = context.reader.read_captures(
        context.full_id(asked.path["run_id"]),
        CaptureQuery(wanted.part, wanted.attempt, wanted.offset, CAPTURES_ANSWER_MAX_BYTES),
    )
    answer = [
        shapes.Capture(one.attempt_id, one.part, one.digest, iso_time(one.said_ms), plain(one.content))
        for one in page.captures
    ]
    return shapes.CapturesList(answer, page.total)


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
