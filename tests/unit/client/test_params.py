"""Params from whatever a script is configured with: typed, flattened with "/", kept whole, refused by name."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np
import pytest

import lineal
from lineal.client.params import read_params
from lineal.model.errors import OverLimit


class Optimizer(Enum):
    ADAM = "adam"


@dataclass
class Schedule:
    warmup: int = 100
    kind: str = "cosine"


@dataclass
class Config:
    lr: float = 0.01
    layers: list[int] = field(default_factory=lambda: [64, 32])
    schedule: Schedule = field(default_factory=Schedule)


NESTED = {"lr": 0.01, "schedule": {"warmup": 100, "kind": "cosine"}}
FLAT = {"lr": 0.01, "schedule/warmup": 100, "schedule/kind": "cosine"}


def test_a_dict_keeps_its_types():
    params = {"i": 1, "f": 1.0, "b": True, "s": "1", "n": None, "nan": math.nan}
    found = read_params(params).flat
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in params.items()}


def test_a_dataclass_is_flattened_and_kept_whole():
    read = read_params(Config())
    assert read.flat == {"lr": 0.01, "layers": "[64,32]", "schedule/warmup": 100, "schedule/kind": "cosine"}
    assert read.whole == {"lr": 0.01, "layers": [64, 32], "schedule": {"warmup": 100, "kind": "cosine"}}


def test_argparse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--debug", action="store_true")
    assert read_params(parser.parse_args(["--lr", "0.1", "--out", "runs"])).flat == {
        "lr": 0.1,
        "out": "runs",
        "debug": False,
    }


def test_pydantic():
    pytest.importorskip("pydantic")
    from pydantic import BaseModel

    class Inner(BaseModel):
        warmup: int = 100
        kind: str = "cosine"

    class Model(BaseModel):
        lr: float = 0.01
        schedule: Inner = Inner()

    assert read_params(Model()).flat == FLAT
    assert read_params({"model": Inner()}).flat == {"model/warmup": 100, "model/kind": "cosine"}


def test_omegaconf():
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create({**NESTED, "twice": "${lr}"})
    assert read_params(config).flat == {**FLAT, "twice": 0.01}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", json.dumps(NESTED)),
        ("c.yaml", "lr: 0.01\nschedule:\n  warmup: 100\n  kind: cosine\n"),
        ("c.yml", "lr: 0.01\nschedule: {warmup: 100, kind: cosine}\n"),
        ("c.toml", 'lr = 0.01\n[schedule]\nwarmup = 100\nkind = "cosine"\n'),
    ],
)
def test_a_file_of_each_kind(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert read_params(path).flat == FLAT
    assert read_params(str(path)).whole == NESTED


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("c.json", "{", lineal.InvalidInput),
        ("c.yaml", "a: [", lineal.InvalidInput),
        ("c.toml", "=", lineal.InvalidInput),
        ("c.json", "[1]", lineal.InvalidInput),
        ("c.ini", "a=1", lineal.InvalidInput),
        ("c.json", "\xff", lineal.InvalidInput),
    ],
)
def test_a_file_that_does_not_parse_is_named(tmp_path, name, text, error):
    path = tmp_path / name
    path.write_text(text, "latin-1")
    with pytest.raises(error) as refused:
        read_params(path)
    assert refused.value.field == "params"
    assert name in refused.value.message


def test_a_missing_file_and_a_strange_type_are_refused():
    with pytest.raises(lineal.NotFound):
        read_params("nowhere.yaml")
    with pytest.raises(lineal.InvalidInput, match="params of type int"):
        read_params(3)


def test_odd_values_become_what_they_say():
    read = read_params(
        {
            "path": Path("a/b"),
            "enum": Optimizer.ADAM,
            "f32": np.float32(0.5),
            "i64": np.int64(3),
            "set": {"b", "a"},
            "empty": {},
            "list": [],
            "big": 10**30,
            1: "one",
        }
    )
    assert read.flat == {
        "path": "a/b",
        "enum": "adam",
        "f32": 0.5,
        "i64": 3,
        "set": '["a","b"]',
        "empty": "{}",
        "list": "[]",
        "big": 10**30,
        "1": "one",
    }


def test_a_value_over_its_limit_is_refused_by_name_and_the_rest_is_kept():
    read = read_params({"big": "x" * 10_000_000, "lr": 0.1, "": 1, "n" * 2000: 2})
    assert read.flat == {"lr": 0.1}
    assert len(read.refused) == 3
    assert "65,536" in read.refused["big"]


def test_refused_params_are_counted_on_the_run(tmp_path):
    with lineal.init(url=tmp_path / "n", params={"big": "x" * 100_000, "lr": 0.1}) as run:
        pass
    found = lineal.get_run(run.run_id, url=tmp_path / "n")
    assert (found.params, found.losses) == ({"lr": 0.1}, {"param_refused": 1})


def test_params_and_tags_beyond_what_a_run_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr("lineal.client.params.PARAMS_PER_RUN_MAX_COUNT", 3)
    monkeypatch.setattr("lineal.client.given.TAGS_PER_RUN_MAX_COUNT", 2)
    with lineal.init(url=tmp_path / "n", params={"a": 1, "b": 2}) as run:
        run.log_params({"b": 2, "c": 3, "d": 4, "e": 5})
        run.log_params({"a": 1, "f": 6})
        run.set_tags({"k": "1", "l": "2"})
        with pytest.raises(OverLimit, match="at most 2 tags"):
            run.set_tags({"k": "3", "m": "4"})
        run.set_tags({"k": None, "m": "5"})
    found = lineal.get_run(run.run_id, url=tmp_path / "n")
    assert (found.params, found.losses) == ({"a": 1, "b": 2, "c": 3}, {"param_refused": 3})
    assert found.tags == {"l": "2", "m": "5"}


def test_many_params_and_all_of_them_come_back(tmp_path):
    params = {f"group{index % 7}/name{index}": index / 3 for index in range(20_000)}
    with lineal.init(url=tmp_path / "n", params=params) as run:
        pass
    assert lineal.get_run(run.run_id, url=tmp_path / "n").params == params


def test_nested_params_are_found_whole(tmp_path):
    with lineal.init(url=tmp_path / "n", params=Config()) as run:
        pass
    found = lineal.get_run(run.run_id, url=tmp_path / "n")
    assert found.document("params") == {"lr": 0.01, "layers": [64, 32], "schedule": {"warmup": 100, "kind": "cosine"}}


def test_a_second_value_is_a_conflict_and_the_first_stands(tmp_path, caplog):
    with lineal.init(url=tmp_path / "n", params={"lr": 0.1}) as run:
        run.log_params({"lr": 0.1})
        run.log_params({"lr": 0.2, "depth": 3})
    assert "lr" in caplog.text
    found = lineal.get_run(run.run_id, url=tmp_path / "n")
    assert found.params == {"lr": 0.1, "depth": 3}
    assert [(conflict.name, conflict.kept, conflict.refused) for conflict in found.details.conflicts] == [
        ("lr", 0.1, 0.2)
    ]
