"""Logged models and registered models, from a source to a destination.

Each thing that is said of one is said by a writer of its own, named after what is said: what was said once is not said again, so
that a later change here stands until MLflow says something else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from lineal.importing.aliases import WHY, ModelAliases
from lineal.importing.artifacts import take_model_files
from lineal.importing.destination import Destination
from lineal.importing.nouns import (
    MODELS_PATH,
    Source,
    SourceLoggedModel,
    SourceRegisteredModel,
    SourceVersion,
)
from lineal.importing.segments import Segments, writer_of
from lineal.importing.tally import Problem, Tally
from lineal.importing.translate import LOCATION_TAG
from lineal.model.entities import Artifact
from lineal.model.errors import NotAllowed, NotFound
from lineal.model.ids import is_run_id
from lineal.model.registry import is_alias, is_model_name
from lineal.record.records import (
    AliasSet,
    ModelLogged,
    ModelSet,
    ModelVersionCreated,
    ModelVersionSet,
    Record,
    StageSet,
)

_FILES_MAX_COUNT = 10_000  # of a version: spec/record.md


class ModelsImport:
    """Runs come first: what a version holds is looked up among the artifacts of its run."""

    def __init__(self, source: Source, destination: Destination, tally: Tally, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._destination = destination
        self._tenant = destination.store.tenant
        self._tally = tally
        self._now_ms = now_ms

    def run(self) -> None:
        for model in self._source.logged_models():
            self._count("logged_models", self._take_logged(model))
        for registered in self._source.registered_models():
            self._take_registered(registered)
        self._destination.flush()

    # -- logged models --------------------------------------------------------------------------

    def _take_logged(self, model: SourceLoggedModel) -> bool:
        run_id = model.run_id if model.run_id and is_run_id(model.run_id) else None
        first = ModelLogged(
            model.model_id,
            model.name,
            model.experiment.name,
            run_id,
            model.model_type,
            f"{MODELS_PATH}/{model.model_id}" if run_id else None,
            dict(model.params) or None,
        )
        is_new = self._say_once(("logged model", model.model_id), [first], model.created_ms)
        if run_id is None:
            self._take_files(model)
        tags: dict[str, str | None] = dict(model.tags)
        lifecycle = model.lifecycle if model.lifecycle == "deleted" or not is_new else None
        later = ModelLogged(model.model_id, tags=tags or None, status=model.status, lifecycle=lifecycle)
        state = json.dumps([model.tags, model.status, model.lifecycle], sort_keys=True)
        self._say_once(
            ("logged model is", model.model_id, state), [later], model.updated_ms if is_new else self._now_ms()
        )
        return True

    def _take_files(self, model: SourceLoggedModel) -> None:
        """Those of a model that no run keeps."""
        place = self._source.model_files(model)
        files = take_model_files(
            place,
            self._destination.take_file,
            lambda why: self._tally.problems.append(Problem(None, f"logged model {model.model_id}: {why}")),
        )
        said: list[Record] = []
        if files:
            said.append(ModelLogged(model.model_id, files=files))
        if place.uri is not None:
            said.append(ModelLogged(model.model_id, tags={LOCATION_TAG: place.uri}))
        if said:
            state = json.dumps([files, place.uri], sort_keys=True)
            self._say_once(("files of", model.model_id, state), said, model.updated_ms)
        sizes = [int(file[1]) for file in files.values() if file is not None]
        for counts in (self._tally.found, self._tally.there):
            counts["artifacts"] += len(sizes)
            counts["bytes"] += sum(sizes)
            counts["references"] += place.uri is not None

    # -- registered models ----------------------------------------------------------------------

    def _take_registered(self, model: SourceRegisteredModel) -> None:
        if not is_model_name(model.name):
            self._tally.problems.append(Problem(None, f"{model.name!r:.80} cannot be a registered model's name here"))
            self._tally.found["registered_models"] += 1
            return
        is_new = self._say_once(("registered", model.name), [ModelSet(model.name)], model.created_ms)
        at_ms = model.created_ms if is_new else self._now_ms()
        tags: dict[str, str | None] = dict(model.tags)
        words = ModelSet(model.name, model.description or None, tags or None)
        state = json.dumps([model.description, model.tags], sort_keys=True)
        self._say_once(("registered is", model.name, state), [words], at_ms)
        self._count("registered_models", True)
        known = {version.number: version for version in model.versions}
        ids: dict[int, str] = {}
        for number in range(1, max(known, default=0) + 1):  # in this order: numbers are given as versions arrive
            version = known.get(number) or _gap(model, number)
            ids[number] = version_id_of(model, version)
            self._take_version(model, version, ids[number])
        self._destination.flush()
        for version in model.versions:
            if not version.is_deleted:
                self._count("model_versions", self._has_number(model.name, version, ids[version.number]))
        aliases = ModelAliases(self._destination.store.reader().registry(), model.name)
        for alias, number in model.aliases.items():
            self._count("aliases", self._take_alias(model, alias, ids.get(number), aliases))
        for alias, said in aliases.gone(set(model.aliases), set(ids.values())):
            self._say_approved(
                ("alias is gone", model.name, alias, said), AliasSet(model.name, alias, None, WHY), self._now_ms()
            )

    def _take_version(self, model: SourceRegisteredModel, version: SourceVersion, version_id: str) -> None:
        tags: dict[str, str | None] = dict(version.tags)
        run_id = version.run_id if version.run_id and is_run_id(version.run_id) else None
        path = path_of(version, run_id)
        files = self._files_of(run_id, path)
        created = ModelVersionCreated(
            version_id,
            model.name,
            run_id,
            model_id_of(version),
            version.source or None,
            path,
            version.location,
            version.run_link,
            "mlflow" if any(one[0].endswith("MLmodel") for one in files) else None,
            files,
            description=version.description or None,
            tags=tags or None,
            status=version.status,
        )
        is_new = self._say_once(("version", version_id), [created], version.created_ms)
        if version.is_deleted:
            gone = ModelVersionSet(version_id, lifecycle="deleted")
            self._say_approved(("version is deleted", version_id), gone, version.updated_ms)
            return
        state = json.dumps([version.description, version.tags, version.status], sort_keys=True)
        words = ModelVersionSet(version_id, version.description, tags or None, status=version.status)
        self._say_once(("version is", version_id, state), [words], version.created_ms + 1 if is_new else self._now_ms())
        self._take_stage(model, version, version_id, version.updated_ms if is_new else self._now_ms())

    def _take_stage(self, model: SourceRegisteredModel, version: SourceVersion, version_id: str, at_ms: int) -> None:
        """That it is in none is said of a version that an earlier import found in one: else that is its stage here, too, or was
        changed here."""
        staged = ("staged", version_id)
        if version.stage == "none" and not self._was_said(staged):
            return
        said = StageSet(version_id, version.stage, why=WHY)
        if self._say_approved(("stage", version_id, version.stage, str(version.updated_ms)), said, at_ms):
            self._say_once(staged, [ModelSet(model.name)], model.created_ms)

    def _take_alias(
        self, model: SourceRegisteredModel, alias: str, version_id: str | None, aliases: ModelAliases
    ) -> bool:
        if version_id is None or not is_alias(alias):
            self._tally.problems.append(Problem(None, f"alias {alias!r:.80} of {model.name!r:.80} cannot be one here"))
            return False
        said = AliasSet(model.name, alias, version_id, WHY)
        whose = ["alias", model.name, alias, version_id]
        if self._was_said(whose) and (since := aliases.moved_since(alias, version_id)) is not None:
            whose.append(since)  # it came back to where it was
        return self._say_approved(whose, said, self._now_ms())

    def _files_of(self, run_id: str | None, path: str | None) -> list[list[Any]]:
        """What the run holds below the path, latest versions."""
        if run_id is None or path is None:
            return []
        try:
            artifacts = self._destination.store.reader().get_details(run_id).artifacts
        except NotFound:
            return []
        latest: dict[str, Artifact] = {}
        for one in artifacts:
            if one.path == path or one.path.startswith(f"{path}/") or not path:
                latest[one.path] = one
        return [[one.path, one.size_bytes, one.digest] for one in latest.values()][:_FILES_MAX_COUNT]

    def _has_number(self, name: str, version: SourceVersion, version_id: str) -> bool:
        """Whether the version is there; told if it had to get another number than in MLflow."""
        number = self._destination.find_version_number(version_id)
        if number is not None and number != version.number:
            self._tally.notices.append(
                f"version {version.number} of {name!r:.80} is version {number} here, where there is a model of that name already"
            )
        return number is not None

    # -- saying ---------------------------------------------------------------------------------

    def _was_said(self, whose: Sequence[str]) -> bool:
        return self._destination.has_heard(None, self._writer_of(whose))

    def _writer_of(self, whose: Sequence[str]) -> str:
        return writer_of(self._tenant, *whose)

    def _say_once(self, whose: Sequence[str], records: Sequence[Record], time_ms: int) -> bool:
        """Whether it was said now, and not before."""
        if self._was_said(whose):
            return False
        out = Segments(self._tenant, None, self._writer_of(whose), "", self._destination.take)
        for record in records:
            out.say(record, time_ms)
        out.close()
        return True

    def _say_approved(self, whose: Sequence[str], record: Record, time_ms: int) -> bool:
        """What only an approver may say. Whether it is said."""
        try:
            self._say_once(whose, [record], time_ms)
        except NotAllowed as error:
            self._tally.problems.append(Problem(None, f"{type(record).__name__}: {error.message}"))
            return False
        return True

    def _count(self, kind: str, is_there: bool) -> None:
        self._tally.found[kind] += 1
        self._tally.there[kind] += is_there


def version_id_of(model: SourceRegisteredModel, version: SourceVersion) -> str:
    """The same each time; another one for a model of the same name in another store."""
    said = f"{model.name}\0{model.created_ms}\0{version.number}\0{version.created_ms}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _gap(model: SourceRegisteredModel, number: int) -> SourceVersion:
    """One that was deleted without a trace: its number is not given again."""
    return SourceVersion(
        number, model.created_ms, model.created_ms, "", "none", "", None, None, None, "ready", {}, True
    )


def model_id_of(version: SourceVersion) -> str | None:
    """The logged model that it is a version of: its source says so."""
    scheme, _, rest = version.source.partition("models:/")
    return rest if not scheme and rest.startswith("m-") and "/" not in rest else None


def path_of(version: SourceVersion, run_id: str | None) -> str | None:
    """Where its files are among the artifacts of its run."""
    model_id = model_id_of(version)
    if run_id is None:
        return None
    if model_id is not None:
        return f"{MODELS_PATH}/{model_id}"
    for mark in (f"/{run_id}/artifacts/", f"runs:/{run_id}/"):
        _, found, rest = version.source.partition(mark)
        if found:
            return rest.rstrip("/")
    return None
