"""What two servers kept of the same scripts, field by field. Ids, times of now and addresses of a server differ by nature: they
become words, and the same id becomes the same word wherever it stands. How long something took is left out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import python_of

SCRIPTS = Path(__file__).resolve().parent / "scripts"
BASIC = ["experiments", "runs", "files", "inputs", "registry"]
LOGGED_MODELS = ["logged_models", "models_without_runs"]  # of 3.x
WEBHOOKS = ["webhooks"]  # the same
MINUTE_MS = 60_000

_ID = re.compile(r"\b(m-)?[0-9a-f]{32}\b")
_UUID = re.compile(r"[0-9a-z][0-9a-f]{7}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # 2.x has images' begin with any letter
_INVENTED = re.compile(r"^[a-z]+-[a-z]+-\d{1,4}$")
_ROOT = re.compile(r"(mlflow-artifacts:/)(\d+)")
_MOMENT = re.compile(r"\b\d{13}\b")
_CLOCK = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")
_DURATION = re.compile(r"_(fit_time|score_time|runtime|per_second)$")
_SERVER = re.compile(r"http://127\.0\.0\.1:\d+(/t/[a-z0-9]+)?")
_PLACE = re.compile(r"/tmp/[\w./-]*")


def drive(environment: str, url: str, scripts: list[str], limit_s: int = 900) -> dict[str, Any]:
    """Runs the scripts with a client's environment against a server."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "found.json"
        settings = {
            "MLFLOW_TRACKING_URI": url,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_LOGGED_MODELS_TRACE_LOGGING": "false",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",
            "HF_HUB_OFFLINE": "1",
        }
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LINEAL_", "MLFLOW_"))
        }
        command = [str(python_of(environment)), str(SCRIPTS / "drive.py"), str(out), *scripts]
        done = subprocess.run(
            command, env={**kept, **settings}, cwd=place, capture_output=True, text=True, timeout=limit_s
        )
        if not out.exists():
            raise RuntimeError(f"{done.stdout}\n{done.stderr[-4000:]}")
        found: dict[str, Any] = json.loads(out.read_text())
    return found


class Words:
    """One document's ids and times, as words: a run is called by its experiment and name, an experiment by its name."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._from, self._to = found["began_ms"] - MINUTE_MS, found["ended_ms"] + MINUTE_MS
        self._ids: dict[str, str] = {}
        self._experiments: dict[str, str] = {}
        for name, kept in found["kept"].items():
            if "experiment" not in kept:
                continue
            self._experiments[kept["experiment"]["experiment_id"]] = f"<experiment {name}>"
            for run in kept["runs"]:
                run_name = _INVENTED.sub("with an invented name", run["info"]["run_name"] or "")
                self._ids[run["info"]["run_id"]] = f"<run {name}: {run_name}>"

    def of(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {self._text(name): self.of(one, name) for name, one in value.items() if not _DURATION.search(name)}
        if isinstance(value, list):
            return [
                self.of(one, key)
                for one in value
                if not (isinstance(one, list) and one and _DURATION.search(str(one[0])))
            ]
        if isinstance(value, str):
            return self._experiments.get(value, value) if key in ("experiment_id", "experiment") else self._text(value)
        if isinstance(value, int) and self._from < value < self._to:
            return "<now>"
        return value

    def _text(self, text: str) -> str:
        if _INVENTED.match(text):
            return "<an invented name>"
        text = _MOMENT.sub(lambda found: "<now>" if self._from < int(found[0]) < self._to else found[0], text)
        text = _CLOCK.sub("<now>", text)
        text = _SERVER.sub("<server>", text)
        text = _UUID.sub("<uuid>", _PLACE.sub("<place>", text))
        text = _ROOT.sub(lambda found: found[1] + self._experiments.get(found[2], found[2]), text)
        return _ID.sub(lambda found: self._ids.setdefault(found[0], f"<id {len(self._ids) + 1}>"), text)


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; an empty list or object is a leaf."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from flat(value[key], f"{path} > {key}" if path else key)
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from flat(one, f"{path} [{number}]")
    else:
        yield path, value


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """path -> (what the first has, what the second has)."""
    sides = []
    for found in (one, other):
        words = Words(found)
        sides.append(dict(flat({name: words.of(found[name]) for name in ("said", "broke", "kept")})))
    first, second = sides
    paths = [*first, *(path for path in second if path not in first)]
    missing = "<nothing>"
    pairs = {path: (first.get(path, missing), second.get(path, missing)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}
