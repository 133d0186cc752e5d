"""Refusals as MLflow's clients read them: a JSON object with `error_code` and `message`, under the status of the code."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from lineal.model.errors import Busy, Conflict, InvalidInput, LinealError, NotFound, NotWritable
from lineal.server.endpoint import Dialect
from lineal.server.errors import Refused, problem_of

INVALID = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"
STATE = "INVALID_STATE"

# 500s are asked again for minutes, so what a user can do wrong has another one.
_STATUS = {
    INVALID: 400,
    "BAD_REQUEST": 400,
    EXISTS: 400,
    MISSING: 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
    STATE: 400,
}
_OF_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: MISSING,
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
_SIGN_IN = (
    "no token that counts, or a wrong password: set MLFLOW_TRACKING_TOKEN=lnl_..., or MLFLOW_TRACKING_USERNAME and"
    " MLFLOW_TRACKING_PASSWORD"
)
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class MlflowError(LinealError):
    """A refusal in MLflow's own words."""

    def __init__(self, message: str, code: str = INVALID) -> None:
        super().__init__(message)
        self.error_code = code


def missing_value(name: str) -> MlflowError:
    return MlflowError(f"Missing value for required parameter '{name}'.")


def invalid_value(name: str, value: object, said: str = "") -> MlflowError:
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)[:1_000]
    return MlflowError(f"Invalid value {shown} for parameter '{name}' supplied{': ' + said if said else '.'}")


def refusal(error: Exception) -> Response:
    code, message, status = _said(error)
    headers = dict(_HEADERS)
    if not isinstance(error, MlflowError):
        headers |= problem_of(error)[1]
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="lineal", Bearer realm="lineal"'
    return Response(
        json.dumps({"error_code": code, "message": message}), status, headers, media_type="application/json"
    )


def _said(error: Exception) -> tuple[str, str, int]:
    """Code, message and status."""
    code: str
    if isinstance(error, MlflowError):
        return error.error_code, error.message, _STATUS[error.error_code]
    if isinstance(error, Refused):
        if error.status == 401:
            return _OF_STATUS[401], _SIGN_IN, 401
        return _OF_STATUS.get(error.status, "BAD_REQUEST"), error.detail, error.status
    if isinstance(error, InvalidInput):
        code = INVALID
    elif isinstance(error, NotFound):
        code = MISSING
    elif isinstance(error, Conflict):
        code = "RESOURCE_CONFLICT"
    elif isinstance(error, Busy | NotWritable):
        code = "TEMPORARILY_UNAVAILABLE"
    else:
        code = "INTERNAL_ERROR"
    return code, problem_of(error)[0].detail or "", _STATUS[code]


DIALECT = Dialect(refusal, tenant_header="X-MLFLOW-WORKSPACE")


def not_here(what: str) -> MlflowError:
    """What a client takes for a server that does not know it yet, and does without where it can."""
    return MlflowError(f"{what} is not served here: docs/mlflow.md says what is", "ENDPOINT_NOT_FOUND")


Json = dict[str, Any]
