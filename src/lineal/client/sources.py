"""Where params came from: what kind of configuration, its name, the names of the params, and the file, kept as it was but for
secrets. A plain dict has no source."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineal.client.params import Params, is_omegaconf, read_params
from lineal.journal.interrupts import raised_by_handler
from lineal.journal.numbers import shown
from lineal.model.limits import CONFIG_FILE_MAX_BYTES, SOURCE_PARAMS_MAX_COUNT, SOURCES_MAX_COUNT
from lineal.record.records import CaptureSet

if TYPE_CHECKING:
    from lineal.client.run import Run

PART = "sources"
FOLDER = ".lineal/config"
_KINDS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}


class Source(NamedTuple):
    """`files`: their names to be and their places."""

    kind: str
    name: str
    files: tuple[tuple[str, str], ...] = ()
    overrides: tuple[str, ...] = ()


def read_source(given: Any) -> tuple[Params, Source | None]:
    """The params, secrets masked unless a dict names them, and where they came from. Raises as `read_params`."""
    source = source_of(given)
    read = read_params(given)
    return (read if source is None else _masked(read)), source


def source_of(given: Any) -> Source | None:
    if isinstance(given, (str, os.PathLike)):
        path = Path(given)
        kind = _KINDS.get(path.suffix.lower())
        return None if kind is None else Source(kind, path.name, ((path.name, os.path.abspath(path)),))
    if is_omegaconf(given):
        return _hydra() or Source("omegaconf", "")
    if isinstance(given, Mapping):
        return None
    name = type(given).__name__
    if hasattr(type(given), "__dataclass_fields__"):
        return Source("dataclass", name)
    if callable(getattr(given, "model_dump", None)):
        return Source("pydantic", name)
    if hasattr(given, "command_path") and hasattr(given, "find_root"):
        return Source("click", str(given.command_path))
    return Source("argparse", os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else "")


def _hydra() -> Source | None:
    """What Hydra composed the configuration from, if this process runs under it."""
    module = sys.modules.get("hydra.core.hydra_config")
    try:
        if module is None or not module.HydraConfig.initialized():
            return None
        hydra = module.HydraConfig.get()
        folder = os.path.join(hydra.runtime.output_dir, hydra.output_subdir or ".hydra")
        found = [(f"hydra/{name}", os.path.join(folder, name)) for name in ("config.yaml", "overrides.yaml")]
        files = tuple((name, path) for name, path in found if os.path.isfile(path))
        return Source("hydra", str(hydra.job.config_name or ""), files, tuple(map(str, hydra.overrides.task)))
    except Exception as error:
        if raised_by_handler(error):
            raise
        return None


class Sources:
    """Those of one run, in the process that decides of it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._said: list[dict[str, Any]] = []
        self._files: dict[str, str] = {}

    def say(self, source: Source, params: Params) -> None:
        """Never raises."""
        try:
            self.say_entry({**self._entry(source, params), **self._kept(source)})
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._run._refuse("not_captured", f"the source of params is not recorded: {shown(error)}", detail=PART)

    def say_entry(self, entry: dict[str, Any]) -> None:
        if entry in self._said or len(self._said) >= SOURCES_MAX_COUNT:
            return
        if self._run.primary:
            self._said.append(entry)
            self._run._say(CaptureSet(self._run._journal.identity.attempt, PART, {"sources": self._said}))
            return
        folder = os.environ.get("LINEAL_TRACK")
        if folder and os.path.isdir(folder):  # `lineal track` says it together with its own
            from lineal.client.tracked.spool import say

            self._said.append(entry)
            say(folder, {"kind": "source", "entry": entry})

    def _entry(self, source: Source, params: Params) -> dict[str, Any]:
        from lineal.client.capture.redact import mask_arguments

        names = list(params.flat)
        entry: dict[str, Any] = {"kind": source.kind, "name": source.name, "params": names[:SOURCE_PARAMS_MAX_COUNT]}
        if len(names) > SOURCE_PARAMS_MAX_COUNT:
            entry["param_count"] = len(names)
        if source.overrides:
            entry["overrides"] = mask_arguments(source.overrides)
        return entry

    def _kept(self, source: Source) -> dict[str, Any]:
        is_given = source.kind in _KINDS.values()  # what a framework has written for this run is not read by the next
        files = [kept for name, path in source.files if (kept := self._keep(name, path, is_given)) is not None]
        if not files:
            return {}
        return {"file": files[0]} if len(files) == 1 else {"file": files[0], "files": files}

    def _keep(self, name: str, path: str, is_given: bool) -> dict[str, Any] | None:
        if os.path.getsize(path) > CONFIG_FILE_MAX_BYTES:
            return None
        from lineal.client.capture.secret_files import mask_file

        content = Path(path).read_bytes()
        kept = mask_file(name, content.decode("utf-8", "replace").encode())
        blob = self._run._keep_own(f"{FOLDER}/{self._name(name, path)}", kept)
        if blob is None:
            return None
        said: dict[str, Any] = {"path": f"{FOLDER}/{self._files[path]}", "digest": blob.digest}
        if is_given:
            from lineal.client.capture.redact import mask_text

            said |= {"from": mask_text(path)} | ({} if kept == content else {"is_masked": True})
        return said | {"size_bytes": blob.size_bytes}

    def _name(self, name: str, path: str) -> str:
        """Two files of one name are kept beside each other."""
        if path not in self._files:
            stem, dot, suffix = name.rpartition(".")
            taken, number, chosen = set(self._files.values()), 2, name
            while chosen in taken:
                chosen, number = f"{stem}-{number}{dot}{suffix}", number + 1
            self._files[path] = chosen
        return self._files[path]


def _masked(read: Params) -> Params:
    if not any(isinstance(value, (str, list, Mapping)) for value in read.flat.values()):
        return read
    flat = {name: _masked_value(name.rpartition("/")[2], value) for name, value in read.flat.items()}
    if flat == read.flat or read.whole is None:
        return Params(flat, read.whole, read.refused)
    return Params(flat, dict(_masked_items(read.whole)), read.refused)


def _masked_items(whole: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`{"name": "DB_PASSWORD", "value": "x"}` is a pair as well."""
    named = whole.get("name", whole.get("key"))
    for name, value in whole.items():
        yield name, _masked_value(named if name == "value" and isinstance(named, str) else name, value)


def _masked_value(name: str, value: Any) -> Any:
    from lineal.client.capture.redact import mask_value

    if isinstance(value, Mapping):
        return dict(_masked_items(value))
    if isinstance(value, list):
        return [_masked_value(name, one) for one in value]
    if not isinstance(value, str):
        return value
    masked = mask_value(name, value)
    if masked != value or value[:1] not in ("[", "{"):
        return masked
    from lineal.client.capture.secret_files import mask_file

    return mask_file("value.json", value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
