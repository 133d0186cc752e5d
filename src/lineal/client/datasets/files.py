"""Files, folders and globs: the SHA-256 of a file is that of its bytes, of several that of their names and digests."""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from lineal.client.datasets.cache import DigestCache, Stat
from lineal.client.datasets.hashing import PIECE_BYTES, digest_of_parts
from lineal.client.datasets.progress import Progress
from lineal.journal.layout import FOLDER_NAME
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import DATASET_LINKS_MAX_COUNT, DIGEST_CACHED_MIN_BYTES, DIGEST_THREADS_MAX_COUNT

_MAGIC = frozenset("*?[")


class Found(NamedTuple):
    """`names` are relative to `root`, with "/" between the parts; None where the place is one file."""

    root: str
    names: list[str] | None

    def paths(self) -> list[str]:
        return [self.root] if self.names is None else [os.path.join(self.root, name) for name in self.names]


class Digested(NamedTuple):
    """`changed_count`: files that somebody wrote to meanwhile, so that the digest may be of no state that they ever were in."""

    digest: str
    file_count: int
    size_bytes: int
    changed_count: int = 0


def digest_of(place: str, *, cache: DigestCache | None = None) -> str:
    """As `log_dataset` says it of a local file, folder or glob. NotFound, InvalidInput, OSError."""
    return digest_found(find(place), cache=cache, shown=place).digest


def find(place: str) -> Found:
    """A file, a folder, or a pattern with "*", "?", "[...]" or "**" that fits files. Lineal's own folders are no part of it."""
    path = os.path.abspath(os.path.expanduser(place))
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        if _MAGIC & set(place):
            return _fitting(path)
        raise NotFound(f"data {place!r:.200} does not exist", field="data") from None
    if stat.S_ISDIR(mode):
        return Found(path, list(files_below(path)))
    if not stat.S_ISREG(mode):
        raise InvalidInput(f"data {place!r:.200} is neither a file nor a folder", field="data")
    return Found(path, None)


def files_below(root: str) -> Iterator[str]:
    """Links count as what they lead to, files and folders, except where a link leads round: to a folder in which it lies. Raises
    InvalidInput where folders are linked so often that there is no end to it."""
    link_count = 0
    waiting: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(root),))]
    while waiting:
        inner, around = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(root, inner)) as entries:
            for entry in entries:
                name = f"{inner}/{entry.name}" if inner else entry.name
                if _is(entry.is_file):
                    yield name
                elif entry.name != FOLDER_NAME and _is(entry.is_dir):
                    if not entry.is_symlink():
                        waiting.append((name, (*around, os.path.join(around[-1], entry.name))))
                        continue
                    link_count += 1
                    if link_count > DATASET_LINKS_MAX_COUNT:
                        why = f"more than {DATASET_LINKS_MAX_COUNT:,} links to folders lead on from {root!r:.200}"
                        raise InvalidInput(f"{why}: give the folders themselves", field="data")
                    real = os.path.realpath(entry.path)
                    if real not in around and os.path.basename(real) != FOLDER_NAME:
                        waiting.append((name, (*around, real)))


def _is(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except OSError:  # a link to itself
        return False


def _fitting(pattern: str) -> Found:
    parts = pattern.split(os.sep)
    fixed = next(place for place, part in enumerate(parts) if _MAGIC & set(part))
    root = os.sep.join(parts[:fixed]) or os.sep
    if "**" in parts:  # glob would go round with links that do, as often as the system lets it
        wanted = [
            part
            for place, part in enumerate(parts[fixed:])
            if part != "**" or parts[fixed:][place - 1 : place] != ["**"]
        ]
        names = [name for name in files_below(root) if _fits(name.split("/"), wanted)]
    else:
        found = glob.glob(os.sep.join(parts[fixed:]), root_dir=root)
        names = [name.replace(os.sep, "/") for name in found if os.path.isfile(os.path.join(root, name))]
        names = [name for name in names if FOLDER_NAME not in name.split("/")]
    if not names:
        raise NotFound(f"no file fits {pattern!r:.200}", field="data")
    return Found(root, names)


def _fits(name: Sequence[str], pattern: Sequence[str]) -> bool:
    """As glob has it: "**" stands for any folders, or at the end for any files; names that begin with a dot are asked for by it."""
    if not pattern:
        return not name
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        if not rest:
            return bool(name) and not any(part.startswith(".") for part in name)
        return _fits(name, rest) or (len(name) > 1 and not name[0].startswith(".") and _fits(name[1:], pattern))
    if not name or not fnmatch.fnmatchcase(name[0], first):
        return False
    return (not name[0].startswith(".") or first.startswith(".")) and _fits(name[1:], rest)


def digest_found(found: Found, *, cache: DigestCache | None = None, shown: str = "") -> Digested:
    """Several files at a time, each read by one thread, in which hashing holds no lock of the interpreter."""
    paths = found.paths()
    sizes = [os.stat(path).st_size for path in paths]
    if cache is not None and max(sizes, default=0) >= DIGEST_CACHED_MIN_BYTES:
        cache.load()
    progress = Progress(os.path.basename(shown.rstrip("/")) or shown, sum(sizes))
    try:
        read = _digest_all(paths, sizes, cache, progress)
    finally:
        progress.end()
        if cache is not None:
            cache.save()
    digests = [digest for digest, _ in read]
    changed_count = sum(not is_still for _, is_still in read)
    if found.names is None:
        return Digested(digests[0], 1, sizes[0], changed_count)
    digest = digest_of_parts(zip(found.names, digests, strict=True))
    return Digested(digest, len(paths), sum(sizes), changed_count)


_Read = tuple[str, bool]
"""The digest, and whether the file was the same before and after."""


def _digest_all(
    paths: Sequence[str], sizes: Sequence[int], cache: DigestCache | None, progress: Progress
) -> list[_Read]:
    def one(place: int) -> _Read:
        return _digest_file(paths[place], cache, progress)

    threads = min(len(paths), os.cpu_count() or 1, DIGEST_THREADS_MAX_COUNT)
    # The largest first, so that none is left alone at the end.
    order = sorted(range(len(paths)), key=lambda place: -sizes[place])
    if threads < 2:
        return [one(place) for place in range(len(paths))]
    found: list[_Read] = [("", True)] * len(paths)
    with ThreadPoolExecutor(threads, thread_name_prefix="lineal-digest") as pool:
        for place, read in zip(order, pool.map(one, order), strict=True):
            found[place] = read
    return found


def _digest_file(path: str, cache: DigestCache | None, progress: Progress) -> _Read:
    with open(path, "rb", buffering=0) as file:
        before = Stat.of(os.fstat(file.fileno()))
        is_cached = cache is not None and before.size >= DIGEST_CACHED_MIN_BYTES
        known = cache.find(path, before) if cache is not None and is_cached else None
        if known is not None:
            progress.advance(before.size)
            return known, True
        hasher, buffer = hashlib.sha256(), bytearray(min(PIECE_BYTES, max(before.size, 1) + 1))
        view = memoryview(buffer)
        while count := file.readinto(buffer):
            hasher.update(view[:count])
            progress.advance(count)
        digest = hasher.hexdigest()
        after = Stat.of(os.fstat(file.fileno()))
        if cache is not None and is_cached and after == before:
            cache.keep(path, before, digest)
        return digest, after[:2] == before[:2]  # a link or other rights change no content
