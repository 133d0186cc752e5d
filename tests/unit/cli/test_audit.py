"""`lineal audit list`, `head` and `verify`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.store.contracts import ChainHead
from lineal.store.heads import sign
from tests.unit.cli.conftest import Invoke


@pytest.fixture
def run_id(folder: Path) -> str:
    with lineal.init(experiment="digits", params={"lr": 0.1}, tags={"k": "v"}, url=folder) as run:
        run.log({"loss": 1.0})
    return run.run_id


def change(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "lineal.db")) as connection, connection:
        assert connection.execute(sql).rowcount


def test_changes_are_listed_newest_first_and_found(ask: Callable[..., Any], invoke: Invoke, run_id: str) -> None:
    answer = ask("audit", "list")
    assert [row["action"] for row in answer["rows"]] == ["attempt.end", "tags.set", "params.set", "attempt.start"]
    assert {row["subject"] for row in answer["rows"]} == {run_id} and answer["next"] is None
    assert [row["number"] for row in answer["rows"]] == [4, 3, 2, 1]
    page = ask("audit", "list", "--limit", "3")
    assert page["next"] == 2 and [row["number"] for row in ask("audit", "list", "--before", "2")["rows"]] == [1]
    assert len(ask("audit", "list", "--action", "attempt.", "--subject", run_id)["rows"]) == 2
    assert ask("audit", "list", "--since", "2100-01-01")["rows"] == []
    assert len(ask("audit", "list", "--since", "2020-01-01T08:00", "--until", "2100-01-01T08:00+02:00")["rows"]) == 4
    writer = answer["rows"][0]["writer"]
    assert len(ask("audit", "list", "--actor", writer)["rows"]) == 4
    said = invoke("audit", "list", "--limit", "2").stdout
    assert "tags.set" in said and run_id in said and "--before 3" in said
    assert "No change is found." in invoke("audit", "list", "--subject", "nobody").stdout
    assert invoke("audit", "list", "--since", "yesterday").exit_code == 2


def test_a_chain_that_holds_and_one_that_does_not(
    ask: Callable[..., Any], invoke: Invoke, folder: Path, run_id: str, tmp_path: Path
) -> None:
    done = invoke("audit", "verify")
    assert done.exit_code == 0 and done.stdout == "tenant default: good: 4 audit rows\n"
    head = tmp_path / "head.json"
    head.write_text(invoke("audit", "head").stdout)
    kept = json.loads(head.read_text())
    assert (kept["tenant"], kept["number"], kept["key"]) == ("default", 4, None)
    assert "as 1 kept head says" in invoke("audit", "verify", "--against", str(head)).stdout
    change(folder, "UPDATE audit SET time_ms = time_ms + 1 WHERE number = 3")
    answer = invoke("audit", "verify", "--json")
    assert answer.exit_code == 1
    [tenant] = json.loads(answer.stdout)["tenants"]
    assert not tenant["ok"] and tenant["broken"]["number"] == 3 and tenant["row_count"] == 2
    assert "BROKEN: audit row 3 " in invoke("audit", "verify").stdout
    change(folder, "UPDATE audit SET time_ms = time_ms - 1 WHERE number = 3")
    assert ask("audit", "verify")["ok"]


def test_a_tail_cut_off_is_found_by_a_kept_head(invoke: Invoke, folder: Path, run_id: str, tmp_path: Path) -> None:
    head = tmp_path / "heads.jsonl"
    head.write_text(invoke("audit", "head").stdout * 2)
    for table in ("audit", "audit_link"):
        change(folder, f"DELETE FROM {table} WHERE number = 4")
    assert invoke("audit", "verify").exit_code == 0
    done = invoke("audit", "verify", "--against", str(head))
    assert done.exit_code == 1 and "BROKEN: audit row 4 is missing" in done.stdout


def test_heads_that_cannot_be_held_against_it(invoke: Invoke, run_id: str, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    assert invoke("audit", "verify", "--against", str(file)).exit_code == 3
    for content in (b"nonsense", b"\xff"):
        file.write_bytes(content)
        assert invoke("audit", "verify", "--against", str(file)).exit_code == 2
    file.write_text(json.dumps(ChainHead("other", 1, "ab" * 32, 1)._asdict()))
    assert invoke("audit", "verify", "--against", str(file)).exit_code == 2
    kept = json.loads(invoke("audit", "head").stdout)
    good = sign(ChainHead(*(kept[name] for name in ChainHead._fields)), bytes(32))
    file.write_text(json.dumps(good._asdict()))
    assert invoke("audit", "verify", "--against", str(file)).exit_code == 0
    file.write_text(json.dumps(good._replace(signature="00" * 64)._asdict()))
    done = invoke("audit", "verify", "--against", str(file))
    assert done.exit_code == 1 and "signature" in done.stdout


def test_every_tenant_and_a_store_by_its_address(
    ask: Callable[..., Any], invoke: Invoke, folder: Path, run_id: str
) -> None:
    with lineal.init(url=folder, tenant="acme"):
        pass
    answer = ask("audit", "verify", "--all-tenants")
    assert [(one["tenant"], one["row_count"]) for one in answer["tenants"]] == [("acme", 2), ("default", 4)]
    address = f"sqlite:///{folder}/lineal.db"
    assert ask("audit", "verify", "--url", address, "--tenant", "acme")["tenants"][0]["row_count"] == 2
    assert len(ask("audit", "list", "--url", address)["rows"]) == 4
    assert invoke("audit", "verify", "--url", f"sqlite:///{folder}/nothing.db").exit_code == 3
    assert invoke("audit", "verify", "--tenant", "Not Usable").exit_code == 2


def test_nothing_was_changed_yet(invoke: Invoke, folder: Path) -> None:
    assert invoke("audit", "verify").stdout == "tenant default: good: 0 audit rows\n"
    assert invoke("audit", "head").exit_code == 3
    assert invoke("audit", "list").exit_code == 0


def test_what_an_older_lineal_left_unlinked_is_linked(ask: Callable[..., Any], folder: Path, run_id: str) -> None:
    assert ask("audit", "verify")["ok"]
    change(folder, "DELETE FROM audit_link")
    [tenant] = ask("audit", "verify")["tenants"]
    assert tenant["ok"] and tenant["unlinked_count"] == 0 and tenant["row_count"] == 4
