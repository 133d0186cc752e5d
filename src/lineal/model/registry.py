"""The nouns of the model registry: registered models, their versions, and how those came to their stages and aliases."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from lineal.model.errors import InvalidInput
from lineal.model.frozen import field, frozen
from lineal.model.limits import MODEL_ALIAS_MAX_CHARS, MODEL_NAME_MAX_CHARS
from lineal.model.values import clean_text
from lineal.model.vocabulary import Lifecycle, ModelStatus

Stage: TypeAlias = Literal["none", "staging", "production", "archived"]
STAGES: tuple[Stage, ...] = ("none", "staging", "production", "archived")

_VERSION_ID = re.compile(r"[0-9a-f]{32}")
_ALIAS = re.compile(r"[\w-]+")
_VERSION_ALIAS = re.compile(r"[vV][0-9]+")


class VersionFile(NamedTuple):
    """A file of a version as it was when that was made. `path` is the artifact's within its run."""

    path: str
    size_bytes: int | None = None
    digest: str | None = None


class VersionContent(NamedTuple):
    """What a version holds and takes. `signature` and `input_example` are JSON texts."""

    files: tuple[VersionFile, ...] = ()
    signature: str | None = None
    input_example: str | None = None


class NewVersion(NamedTuple):
    """A version as it is said first. `run_id`: of the run that made it, None where none did. `source`: where its maker says that
    it comes from; `location`: where the files are, where `source` only names another version; neither is ever opened.
    `path`: of the artifacts within the run."""

    version_id: str
    name: str
    run_id: str | None = None
    model_id: str | None = None
    source: str = ""
    path: str | None = None
    location: str | None = None
    run_link: str | None = None
    format: str | None = None
    description: str | None = None
    tags: Mapping[str, str | None] | None = None
    status: ModelStatus = "ready"
    content: VersionContent = VersionContent()


@frozen
class RegisteredModel:
    """`aliases`: name -> number of a version. `version_count` is of active versions, `last_version` the highest number that was
    ever given. Times in ms since the epoch; `updated_ms` is of the last word on the model or any of its versions."""

    name: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    lifecycle: Lifecycle = "active"
    created_ms: int = 0
    updated_ms: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    version_count: int = 0
    last_version: int = 0


@frozen
class ModelVersion:
    """`version` is its number within the model of that name; see `NewVersion` for the rest."""

    version_id: str
    name: str
    version: int
    run_id: str | None = None
    model_id: str | None = None
    source: str = ""
    path: str | None = None
    location: str | None = None
    run_link: str | None = None
    format: str | None = None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    stage: Stage = "none"
    status: ModelStatus = "ready"
    lifecycle: Lifecycle = "active"
    aliases: tuple[str, ...] = ()
    created_ms: int = 0
    updated_ms: int = 0


class Transition(NamedTuple):
    """A version changed its stage, or an alias its version. `number` counts from 1 within a tenant, in the order in which they took
    effect; time, writer and sequence are those of the audit row beside it. `version`: the one whose stage changed, or that the
    alias means now; None where it means none. `before` and `after` are stages, or numbers of versions as texts."""

    number: int
    time_ms: int
    writer: str
    seq: int
    actor: str | None
    kind: Literal["stage", "alias"]
    name: str
    version: int | None
    alias: str | None
    before: str | None
    after: str | None
    why: str


def new_version_id() -> str:
    """32 hex characters, random: whoever makes a version says it, and saying it twice is saying it once."""
    return os.urandom(16).hex()


def is_version_id(text: str) -> bool:
    return _VERSION_ID.fullmatch(text) is not None


def check_version_id(version_id: object, *, field: str = "version_id") -> str:
    if isinstance(version_id, str) and is_version_id(version_id):
        return version_id
    raise InvalidInput(f"{field} {version_id!r:.80} is not the id of a version: 32 hexadecimal digits", field=field)


def is_model_name(name: str) -> bool:
    return (
        bool(name.strip())
        and name not in (".", "..")
        and not {"/", ":"} & set(name)
        and len(name) <= MODEL_NAME_MAX_CHARS
    )


def check_model_name(name: object, *, field: str = "name") -> str:
    """The name as data: any text without "/" and ":", which part a model's name from a version's in addresses."""
    if isinstance(name, str):
        name = clean_text(name)
        if is_model_name(name):
            return name
    raise InvalidInput(
        f"{field} {name!r:.80} is no name for a model: 1 to {MODEL_NAME_MAX_CHARS} characters, without '/' and ':', not"
        " only blanks, '.' or '..'",
        field=field,
    )


def is_alias(alias: str) -> bool:
    return (
        _ALIAS.fullmatch(alias) is not None
        and len(alias) <= MODEL_ALIAS_MAX_CHARS
        and alias.lower() != "latest"
        and not _VERSION_ALIAS.fullmatch(alias)
    )


def check_alias(alias: object, *, field: str = "alias") -> str:
    """The alias itself. Not what reads as a version: "latest", or "v3"."""
    if isinstance(alias, str) and is_alias(alias):
        return alias
    raise InvalidInput(
        f"{field} {alias!r:.80} is not usable: 1 to {MODEL_ALIAS_MAX_CHARS} letters, digits, '_' and '-'; neither 'latest'"
        " nor 'v' and a number",
        field=field,
    )
