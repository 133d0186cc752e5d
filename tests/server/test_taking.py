"""What runs take from other runs, and say so: artifacts with their bytes, model versions; in a folder and through a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.model.errors import Damaged, InvalidInput, NotFound
from lineal.model.lineage import ArtifactUse, VersionUse
from lineal.registry.handles import ModelVersion
from tests.server.hosting import hosting, source  # noqa: F401 (fixtures)

CSV = "x,y\n1,2\n"


@pytest.fixture(params=["folder", "server"])
def url(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    if request.param == "folder":
        yield str(tmp_path / "notebook")
        return
    from lineal.server.hosted import HostedSource

    with HostedSource("memory:", tmp_path / "blobs") as hosted, hosting(hosted) as client:
        yield str(client.base_url).removesuffix("/").removesuffix("/api/v1")


def made(url: str) -> str:
    """A run with out/data.csv in two versions, and a folder of two files."""
    with lineal.init("digits", "made", url=url) as run:
        run.log_text("old", "out/data.csv")
        run.log_text(CSV, "out/data.csv")
        run.log_text("a", "many/a.txt")
        run.log_text("b", "many/deep/b.txt")
        run.log_artifact("s3://bucket/model.bin", mode="reference")
    return run.run_id


def uses(run_id: str, url: str) -> list[tuple[str, str, int | None]]:
    return [(one.run_id, one.path, one.version) for one in lineal.get_run(run_id, url=url).details.artifact_uses]


def test_a_whole_chain(url: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text(CSV)
    with lineal.init("digits", "clean", url=url) as clean:
        clean.log_dataset("raw", raw, version="2.1", context="training")
        clean.log_text("x,y\n5,6\n", "clean.csv")
    with lineal.init("digits", "train", url=url) as train:
        taken = train.use_artifact(f"{clean.run_id}:clean.csv")
        assert taken.name == "clean.csv" and taken.read_text() == "x,y\n5,6\n"
        weights = np.loadtxt(taken, delimiter=",", skiprows=1)
        train.log_model("vision", {"w": weights})
    with lineal.init("digits", "serve", url=url) as serve:
        assert list(lineal.load_model("vision/1", url=url)["w"]) == [5.0, 6.0]
    version = lineal.get_model_version("vision/1", url=url)
    [use] = lineal.get_run(serve.run_id, url=url).details.version_uses
    assert use == VersionUse(version.version_id, "vision", use.used_ms)
    told = CliRunner().invoke(command, ["lineage", "raw", "--down", "--url", url])
    assert told.exit_code == 0, told.output
    words = [line.lstrip("│├└─ ").partition(" (")[0] for line in told.output.splitlines()]
    ids = {run.name: run.run_id[:12] for run in (clean, train, serve)}
    assert words == [
        words[0],
        "led to",
        f"used by for training: run clean {ids['clean']}",
        f"made: artifact {ids['clean']}:clean.csv",
        f"used by: run train {ids['train']}",
        f"made: artifact {ids['train']}:models/vision/model.safetensors",
        "in: model vision/1",
        f"used by: run serve {ids['serve']}",
    ]
    up = lineal.lineage(serve.run_id, down=False, url=url)
    assert {node["name"] for node in up["nodes"] if node["kind"] == "run"} == {"clean", "train", "serve"}


def test_ways_to_name_an_artifact(url: str) -> None:
    run_id = made(url)
    logged = lineal.get_run(run_id, url=url)
    with lineal.init("digits", "takes", url=url) as run:
        ways: tuple[tuple[tuple[Any, ...], dict[str, Any], str], ...] = (
            ((f"{run_id}:out/data.csv",), {}, CSV),
            ((f"{run_id[:10]}:out/data.csv",), {"version": 1}, "old"),
            ((f"{run_id}:out/data.csv@1",), {}, "old"),
            ((run_id, "out/data.csv"), {}, CSV),
            ((logged, "out/data.csv"), {"version": 1}, "old"),
        )
        for args, more, text in ways:
            assert run.use_artifact(*args, **more).read_text() == text
    assert uses(run.run_id, url) == [(run_id, "out/data.csv", 2), (run_id, "out/data.csv", 1)]
    [latest, _] = lineal.get_run(run.run_id, url=url).details.artifact_uses
    digest = next(one.digest for one in logged.artifacts if one.path == "out/data.csv" and one.version == 2)
    assert latest == ArtifactUse(run_id, "out/data.csv", digest or "", 2, latest.used_ms)


def test_a_folder_is_taken_whole(url: str) -> None:
    run_id = made(url)
    with lineal.init("digits", "takes", url=url) as run:
        folder = run.use_artifact(f"{run_id}:many")
        assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
            "a.txt",
            "deep/b.txt",
        }
        assert (run.use_artifact(run_id, "many/") / "a.txt").read_text() == "a"
        assert run.use_artifact(f"{run_id}:many/deep").joinpath("b.txt").read_text() == "b"
    assert uses(run.run_id, url) == [(run_id, "many/a.txt", 1), (run_id, "many/deep/b.txt", 1)]


def test_a_copy_may_be_changed_and_is_made_again(url: str) -> None:
    run_id = made(url)
    with lineal.init("digits", "takes", url=url) as run:
        first = run.use_artifact(f"{run_id}:out/data.csv")
        first.write_text("changed")
        assert run.use_artifact(f"{run_id}:out/data.csv").read_text() == CSV
    assert lineal.get_run(run_id, url=url).artifact_path("out/data.csv").read_text() == CSV


def test_other_bytes_than_those_that_were_logged_are_never_handed_out(url: str) -> None:
    run_id = made(url)
    blob = lineal.get_run(run_id, url=url).artifact_path("out/data.csv")
    os.chmod(blob, 0o600)
    blob.write_text("x,y\n1,3\n")
    with lineal.init("digits", "takes", url=url) as run:
        if url.startswith("http"):  # what was fetched is fetched again
            assert run.use_artifact(f"{run_id}:out/data.csv").read_text() == CSV
            return
        with pytest.raises(Damaged):
            run.use_artifact(f"{run_id}:out/data.csv")
    assert uses(run.run_id, url) == []


def test_what_cannot_be_taken(url: str) -> None:
    run_id = made(url)
    with lineal.init("digits", "takes", url=url) as run:
        wrong: tuple[tuple[tuple[Any, ...], dict[str, Any], type[Exception]], ...] = (
            (("nothing:x",), {}, NotFound),
            ((f"{run_id}:nothing",), {}, NotFound),
            ((f"{run_id}:out/data.csv",), {"version": 3}, NotFound),
            ((f"{run_id}:many",), {"version": 1}, NotFound),
            ((f"{run_id}:model.bin",), {}, NotFound),
            ((f"{run_id}:",), {}, InvalidInput),
            ((run_id,), {}, InvalidInput),
            ((7, "x"), {}, InvalidInput),
            ((lineal.get_run(run_id, url=url),), {}, InvalidInput),
        )
        for args, more, error in wrong:
            with pytest.raises(error):
                run.use_artifact(*args, **more)
        for ref in ("nothing@best", "nothing/1"):
            with pytest.raises(NotFound):
                run.use_model(ref)
    details = lineal.get_run(run.run_id, url=url).details
    assert details.artifact_uses == [] and details.version_uses == []


def test_a_model_is_used_by_name_once_said(url: str, tmp_path: Path) -> None:
    with lineal.init("digits", "makes", url=url) as makes:
        makes.log_model("vision", {"w": np.ones(2)})
    lineal.promote("vision/1", alias="best", url=url)
    with lineal.init("digits", "uses", url=url) as run:
        version = run.use_model("vision@best")
        assert isinstance(version, ModelVersion) and version.version == 1
        run.use_model(version)
        assert (version.download(tmp_path / "files") / "model.safetensors").exists()
        version.load()
    lineal.load_model("vision@best", url=url)  # nobody's: no run is current
    [use] = lineal.get_run(run.run_id, url=url).details.version_uses
    assert (use.version_id, use.name) == (version.version_id, "vision")
    assert lineal.get_run(run.run_id, url=url).losses == {}
