"""What git says of a working tree: asked by its own program, without running what a repository's configuration names, as far as
git lets itself be told (no hooks, no file system monitor, no external diff, no text conversion, nothing fetched; a clean filter
still runs, as in any `git status`). Formats: git-status(1) "Porcelain Format Version 2", git-diff(1),
git-ls-files(1) -v, gitrepository-layout(5)."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineal.client.capture.asked import TookTooLong, ask
from lineal.model.limits import GIT_ANSWER_MAX_BYTES, GIT_REST_S, GIT_TIMEOUT_S

_QUIET = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "-c",
    "diff.external=",
    "-c",
    "diff.noprefix=false",
    "-c",
    "diff.mnemonicPrefix=false",
    "-c",
    "diff.relative=false",
)
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--ignore-submodules=none")
_DIFF = (
    "diff",
    "--binary",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--ignore-submodules=dirty",
    "--submodule=short",
    "--unified=3",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


_NOT_HANDED_ON = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_DIFF_OPTS")
_SET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "GIT_PAGER": "cat",
    # What a clone has left behind is not fetched: no network, and no program that a repository names for it.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
}
_FILTER = re.compile(r"\Afilter\.([^=]+)\.(?:clean|process)\Z")
_BYTECODE = re.compile(rb"(?:\A|/)__pycache__/[^/]+\.pyc\Z")
_HIDDEN = re.compile(rb"\0([a-zS]) ([^\0]+)")
_GIT_FILE_MAX_CHARS = 8_192


_took_too_long_s: float | None = None
"""When it did last, in this process."""


class GitFailed(Exception):
    """git is not there, refuses, or takes too long; the text says which."""


class Refused(GitFailed):
    """The repository belongs to another user, as one of the host's does in a container: git fears what it configures."""


class TooLarge(GitFailed):
    """An answer of more bytes than were asked for at most. `digest`: SHA-256 of all of it, where that was asked for and it ended."""

    def __init__(self, text: str, digest: str | None = None) -> None:
        super().__init__(text)
        self.digest = digest


@dataclass(frozen=True, slots=True)
class Submodule:
    path: str
    commit: str
    remote: str | None
    is_dirty: bool


@dataclass(slots=True)
class Status:
    """`commit` is None where nothing was committed yet; `branch` on a detached head. Paths are relative to the root. Of hundreds of
    thousands of untracked files nothing is known."""

    commit: str | None = None
    branch: str | None = None
    changed: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    submodules: list[Submodule] = field(default_factory=list)
    is_untracked_known: bool = True


@dataclass(slots=True)
class Tracked:
    """`answer`: git-ls-files(1) -v -z, of whose 100,000 names few are ever asked for. `hidden`: those whose changes git does not look at,
    with the letter that says why."""

    answer: bytes = b""
    hidden: dict[str, str] = field(default_factory=dict)
    is_known: bool = True

    def names(self) -> list[str]:
        return [os.fsdecode(entry[2:]) for entry in self.answer.split(b"\0") if entry]

    def others(self, names: Iterable[str]) -> list[str]:
        """Those that it does not track."""
        asked = list(names)
        known = set(self.answer.split(b"\0")) if asked else set()
        return [
            name
            for name in asked
            if all(tag + b" " + os.fsencode(name) not in known for tag in (b"H", b"M", b"S"))
            and name not in self.hidden
        ]


