from __future__ import annotations

import pytest

from lineal.client.tracked.events import path_of, suffix_of
from lineal.client.tracked.places import Places


@pytest.mark.parametrize(
    ("paths", "prefixes"),
    [
        (["/w/runs/a/e1", "/w/runs/a/e2"], ["", ""]),
        (["/w/runs/a/e", "/w/runs/a/loss_train/e", "/w/runs/a/1700000000.5/e"], ["", "loss_train/", ""]),
        (["/w/logs/train/e", "/w/logs/validation/e"], ["train/", "validation/"]),
        (["/w/runs/a/e", "/w/runs/b/e", "/w/other/b/e"], ["", "b/", "b-2/"]),
        (["/w/runs/e", "/w/runs/x/train/e"], ["", "x/train/"]),
    ],
)
def test_prefixes(paths: list[str], prefixes: list[str]) -> None:
    places = Places()
    assert [places.prefix_of(path) for path in paths] == prefixes
    assert [places.prefix_of(path) for path in paths] == prefixes


def test_tags_that_are_no_paths() -> None:
    assert path_of("a/../../b") == "a/b"
    assert path_of("/") == path_of("..") == "untitled"


def test_files_are_called_what_they_are() -> None:
    assert [suffix_of(content) for content in (b"\x89PNG..", b"\xff\xd8\xff", b"GIF89a", b"RIFF", b"?")] == [
        ".png",
        ".jpg",
        ".gif",
        ".wav",
        ".bin",
    ]
