"""Data that the run used: there, changed, moved, or linked into the new tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lineal.client.datasets.files import digest_of
from lineal.model.lineage import Dataset, DatasetUse
from lineal.reproduce.captured import Hardware
from lineal.reproduce.data import CheckedData, check_data
from lineal.reproduce.hardware import check_hardware
from lineal.reproduce.problems import Problem


def use(source: str | None, digest: str, source_type: str | None = "local") -> DatasetUse:
    return DatasetUse(Dataset("train", digest, source_type=source_type, source=source), "training")


def check(said: DatasetUse, root: Path, tree: Path) -> tuple[CheckedData, list[Problem]]:
    (found,), problems = check_data([said], str(root), str(root), tree)
    return found, problems


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    root, tree = tmp_path / "root", tmp_path / "tree"
    for folder in (root, tree):
        (folder / "data").mkdir(parents=True)
    return root, tree


def test_data_elsewhere_is_read_where_it_is(places: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("a,b\n1,2\n")
    found, problems = check(use(str(path), digest_of(str(path))), *places)
    assert found.place == str(path) and not found.is_linked and not problems
    path.write_text("a,b\n1,3\n")
    (changed,) = check(use(str(path), found.digest), *places)[1]
    assert changed.blocks and "has changed" in changed.text and str(path) in changed.text and changed.name == "train"
    path.unlink()
    (moved,) = check(use(str(path), found.digest), *places)[1]
    assert moved.blocks and "moved or deleted" in moved.text


@pytest.mark.parametrize("source", ["data/big.csv", "file", "json"])
def test_data_below_the_old_tree_is_linked(source: str, places: tuple[Path, Path]) -> None:
    root, tree = places
    path = root / "data" / "big.csv"
    path.write_text("big")
    said = {"file": f"file://{path}", "json": json.dumps({"uri": str(path)})}.get(source, source)
    found, problems = check(use(said, digest_of(str(path))), root, tree)
    assert not problems and found.is_linked and (tree / "data" / "big.csv").read_text() == "big"
    (tree / "data" / "big.csv").unlink()
    _, problems = check(use(said, "0" * 64), root, tree)
    assert len(problems) == 1 and not (tree / "data" / "big.csv").exists()


def test_data_that_the_new_tree_has_is_checked_there(places: tuple[Path, Path]) -> None:
    root, tree = places
    (root / "data" / "small.csv").write_text("changed since")
    (tree / "data" / "small.csv").write_text("small")
    found, problems = check(use("data/small.csv", digest_of(str(tree / "data" / "small.csv"))), root, tree)
    assert not problems and found.place == str(tree / "data" / "small.csv") and not found.is_linked


def test_a_folder_of_data(places: tuple[Path, Path]) -> None:
    root, tree = places
    (root / "images").mkdir()
    (root / "images" / "1.png").write_bytes(b"1")
    digest = digest_of(str(root / "images"))
    found, problems = check(use("images", digest), root, tree)
    assert not problems and found.is_linked and (tree / "images" / "1.png").read_bytes() == b"1"
    (root / "images" / "2.png").write_bytes(b"2")
    assert len(check(use(str(root / "images"), digest), root, tree)[1]) == 1


def test_of_a_folder_that_the_new_tree_has_in_part_the_rest_is_linked(places: tuple[Path, Path]) -> None:
    root, tree = places
    for place, names in ((root, ("a.csv", "b.csv", "sub/c.csv")), (tree, ("a.csv",))):
        for name in names:
            (place / "data" / name).parent.mkdir(exist_ok=True)
            (place / "data" / name).write_text(name)
    for source in ("data/*.csv", "data/**/*.csv", "data"):
        found, problems = check(use(source, digest_of(str(root / source))), root, tree)
        assert not problems and found.place == str(tree / source)
    assert not (tree / "data" / "a.csv").is_symlink() and (tree / "data" / "sub" / "c.csv").is_symlink()
    digest = digest_of(str(root / "data"))
    (tree / "data" / "a.csv").write_text("another one is in the commit")
    (problem,) = check(use("data", digest), root, tree)[1]
    assert "has changed" in problem.text and str(tree) in problem.text


def test_a_glob_that_fits_nothing_any_more(places: tuple[Path, Path]) -> None:
    (problem,) = check(use("data/*.npy", "0" * 64), *places)[1]
    assert "moved or deleted" in problem.text


def test_data_that_is_not_on_a_disk(places: tuple[Path, Path]) -> None:
    found, (problem,) = check(use("s3://bucket/train", "abc", "s3"), *places)
    assert found.place is None and not problem.blocks and "s3://bucket/train" in problem.text
    assert check(use(None, "abc"), *places) == (CheckedData("train", "abc", None), [])
    assert check(use("{odd", "abc"), *places)[0].place is None


@pytest.mark.parametrize(
    "place", ["/proc/self/maps", "/dev/zero", "/sys", "/", "/**", "/*/kmsg", "link", "around", "data"]
)
def test_what_the_system_makes_up_is_never_opened(
    place: str, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a record, or by a link of a tree."""
    root, tree = places
    (tree / "link").symlink_to("/proc/self/maps")
    (tree / "around").symlink_to("/proc/self", target_is_directory=True)
    (tree / "data" / "maps").symlink_to("/proc/self/maps")
    (root / "data" / "maps").symlink_to("/proc/self/maps")
    (root / "link").symlink_to("/proc/self/maps")
    (root / "around").symlink_to("/proc/self", target_is_directory=True)
    opened: list[object] = []
    monkeypatch.setattr("lineal.reproduce.data.digest_found", lambda *words, **named: opened.append(words))
    for is_bounded in (True, False):
        _, (problem,) = check_data([use(place, "0" * 64)], str(root), str(root), tree, is_bounded=is_bounded)
        assert problem.blocks and "of the system" in problem.text
    assert not opened


