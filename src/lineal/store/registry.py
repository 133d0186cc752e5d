"""What a store promises of registered models and their versions: a reader and a writer of one tenant, which `TenantReader.registry`
and `TenantWriter.registry` hand out. The rules of `store/contracts.py` hold here, too. Beyond them:

- **A version is known by its id**, which whoever makes it says. Everything that is said of it names the id, and may come before the
  version itself does: it counts then, and nothing shows it until the version is made. `NAME/NUMBER` is how people call it.
- **Two things are decided in the order in which statements arrive**, and stay: the number of a version, and which model a name means.
  All else is decided by stamps.
  - A number is one above the highest that was ever given to the model, deleted versions included. So no number comes back.
  - A name means the model that is called so. A former name goes on meaning the model that had it, until another one takes it. Where
    no model has or had it, the model is made by being mentioned.
- **A deleted model or version is kept**, and may be brought back; it is out of every list that does not ask for it. A version of a
  deleted model is as good as deleted. An alias never leads to what is deleted.
- **archive_existing** (`set_stage`): whatever of the model was said to be in that stage before, by stamp, is archived: also what
  arrives later. Each version that it archives is a transition of its own.
- **A transition is a row** for every stage or alias that came to be another one, in the order in which they took effect, beside the
  audit row of the same stamp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

from lineal.model.entities import Stamp
from lineal.model.errors import NotFound
from lineal.model.registry import (
    ModelVersion,
    NewVersion,
    RegisteredModel,
    Stage,
    Transition,
    VersionContent,
)
from lineal.model.vocabulary import Lifecycle, ModelStatus

ModelField: TypeAlias = Literal["name", "tag"]
VersionField: TypeAlias = Literal[
    "name", "version_id", "version", "run_id", "model_id", "source", "stage", "format", "tag"
]
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "like", "ilike", "contains", "isnt"]


class Term(NamedTuple):
    """A condition: `field` (of a tag: `key`), compared with `value`. What has no value satisfies none but "isnt", which is the
    complement of "=". Texts are compared by code point, case counts but for "ilike" and "contains"; "version" is a number. "in" has
    a tuple."""

    field: ModelField | VersionField
    operator: Operator
    value: str | int | tuple[str | int, ...]
    key: str = ""


MOVES = ("stage", "floor", "lifecycle")
"""What is said of a version that its model has changed by, too: its tags and texts are its own."""


class By(NamedTuple):
    """A key of an order. "made": models in the order in which they were first heard of."""

    field: Literal["name", "made", "version", "version_id", "created", "updated"]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ModelsQuery:
    """Registered models that satisfy every term, by the keys of `order`, then by name, then as they were made. `after`: the
    `next_token` of the page before."""

    terms: tuple[Term, ...] = ()
    order: tuple[By, ...] = ()
    lifecycle: Lifecycle | None = "active"
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class VersionsQuery:
    """Versions, as `ModelsQuery`: by the keys of `order`, then by name, then the highest number first. `lifecycle` "deleted": those
    that were deleted themselves or with their model."""

    terms: tuple[Term, ...] = ()
    order: tuple[By, ...] = ()
    lifecycle: Lifecycle | None = "active"
    limit: int = 100
    after: str | None = None


class ModelsPage(NamedTuple):
    """`next_token` is None where none follows."""

    models: list[RegisteredModel]
    next_token: str | None = None


class VersionsPage(NamedTuple):
    versions: list[ModelVersion]
    next_token: str | None = None


@dataclass(frozen=True, slots=True)
class TransitionsQuery:
    """Newest first. `version` is a number, and asks for its stages alone. `before`: only those of smaller numbers."""

    name: str
    version: int | None = None
    before: int | None = None
    limit: int = 100


class RegistryReader(Protocol):
    """Committed state; as of the transaction, where a writer answers."""

    def find_model(self, name: str) -> RegisteredModel | None:
        """The one that is called so, deleted or not. Of several that were, the one that the name means."""
        ...

    def get_model(self, name: str) -> RegisteredModel:
        """NotFound; where it is a former name, the message says what the model is called."""
        ...

    def list_models(self, query: ModelsQuery) -> ModelsPage:
        """InvalidInput for fields, operators and patterns that cannot be used, and (field="page_token") for a token that is
        damaged or another query's."""
        ...

    def find_version(self, version_id: str) -> ModelVersion | None:
        """Deleted or not; `lifecycle` says "deleted" also where its model is. None while it is only spoken of."""
        ...

    def get_version(self, name: str, version: int) -> ModelVersion:
        """Of the model that is called so. NotFound."""
        ...

    def find_alias(self, name: str, alias: str) -> ModelVersion | None: ...

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        """InvalidInput as `list_models`."""
        ...

    def list_latest(self, names: Sequence[str]) -> dict[str, list[ModelVersion]]:
        """By name of a model: of each stage that has active versions, the one with the highest number, in order of `STAGES`.
        Unknown names are left out."""
        ...

    def get_content(self, version_id: str) -> VersionContent:
        """NotFound."""
        ...

    def list_transitions(self, query: TransitionsQuery) -> list[Transition]:
        """NotFound for the model."""
        ...


class RegistryWriter(RegistryReader, Protocol):
    """Changes; see the module's rules. A name is resolved as they say: it may be a former one."""

    def set_model(
        self,
        name: str,
        stamp: Stamp,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        lifecycle: Lifecycle | None = None,
        is_new: bool = False,
    ) -> None:
        """Ensures the model and sets what is given (None leaves as it is; a tag of None is removed).

        `is_new`: where the name means a deleted model, or one that is called otherwise now, by statements earlier than this one,
        another model takes it. Its numbers go on behind those of the one before, so that NAME/NUMBER never means two versions."""
        ...

    def rename_model(self, name: str, new_name: str, stamp: Stamp) -> None:
        """The later renaming wins. Does nothing where another model that is not deleted has the new name."""
        ...

    def create_version(self, version: NewVersion, stamp: Stamp) -> int:
        """Its number. Of several that say the same id the first to arrive stands. Description, tags and status count as set with
        this stamp."""
        ...

    def set_version(
        self,
        version_id: str,
        stamp: Stamp,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        lifecycle: Lifecycle | None = None,
        status: ModelStatus | None = None,
    ) -> None:
        """Sets what is given, as `set_model`."""
        ...

    def set_stage(
        self, version_id: str, stage: Stage, stamp: Stamp, *, archive_existing: bool = False, why: str = ""
    ) -> None:
        """Later stamp wins."""
        ...

    def set_alias(self, name: str, alias: str, version_id: str | None, stamp: Stamp, *, why: str = "") -> None:
        """Later stamp wins, alias by alias; None removes it. An alias of a version of another model leads nowhere."""
        ...


def floor_name(stage: Stage, stamp: Stamp) -> str:
    """Under which a version keeps that what was in a stage before a stamp is archived: each such word for itself."""
    return f"{stage} {stamp.time_ms} {stamp.writer} {stamp.seq}"


def no_model(name: str, called: str | None) -> NotFound:
    """`called`: what the model that had this name is called now."""
    hint = "" if called is None else f": it was renamed to {called!r:.80}"
    return NotFound(f"no registered model {name!r:.80}{hint}", field="name", renamed_to=called)


def version_values(version: NewVersion) -> dict[str, object]:
    """What the audit row of a new version is a digest of."""
    content = version.content
    return {
        **version._asdict(),
        "tags": dict(version.tags or {}),
        "content": [list(map(list, content.files)), *content[1:]],
    }
