"""Registered models through a server, by the same calls and commands as over a folder, with the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.model.errors import NotAllowed
from tests.network.conftest import url_of
from tests.server.conftest import world  # noqa: F401 (a fixture)
from tests.server.let_in import World

CLOCK = {"created_at", "last_updated", "start_time", "end_time", "duration_seconds", "time", "time_ms", "as_of"}
WHO = {"version_id", "run_id", "source", "writer", "seq", "artifact_uri", "experiment_id", "actor", "user_id", "number"}


@pytest.fixture(autouse=True)
def close_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    stores: dict[Any, Any] = {}
    monkeypatch.setattr("lineal.api._open_stores", stores)
    yield
    for store in stores.values():
        store.close()


def told(url: str) -> list[str]:
    """Three runs, two versions, promotions; the runs' ids."""
    ids = []
    for number, name in enumerate(("first", "second", "third")):
        with lineal.init("exp", name, params={"lr": number / 10}, url=url) as run:
            run.log({"val/acc": [0.5, 0.9, 0.8][number]})
            if number:
                run.log_model("digits", {"w": np.full(3, number)}, input_example=np.zeros((1, 3)), description=name)
        ids.append(run.run_id)
    lineal.promote("digits/1", alias="champion", why="the first", url=url)
    lineal.promote("digits/2", to="production", alias="champion", why="better", url=url)
    lineal.set_model("digits", description="reads digits", tags={"team": "red"}, url=url)
    lineal.set_model_version("digits/2", tags={"checked": "yes"}, url=url)
    return ids


def alike(said: Any) -> Any:
    """Without what differs between two recordings of the same."""
    if isinstance(said, dict):
        return {key: alike(value) for key, value in said.items() if key not in CLOCK | WHO}
    if isinstance(said, list):
        return [
            alike(one) for one in said if not (isinstance(one, dict) and one.get("name") in ("duration", "start_time"))
        ]
    return said


@pytest.fixture
def urls(server: httpx.Client, tmp_path: Path) -> tuple[str, str]:
    folder = str(tmp_path / "notebook")
    told(folder)
    told(url_of(server))
    return folder, url_of(server)


def answers(url: str) -> list[Any]:
    return [
        [one.to_dict() for one in lineal.models(url=url)],
        [one.to_dict() for one in lineal.models("IGI", url=url)],
        lineal.get_model("digits", url=url).to_dict(),
        [one.to_dict() for one in lineal.get_model("digits", url=url).versions()],
        lineal.get_model("digits", url=url).transitions(),
        lineal.get_model_version("digits@champion", url=url).to_dict(),
        lineal.get_model_version("digits/production", url=url).transitions(),
        lineal.why("digits@champion", url=url),
        lineal.why("digits/1", url=url),
        lineal.why("digits/2", "val/acc", url=url),
    ]


def test_a_server_answers_as_a_folder(urls: tuple[str, str]) -> None:
    here, there = (answers(url) for url in urls)
    for one, other in zip(here, there, strict=True):
        assert alike(other) == alike(one)
    assert there[7]["choice"]["chosen_over"] and there[7]["before"]["rule"] == "alias"


