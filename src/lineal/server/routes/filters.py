from __future__ import annotations

from typing import Any

from lineal.model.errors import InvalidInput
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import filter_of, order_of
from lineal.server.shapes.fields import CheckFilter, FilterChecked


def check_filter(context: Context, asked: Asked[Any, CheckFilter]) -> FilterChecked:
    """Says where a filter is wrong while it is typed. No problem: half a filter is nobody's mistake, and browsers log those."""
    try:
        filter_of(asked.body.filter)
        order_of(asked.body.order_by)
    except InvalidInput as error:
        return FilterChecked(False, error.message, error.field, error.position, error.expected)
    return FilterChecked(True)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/filter/check",
        check_filter,
        "Whether a filter is understood",
        FilterChecked,
        body=CheckFilter,
        access="reader",
    ),
)
