"""git, called so that nothing of the repository that is read is executed: no hook, filter, pager, monitor or helper program.

Objects of a repository on this machine are read in place (as alternates): its configuration is never looked at, and no
process runs in it. From the network come objects only, over the protocols named here."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 1_800
_NETWORK = "https:http:ssh:git"
_QUIET = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "submodule.recurse=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.detachedHead=false"),
)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SCHEME = re.compile(r"(?:https?|ssh|git)://[^-/]")
_SCP_LIKE = re.compile(r"[A-Za-z0-9_][\w.-]*(?:@[A-Za-z0-9][\w.-]*)?:(?!:)[^:]")


@dataclass(frozen=True, slots=True)
class Said:
    """How a call of git ended."""

    is_good: bool
    output: bytes
    trouble: str


def git(
    folder: Path, *arguments: str, given: bytes | None = None, network: bool = False, timeout_s: float = _TIMEOUT_S
) -> Said:
    """Calls git in a repository that we made. `network`: with the user's own configuration, which knows how to sign in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_ALLOW_PROTOCOL": _NETWORK if network else "none",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "LC_ALL": "C",
    }
    if network:
        environment["GIT_SSH_COMMAND"] = os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    else:
        environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", *_QUIET, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, input=given or b"", capture_output=True, env=environment, timeout=timeout_s, check=False
        )
    except FileNotFoundError:
        return Said(False, b"", "git is not installed")
    except subprocess.TimeoutExpired:
        return Said(False, b"", f"git {arguments[0]} did not end within {timeout_s:.0f} s")
    words = done.stderr.decode(errors="replace").strip()
    return Said(done.returncode == 0, done.stdout, words or f"git {arguments[0]} ended with status {done.returncode}")


def is_commit(text: str | None) -> bool:
    """A full object id, and thereby neither an option nor an expression."""
    return text is not None and _COMMIT.fullmatch(text) is not None


def is_remote_address(text: str) -> bool:
    """Over the network, by a protocol that names a host: no local path, no `ext::`, no option."""
    return bool(_SCHEME.match(text) if "://" in text else _SCP_LIKE.match(text)) and "\n" not in text


def objects_of(root: str | os.PathLike[str]) -> Path | None:
    """The folder of objects of the repository at `root`: a working tree, a linked one, a submodule, or a bare repository."""
    place = Path(root)
    try:
        if not place.is_absolute():
            return None
        marker = place / ".git"
        if marker.is_file():
            said = marker.read_text(encoding="utf-8", errors="surrogateescape").strip()
            place = (place / said.removeprefix("gitdir:").strip()).resolve()
        elif marker.is_dir():
            place = marker
        shared = place / "commondir"
        if shared.is_file():
            place = (place / shared.read_text(encoding="utf-8", errors="surrogateescape").strip()).resolve()
        objects = place / "objects"
        return objects if objects.is_dir() and "\n" not in str(objects) else None
    except OSError:
        return None


def make_repository(folder: Path, commit: str) -> Said:
    """An empty one that can hold the commit: without templates, hence without hooks."""
    kind = "sha256" if len(commit) == 64 else "sha1"
    folder.mkdir(parents=True, exist_ok=True)
    return git(folder, "init", "--quiet", "--template=", f"--object-format={kind}", "--initial-branch=reproduction")


def borrow_objects(folder: Path, objects: Path) -> None:
    """Lets the repository at `folder` read those of another one in place."""
    information = folder / ".git" / "objects" / "info"
    information.mkdir(parents=True, exist_ok=True)
    with (information / "alternates").open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{objects}\n")
    shallow = objects.parent / "shallow"
    if shallow.is_file():
        (folder / ".git" / "shallow").write_bytes(shallow.read_bytes())


def has_commit(folder: Path, commit: str) -> bool:
    """With its whole tree."""
    return git(folder, "rev-list", "--objects", "--no-walk", "--quiet", commit).is_good


def fetch_commit(folder: Path, remote: str, commit: str) -> str | None:
    """None if it is there afterwards, else why not. A server may refuse to hand out one commit: then its branches are asked for."""
    quiet = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
    said = git(folder, *quiet, "--depth=1", "--", remote, commit, network=True)
    if not said.is_good:
        heads = git(folder, *quiet, "--", remote, "+refs/heads/*:refs/remotes/origin/*", network=True)
        if not heads.is_good:
            return heads.trouble
    return None if has_commit(folder, commit) else f"it has no commit {commit}"