class Repository:
    """The working tree that `folder` lies in. All questions together have GIT_TIMEOUT_S."""

    def __init__(self, folder: str, environ: Mapping[str, str], *, is_trusted: bool = False) -> None:
        """Raises GitFailed, and Refused for one of somebody else's unless it `is_trusted`; LookupError where there is no repository."""
        if _took_too_long_s is not None and time.monotonic() - _took_too_long_s < GIT_REST_S:
            raise GitFailed(f"git took more than {GIT_TIMEOUT_S:g} s a while ago")
        self._deadline_s = time.monotonic() + GIT_TIMEOUT_S
        # A hook or a rebase may have left these to a script that it started, and they would name another repository.
        own = {name: value for name, value in environ.items() if name not in _NOT_HANDED_ON}
        self._environ = own | _SET
        self._is_trusted = is_trusted
        self._options = ["-c", "safe.directory=*"] if is_trusted else []
        self._folder = folder
        try:
            top = self._ask("rev-parse", "--show-toplevel")
        except GitFailed as error:
            if "not a git repository" in str(error):
                raise LookupError(folder) from None
            if "dubious ownership" in str(error) and not is_trusted:
                raise Refused(str(error)) from None
            raise
        self.root = os.fsdecode(top.rstrip(b"\n"))
        if not self.root:
            raise LookupError(folder)  # within a .git folder, or a bare repository
        self._folder = self.root
        self.git_folder = _git_folder(self.root)
        self._scratch: str | None = None

    def head(self) -> str | None:
        """The commit; None where there is none. Asked first: what comes after may take too long."""
        try:
            return self._ask("rev-parse", "--verify", "--quiet", "HEAD").decode().strip() or None
        except GitFailed:
            return None

    def status(self) -> Status:
        status = Status()
        try:
            answer = self._ask(*_STATUS, "--untracked-files=all")
        except TooLarge:
            answer = self._ask(*_STATUS, "--untracked-files=no")
            status.is_untracked_known = False
        dirty_submodules: set[str] = set()
        for line in answer.split(b"\0"):
            kind, _, rest = line.partition(b" ")
            if kind == b"#":
                name, _, value = rest.decode("utf-8", "replace").partition(" ")
                if name == "branch.oid" and value != "(initial)":
                    status.commit = value
                elif name == "branch.head" and value != "(detached)":
                    status.branch = value
            elif kind == b"?":
                if not _BYTECODE.search(rest):
                    status.untracked.append(os.fsdecode(rest))
            elif kind in (b"1", b"u"):
                fields = rest.split(b" ", 7 if kind == b"1" else 9)
                path = os.fsdecode(fields[-1])
                if fields[1].startswith(b"S"):
                    if b"M" in fields[1] or (b"U" in fields[1] and self._has_changes(path)):
                        dirty_submodules.add(path)
                    elif b"C" not in fields[1] and fields[0] == b".M":
                        continue
                status.changed.append(path)
        if os.path.exists(os.path.join(self.root, ".gitmodules")):
            status.submodules = self._submodules(dirty_submodules)
        return status

    def _has_changes(self, submodule: str) -> bool:
        """Of one that has untracked files, whether they are more than what Python leaves there when it imports. Another user's is not
        looked into, even within a tree that is: it may configure filters of its own."""
        try:
            repository = Repository(os.path.join(self.root, submodule), self._environ)
            repository._deadline_s = self._deadline_s
            inner = repository.status()
        except (GitFailed, LookupError):
            return True
        return bool(inner.changed or inner.untracked or not inner.is_untracked_known)

    def tracked(self) -> Tracked:
        """Of more files than an answer may name, the list is empty and `is_known` false."""
        try:
            answer = self._ask("ls-files", "-v", "-z")
        except TooLarge:
            return Tracked(is_known=False)
        hidden: dict[str, str] = {}
        # A small letter: git was told to take it for unchanged; an S: not to look at what lies there, if anything does.
        for found in _HIDDEN.finditer(b"\0" + answer):
            tag, name = found[1].decode(), os.fsdecode(found[2])
            if tag.islower() or os.path.lexists(os.path.join(self.root, name)):
                hidden[name] = tag
        return Tracked(answer, hidden)

    def reveal(self, hidden: Mapping[str, str]) -> None:
        """From now on git looks at those files, too: in a copy of its index that knows nothing of what it was told. Until `close`."""
        try:
            self._scratch = tempfile.mkdtemp(prefix="lineal-")
            copy = os.path.join(self._scratch, "index")
            # With its time: what was changed since the index was written is found by that.
            shutil.copy2(os.path.join(self.git_folder, "index"), copy)
        except OSError as error:
            raise GitFailed(f"the index cannot be copied: {error.strerror}") from None
        self._environ = {**self._environ, "GIT_INDEX_FILE": copy}
        for option, names in (
            ("--no-assume-unchanged", [name for name, tag in hidden.items() if tag.islower()]),
            ("--no-skip-worktree", [name for name, tag in hidden.items() if tag in "Ss"]),
        ):
            if names:
                self._ask("update-index", option, "--", *names)

    def close(self) -> None:
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)

    def leave_filters(self) -> bool:
        """From now on files are compared as they are, without the filters that are configured; False where none is."""
        try:
            answer = self._ask("config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
        except GitFailed:
            return False
        names = {found[1] for key in answer.decode("utf-8", "replace").split("\0") if (found := _FILTER.match(key))}
        for name in sorted(names):
            for setting in ("clean=", "process=", "required=false"):
                self._options += ("-c", f"filter.{name}.{setting}")
        return bool(names)

    def patch(self, max_bytes: int, hashed_max_bytes: int = 0) -> bytes:
        """From the last commit to the files as they are, staged or not; for `git apply`. Raises TooLarge, with the digest of what has
        no more than `hashed_max_bytes`."""
        return self._ask(*_DIFF, "HEAD", "--", max_bytes=max_bytes, hashed_max_bytes=hashed_max_bytes)

    def remote(self, branch: str | None) -> str | None:
        """Address of what the branch follows, else of origin, else of the first one; as it is configured."""
        try:
            answer = self._ask("config", "-z", "--get-regexp", r"^(remote\..*\.url|branch\..*\.remote)$")
        except GitFailed:
            return None
        said = dict(entry.partition("\n")[::2] for entry in answer.decode("utf-8", "replace").split("\0") if entry)
        addresses = {name[7:-4]: value for name, value in said.items() if name.startswith("remote.")}
        names = [said.get(f"branch.{branch}.remote", ""), "origin", *sorted(addresses)]
        return next((addresses[name] for name in names if name in addresses), None)

    def _submodules(self, dirty: set[str]) -> list[Submodule]:
        found: list[Submodule] = []
        for entry in self._ask("ls-files", "--stage", "-z").split(b"\0"):
            if not entry.startswith(b"160000 "):
                continue
            path = os.fsdecode(entry.partition(b"\t")[2])
            commit, remote = entry.split(b" ")[1].decode(), None
            try:
                inner = Repository(os.path.join(self.root, path), self._environ, is_trusted=self._is_trusted)
                if inner.root != self.root:
                    commit = inner._ask("rev-parse", "HEAD").decode().strip()
                    remote = inner.remote(None)
            except (GitFailed, LookupError):
                pass  # not checked out: the commit that the tree names is what there is
            found.append(Submodule(path, commit, remote, path in dirty))
        return found

    def _ask(self, *arguments: str, max_bytes: int = GIT_ANSWER_MAX_BYTES, hashed_max_bytes: int = 0) -> bytes:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise _took_too_long()
        program = shutil.which("git", path=os.pathsep.join(os.get_exec_path(self._environ)))
        if program is None:
            raise GitFailed("git is not installed")
        command = [program, "-C", self._folder, *_QUIET, *self._options, *arguments]
        try:
            answer = ask(command, self._environ, self._deadline_s, max_bytes, hashed_max_bytes)
        except TookTooLong:
            raise _took_too_long() from None
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error}") from None
        if answer.output is None:
            raise TooLarge(f"git {arguments[0]} says more than {max_bytes:,} bytes", answer.digest)
        if answer.code != 0:
            said = answer.errors.decode("utf-8", "replace").strip().partition("\n")[0]
            raise GitFailed(said or f"git {arguments[0]} ended with {answer.code}")
        return answer.output


def _took_too_long() -> GitFailed:
    global _took_too_long_s
    _took_too_long_s = time.monotonic()
    return GitFailed(f"git took more than {GIT_TIMEOUT_S:g} s")


def _git_folder(root: str) -> str:
    """Where HEAD and the index of this working tree are: submodules and further working trees have a file that says it."""
    place = os.path.join(root, ".git")
    try:
        with open(place, encoding="utf-8", errors="surrogateescape") as file:
            said = file.read(_GIT_FILE_MAX_CHARS)
    except OSError:
        return place
    return os.path.join(root, said.removeprefix("gitdir: ").rstrip("\n"))
