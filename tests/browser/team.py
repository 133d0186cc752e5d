"""A real `lineal serve --auth` with people and runs, for tests of signing in:  python -m tests.browser.team FOLDER

It prints {"url": ..., "password": ...} and then obeys a word a line on standard input, answering "ok": disable ada, enable ada.
The end of standard input ends it."""

from __future__ import annotations

import json
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

from lineal.cli.people_store import opened_store
from tests.browser.site import Site

PASSWORD = "correct horse battery"


class Team(Site):
    def command(self) -> list[str]:
        return ["serve", "--auth", "--port", str(self.port), "--store", self.store]

    @property
    def store(self) -> str:
        return f"sqlite:///{self.folder}/lineal.db"


def make_people(team: Team) -> str:
    """Ada is admin of acme and writer of zeta, Grace a reader of acme, Bob of nothing. What comes back is an admin's token."""
    with opened_store(team.store, writes=True) as people:
        for name in ("ada", "grace", "bob"):
            people.add_user(name, PASSWORD, False)
        people.add_user("root", PASSWORD, True)
        people.set_member("acme", "ada", "admin")
        people.set_member("zeta", "ada", "writer")
        people.set_member("acme", "grace", "reader")
        token: str = people.create_token("root", "tests", "admin", None, 1)["token"]
    return token


def ask(url: str, token: str, method: str, path: str, body: Any, tenant: str = "acme") -> Any:
    request = urllib.request.Request(
        f"{url}/api/v1{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "X-Tenant-ID": tenant},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def make_runs(url: str, token: str) -> None:
    for tenant in ("acme", "zeta"):
        experiment = ask(url, token, "POST", "/experiments", {"name": f"{tenant} digits"}, tenant)["id"]
        for number in range(3):
            body = {"experiment_id": experiment, "run_id": f"{tenant}{number}", "name": f"{tenant}-{number}"}
            ask(url, token, "POST", "/experiments/runs", body, tenant)
            metrics = [{"key": "loss", "value": 1 / (step + number + 1), "step": step} for step in range(50)]
            ask(url, token, "POST", f"/experiments/runs/{tenant}{number}/log-batch", {"metrics": metrics}, tenant)
            ask(url, token, "POST", f"/experiments/runs/{tenant}{number}/end", {}, tenant)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    team = Team(folder, folder / "server.log")
    token = make_people(team)
    try:
        team.start()
        make_runs(team.url, token)
        print(json.dumps({"url": team.url, "password": PASSWORD}), flush=True)
        for line in sys.stdin:
            word, name = line.split()
            ask(team.url, token, "PATCH", f"/users/{name}", {"is_disabled": word == "disable"})
            print("ok", flush=True)
    finally:
        team.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    main()
