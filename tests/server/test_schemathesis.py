"""Requests that schemathesis makes up from the OpenAPI document, right ones and wrong ones, against the real server.

It holds every answer against the document: no 5xx, only statuses, media types, headers and shapes that are described, and what
the document forbids is refused. The same requests in each `make test`; more and other ones in `make torture`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of, sqlite_place
from tests.server.contract import DOCUMENT
from tests.server.hosting import hosting, new_run

THOROUGH = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
EXAMPLES = 300 if THOROUGH else 12
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
# Of a wrong request. A text in a header or an address is any text: a number sent as one is right there.
STRICT: list[Any] = [*CHECKS, negative_data_rejection]
SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT)))
OPERATIONS = [
    (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if path != "/api/v1/live"  # an answer that does not end
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """With something to find: a run of each kind of content."""
    place: Path = tmp_path_factory.mktemp("srv")
    with HostedSource(sqlite_place(place).url) as source, hosting(source) as client:
        run = f"/experiments/runs/{new_run(client, run_id='known')}"
        new_run(client, run_id="other")
        json_of(client.post(f"{run}/log-metrics", json={"metrics": {"a": 1}, "step": 1}))
        json_of(client.post(f"{run}/log-params", json={"params": {"p": 1}}))
        json_of(client.post(f"{run}/log-artifact", files={"file": ("known", b"hello")}))
        json_of(client.post("/models/a/versions", json={"signature": {"x": 1}}), 201)
        json_of(client.put("/models/a/aliases/champion", json={"version": 1}))
        experiment = json_of(client.get("/experiments"))["experiments"][0]["id"]
        known = {"run_id": "known", "experiment_id": experiment, "name": "a", "path": "known"}
        yield client, {**known, "version": "1", "alias": "champion"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_it_makes_up_is_answered_as_described(
    server: tuple[httpx.Client, dict[str, str]], method: str, path: str, mode: GenerationMode
) -> None:
    operation = SCHEMA[path][method]
    if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
        pytest.skip("nothing of it can be wrong")
    ask(server, operation, mode)


def test_a_document_that_is_not_true_is_found_out(server: tuple[httpx.Client, dict[str, str]]) -> None:
    """Else the tests above could not fail."""
    untrue = json.loads(json.dumps(DOCUMENT))
    del untrue["paths"]["/api/v1/experiments/{experiment_id}"]["get"]["responses"]["404"]
    shape = untrue["components"]["schemas"]["ExperimentsPage"]
    shape["properties"]["total"] = {"type": "string"}
    schema = schemathesis.openapi.from_dict(untrue)
    for path in ("/api/v1/experiments/{experiment_id}", "/api/v1/experiments"):
        with pytest.raises(BaseExceptionGroup):
            ask(server, schema[path]["GET"], GenerationMode.POSITIVE)


def ask(server: tuple[httpx.Client, dict[str, str]], operation: Any, mode: GenerationMode) -> None:
    client, known = server
    base = str(client.base_url).partition("/api/")[0]

    @settings(
        max_examples=EXAMPLES,
        phases=(Phase.generate,) if not THOROUGH else tuple(Phase),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.sampled_from([True, True, False]))
    def each(case: Any, is_known: bool) -> None:
        if is_known and mode is GenerationMode.POSITIVE:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            if isinstance(case.body, dict) and "run_ids" in case.body:
                case.body["run_ids"] = ["known", "other"]
        answer = case.call(base_url=base, timeout=30)
        case.validate_response(answer, checks=CHECKS if mode is GenerationMode.POSITIVE else STRICT)

    each()


def _can_be_wrong(operation: Any) -> bool:
    return bool(operation.body) or any(True for _ in operation.query) or any(True for _ in operation.path_parameters)