def test_memory_that_is_used_as_a_disk_is_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lineal.reproduce.data_files._SYSTEM", (str(tmp_path),))
    monkeypatch.setattr("lineal.reproduce.data_files._MEMORY", str(tmp_path / "shm"))
    for name in ("shm/x", "tty/x"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1")
    digest = digest_of(str(tmp_path / "shm" / "x"))
    problems = [check_data([use(str(tmp_path / name), digest)], None, None, tmp_path)[1] for name in ("shm/x", "tty/x")]
    assert [len(some) for some in problems] == [0, 1]


@pytest.mark.parametrize(
    ("source", "limit", "value"),
    [
        ("big", "REPRODUCED_DATA_MAX_BYTES", 3),
        ("big/*.bin", "REPRODUCED_DATA_MAX_BYTES", 3),
        ("big", "REPRODUCED_DATA_MAX_COUNT", 1),
        ("big/**", "REPRODUCED_DATA_MAX_COUNT", 1),
        ("*/*.bin", "REPRODUCED_DATA_MAX_COUNT", 1),
        ("[b]ig/*.bin", "REPRODUCED_DATA_MAX_COUNT", 100),
    ],
    ids=["size", "size-of-pattern", "folder", "deep-pattern", "wide-pattern", "link-round"],
)
def test_a_dry_run_does_not_read_what_is_large(
    source: str, limit: str, value: int, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tree = places
    (root / "big").mkdir()
    for name in ("a.bin", "b.bin"):
        (root / "big" / name).write_bytes(b"12")
    if value == 100:
        (root / "big" / "round").symlink_to(root, target_is_directory=True)
    digest = digest_of(str(root / source))
    said = [use(source, digest)]
    monkeypatch.setattr(f"lineal.reproduce.data_files.{limit}", value)
    (found,), (problem,) = check_data(said, str(root), str(root), tree, is_bounded=True)
    assert not problem.blocks and "not compared by a dry run" in problem.text
    assert found.place == str(root / source) and not found.is_linked and not (tree / "big").exists()
    (found,), problems = check_data(said, str(root), str(root), tree)
    assert not problems and found.is_linked


def test_a_source_that_is_nested_deeply(places: tuple[Path, Path]) -> None:
    found, problems = check(use('{"a":' * 5000, "abc"), *places)
    assert found.place is None and not any(problem.blocks for problem in problems)


def test_hardware(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_hardware(None) == [] and check_hardware(Hardware()) == []
    (missing,) = check_hardware(Hardware(gpus=("H100", "H100")))
    assert missing.blocks and not missing.is_final and "2 GPU (H100)" in missing.text and "none is here" in missing.text
    (fewer,) = check_hardware(Hardware(cpu_count=100_000))
    assert not fewer.blocks
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho H200\necho H200\n")
    program.chmod(0o755)
    (other,) = check_hardware(Hardware(gpus=("H100",)))
    assert not other.blocks and "here is H200" in other.text
    assert check_hardware(Hardware(gpus=("H200",))) == []
