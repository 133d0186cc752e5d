"""Datasets by themselves through a server, by the same calls and commands as over a folder, with the same answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from tests.network.conftest import url_of

CLOCK = {"first_used", "last_used", "used_at", "created_at"}
WHO = {"run_id", "version_id"}
ODD = "data/Tést set?#%2F 🦊"


@pytest.fixture(autouse=True)
def close_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    stores: dict[Any, Any] = {}
    monkeypatch.setattr("lineal.api._open_stores", stores)
    yield
    for store in stores.values():
        store.close()


def another_millisecond() -> None:
    """What is said in one is listed by name."""
    began_ms = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= began_ms:
        time.sleep(0.0005)


def told(url: str, data: Path) -> None:
    data.mkdir(exist_ok=True)
    for number in range(3):
        (data / "train.csv").write_text("x,y\n" + "1,2\n" * (1 + number // 2))
        with lineal.init("exp", f"run {number}", url=url) as run:
            another_millisecond()
            run.log_dataset(
                "train", data / "train.csv", version=f"v{number}", context="training", source="s3://b/t.csv"
            )
            another_millisecond()
            run.log_dataset(ODD, data / "train.csv", context="test", source="here")
            another_millisecond()
            run.log_dataset("given", digest="d-1", source="there")
            if number:
                run.log_model("digits", {"w": np.zeros(number)})


@pytest.fixture
def urls(server: httpx.Client, tmp_path: Path) -> tuple[str, str]:
    folder = str(tmp_path / "notebook")
    told(folder, tmp_path / "data")
    told(url_of(server), tmp_path / "data")
    return folder, url_of(server)


def alike(said: Any) -> Any:
    """Without what differs between two recordings of the same."""
    if isinstance(said, dict):
        return {key: alike(value) for key, value in said.items() if key not in CLOCK | WHO}
    return [alike(one) for one in said] if isinstance(said, list) else said


def told_by(url: str, *arguments: str) -> Any:
    result = CliRunner().invoke(command, ["datasets", *arguments, "--json", "--url", url])
    return json.loads(result.stdout) if result.exit_code == 0 else result.exit_code


def test_a_server_answers_as_a_folder(urls: tuple[str, str]) -> None:
    with lineal.open_store(urls[0]) as store:
        one, two = (version.dataset.digest for version in store.get_dataset("train").versions())
    asked = (
        ("list",),
        ("list", "TRA"),
        ("list", "--last-used", "--limit", "1"),
        ("list", "nothing"),
        ("show", "train"),
        ("show", "train", "--digest", one[:9]),
        ("show", f"train@{two}"),
        ("show", "train@v1"),
        ("show", one),
        ("show", ODD),
        ("show", "given@d-1"),
        ("show", "nothing"),
        ("show", "train", "--digest", "f" * 64),
    )
    for arguments in asked:
        here, there = (alike(told_by(url, *arguments)) for url in urls)
        assert here == there, arguments
    assert [entry["name"] for entry in told_by(urls[1], "list")["datasets"]] == [ODD, "given", "train"]
    assert told_by(urls[1], "list", "--limit", "2")["total"] == 3
    assert told_by(urls[1], "show", "nothing") == 3
    of_one = told_by(urls[1], "show", "train@v1")
    assert of_one["asked_digest"] == two and [use["run_name"] for use in of_one["runs"]] == ["run 1", "run 0"]
    assert [model["version"] for model in of_one["models"]] == [1]
    assert of_one["shown"]["other_names"] == [ODD] and of_one["shown"]["schema"] == {
        "columns": [{"name": "x"}, {"name": "y"}]
    }


def test_handles(urls: tuple[str, str]) -> None:
    for url in urls:
        with lineal.open_store(url) as store:
            train = store.get_dataset("train")
            assert (train.name, train.version, train.source) == ("train", "v2", "s3://b/t.csv")
            assert (train.run_count, train.version_count, train.profile["row_count"]) == (3, 2, 2)
            assert [use.run_name for use in train.runs(2)] == ["run 2", "run 1"]
            assert [made.number for made in train.models()] == [2, 1]
            before = store.get_dataset("train", train.versions()[1].dataset.digest[:8])
            assert (before.run_count, before.version, before.profile["row_count"]) == (2, "v1", 1)
            assert [use.run_name for use in before.runs()] == ["run 1", "run 0"] and len(before.models(9)) == 1
            assert repr(before) == f"<lineal.LoggedDataset 'train' {before.digest[:12]}>"
            assert [one.name for one in store.datasets("t", limit=2)] == [ODD, "train"]
            for wrong in (lambda: store.datasets(limit=0), lambda: store.datasets(order_by="size")):  # type: ignore[arg-type]
                with pytest.raises(lineal.InvalidInput):
                    wrong()
            with pytest.raises(lineal.NotFound):
                store.get_dataset("nothing")


def test_more_than_a_page(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.store.dataset_reading.LIST_PAGE_MAX_COUNT", 2)
    with lineal.init("exp", url=url_of(server)) as run:
        for number in range(5):
            run.log_dataset(f"data {number}", digest=f"{number}")
    with lineal.open_store(url_of(server)) as store:
        assert [one.name for one in store.datasets(limit=4)] == [f"data {number}" for number in range(4)]
        assert len(store.datasets()) == 5


def test_the_words_for_people(urls: tuple[str, str]) -> None:
    def said(*arguments: str) -> str:
        result = CliRunner().invoke(command, ["datasets", *arguments, "--url", urls[0]])
        assert result.exit_code == 0, result.output
        return result.output

    listed = said("list", "TRA")
    assert "train" in listed and "v2" in listed and "2 x 2" in listed and "1 dataset" in listed
    assert "No dataset has 'nothing' in its name." in said("list", "nothing")
    shown = said("show", "train")
    for part in ("digits/2", "run 1", "training", "2 rows, 2 columns", "x, y", "lineal lineage", "also called"):
        assert part in shown
    assert "--limit shows more" not in shown and "the newest 1: --limit shows more" in said(
        "show", "train", "--limit", "1"
    )
    of_one = said("show", "train@v0")
    assert "Versions" not in of_one and "run 2" not in of_one
    assert "lineal lineage given@d-1" in said("show", "given")


def test_nothing_yet(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["datasets", "list", "--url", str(tmp_path / "empty")])
    assert (result.exit_code, "log_dataset" in result.output) == (0, True)
