"""What was captured of a run, as far as it is needed to make it again: captures are JSON objects that anybody may have said,
and are read here into frozen types. What is missing or of another type is as if it had not been said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

EntryKind: TypeAlias = Literal["script", "module", "notebook", "interactive", "program"]
CodeKind: TypeAlias = Literal["git", "snapshot", "notebook", "none"]
_ENTRY_KINDS: tuple[EntryKind, ...] = ("script", "module", "notebook", "interactive", "program")
_CODE_KINDS: tuple[CodeKind, ...] = ("git", "snapshot", "notebook", "none")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the run under `.lineal/`."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Config:
    """A file that params were read from, by the place where it lay."""

    place: str
    kept: Kept
    is_masked: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of the working tree that was not captured: too large, most often."""

    name: str
    size_bytes: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Submodule:
    path: str
    commit: str
    remote: str | None
    is_dirty: bool


@dataclass(frozen=True, slots=True)
class Execution:
    command: tuple[str, ...] = ()
    entry_kind: EntryKind | None = None
    entry_name: str | None = None
    folder: str | None = None
    started_in: str | None = None
    launcher: str | None = None
    world_size: int | None = None
    is_tracked: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Code:
    kind: CodeKind = "none"
    commit: str | None = None
    remote: str | None = None
    root: str | None = None
    folder: str = "."
    entry: str | None = None
    is_dirty: bool = False
    patch: Kept | None = None
    patch_digest: str | None = None
    untracked: Kept | None = None
    snapshot: Kept | None = None
    cells: Kept | None = None
    left_out: tuple[LeftOut, ...] = ()
    submodules: tuple[Submodule, ...] = ()
    changed: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    trouble: tuple[str, ...] = ()
    digest: str | None = None
    """`patch_digest`: of the patch before secrets were masked in it. `changed`: files whose changes were not kept. `elsewhere`: absolute
    path and digest of modules outside of the tree. `trouble`: what else of it is missing, in sentences."""


@dataclass(frozen=True, slots=True)
class Environment:
    python: str | None = None
    implementation: str | None = None
    is_conda: bool = False
    executable: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    direct: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lock: Kept | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    has_variables: bool = False


@dataclass(frozen=True, slots=True)
class Hardware:
    gpus: tuple[str, ...] = ()
    cpu: str | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """The parts that a run's latest attempt has; an absent one is None."""

    execution: Execution | None = None
    code: Code | None = None
    environment: Environment | None = None
    hardware: Hardware | None = None
    configs: tuple[Config, ...] = ()


def read_captured(parts: Mapping[str, Any]) -> Captured:
    """From the contents by part."""
    return Captured(
        execution=_execution(parts["execution"]) if _is_object(parts.get("execution")) else None,
        code=_code(parts["code"]) if _is_object(parts.get("code")) else None,
        environment=_environment(parts["environment"]) if _is_object(parts.get("environment")) else None,
        hardware=_hardware(parts["hardware"]) if _is_object(parts.get("hardware")) else None,
        configs=tuple(_configs(_object(parts, "sources").get("sources"))),
    )


def _execution(said: Mapping[str, Any]) -> Execution:
    entry, launcher = _object(said, "entry_point"), _object(said, "launcher")
    kind = entry.get("kind")
    command = said.get("command")
    return Execution(
        command=_words(command),
        entry_kind=kind if kind in _ENTRY_KINDS else None,
        entry_name=_text(entry, "name"),
        folder=_text(said, "folder"),
        started_in=_text(said, "started_in") or _text(said, "folder"),
        launcher=_text(launcher, "name"),
        world_size=_whole(launcher, "world_size"),
        is_tracked=said.get("is_tracked") is True,
        variables=_texts(said, "variables"),
    )


