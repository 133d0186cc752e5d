"""Users, members, tokens and login from the command line; and a program that records with what login kept."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.model.limits import PEOPLE_KEPT_S
from tests.server.conftest import SRC, Place, json_of, sqlite_place
from tests.server.hosting import serving_store
from tests.server.let_in import PASSWORD, new_world


def lineal(home: Path, *arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    shown = {key: value for key, value in os.environ.items() if not key.startswith("LINEAL_")}
    return subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=home,
        env={**shown, "PYTHONPATH": str(SRC), "XDG_CONFIG_HOME": str(home / "config"), **environment},
    )


def asked(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_from_nothing_to_a_program_that_records(place: Place, tmp_path: Path) -> None:
    """A fresh store has no user; the first is made on it; a person signs in; a script records with what that kept."""
    home = tmp_path / "home"
    home.mkdir()
    url = place.url
    made = asked(lineal(home, "users", "add", "root", "--admin", "--url", url, "--json", said=f"{PASSWORD}\n"))
    assert made["is_admin"] and made["name"] == "root"
    asked(lineal(home, "users", "add", "ada", "--url", url, "--json", said=f"{PASSWORD}\n"))
    page = asked(lineal(home, "members", "set", "ada", "writer", "--tenant", "acme", "--url", url, "--json"))
    assert page == {"tenant": "acme", "members": [{"user": "ada", "role": "writer"}]}
    with serving_store(place, "--auth") as served:
        assert served.client.get("/experiments").status_code == 401
        address = str(httpx.URL(served.url).copy_with(path="/"))
        assert lineal(home, "login", address, "--user", "ada", said="wrong one\n").returncode == 5
        assert not (home / "config").exists()
        kept = asked(lineal(home, "login", address, "--user", "ada", "--json", said=f"{PASSWORD}\n"))
        file = home / "config" / "lineal" / "login.json"
        assert kept["user"] == "ada" and kept["file"] == str(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and PASSWORD not in file.read_text()
        script = "import lineal\nwith lineal.init(experiment='digits', name='mlp') as run:\n    run.log({'loss': 0.5})\nprint(run.run_id)"
        recorded = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(SRC), "XDG_CONFIG_HOME": str(home / "config"), "LINEAL_URL": address},
        )
        assert recorded.returncode == 0, recorded.stderr
        token = json.loads(file.read_text())["servers"][address.rstrip("/")]["token"]
        shown = {"authorization": f"Bearer {token}"}
        run = json_of(served.client.get(f"/experiments/runs/{recorded.stdout.strip()}", headers=shown))
        assert run["metrics"] == {"loss": 0.5} and run["status"] == "finished"
        [listed] = asked(lineal(home, "tokens", "list", "--json", LINEAL_URL=address))["tokens"]
        assert listed["name"].startswith("lineal login on") and listed["role"] == "writer" and "token" not in listed
        again = asked(lineal(home, "login", address, "--user", "ada", "--days", "7", "--json", said=f"{PASSWORD}\n"))
        assert served.client.get("/experiments", headers=shown).status_code == 401, "the one before is revoked"
        assert again["expires_at"] < kept["expires_at"]
        token = json.loads(file.read_text())["servers"][address.rstrip("/")]["token"]
        shown = {"authorization": f"Bearer {token}"}
        new = asked(
            lineal(
                home, "tokens", "create", "ci", "--role", "reader", "--json", said=f"{PASSWORD}\n", LINEAL_URL=address
            )
        )
        reader = {"authorization": f"Bearer {new['token']}"}
        assert served.client.get("/experiments", headers=reader).status_code == 200
        assert served.client.post("/experiments", json={"name": "x"}, headers=reader).status_code == 403
        asked(lineal(home, "tokens", "revoke", new["token_id"], "--json", LINEAL_URL=address))
        assert served.client.get("/experiments", headers=reader).status_code == 401
        refused = lineal(home, "users", "list", "--url", address)
        assert refused.returncode == 5 and "admins" in refused.stderr
        assert asked(lineal(home, "login", address, "--forget", "--json"))["forgotten"]
        assert served.client.get("/experiments", headers=shown).status_code == 401
        assert json.loads(file.read_text()) == {"servers": {}}
        assert not asked(lineal(home, "login", address, "--forget", "--json"))["forgotten"]


def test_while_a_server_has_a_sqlite_database_the_server_is_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    place = sqlite_place(tmp_path / "srv")
    asked(lineal(home, "users", "add", "root", "--admin", "--url", place.url, "--json", said=f"{PASSWORD}\n"))
    token = asked(
        lineal(home, "tokens", "create", "t", "--user", "root", "--role", "admin", "--url", place.url, "--json")
    )
    with serving_store(place, "--auth") as served:
        address = str(httpx.URL(served.url).copy_with(path="/"))
        refused = lineal(home, "users", "add", "ada", "--url", place.url, said=f"{PASSWORD}\n")
        assert refused.returncode == 4 and "ask it" in refused.stderr
        assert [
            user["name"] for user in asked(lineal(home, "users", "list", "--url", place.url, "--json"))["users"]
        ] == ["root"]
        kept = asked(lineal(home, "login", address, "--token", "--json", said=f"{token['token']}\n"))
        assert kept["user"] == "root"
        added = asked(lineal(home, "users", "add", "ada", "--url", address, "--json", said=f"{PASSWORD}\n"))
        assert added["name"] == "ada"
        again = lineal(home, "users", "add", "ada", "--url", address, said=f"{PASSWORD}\n")
        assert again.returncode == 4
        asked(lineal(home, "members", "set", "ada", "admin", "--tenant", "acme", "--url", address, "--json"))
        assert asked(lineal(home, "members", "list", "--tenant", "acme", "--url", address, "--json"))["members"]
        asked(lineal(home, "members", "remove", "ada", "--tenant", "acme", "--url", address, "--json"))
        asked(lineal(home, "users", "password", "ada", "--url", address, "--json", said="another password\n"))
        assert asked(lineal(home, "users", "disable", "ada", "--url", address, "--json"))["is_disabled"]
        assert not asked(lineal(home, "users", "disable", "ada", "--undo", "--url", address, "--json"))["is_disabled"]
        table = lineal(home, "users", "list", "--url", address)
        assert "root" in table.stdout and "everything" in table.stdout


def test_what_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/srv/lineal.db"
    for arguments, said, status in (
        (("users", "add", "Ada"), f"{PASSWORD}\n", 2),
        (("users", "add", "ada"), "short\n", 2),
        (("users", "add", "ada"), "", 2),
        (("users", "list"), "", 3),
        (("members", "set", "ada", "owner"), "", 2),
        (("tokens", "create", "x", "--days", "400"), "", 2),
    ):
        done = lineal(tmp_path, *arguments, "--url", url, said=said)
        assert done.returncode == status and done.stdout == "", (arguments, done.stderr)
        assert not (tmp_path / "srv").exists(), arguments
    asked(lineal(tmp_path, "users", "add", "ada", "--url", url, "--json", said=f"{PASSWORD}\n"))
    assert lineal(tmp_path, "users", "add", "ada", "--url", url, said=f"{PASSWORD}\n").returncode == 4
    assert lineal(tmp_path, "members", "set", "bob", "reader", "--url", url).returncode == 3
    assert lineal(tmp_path, "tokens", "create", "x", "--url", url).returncode == 2


def test_a_server_says_that_nobody_can_sign_in_yet(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lineal.cli.main",
            "serve",
            "--port",
            "0",
            "--auth",
            "--host",
            "0.0.0.0",
            "--store",
            f"sqlite:///{tmp_path}/srv/lineal.db",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    try:
        assert process.stdout is not None and process.stdout.readline().startswith("http://0.0.0.0:")
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "nobody can sign in yet" in said and "lineal users add NAME --admin" in said


def test_hosts_are_a_setting(tmp_path: Path) -> None:
    blobs = tmp_path / "srv" / "blobs"
    with new_world("memory:", blobs, any_host=True, hosts=("tracker.example.org", "other.example.org:8443")) as world:
        client = world.client

        def status(host: str, **headers: str) -> int:
            return client.post(
                "/session", json={"user": "x", "password": "y"}, headers={"host": host, **headers}
            ).status_code

        assert (
            status("tracker.example.org")
            == status("tracker.example.org:7007")
            == status("other.example.org:8443")
            == 401
        )
        assert (
            status("evil.example.org") == status("other.example.org") == status("tracker.example.org.evil.org") == 403
        )
        assert status("tracker.example.org", origin="https://tracker.example.org") == 401
        assert status("tracker.example.org", origin="https://evil.example.org") == 403


def test_a_login_file_that_is_none_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lineal.client.address import parse_address
    from lineal.client.login import drop_token, find_token, login_path, save_token

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    one, two = parse_address("http://localhost:7007/"), parse_address("https://tracker.example.org/lineal")
    for content in ("", "[]", "{", '{"servers": 3}', '{"servers": {"http://localhost:7007": 3}}', '{"theme": "kept"}'):
        Path(login_path()).parent.mkdir(exist_ok=True)
        Path(login_path()).write_text(content)
        assert find_token(one) is None and drop_token(two) is None
        save_token(one, "lnl_1")
        save_token(two, "lnl_2")
        assert (find_token(one), find_token(two)) == ("lnl_1", "lnl_2")
        assert drop_token(one) == "lnl_1" and find_token(one) is None and find_token(two) == "lnl_2"
    assert json.loads(Path(login_path()).read_text())["theme"] == "kept"
    assert [path.name for path in Path(login_path()).parent.iterdir()] == ["login.json"]


def test_two_servers_on_one_database_know_the_same_people(postgres_url: str, tmp_path: Path) -> None:
    """A browser that signed in at one is known at the other; a token that one revokes, the other refuses soon after."""
    place = Place(tmp_path / "srv", postgres_url)
    asked(lineal(tmp_path, "users", "add", "root", "--admin", "--url", place.url, "--json", said=f"{PASSWORD}\n"))
    with serving_store(place, "--auth") as one, serving_store(place, "--auth") as other:
        # On PostgreSQL the store may be told beside them.
        asked(lineal(tmp_path, "users", "add", "ada", "--url", place.url, "--json", said=f"{PASSWORD}\n"))
        asked(lineal(tmp_path, "members", "set", "ada", "writer", "--tenant", "acme", "--url", place.url, "--json"))
        signed = one.client.post("/session", json={"user": "ada", "password": PASSWORD})
        cookie = {"cookie": signed.headers["set-cookie"].partition(";")[0]}
        assert json_of(other.client.get("/session", headers=cookie))["user"] == "ada"
        origin = str(httpx.URL(one.url).copy_with(path="/")).rstrip("/")
        made = json_of(one.client.post("/tokens", json={"name": "t"}, headers={**cookie, "origin": origin}), 201)
        shown = {"authorization": f"Bearer {made['token']}"}
        assert other.client.get("/experiments", headers=shown).status_code == 200
        json_of(one.client.delete(f"/tokens/{made['token_id']}", headers={**cookie, "origin": origin}))
        assert one.client.get("/experiments", headers=shown).status_code == 401
        until = time.monotonic() + 4 * PEOPLE_KEPT_S
        while other.client.get("/experiments", headers=shown).status_code != 401:
            assert time.monotonic() < until
            time.sleep(0.1)
