"""Params from whatever a script configures itself with: nested values flattened with "/", types kept."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from lineal.journal.numbers import NotExact, exact_number
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import NAME_MAX_BYTES, PARAM_VALUE_MAX_BYTES, PARAMS_PER_RUN_MAX_COUNT
from lineal.model.values import ParamValue, check_name, clean_text, to_json

_INT_MAX_BITS = 4_096  # RSA keys fit; Python itself refuses to write ints of 4,300 digits


class Params(NamedTuple):
    """`flat` for search; `whole` for display, None when nothing was nested; what could not be taken, by name."""

    flat: dict[str, ParamValue]
    whole: dict[str, Any] | None
    refused: dict[str, str]


def read_params(source: Any) -> Params:
    """From a mapping, dataclass, pydantic model, argparse.Namespace, click.Context, OmegaConf config, or the path of a YAML, JSON or TOML
    file.

    Raises InvalidInput for any other type and for a file that does not parse, NotFound for a missing one. A single value
    over its limit is refused by name, not raised."""
    try:
        return _read(_mapping_of(source))
    except RecursionError:
        raise InvalidInput("params are nested too deeply, or contain themselves", field="params") from None


def within_bound(read: Params, known: Collection[str]) -> Params:
    """Without the names that would be too many for a run which has those."""
    new = [name for name in read.flat if name not in known]
    left = max(0, PARAMS_PER_RUN_MAX_COUNT - len(known))
    if len(new) <= left:
        return read
    why = f"a run has at most {PARAMS_PER_RUN_MAX_COUNT:,} params; log a file of them as an artifact"
    refused = dict.fromkeys(new[left:], why)
    flat = {name: value for name, value in read.flat.items() if name not in refused}
    return Params(flat, read.whole, {**read.refused, **{name[:80]: f"param {name!r:.60}: {why}" for name in refused}})


def _read(mapping: Mapping[str, Any]) -> Params:
    flat: dict[str, ParamValue] = {}
    refused: dict[str, str] = {}
    for name, value in _leaves("", mapping):
        try:
            name = check_name(name, field="param name", max_bytes=NAME_MAX_BYTES)
            flat[name] = _checked(name, _scalar(value))
        except InvalidInput as error:
            refused[name[:80]] = error.message
    nested = any(isinstance(value, (Mapping, list, tuple)) or _is_dataclass(value) for value in mapping.values())
    return Params(flat, _plain(mapping) if nested else None, refused)


def _mapping_of(source: Any) -> Mapping[str, Any]:
    if isinstance(source, Mapping) and not is_omegaconf(source):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(source))
    if _is_dataclass(source):
        return _members(source)
    if is_omegaconf(source):
        from omegaconf import OmegaConf

        container = OmegaConf.to_container(source, resolve=True)
        if isinstance(container, dict):
            return {str(key): value for key, value in container.items()}
    dumped = _dumped(source)
    if dumped is not None:
        return dumped
    if hasattr(source, "command_path") and callable(getattr(source, "find_root", None)):
        return _of_click(source)
    if type(source).__name__ == "Namespace" and hasattr(source, "__dict__"):  # argparse and its relatives
        return dict(vars(source))
    raise InvalidInput(
        f"params of type {type(source).__name__} are not understood; give a dict, dataclass, pydantic model, argparse.Namespace, "
        "click.Context, OmegaConf config, or the path of a YAML, JSON or TOML file",
        field="params",
    )


def _of_click(context: Any) -> Mapping[str, Any]:
    """Values of a command and of the groups that it is in."""
    found: dict[str, Any] = {}
    while context is not None:
        found = {**context.params, **found}
        context = context.parent
    return found


def _dumped(source: Any) -> Mapping[str, Any] | None:
    """The fields of a pydantic 2 model."""
    dump = None if isinstance(source, type) else getattr(source, "model_dump", None)
    dumped = dump() if callable(dump) else None
    return dumped if isinstance(dumped, Mapping) else None


def is_omegaconf(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "omegaconf"


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"params file {str(path)!r} does not exist", field="params") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"params file {str(path)!r} is not UTF-8 text", field="params") from None
    suffix = path.suffix.lower()
    try:
        content = _parsed(suffix, text)
    except ImportError:
        raise InvalidInput(f"reading {path.name} needs PyYAML: pip install pyyaml", field="params") from None
    except Exception as error:
        raise InvalidInput(f"params file {str(path)!r} does not parse: {error}", field="params") from error
    if not isinstance(content, Mapping):
        raise InvalidInput(f"params file {str(path)!r} holds no mapping but {type(content).__name__}", field="params")
    return content


def _parsed(suffix: str, text: str) -> Any:
    if suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    if suffix == ".json":
        import json

        return json.loads(text)
    if suffix in (".yaml", ".yml"):
        import yaml

        return yaml.safe_load(text)
    raise InvalidInput(f"unknown kind of file {suffix!r}; use .yaml, .yml, .json or .toml", field="params")


def _leaves(prefix: str, mapping: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        inner = _inner(value)
        if inner:
            yield from _leaves(f"{name}/", inner)
        else:
            yield name, value


def _inner(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if _is_dataclass(value):
        return _members(value)
    return _dumped(value)


def _is_dataclass(value: Any) -> bool:
    """An instance of one, asked as `dataclasses` does; who has none need not load that."""
    return hasattr(type(value), "__dataclass_fields__")


def _members(value: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {item.name: getattr(value, item.name) for item in fields(value)}


def _scalar(value: Any) -> ParamValue:
    """The typed value; what has no type of ours becomes text: lists as JSON, the rest as str() says."""
    if value is None or type(value) in (bool, int, float):
        return value  # type: ignore[no-any-return]
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, (Mapping, list, tuple)):
        return to_json(_plain(value))
    if isinstance(value, (set, frozenset)):
        return to_json(sorted(map(str, value)))
    try:
        return exact_number(value)
    except NotExact:
        return clean_text(str(value))


def _plain(value: Any) -> Any:
    """The same structure made of what JSON has."""
    inner = _inner(value)
    if inner is not None:
        return {clean_text(str(key)): _plain(item) for key, item in inner.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    scalar = _scalar(value)
    if isinstance(scalar, int) and scalar.bit_length() > _INT_MAX_BITS:
        return f"(an integer of {scalar.bit_length()} bits)"
    return scalar


def _checked(name: str, value: ParamValue) -> ParamValue:
    if isinstance(value, str) and len(value) * 4 > PARAM_VALUE_MAX_BYTES:
        size = len(value.encode())
        if size > PARAM_VALUE_MAX_BYTES:
            raise InvalidInput(
                f"param {name!r:.60} has {size:,} bytes; the limit is {PARAM_VALUE_MAX_BYTES:,}: log it as an artifact",
                field=name,
            )
    if isinstance(value, int) and value.bit_length() > _INT_MAX_BITS:
        raise InvalidInput(
            f"param {name!r:.60} is an integer of {value.bit_length()} bits; the limit is {_INT_MAX_BITS:,}", field=name
        )
    return value
