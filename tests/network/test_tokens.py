"""A server that asks who somebody is: the token decides, and what it does not allow waits here."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineal
from lineal.client.outbox import list_outboxes
from tests.network.programs import lineal_command
from tests.network.test_uploader import wait_for
from tests.server.conftest import world  # noqa: F401 (a fixture)
from tests.server.let_in import World


@pytest.fixture(autouse=True)
def close_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.api._open_stores", {})


def record(url: str) -> lineal.Run:
    with lineal.init("digits", url=url) as run:
        run.log({"loss": 1.0})
        run.log_text("hello", "a.txt")
    return run


def test_a_writers_token_lets_a_run_in_and_out(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody names the tenant: the token has one."""
    monkeypatch.setenv("LINEAL_TOKEN", world.token("writer"))
    run = record(world.origin)
    logged = lineal.get_run(run.run_id, url=world.origin)
    assert logged.status == "finished" and logged.artifact_path("a.txt").read_text() == "hello"
    lineal.tag_run(run.run_id, {"a": "b"}, url=world.origin)
    assert lineal.runs("tags.a = 'b'", url=world.origin).total == 1


@pytest.mark.parametrize("user", [None, "reader"])
def test_what_is_not_allowed_waits_until_it_is(
    world: World,  # noqa: F811
    own_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    user: str | None,
) -> None:
    """`finish` does not wait for what waiting cannot mend."""
    monkeypatch.setenv("LINEAL_TOKEN", "lnl_wrong" if user is None else world.token(user))
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "600")
    run = record(world.origin)
    assert "refuses what is recorded" in caplog.text
    with pytest.raises(lineal.LinealError) as caught:
        lineal.tag_run(run.run_id, {"a": "b"}, url=world.origin)
    assert caught.value.code in ("not_allowed", "not_found")
    assert lineal_command("sync").returncode == 1
    monkeypatch.setenv("LINEAL_TOKEN", world.token("writer"))
    monkeypatch.setattr("lineal.api._open_stores", {})
    done = lineal_command("sync")
    assert done.returncode == 0, done.stderr
    assert lineal.get_run(run.run_id, url=world.origin).artifact_path("a.txt").read_text() == "hello"
    [folder] = list_outboxes(str(own_folder))
    assert folder.list_segments() == []


def test_a_token_that_comes_later_is_used_by_a_program_that_runs(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LINEAL_TOKEN", "lnl_wrong")
    run = lineal.init("digits", url=world.origin)
    run.log({"loss": 1.0})
    wait_for(lambda: "refuses what is recorded" in caplog.text)
    monkeypatch.setenv("LINEAL_TOKEN", world.token("writer"))
    run.finish()
    assert lineal.get_run(run.run_id, url=world.origin).status == "finished"
