"""The git repository that the working directory is in, as far as it is at hand: commits are read, and nothing else is done.

Neither a hook, nor a filter, nor an external diff of the repository is run, and nothing is fetched: a partial clone lacks what it
lacks."""

from __future__ import annotations

import os
import re
import subprocess
from typing import IO, cast

from lineal.model.limits import DIFF_PATCH_MAX_BYTES

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_TIMEOUT_S = 60
_LINK = b"160000"  # the mode of a submodule


class LocalRepository:
    """See `store/code_trees.py`, Repository. To be closed, or used as a context manager."""

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self._command = ["git", "-C", os.fspath(folder), "--no-pager", *_SAFE]
        self._environment = {**os.environ, **_ENVIRONMENT}
        self._reading: subprocess.Popen[bytes] | None = None
        self._links: dict[tuple[str, str], str] = {}

    def __enter__(self) -> LocalRepository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._reading is not None:
            cast(IO[bytes], self._reading.stdin).close()
            cast(IO[bytes], self._reading.stdout).close()
            self._reading.wait()
            self._reading = None

    def changed(self, first: str, second: str) -> list[str] | None:
        if not _COMMIT.fullmatch(first) or not _COMMIT.fullmatch(second):
            return None
        arguments = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", first, second)
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
                env=self._environment,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
        words = done.stdout.split(b"\0")
        paths = []
        for said, name in zip(words[::2], words[1::2], strict=False):
            path = name.decode("utf-8", "surrogateescape")
            old_mode, new_mode, old, new, _ = said.removeprefix(b":").split(b" ")
            for commit, mode, digest in ((first, old_mode, old), (second, new_mode, new)):
                if mode == _LINK:
                    self._links[commit, path] = digest.decode()
            paths.append(path)
        return paths

    def read(self, commit: str, path: str) -> bytes | None:
        link = self._links.get((commit, path))
        if link is not None:
            return f"Subproject commit {link}\n".encode()
        if not _COMMIT.fullmatch(commit) or "\n" in path:
            return None
        process = self._process()
        asked, answered = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        asked.write(f"{commit}:{path}\n".encode("utf-8", "surrogateescape"))
        asked.flush()
        head = answered.readline().split()
        if len(head) < 3 or head[-2] != b"blob" or not head[-1].isdigit():
            return None  # it is not there
        size = int(head[-1])
        if size > DIFF_PATCH_MAX_BYTES:
            _skip(answered, size + 1)
            return b"\0" + head[0]  # too large to be shown: known by its name
        return answered.read(size + 1)[:-1]

    def _process(self) -> subprocess.Popen[bytes]:
        if self._reading is None:
            self._reading = subprocess.Popen(
                [*self._command, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
            )
        return self._reading


def _skip(answered: IO[bytes], left: int) -> None:
    while left > 0:
        piece = answered.read(min(left, DIFF_PATCH_MAX_BYTES))
        if not piece:
            return
        left -= len(piece)
