"""MLflow's protocol as plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from lineal.server.hosted import HostedSource
from tests.server.conftest import served_here

API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
ANY = object()


class Mlflow:
    """Asks, and expects."""

    def __init__(self, client: httpx.Client, prefix: str = "") -> None:
        self.client = client
        self.prefix = prefix

    def get(self, path: str, /, **params: Any) -> Any:
        return self._read(self.client.get(f"{self.prefix}{API}/{path}", params=params))

    def post(self, path: str, /, **body: Any) -> Any:
        return self._read(self.client.post(f"{self.prefix}{API}/{path}", json=body))

    @staticmethod
    def _read(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, code: str, fragment: str = "", **more: Any) -> str:
        """The message of a refusal with that code."""
        answer = self.client.request(method, f"{self.prefix}{API}/{path}", **more)
        said = answer.json()
        assert said["error_code"] == code, said
        assert fragment in said["message"], said
        message: str = said["message"]
        return message

    def experiment(self, name: str = "digits", **more: Any) -> str:
        made: str = self.post("experiments/create", name=name, **more)["experiment_id"]
        return made

    def run(self, experiment: str = "0", **more: Any) -> str:
        made: str = self.post("runs/create", experiment_id=experiment, **more)["run"]["info"]["run_id"]
        return made

    def metric(self, run: str, key: str, value: Any, step: int = 0, timestamp: int = 1_000) -> None:
        self.post("runs/log-metric", run_id=run, key=key, value=value, step=step, timestamp=timestamp)

    def history(self, run: str, key: str) -> list[tuple[int, int, Any]]:
        found = self.get("metrics/get-history", run_id=run, metric_key=key).get("metrics", [])
        return [(one["step"], one["timestamp"], one["value"]) for one in found]

    def found(self, *experiments: str, **more: Any) -> list[str]:
        """Ids of runs."""
        runs = self.post("runs/search", experiment_ids=experiments or ["0"], **more).get("runs", [])
        return [run["info"]["run_id"] for run in runs]


@contextmanager
def asking(source: HostedSource, **more: Any) -> Iterator[Mlflow]:
    with served_here(source, **more) as client:
        yield Mlflow(client)


def pairs(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in entries}
