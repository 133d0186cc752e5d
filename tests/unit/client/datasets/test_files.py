"""Digests of files, folders and globs; what is remembered of them, and when it is not believed."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.client.content_id import content_id
from lineal.client.datasets import files
from lineal.client.datasets.cache import DigestCache, Stat
from lineal.client.datasets.files import digest_of
from lineal.client.datasets.hashing import digest_of_parts
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import DIGEST_CACHED_MIN_BYTES


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, content in {
        "a.csv": b"1",
        "b/c.csv": b"22",
        "b-c.csv": b"3",
        "x.txt": b"",
        ".lineal/lineal.db": b"no",
    }.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


def large(path: Path, first: bytes = b"a") -> bytes:
    content = first + b"x" * DIGEST_CACHED_MIN_BYTES
    path.write_bytes(content)
    return content


def make_old(path: Path) -> None:
    """As files are that nobody has changed for a while; the time of the change of state cannot be set, so that is waited out."""
    os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DigestCache:
    """One that finds every file old enough."""
    monkeypatch.setattr("lineal.client.datasets.cache.DIGEST_CACHE_SETTLED_S", -3_600.0)
    (tmp_path / "home").mkdir()
    return DigestCache(str(tmp_path / "home"))


def test_a_file_is_its_bytes(data: Path) -> None:
    assert digest_of(str(data / "b" / "c.csv")) == sha(b"22")
    assert digest_of(str(data / "x.txt")) == sha(b"")


def test_a_folder_is_its_names_and_digests(data: Path) -> None:
    named = [["a.csv", sha(b"1")], ["b", ""], ["b-c.csv", sha(b"3")], ["x.txt", sha(b"")]]
    named[1] = ["b/c.csv", sha(b"22")]  # "b" comes before "b-c.csv", as parts do
    assert digest_of(str(data)) == sha(json.dumps(named, separators=(",", ":")).encode())
    before = digest_of(str(data))
    (data / "x.txt").rename(data / "y.txt")
    assert digest_of(str(data)) != before
    (data / "y.txt").rename(data / "x.txt")
    (data / "a.csv").write_bytes(b"2")
    assert digest_of(str(data)) != before


def test_a_folder_has_the_digest_that_content_ids_are_made_of(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_path = content_id(code="c", data=data, params={})
    assert by_path == content_id(code="c", data=digest_of(str(data)), params={})


def test_a_pattern_is_a_folder_of_what_fits(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [("a.csv", sha(b"1")), ("b-c.csv", sha(b"3"))]
    assert digest_of(str(data / "*.csv")) == digest_of_parts(parts)
    assert digest_of(str(data / "**" / "*.csv")) == digest_of_parts([*parts, ("b/c.csv", sha(b"22"))])
    assert digest_of(str(data / "b" / "?.csv")) == digest_of(str(data / "b"))
    assert digest_of(str(data / "**")) == digest_of(str(data))
    monkeypatch.chdir(tmp_path)
    assert digest_of("data/*.csv") == digest_of_parts(parts)
    (data / "[odd].csv").write_bytes(b"odd")
    assert digest_of("data/[odd].csv") == sha(b"odd"), "a file of that name is meant first"


def test_links_count_as_what_they_lead_to_and_lead_nowhere_round(data: Path) -> None:
    (data / "copy.csv").symlink_to(data / "a.csv")
    (data / "round").symlink_to(data)
    (data / "dead").symlink_to(data / "nothing")
    named = {"a.csv": b"1", "b/c.csv": b"22", "b-c.csv": b"3", "x.txt": b"", "copy.csv": b"1"}
    assert digest_of(str(data)) == digest_of_parts((name, sha(content)) for name, content in named.items())


def test_linked_folders_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "a.csv").write_text(name)
    data = tmp_path / "data"
    digests = []
    for name in ("v1", "v2"):
        data.mkdir()
        (data / "train").symlink_to(tmp_path / name)
        assert digest_of(str(data)) == digest_of(str(data / "**"))
        assert content_id(code="c", data=data) == content_id(code="c", data=digest_of(str(data)))
        digests.append(digest_of(str(data)))
        (data / "train").unlink()
        data.rmdir()
    shutil.copytree(tmp_path / "v1", data / "train")
    digests.append(digest_of(str(data)))
    (tmp_path / "empty").mkdir()
    assert digests[0] == digests[2] != digests[1]
    assert digest_of(str(tmp_path / "empty")) not in digests
    (data / "again").symlink_to(tmp_path / "v1")
    assert files.find(str(data)).names is not None
    assert sorted(files.find(str(data)).names or ()) == ["again/deep/a.csv", "train/deep/a.csv"]


def test_links_that_lead_round_are_left_out(data: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "o.csv").write_bytes(b"o")
    (tmp_path / "other" / "back").symlink_to(data)
    (data / "b" / "up").symlink_to(data)
    (data / "b" / "other").symlink_to(tmp_path / "other")
    (data / "self").symlink_to(data / "self")
    (data / "kept").symlink_to(data / ".lineal")
    wanted = ["a.csv", "b-c.csv", "b/c.csv", "b/other/o.csv", "x.txt"]
    assert sorted(files.find(str(data)).names or ()) == wanted
    (data / "kept").unlink()
    assert sorted(files.find(str(data / "**")).names or ()) == wanted


def test_folders_that_link_one_another_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.datasets.files.DATASET_LINKS_MAX_COUNT", 50)
    for one in range(6):
        (tmp_path / f"f{one}").mkdir()
        for other in range(6):
            (tmp_path / f"f{one}" / f"to{other}").symlink_to(tmp_path / f"f{other}")
    with pytest.raises(InvalidInput, match="50 links"):
        digest_of(str(tmp_path))


@pytest.mark.parametrize(
    "pattern",
    [
        "**",
        "**/*.csv",
        "**/b/**",
        "**/**/c.csv",
        "b/**",
        "*/**/c.*",
        "**/.h/*",
        "**/.*",
        "*/**",
        "**/?.csv",
        "b/**/c.csv",
    ],
)
def test_patterns_of_any_depth_fit_what_glob_fits(data: Path, pattern: str) -> None:
    for name in (".h/a.csv", "b/.h/x.csv", "b/d/c.csv", "b/.x.csv", ".top.csv", "b/b/b.csv"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(b"")
    wanted = [name for name in glob.glob(pattern, root_dir=data, recursive=True) if (data / name).is_file()]
    found = files.find(str(data / pattern))
    assert sorted(os.path.relpath(path, data) for path in found.paths()) == sorted(set(wanted))


def test_what_is_no_data(data: Path) -> None:
    for place in (str(data / "nothing"), str(data / "*.parquet"), "nul\0"):
        with pytest.raises(NotFound):
            digest_of(place)
    os.mkfifo(data / "pipe")
    with pytest.raises(InvalidInput):
        digest_of(str(data / "pipe"))


@given(st.dictionaries(st.text(st.sampled_from("ab-/."), min_size=1, max_size=4), st.just("0" * 64), max_size=5))
def test_the_order_of_parts_makes_no_difference(parts: dict[str, str]) -> None:
    assert digest_of_parts(parts.items()) == digest_of_parts(reversed(list(parts.items())))


# -- what is remembered ----------------------------------------------------------------------------------------


def remembered(cache: DigestCache) -> dict[str, list[object]]:
    path = Path(cache._path)
    return {row[0]: row for row in map(json.loads, path.read_text().splitlines())} if path.exists() else {}


def forge(cache: DigestCache, digest: str) -> DigestCache:
    """Other digests for all that is remembered: whoever answers with it has not read the file."""
    rows = [[*row[:-1], digest] for row in remembered(cache).values()]
    Path(cache._path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return DigestCache(cache._root)


def test_an_unchanged_file_is_not_read_again(data: Path, cache: DigestCache) -> None:
    content = large(data / "big.bin")
    assert digest_of(str(data / "big.bin"), cache=cache) == sha(content)
    assert list(remembered(cache)) == [str(data / "big.bin")]
    forged = forge(cache, "f" * 64)
    assert digest_of(str(data / "big.bin"), cache=forged) == "f" * 64
    assert digest_of(str(data / "big.bin")) == sha(content)


def test_small_files_are_read_again(data: Path, cache: DigestCache) -> None:
    digest_of(str(data), cache=cache)
    assert remembered(cache) == {}


def test_an_edit_that_keeps_the_size_is_seen(data: Path, cache: DigestCache) -> None:
    path = data / "big.bin"
    large(path)
    make_old(path)
    digest_of(str(path), cache=cache)
    changed = large(path, b"b")
    os.utime(path, (1_000_000_001, 1_000_000_001))
    assert digest_of(str(path), cache=DigestCache(cache._root)) == sha(changed)


def test_an_edit_that_puts_the_time_back_is_seen(data: Path, cache: DigestCache) -> None:
    path = data / "big.bin"
    large(path)
    make_old(path)
    digest_of(str(path), cache=cache)
    before = os.stat(path)
    while True:  # the clock of a file system may tick in milliseconds
        changed = large(path, b"b")
        make_old(path)
        if os.stat(path).st_ctime_ns != before.st_ctime_ns:
            break
    after = os.stat(path)
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (before.st_mtime_ns, before.st_size, before.st_ino)
    assert digest_of(str(path), cache=DigestCache(cache._root)) == sha(changed)


def test_a_file_in_place_of_another_is_seen(data: Path, cache: DigestCache) -> None:
    path = data / "big.bin"
    large(path)
    digest_of(str(path), cache=cache)
    changed = large(data / "other.bin", b"b")
    os.replace(data / "other.bin", path)
    assert digest_of(str(path), cache=DigestCache(cache._root)) == sha(changed)


def test_a_file_that_was_just_written_is_not_remembered(data: Path, tmp_path: Path) -> None:
    cache = DigestCache(str(tmp_path))
    stat = Stat(100_000, time.time_ns(), time.time_ns(), 1)
    cache.keep("x", stat, "a" * 64)
    assert cache._news == []
    cache.keep("x", stat._replace(mtime_ns=0, ctime_ns=0), "a" * 64)
    assert len(cache._news) == 1


def test_a_damaged_cache_is_stepped_over(data: Path, cache: DigestCache) -> None:
    content = large(data / "big.bin")
    digest_of(str(data / "big.bin"), cache=cache)
    line = Path(cache._path).read_bytes()
    for damage in (b"", b"\xff\x00\n", b"{}\n", b'["x"]\n', line[:40], line.replace(b'"]', b'0"]'), b"[1,2,3,4,5,6]\n"):
        Path(cache._path).write_bytes(damage + b"\n" + line)
        again = DigestCache(cache._root)
        again.load()
        assert again.find(str(data / "big.bin"), Stat.of(os.stat(data / "big.bin"))) == sha(content)
    Path(cache._path).unlink()
    Path(cache._path).mkdir()
    assert digest_of(str(data / "big.bin"), cache=DigestCache(cache._root)) == sha(content), "it cannot be written"


def test_it_begins_anew_when_it_is_full(data: Path, cache: DigestCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.client.datasets.cache.DIGEST_CACHE_MAX_BYTES", 10)
    for name in ("one.bin", "two.bin"):
        large(data / name)
        digest_of(str(data / name), cache=DigestCache(cache._root))
    assert list(remembered(cache)) == [str(data / "two.bin")]


# -- progress --------------------------------------------------------------------------------------------------


class _Terminal:
    def __init__(self, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("is_terminal", [True, False])
def test_long_work_is_shown_on_a_terminal_alone(data: Path, monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    stream = _Terminal(is_terminal)
    monkeypatch.setattr("sys.stderr", stream)
    digest_of(str(data))
    assert stream.text == "", "it was over at once"
    monkeypatch.setattr("lineal.client.datasets.progress._QUIET_S", 0.0)
    monkeypatch.setattr("lineal.client.datasets.progress._INTERVAL_S", 0.0)
    files.digest_found(files.find(str(data)), shown=str(data))
    if is_terminal:
        assert "digesting data [" in stream.text and "100%" in stream.text and stream.text.endswith("\r\x1b[K")
    else:
        assert stream.text == ""
