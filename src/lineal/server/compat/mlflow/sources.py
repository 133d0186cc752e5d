"""Where a model version says that its files are: a text for clients, checked for what would make some server read a place of
its own, and looked up here only where it names files that a run has here."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple
from urllib.parse import unquote_plus, urlsplit

from lineal.model.entities import Artifact
from lineal.model.errors import NotFound
from lineal.model.registry import VersionFile
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.server.compat.mlflow.model_view import location_of_model
from lineal.server.compat.mlflow.proxy import Place, find_place
from lineal.server.compat.mlflow.run_view import artifact_uri
from lineal.store.contracts import TenantReader

_MODEL_URI = re.compile(
    r"models:/+(?:(?P<model_id>m-[0-9a-f]{32})|(?P<name>[^/@]+)/(?P<version>[0-9]+)|(?P<of>[^/@]+)@(?P<alias>[^/]+))"
)


class Source(NamedTuple):
    """`location`: where the files are, where the source itself only names another version or a logged model."""

    location: str | None = None
    run_id: str | None = None
    path: str | None = None
    files: tuple[VersionFile, ...] = ()


def check_source(reader: TenantReader, source: str, run_id: str | None, *, is_prompt: bool) -> None:
    """Raises MlflowError."""
    try:
        parts = urlsplit(source)
    except ValueError:
        raise _not_absolute(source) from None
    if is_prompt:
        if parts.scheme == "file" or (not parts.scheme and source.startswith("/")):
            raise MlflowError(f"Invalid prompt source: '{source}'. Local source paths are not allowed for prompts.")
        if parts.scheme:
            _check_absolute(source)
        return
    if parts.scheme in ("", "file"):
        if run_id is None or not _is_within(reader, source, run_id):
            raise MlflowError(
                f"Invalid model version source: '{source}'. To use a local path as a model version source, the run_id request"
                " parameter has to be specified and the local path has to be contained within the artifact directory of the"
                " run specified by the run_id."
            )
        return
    _check_absolute(source)


def _is_within(reader: TenantReader, source: str, run_id: str) -> bool:
    """Whether a local path is below the one that the run's experiment names for it. Neither is looked at."""
    try:
        run = reader.get_run(run_id)
    except NotFound:
        return False
    root = urlsplit(artifact_uri(reader.get_experiment(run.experiment_id), run_id))
    mine = urlsplit(_unquoted(source))
    if root.scheme not in ("", "file") or mine.netloc or ".." in mine.path.split("/"):
        return False
    path, below = posixpath.normpath(root.path), posixpath.normpath(mine.path)
    return below == path or below.startswith(f"{path}/")


def _check_absolute(source: str) -> None:
    plain = _unquoted(source)
    path = re.sub(r"/+", "/", urlsplit(plain).path.rstrip("/"))
    if (
        "\0" in plain
        or "\\" in plain
        or ".." in re.split(r"[/]", plain)
        or posixpath.normpath(path or "/") != (path or "/")
    ):
        raise _not_absolute(source)


def _not_absolute(source: str) -> MlflowError:
    return MlflowError(
        f"Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, objectstore,"
        " or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide"
        " an absolute path."
    )


def _unquoted(text: str) -> str:
    for _ in range(10):
        plain = unquote_plus(text)
        if plain == text:
            return text
        text = plain
    raise _not_absolute(text)


def resolved(reader: TenantReader, source: str, run_id: str | None, model_id: str | None) -> Source:
    """What is known here of it. MlflowError where it names a model or a version that is not there."""
    named = _MODEL_URI.fullmatch(source)
    if named is not None and named["model_id"]:
        model_id = named["model_id"]
    location: str | None = None
    if named is not None and named["name"]:
        location = _location_of_version(reader, source, named["name"], int(named["version"]))
    elif named is not None and named["of"]:
        found = reader.registry().find_alias(named["of"], named["alias"])
        if found is None:
            raise _no_source(source)
        location = found.location or found.source
    elif model_id is not None:
        try:
            model = reader.get_logged_model(model_id)
        except NotFound:
            raise _no_source(source) from None
        run_id = run_id or model.source_run_id
        if named is not None:
            experiment = reader.get_experiment(model.experiment_id)
            location = location_of_model(experiment, model_id)
    place = place_of(reader, location or source)
    if place is None:
        return Source(location, run_id)
    files = tuple(_version_file(one) for one in below(place.files(reader), place.path))
    return Source(location, run_id, place.path if place.run_id == run_id else None, files)


def _location_of_version(reader: TenantReader, source: str, name: str, version: int) -> str:
    try:
        found = reader.registry().get_version(name, version)
    except NotFound:
        raise _no_source(source) from None
    return found.location or found.source


def _no_source(source: str) -> MlflowError:
    return MlflowError(f"Unable to fetch model from model URI source artifact location '{source}'.", MISSING)


def _version_file(artifact: Artifact) -> VersionFile:
    return VersionFile(artifact.path, artifact.size_bytes, artifact.digest)


def below(files: dict[str, Artifact], folder: str) -> list[Artifact]:
    return [one for path, one in files.items() if not folder or path == folder or path.startswith(f"{folder}/")]


def place_of(reader: TenantReader, location: str) -> Place | None:
    """Of a location that names files of a run here: mlflow-artifacts:/..., or runs:/RUN/PATH."""
    parts = urlsplit(location)
    if parts.scheme == "runs":
        run_id, _, path = parts.path.lstrip("/").partition("/")
        is_here = bool(run_id) and reader.find_run_ids(run_id, limit=1) == [run_id]
        return Place(run_id, path.strip("/")) if is_here else None
    if parts.scheme not in ("mlflow-artifacts", "http", "https"):
        return None
    path = parts.path
    if parts.scheme != "mlflow-artifacts":
        _, mark, path = path.partition("/mlflow-artifacts/artifacts")
        if not mark:
            return None
    return find_place(reader, path.lstrip("/"))
