"""What MLflow's own tags of a run say of its circumstances, as captures (docs/reference: `GET .../captures`). The names are those of
mlflow/utils/mlflow_tags.py; the two in camel case are of its first releases.

MLflow tells the commit, and neither what was not committed nor the arguments of the command: `is_dirty` and `command` are left
out, and whoever compares runs is told that it is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lineal.model.values import clean_text

SOURCE_TAGS = frozenset(
    (
        "mlflow.source.name",
        "mlflow.source.type",
        "mlflow.source.git.commit",
        "mlflow.source.git.branch",
        "mlflow.source.git.repoURL",
        "mlflow.gitBranchName",
        "mlflow.gitRepoURL",
        "mlflow.project.entryPoint",
    )
)
"""Those that are read here, besides the user's name."""
USER_TAG = "mlflow.user"
TROUBLE = "As MLflow's tags tell it: what was not committed, they do not say."

_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_KINDS = {"NOTEBOOK": "notebook", "LOCAL": "script"}
_TEXT_MAX_CHARS = 1_000


def captures_of(tags: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By part. Nothing for what the tags do not tell."""
    found: dict[str, dict[str, Any]] = {}
    code, execution = _code(tags), _execution(tags)
    if code:
        found["code"] = code
    if execution:
        found["execution"] = execution
    return found


def tells_less(part: str, content: Mapping[str, Any]) -> bool:
    """Whether such a capture is of tags, and other tags may take its place: a run that recorded itself knows more."""
    return TROUBLE in content.get("trouble", ()) if part == "code" else "command" not in content


def _code(tags: Mapping[str, str]) -> dict[str, Any]:
    commit = _text(tags, "mlflow.source.git.commit").lower()
    if not _COMMIT.fullmatch(commit):
        return {}
    code: dict[str, Any] = {"kind": "git", "commit": commit}
    branch = _text(tags, "mlflow.source.git.branch") or _text(tags, "mlflow.gitBranchName")
    remote = _text(tags, "mlflow.source.git.repoURL") or _text(tags, "mlflow.gitRepoURL")
    if branch:
        code["branch"] = branch
    if remote:
        code["remote"] = _without_secrets(remote)
    return code | {"trouble": [TROUBLE]}


def _execution(tags: Mapping[str, str]) -> dict[str, Any]:
    name = _text(tags, "mlflow.source.name")
    if not name:
        return {}
    kind = _KINDS.get(_text(tags, "mlflow.source.type").upper(), "program")
    if kind == "script" and not name.endswith(".py"):
        kind = "program"
    execution: dict[str, Any] = {"entry_point": {"kind": kind, "name": _without_secrets(name)}}
    entry = _text(tags, "mlflow.project.entryPoint")
    if entry:
        execution["pipeline"] = {"name": "mlflow project", "step": entry}
    user = _text(tags, USER_TAG)
    return execution | ({"user": user} if user else {})


def _text(tags: Mapping[str, str], name: str) -> str:
    return clean_text(tags.get(name) or "").strip()[:_TEXT_MAX_CHARS]


def _without_secrets(address: str) -> str:
    """Without user, password and query; what is no address stays as it is. `git@host:path` names nobody."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are none of an IPv6 address
        return address.partition("://")[0] + "://"
    keeps = parts.scheme in ("ssh", "git+ssh") and parts.netloc.startswith("git@")
    host = parts.netloc if keeps else parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="").geturl()
