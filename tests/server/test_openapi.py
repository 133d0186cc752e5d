"""The document is valid, complete, and lies beside the code as the page's types are made from it."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
from openapi_spec_validator import validate

from lineal.server import app, openapi, shapes
from lineal.server.route_table import ENDPOINTS
from lineal.server.settings import Settings
from tests.server.conftest import json_of
from tests.server.contract import DOCUMENT

COPY = Path(openapi.__file__).parent / "openapi.json"
FINITE = {"Run.duration_seconds", "RunRow.duration_seconds", "RunDetail.duration_seconds", "RunEnded.duration_seconds"}
FINITE |= {"MakingRun.duration_seconds"}
ASKED = {"AskMetric"}


def test_it_is_openapi_3_1() -> None:
    validate(DOCUMENT)


def test_every_route_that_is_served_is_in_it_and_the_reverse(tmp_path: Path) -> None:
    made = app.make_app(None, None, Settings(1, tmp_path))  # type: ignore[arg-type]
    served = {
        (method, openapi.openapi_path(route.path))  # type: ignore[attr-defined]
        for route in made.routes
        for method in getattr(route, "methods", None) or ()
        if route.path.startswith("/api/v1/") and method != "HEAD"  # type: ignore[attr-defined]
    }
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served == documented
    assert len(served) == len(ENDPOINTS) > 20


def test_the_copy_that_the_page_is_built_from_is_the_one_served(client: httpx.Client) -> None:
    if os.environ.get("LINEAL_TEST_WRITE_DOCS"):
        COPY.write_bytes(openapi.openapi_json())
    assert client.get("/api/openapi.json").content == COPY.read_bytes(), (
        "write it: LINEAL_TEST_WRITE_DOCS=1 pytest tests/server/test_openapi.py"
    )


def test_every_operation_says_what_it_is_for() -> None:
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert all(operation["summary"] for operation in operations)
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)


def structs() -> list[type[msgspec.Struct]]:
    found: list[type[msgspec.Struct]] = []
    for module in pkgutil.iter_modules(shapes.__path__, f"{shapes.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct:
                found.append(value)
    return found


def test_no_answer_has_a_number_that_an_encoder_would_make_null_of() -> None:
    """msgspec writes a float NaN as null without a word: answers hold `Number`, whose NaN is a string."""

    def bare(kind: Any) -> bool:
        if isinstance(kind, msgspec.inspect.UnionType):
            options = {type(option) for option in kind.types}
            strings = {msgspec.inspect.LiteralType, msgspec.inspect.StrType}
            return msgspec.inspect.FloatType in options and not options & strings
        if isinstance(kind, msgspec.inspect.Metadata):
            return bare(kind.type)
        inner = [getattr(kind, name) for name in ("item_type", "value_type") if hasattr(kind, name)]
        return isinstance(kind, msgspec.inspect.FloatType) or any(bare(one) for one in inner)

    found = {
        f"{struct.__name__}.{field.name}"
        for struct in structs()
        if struct.__name__ not in ASKED
        for field in msgspec.inspect.type_info(struct).fields  # type: ignore[attr-defined]
        if bare(field.type)
    }
    assert found == FINITE


def test_no_answer_names_a_place_on_the_disk(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    for answer in (client.get("/api/v1/health"), client.get("/api/v1/runs/none"), client.get("/api/v1/live?after=x")):
        assert str(folder.parent) not in answer.text
    assert json_of(client.get("/api/v1/health"))["folder"] == folder.name
    assert not re.search(r"/(home|tmp)/", COPY.read_text(encoding="utf-8"))