def _code(said: Mapping[str, Any]) -> Code:
    kind = said.get("kind")
    untracked, snapshot = _object(said, "untracked"), _object(said, "snapshot")
    return Code(
        kind=kind if kind in _CODE_KINDS else "none",
        commit=_text(said, "commit"),
        remote=_text(said, "remote"),
        root=_text(said, "root"),
        folder=_text(said, "folder") or ".",
        entry=_text(said, "entry"),
        is_dirty=said.get("is_dirty") is True,
        patch=_kept(said.get("patch")),
        patch_digest=_text(said, "patch_digest"),
        untracked=_kept(untracked.get("archive")),
        snapshot=_kept(snapshot.get("archive")),
        cells=_kept(said.get("cells")),
        left_out=_left_out(untracked.get("left_out")) + _left_out(snapshot.get("left_out")),
        submodules=tuple(_submodules(said.get("submodules"))),
        changed=_words(said.get("changed")),
        elsewhere=tuple(_elsewhere(_object(said, "elsewhere").get("files"))),
        trouble=_words(said.get("trouble")),
        digest=_text(said, "digest"),
    )


def _environment(said: Mapping[str, Any]) -> Environment:
    python = _object(said, "python")
    direct = _object(said, "direct")
    return Environment(
        python=_text(python, "version"),
        implementation=_text(python, "implementation"),
        executable=_text(python, "executable"),
        is_conda=python.get("kind") == "conda",
        packages=_texts(said, "packages"),
        direct={name: value for name, value in direct.items() if _is_object(value)},
        lock=_kept(said.get("lock")),
        variables=_texts(said, "variables"),
        has_variables=_is_object(said.get("variables")),
    )


def _hardware(said: Mapping[str, Any]) -> Hardware:
    cpu, gpus = _object(said, "cpu"), said.get("gpus")
    return Hardware(
        gpus=tuple(str(gpu.get("name", "GPU")) for gpu in gpus if _is_object(gpu)) if isinstance(gpus, list) else (),
        cpu=_text(cpu, "model"),
        cpu_count=_whole(cpu, "available") or _whole(cpu, "count"),
        memory_bytes=_whole(said, "memory_bytes"),
    )


def _kept(said: object) -> Kept | None:
    if isinstance(said, Mapping) and _text(said, "path") and _text(said, "digest"):
        return Kept(str(said["path"]), str(said["digest"]))
    return None


def _left_out(said: object) -> tuple[LeftOut, ...]:
    """[[name, size, why], ...]"""
    rows = said if isinstance(said, list) else []
    return tuple(
        LeftOut(row[0], row[1] if type(row[1]) is int else None, str(row[2]))
        for row in rows
        if isinstance(row, list) and len(row) >= 3 and isinstance(row[0], str)
    )


def _submodules(said: object) -> list[Submodule]:
    rows = said if isinstance(said, list) else []
    return [
        Submodule(str(row["path"]), str(row["commit"]), _text(row, "remote"), row.get("is_dirty") is True)
        for row in rows
        if _is_object(row) and _text(row, "path") and _text(row, "commit")
    ]


def _elsewhere(said: object) -> list[tuple[str, str]]:
    """[[name without its first "/", digest, size], ...]"""
    rows = said if isinstance(said, list) else []
    return [
        ("/" + row[0].lstrip("/"), row[1])
        for row in rows
        if isinstance(row, list) and len(row) > 1 and isinstance(row[0], str) and isinstance(row[1], str)
    ]


def _configs(said: object) -> list[Config]:
    found = [entry.get("file") for entry in said if _is_object(entry)] if isinstance(said, list) else []
    return [
        Config(place, kept, file.get("is_masked") is True)
        for file in found
        if isinstance(file, Mapping) and (kept := _kept(file)) is not None and (place := _text(file, "from"))
    ]


def _is_object(said: object) -> bool:
    return isinstance(said, Mapping)


def _words(said: object) -> tuple[str, ...]:
    return tuple(said) if isinstance(said, list) and all(isinstance(item, str) for item in said) else ()


def _object(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) and value and "\0" not in value else None


def _whole(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if type(value) is int else None


def _texts(said: Mapping[str, Any], name: str) -> dict[str, str]:
    return {key: value for key, value in _object(said, name).items() if isinstance(value, str)}
