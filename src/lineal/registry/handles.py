"""Handles for reading: a registered model and its versions, as they were when they were asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineal.client.session import current_run
from lineal.formats.checked import CheckedFile
from lineal.formats.unpack import Trust, unpack
from lineal.model import registry as nouns
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.values import from_json
from lineal.registry.traced import trace
from lineal.registry.unmade import find_unmade_content
from lineal.store.registry import By, Term, TransitionsQuery, VersionsQuery
from lineal.store.why import Why, why
from lineal.store.why_view import content_dict, model_dict, transition_dict, version_dict

if TYPE_CHECKING:
    from lineal.local import LocalStore, LoggedRun


class ModelVersion:
    """A version of a registered model. `alias`: by which it was asked for."""

    def __init__(self, store: LocalStore, details: nouns.ModelVersion, alias: str | None = None) -> None:
        self._store = store
        self.details = details
        self.alias = alias

    @property
    def name(self) -> str:
        """Of the model."""
        return self.details.name

    @property
    def version(self) -> int:
        return self.details.version

    @property
    def version_id(self) -> str:
        return self.details.version_id

    @property
    def run_id(self) -> str | None:
        """Of the run that made it; None if none did."""
        return self.details.run_id

    @property
    def stage(self) -> nouns.Stage:
        return self.details.stage

    @property
    def aliases(self) -> list[str]:
        return list(self.details.aliases)

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.details.tags)

    @property
    def description(self) -> str:
        """Markdown."""
        return self.details.description

    @property
    def format(self) -> str | None:
        """What its files are written in; None where that is not known."""
        return self.details.format

    @property
    def source(self) -> str:
        """Where its maker says that it comes from."""
        return self.details.source

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(self.details.created_ms / 1000, UTC)

    @cached_property
    def content(self) -> nouns.VersionContent:
        """Files, signature and input example."""
        return find_unmade_content(self.version_id) or self._store.reader().registry().get_content(self.version_id)

    @property
    def files(self) -> list[nouns.VersionFile]:
        """With the digests that they had when the version was made."""
        return list(self.content.files)

    @property
    def signature(self) -> Any:
        return None if self.content.signature is None else from_json(self.content.signature)

    @property
    def input_example(self) -> Any:
        """As JSON; read from its file where it is a long one."""
        said = None if self.content.input_example is None else from_json(self.content.input_example)
        if isinstance(said, dict) and set(said) == {"artifact"}:
            return from_json(bytes(self._file(said["artifact"]).read()))
        return said

    def run(self) -> LoggedRun | None:
        """The run that made it. NotFound if it is not here."""
        return None if self.run_id is None else self._store.get_run(self.run_id)

    def load(self, *, trust: Trust = False) -> Any:
        """The model; see `lineal.load_model`."""
        if self.details.lifecycle == "deleted":
            raise Conflict(f"model version {self.name}/{self.version} is deleted: restore it first", field="version")
        prefix = f"{self.details.path}/" if self.details.path else ""
        example = f"{prefix}input_example.json"
        paths = [file.path for file in self.content.files if file.path != example]
        what = f"model version {self.name}/{self.version}"
        if not paths:
            raise InvalidInput(
                f"{what} has no files that Lineal keeps{f': its source is {self.source!r:.200}' if self.source else ''}",
                field="version",
            )
        model = unpack(what, self.format, {path.removeprefix(prefix): self._file(path) for path in paths}, trust=trust)
        trace(model, self.serving_tags())
        run = current_run()
        if run is not None and not run.finished:
            run._say_used_version(self.version_id, self.name)
        return model

    def download(self, folder: str | os.PathLike[str]) -> Path:
        """Writes its files, each compared with its digest, into a folder, which is made. Conflict for a file that is there."""
        target = Path(folder)
        prefix = f"{self.details.path}/" if self.details.path else ""
        for file in self.content.files:
            path = target / file.path.removeprefix(prefix)
            if target.resolve() not in path.resolve().parents:
                raise InvalidInput(f"file {file.path!r:.120} would lie outside of {str(target)!r}", field="folder")
            kept = self._file(file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                kept.copy(path)
            except FileExistsError:
                raise Conflict(f"{str(path)!r} exists already", field="folder") from None
        return target

    def _file(self, path: str) -> CheckedFile:
        """A file of the version; a server's is fetched into this machine's Lineal folder, once. NotFound."""
        file = next((one for one in self.content.files if one.path == path), None)
        what = f"file {path!r:.120} of model version {self.name}/{self.version}"
        if file is None or file.digest is None:
            raise NotFound(f"the bytes of {what} are not kept here", field="path")
        blob = self._store.find_blob(file.digest, file.size_bytes)
        if blob is None:
            raise NotFound(f"the bytes of {what} are not here (yet)", field="path")
        digest = file.digest
        return CheckedFile(what, blob, digest, lambda: self._store.drop_fetched(digest))

    def serving_tags(self) -> dict[str, str]:
        """The ids to stamp on predictions; see `lineal.serving_tags`."""
        return version_tags(self.name, self.version_id, self.run_id, self.version)

    def transitions(self) -> list[dict[str, Any]]:
        """How it came to its stages and aliases, oldest first: time, kind, before, after, actor, why."""
        return [transition_dict(one) for one in self.explained().transitions]

    def why(self, metric: str | None = None) -> dict[str, Any]:
        """Why this version, as a dictionary; see `lineal.why`."""
        from lineal.store.why_view import why_dict

        return why_dict(self.explained(metric))

    def explained(self, metric: str | None = None) -> Why:
        """The same, typed."""
        self._store.refresh()
        return why(self._store.reader(), self.details, alias=self.alias, metric=metric)

    def to_dict(self) -> dict[str, Any]:
        """As the server and `lineal models show --json` answer."""
        return version_dict(self.details) | content_dict(self.content)

    def __repr__(self) -> str:
        stage = "" if self.stage == "none" else f" {self.stage}"
        return (
            f"<lineal.ModelVersion {self.name}/{self.version}{stage}{''.join(f' @{alias}' for alias in self.aliases)}>"
        )


class RegisteredModel:
    """A registered model."""

    def __init__(self, store: LocalStore, details: nouns.RegisteredModel) -> None:
        self._store = store
        self.details = details

    @property
    def name(self) -> str:
        return self.details.name

    @property
    def description(self) -> str:
        return self.details.description

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.details.tags)

    @property
    def aliases(self) -> dict[str, int]:
        """Alias -> number of the version that it means."""
        return dict(self.details.aliases)

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(self.details.created_ms / 1000, UTC)

    def versions(self, limit: int = 100, *, deleted: bool = False) -> list[ModelVersion]:
        """Newest number first."""
        query = VersionsQuery(
            (Term("name", "=", self.name),), (By("version", True),), "deleted" if deleted else "active", limit
        )
        self._store.refresh()
        found = self._store.reader().registry().list_versions(query).versions
        return [ModelVersion(self._store, one) for one in found]

    def transitions(self, limit: int = 100) -> list[dict[str, Any]]:
        """Newest first: time, kind, version, alias, before, after, actor, why."""
        self._store.refresh()
        found: Sequence[nouns.Transition] = (
            self._store.reader().registry().list_transitions(TransitionsQuery(self.name, limit=limit))
        )
        return [transition_dict(one) for one in found]

    @cached_property
    def stages(self) -> dict[str, int]:
        """Stage -> the highest number in it."""
        if self.details.lifecycle == "deleted":
            return {}
        latest = self._store.reader().registry().list_latest([self.name])
        return {one.stage: one.version for one in latest.get(self.name, ())}

    def to_dict(self) -> dict[str, Any]:
        """As the server and `lineal models show --json` answer."""
        return model_dict(self.details, self.stages)

    def __repr__(self) -> str:
        return f"<lineal.RegisteredModel {self.name!r} of {self.details.version_count} versions>"


def version_tags(name: str, version_id: str, run_id: str | None, version: int | None) -> dict[str, str]:
    tags = {"lineal.model": name, "lineal.version_id": version_id}
    if version is not None:
        tags["lineal.model_version"] = str(version)
    if run_id is not None:
        tags["lineal.run_id"] = run_id
    return tags
