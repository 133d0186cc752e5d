"""Params say where they came from, and the file is kept, without its secrets."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import lineal
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.secret_shapes import MASK
from lineal.model import limits

SRC = Path(__file__).resolve().parents[3] / "src"


@pytest.fixture(autouse=True)
def captures_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_CAPTURE", "sources")


def sources_of(folder: Path, run_id: str) -> list[dict[str, Any]]:
    captured = lineal.get_run(run_id, url=folder).capture("sources")
    return [] if captured is None else list(captured["sources"])


def said(folder: Path, *params: Any) -> tuple[list[dict[str, Any]], Any]:
    with lineal.init(params=params[0], url=folder, capture="sources") as run:
        for more in params[1:]:
            run.log_params(more)
    return sources_of(folder, run.run_id), lineal.get_run(run.run_id, url=folder)


def test_a_dict_is_no_source(tmp_path: Path) -> None:
    found, run = said(tmp_path, {"api_key": "as you wish", "lr": 0.1})
    assert found == []
    assert dict(run.params) == {"api_key": "as you wish", "lr": 0.1}


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.yaml", "model:\n  depth: 3\n  api_key: hush-hush  # mine\nlr: 0.1\n", "yaml"),
        ("b.json", '{"model": {"depth": 3, "api_key": "hush-hush"}, "lr": 0.1}', "json"),
        ("c.toml", 'lr = 0.1\n[model]\ndepth = 3\napi_key = "hush-hush"\n', "toml"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    found, run = said(tmp_path / "notebook", path)
    (source,) = found
    assert (source["kind"], source["name"]) == (kind, name)
    assert sorted(source["params"]) == ["lr", "model/api_key", "model/depth"]
    assert dict(run.params) == {"lr": 0.1, "model/depth": 3, "model/api_key": MASK}
    kept = {artifact.path: artifact for artifact in run.details.artifacts}
    assert source["file"] == {
        "path": f".lineal/config/{name}",
        "digest": kept[f".lineal/config/{name}"].digest,
        "size_bytes": kept[f".lineal/config/{name}"].size_bytes,
        "from": str(path),
        "is_masked": True,
    }
    everything = b"".join(path.read_bytes() for path in (tmp_path / "notebook").rglob("*") if path.is_file())
    assert b"hush-hush" not in everything


def test_two_files_of_one_name_and_one_twice(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "config.json").write_text(json.dumps({place: 1}))
    one, two = tmp_path / "one" / "config.json", tmp_path / "two" / "config.json"
    found, _ = said(tmp_path / "notebook", one, two, one)
    assert [source["file"]["path"] for source in found] == [
        ".lineal/config/config.json",
        ".lineal/config/config-2.json",
    ]


def test_a_file_over_the_limit_is_named_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.sources.CONFIG_FILE_MAX_BYTES", 5)
    (tmp_path / "c.json").write_text('{"lr": 0.1}')
    found, _ = said(tmp_path / "notebook", tmp_path / "c.json")
    assert found == [{"kind": "json", "name": "c.json", "params": ["lr"]}]


def test_objects(tmp_path: Path) -> None:
    from omegaconf import OmegaConf
    from pydantic import BaseModel

    @dataclass
    class Config:
        depth: int = 3

    class Model(BaseModel):
        width: int = 4
        password: str = "hush-hush"

    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", default="fast")
    found, run = said(tmp_path, Config(), Model(), parser.parse_args([]), OmegaConf.create({"a": {"b": 1}}))
    assert [(source["kind"], source["name"], source["params"]) for source in found] == [
        ("dataclass", "Config", ["depth"]),
        ("pydantic", "Model", ["width", "password"]),
        ("argparse", os.path.basename(sys.argv[0]), ["lr"]),
        ("omegaconf", "", ["a/b"]),
    ]
    assert run.params["password"] == MASK


def test_a_context_of_click(tmp_path: Path) -> None:
    @click.group()
    @click.option("--device", default="cpu")
    def main(device: str) -> None:
        pass

    @main.command()
    @click.option("--lr", type=float)
    def train(lr: float) -> None:
        with lineal.init(params=click.get_current_context(), url=tmp_path, capture="sources") as run:
            click.echo(run.run_id)

    result = CliRunner().invoke(main, ["train", "--lr", "0.5"], prog_name="prog")
    assert result.exception is None
    run_id = result.stdout.strip()
    assert dict(lineal.get_run(run_id, url=tmp_path).params) == {"device": "cpu", "lr": 0.5}
    assert sources_of(tmp_path, run_id) == [{"kind": "click", "name": "prog train", "params": ["device", "lr"]}]


def test_names_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps({f"p{number}": number for number in range(1_200)}))
    found, _ = said(tmp_path / "notebook", tmp_path / "c.json")
    assert (len(found[0]["params"]), found[0]["param_count"]) == (limits.SOURCE_PARAMS_MAX_COUNT, 1_200)


def test_secrets_in_lists_and_pairs_of_a_file_are_masked(tmp_path: Path) -> None:
    given = {
        "api_keys": ["hush1", "hush2"],
        "env": [{"name": "DB_PASSWORD", "value": "hush3"}, {"name": "A", "value": "b"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(given))
    with lineal.init(params=tmp_path / "c.json", url=tmp_path / "notebook", capture="sources") as run:
        pass
    said = repr(dict(lineal.get_run(run.run_id, url=tmp_path / "notebook").params))
    assert MASK in said and "hush" not in said and '"b"' in said
    written = b"".join(path.read_bytes() for path in (tmp_path / "notebook").rglob("*") if path.is_file())
    assert b"hush" not in written


def test_without_the_part_nothing_is_named_or_kept(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"lr": 0.1, "password": "hush-hush"}')
    with lineal.init(params=tmp_path / "c.json", url=tmp_path / "notebook", capture="no-sources,none") as run:
        pass
    read = lineal.get_run(run.run_id, url=tmp_path / "notebook")
    assert read.capture("sources") is None
    assert not read.details.artifacts
    assert dict(read.params) == {"lr": 0.1, "password": MASK}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password: x y z\n", f'password: "{MASK}"\n'),
        ("  - api_key: 'abc'\n", f"  - api_key: '{MASK}'\n"),
        ('{"db": {"password": "a\\"b"}, "n": 1}', f'{{"db": {{"password": "{MASK}"}}, "n": 1}}'),
        ("password: ${oc.env:PASSWORD}\n", "password: ${oc.env:PASSWORD}\n"),
        ("password:\n  min: 3\n", "password:\n  min: 3\n"),
        ("- lr=0.5\n- +db.password=abc\n", f"- lr=0.5\n- +db.password={MASK}\n"),
        ("password: |\n  abc\napi_keys:\n  - abc\n", f'password: |\n  {MASK}\napi_keys:\n  - "{MASK}"\n'),
        ("password: null\nmax_token: 5\n", "password: null\nmax_token: 5\n"),
        ("url: postgresql://me:hush@host/db\n", f"url: postgresql://{MASK}@host/db\n"),
    ],
)
def test_masked_files(text: str, masked: str) -> None:
    assert mask_file("config.yaml", text.encode()).decode() == masked


HYDRA = """
import hydra, lineal

@hydra.main(version_base=None, config_path="conf", config_name="train")
def main(cfg):
    with lineal.init(params=cfg, capture="sources") as run:
        print(run.run_id)

main()
"""


def test_under_hydra(tmp_path: Path) -> None:
    pytest.importorskip("hydra")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "train.yaml").write_text("lr: 0.1\ndb:\n  password: hush-hush\n")
    (tmp_path / "train.py").write_text(HYDRA)
    path = os.pathsep.join([str(SRC), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path, "LINEAL_URL": str(tmp_path / "notebook")}
    command = [sys.executable, "train.py", "lr=0.5", "+token=abc"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (source,) = sources_of(tmp_path / "notebook", done.stdout.strip())
    assert (source["kind"], source["name"]) == ("hydra", "train")
    assert source["overrides"] == ["lr=0.5", f"+token={MASK}"]
    names = [file["path"].rpartition("/")[2] for file in source["files"]]
    assert names == ["config.yaml", "overrides.yaml"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "notebook").rglob("*") if path.is_file())
    assert b"hush-hush" not in kept and b"+token=abc" not in kept
    assert lineal.get_run(done.stdout.strip(), url=tmp_path / "notebook").params["lr"] == 0.5
