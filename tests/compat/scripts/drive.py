"""Runs scripts with a real MLflow client against the server that MLFLOW_TRACKING_URI names, then reads everything back.

    python drive.py OUT SCRIPT ...

A script has `main(say)`; `say(name, value)` keeps an answer. OUT takes one JSON object: what was said, what the client found
on the server afterwards (`read_back.py`), which functions of the client were called and which addresses were asked."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import math
import os
import re
import sys
import tempfile
import time
import traceback
import urllib.parse
import warnings
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import mlflow
import read_back
import requests
from mlflow import MlflowClient
from mlflow.entities._mlflow_object import _MlflowObject
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

BASE = os.environ["MLFLOW_TRACKING_URI"]
asked: set[str] = set()
called: set[str] = set()
offered: set[str] = set()


def plain(value: Any) -> Any:
    """As JSON, with everything that the client shows of it."""
    if isinstance(value, PagedList):
        return {"page": [plain(one) for one in value], "more": bool(value.token)}
    if isinstance(value, MlflowException):
        return {"refused": value.error_code}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in (sorted(value) if isinstance(value, set) else value)]
    if isinstance(value, _MlflowObject):
        return {key: plain(one) for key, one in value}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | int | float | bool | None):
        return value
    if hasattr(value, "to_dictionary"):
        return plain(value.to_dictionary())
    return repr(value)


def refusal(call: Callable[[], Any]) -> Any:
    """The error that a call ends with, or what it answered, which is one, too."""
    try:
        return {"not refused": plain(call())}
    except MlflowException as error:
        return error
    except requests.HTTPError as error:
        return {"refused": error.response.status_code}


def _watch() -> None:
    send = requests.Session.send

    def seen(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path = urllib.parse.urlsplit(request.url or "").path.removeprefix(urllib.parse.urlsplit(BASE).path)
        path = re.sub(r"/((m-)?[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", "/{id}", path)
        path = re.sub(r"(mlflow-artifacts/artifacts|artifacts/directories|tags)/.+", r"\1/{name}", path)
        asked.add(f"{request.method} {path.replace('/ajax-api/', '/api/')}")
        return send(session, request, **options)

    requests.Session.send = seen  # type: ignore[method-assign]
    _count(MlflowClient, "client")
    _count(mlflow, "fluent")


def _count(place: Any, word: str) -> None:
    for name in dir(place):
        function = getattr(place, name)
        held = inspect.getattr_static(place, name)
        if name.startswith("_") or isinstance(held, type | staticmethod | classmethod) or not callable(function):
            continue

        offered.add(f"{word} {name}")

        @functools.wraps(function)
        def counted(*given: Any, _name: str = name, _call: Any = function, **named: Any) -> Any:
            called.add(f"{word} {_name}")
            return _call(*given, **named)

        setattr(place, name, counted)


def main() -> None:
    warnings.simplefilter("ignore")
    _watch()
    out, *scripts = sys.argv[1:]
    said: dict[str, Any] = {}
    broke: dict[str, str] = {}
    began = time.time()
    for script in scripts:
        answers: dict[str, Any] = said.setdefault(script, {})
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            try:
                importlib.import_module(script).main(
                    lambda name, value, answers=answers: answers.update({name: plain(value)})
                )
            except Exception:
                broke[script] = traceback.format_exc()
            finally:
                while mlflow.active_run():
                    mlflow.end_run()
                os.chdir("/")
    found = {
        "client": mlflow.__version__,
        "began_ms": int(began * 1000),
        "said": said,
        "broke": broke,
        "kept": plain(read_back.everything()),
        "ended_ms": int(time.time() * 1000),
        "called": sorted(called),
        "offered": sorted(offered),
        "asked": sorted(asked),
    }
    Path(out).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.modules["drive"] = sys.modules["__main__"]  # scripts take `refusal` from here
    main()