def test_a_model_comes_back_whole_even_where_it_lay_damaged(
    urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = urls[1]
    model = lineal.load_model("digits@champion", url=url)
    assert model["w"].tolist() == [2, 2, 2]
    tags = lineal.serving_tags(model)
    for name in ("lineal.version_id", "lineal.run_id"):
        assert lineal.get_model_version(tags[name], url=url).version == 2
    version = lineal.get_model_version("digits/1", url=url)
    digest = lineal.get_model_version("digits/2", url=url).files[0].digest
    [blob] = [path for path in (tmp_path / "here").rglob(str(digest)) if "fetched" in path.parts]
    blob.write_bytes(b"other bytes")
    assert lineal.load_model("digits/2", url=url)["w"].tolist() == [2, 2, 2]  # it was fetched again
    assert (version.download(tmp_path / "out") / "model.safetensors").exists()
    # A large one is known by its size, until it is read.
    monkeypatch.setattr("lineal.remote.fetched.FETCHED_COMPARED_MAX_BYTES", 10)
    blob.write_bytes(bytes(blob.stat().st_size))
    with pytest.raises(lineal.Damaged):
        lineal.load_model("digits/2", url=url)
    assert lineal.load_model("digits/2", url=url)["w"].tolist() == [2, 2, 2]


def test_refusals_read_the_same(urls: tuple[str, str]) -> None:
    for url in urls:
        for ref, error in {
            "digits": lineal.InvalidInput,
            "digits/9": lineal.NotFound,
            "digits@nobody": lineal.NotFound,
            "digits/staging": lineal.NotFound,
            "nobody/1": lineal.NotFound,
            "e" * 32: lineal.NotFound,
        }.items():
            with pytest.raises(error):
                lineal.get_model_version(ref, url=url)
        with pytest.raises(lineal.NotFound):
            lineal.why("digits/1", "no-such-metric", url=url)
        with pytest.raises(lineal.NotFound):
            lineal.delete_alias("digits", "nobody", url=url)


def test_what_is_changed_through_a_server(server: httpx.Client) -> None:
    url = url_of(server)
    ids = told(url)
    assert lineal.get_run(ids[2], url=url).locked and lineal.get_run(ids[1], url=url).locked
    lineal.delete_alias("digits", "champion", why="retired", url=url)
    assert lineal.get_model("digits", url=url).aliases == {}
    assert lineal.get_model("digits", url=url).transitions()[0]["why"] == "retired"
    assert lineal.set_model("new", tags={"a": 1}, url=url).tags == {"a": "1"}
    assert lineal.set_model("new", description="x", tags={"a": None}, url=url).tags == {}
    lineal.promote("digits/1", to="production", archive_existing=True, url=url)
    assert lineal.get_model("digits", url=url).stages == {"production": 1, "archived": 2}


def test_models_and_versions_are_renamed_put_away_and_brought_back_alike(urls: tuple[str, str]) -> None:
    def changed(url: str) -> list[Any]:
        said: list[Any] = [lineal.rename_model("digits", "numbers", url=url)]
        said += [lineal.delete_model_version("numbers@champion", why="leaked", url=url)]
        with pytest.raises(lineal.NotFound):
            lineal.get_model_version("numbers@champion", url=url)
        for ref in ("digits", "digits/1"):
            with pytest.raises(lineal.NotFound, match="renamed to 'numbers'") as caught:
                lineal.get_model_version(ref, url=url)
            assert caught.value.renamed_to == "numbers"
        with pytest.raises(lineal.NotFound):
            lineal.delete_model_version("numbers/7", url=url)
        said += [lineal.restore_model_version("numbers/2", url=url), lineal.delete_model("numbers", url=url)]
        assert lineal.models(url=url) == []
        for refused in (
            lambda: lineal.restore_model_version("numbers/1", url=url),
            lambda: lineal.rename_model("numbers", "digits", url=url),
        ):
            with pytest.raises(lineal.Conflict):
                refused()
        said += [lineal.delete_model("numbers", url=url), lineal.restore_model("numbers", url=url)]
        return [one.to_dict() for one in said] + [lineal.get_model("numbers", url=url).transitions()]

    here, there = (alike(changed(url)) for url in urls)
    assert here == there
    assert here[-1][0] == here[-1][0] | {"why": "leaked", "alias": "champion", "after": None}
    assert [one["lifecycle_stage"] for one in here[:-1]] == [
        "active",
        "deleted",
        "active",
        "deleted",
        "deleted",
        "active",
    ]


def test_commands(urls: tuple[str, str]) -> None:
    def ask(url: str, *arguments: str) -> str:
        done = CliRunner().invoke(command, [*arguments, "--url", url], prog_name="lineal")
        assert done.exit_code == 0, done.output
        return done.stdout

    for arguments in (
        ("models", "list", "--json"),
        ("models", "show", "digits", "--json"),
        ("models", "why", "digits@champion", "--json"),
    ):
        here, there = (alike(json.loads(ask(url, *arguments))) for url in urls)
        assert here == there
    words = ask(urls[1], "models", "why", "digits@champion")
    assert "better" in words and "Compared by val/acc" in words
    asked = httpx.get(f"{urls[1]}/api/v1/models/digits/versions/@champion/why", params={"format": "text"})
    assert asked.text == words and asked.headers["content-type"] == "text/plain; charset=utf-8"
    asked = httpx.get(f"{urls[1]}/api/v1/models/digits/versions/@champion/why", params={"format": "markdown"})
    assert asked.text == ask(urls[1], "models", "why", "digits@champion", "--markdown")
    assert asked.headers["content-type"] == "text/markdown; charset=utf-8"


def test_the_route_answers_as_the_call(server: httpx.Client) -> None:
    url = url_of(server)
    ids = told(url)
    of_alias = server.get("/models/digits/versions/@champion/why", params={"metric": "val/acc"}).json()
    assert of_alias == json.loads(json.dumps(lineal.why("digits@champion", "val/acc", url=url)))
    by_run = server.get(f"/model-versions/{ids[2]}/why").json()
    by_id = server.get(f"/model-versions/{by_run['version']['version_id']}/why").json()
    assert by_run == by_id == json.loads(json.dumps(lineal.why("digits/2", url=url)))
    assert server.get(f"/model-versions/{ids[0]}/why").status_code == 404
    assert server.get("/models/digits/versions/9/why").status_code == 404
    with lineal.init("exp", url=url) as run:
        run.log_model("digits", {"w": np.zeros(1)})
        run.log_model("other", {"w": np.zeros(1)})
    asked = server.get(f"/model-versions/{run.run_id}/why")
    assert asked.status_code == 400 and "digits/3" in asked.json()["detail"]


def test_only_approvers_promote(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    act_as(world, monkeypatch, "writer")
    with lineal.init("exp", url=world.origin) as run:
        run.log_model("digits", {"w": np.zeros(1)})
    with pytest.raises(NotAllowed):
        lineal.promote("digits/1", to="production", url=world.origin)
    assert not lineal.get_run(run.run_id, url=world.origin).locked
    with pytest.raises(NotAllowed):
        lineal.delete_model("digits", url=world.origin)
    with pytest.raises(NotAllowed):
        lineal.delete_model_version("digits/1", url=world.origin)
    act_as(world, monkeypatch, "approver")
    version = lineal.promote("digits/1", to="production", why="checked", url=world.origin)
    assert version.stage == "production" and version.transitions()[0]["actor"] == "approver"
    done = CliRunner().invoke(command, ["models", "why", "digits/1", "--url", world.origin], prog_name="lineal")
    assert "approver  checked" in done.stdout


def act_as(whose: World, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    monkeypatch.setenv("LINEAL_TOKEN", whose.token(role))
    monkeypatch.setattr("lineal.api._open_stores", {})
