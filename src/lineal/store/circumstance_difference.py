"""In what the circumstances of runs differ: packages, datasets, and every other fact that captures tell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, Literal, TypeAlias

from lineal.model.entities import RunDetails
from lineal.model.limits import DIFF_NAME_MAX_CHARS, DIFF_ROWS_MAX_COUNT
from lineal.model.values import ParamValue, to_json
from lineal.store.rules import typed_text

Change: TypeAlias = Literal["added", "removed", "changed"]
Contents: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Of a run: part -> content."""

SECTIONS = ("execution", "environment", "hardware")
_TEXT_MAX_CHARS = 10_000
_REST = "(all of it)"
# What is another one in every run, or has a section of its own.
_LEFT_OUT = {
    "execution": ("pid",),
    "environment": ("packages", "packages_left_out", "direct", "lock", "conda"),
    "hardware": (),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that circumstances have by a name, nested ones with dots. `values`: by run, only of those that have it."""

    name: str
    values: dict[str, ParamValue]
    differs: bool


@dataclass(frozen=True, slots=True)
class PackageRow:
    """`values`: versions by run. `change`: from the first run to the others."""

    name: str
    values: dict[str, str]
    change: Change


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """`values`: by run, the digests of the data that it used under that name for that; of several in order."""

    name: str
    context: str
    values: dict[str, list[str]]
    versions: dict[str, list[str]]
    differs: bool


def facts(section: str, contents: Mapping[str, Contents]) -> list[Fact]:
    """Of one section of all runs that recorded it; those that did not are not known to differ. The differing first. Of a content with more
    than DIFF_ROWS_MAX_COUNT values the others are one fact, by a digest of all."""
    told: dict[str, dict[str, ParamValue]] = {}
    cut: dict[str, ParamValue] = {}
    for run_id, parts in contents.items():
        if section in parts:
            content = {key: value for key, value in parts[section].items() if key not in _LEFT_OUT.get(section, ())}
            told[run_id] = dict(islice(_leaves(content), DIFF_ROWS_MAX_COUNT))
            if len(told[run_id]) == DIFF_ROWS_MAX_COUNT:
                cut[run_id] = sha256(to_json(content).encode()).hexdigest()
    found = []
    for name in sorted({name for leaves in told.values() for name in leaves})[:DIFF_ROWS_MAX_COUNT]:
        values = {run_id: leaves[name] for run_id, leaves in told.items() if name in leaves}
        is_missing = any(run_id not in values and run_id not in cut for run_id in told)
        found.append(Fact(name, values, is_missing or len({typed_text(value) for value in values.values()}) > 1))
    if cut:
        found.append(Fact(_REST, cut, len(cut) < len(told) or len(set(cut.values())) > 1))
    return sorted(found, key=lambda fact: not fact.differs)


def _leaves(content: Mapping[str, Any]) -> Iterator[tuple[str, ParamValue]]:
    """One after another, however many there are."""
    waiting = [("", iter(content.items()))]
    while waiting:
        within, items = waiting[-1]
        for key, value in items:
            name = _name(f"{within}{key}")
            if isinstance(value, dict):
                waiting.append((f"{name}.", iter(value.items())))
                break
            if isinstance(value, list):
                yield name, _list_text(name, value)[:_TEXT_MAX_CHARS]
            elif isinstance(value, str):
                yield name, value[:_TEXT_MAX_CHARS]
            elif value is not None:
                yield name, value
        else:
            waiting.pop()


def _list_text(name: str, values: list[Any]) -> str:
    """A command as a shell would take it; other lists as JSON."""
    if name == "command" and all(isinstance(value, str) for value in values):
        return shlex.join(values)
    return to_json(values)


def _name(name: str) -> str:
    if len(name) <= DIFF_NAME_MAX_CHARS:
        return name
    return f"{name[:DIFF_NAME_MAX_CHARS]}... {sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class PackageRows:
    """`unknown`: what could not be compared, as a sentence; "" where everything was, or the rest is known to be equal."""

    found: tuple[PackageRow, ...]
    unknown: str = ""


def packages(contents: Mapping[str, Contents]) -> PackageRows:
    """Those whose version is not the same in all runs that recorded their packages. A large environment names the first of its
    packages only: what comes after the last name of one is not missing there."""
    told = {run_id: _packages_of(parts) for run_id, parts in contents.items()}
    known = {run_id: found for run_id, found in told.items() if found is not None}
    if len(known) < 2:
        return PackageRows(())
    ends = [max(found, default="") for run_id, found in known.items() if packages_left_out(contents[run_id])]
    end = min(ends, default=None)
    found = _package_rows(known, end)
    locks = {to_json(contents[run_id]["environment"].get("lock")) for run_id in known}
    reasons = []
    if len(found) == DIFF_ROWS_MAX_COUNT:
        reasons.append(f"No more than the first {DIFF_ROWS_MAX_COUNT:,} packages that differ are listed.")
    if end is not None and len(locks) > 1:
        reasons.append(
            f"Packages after {end[:DIFF_NAME_MAX_CHARS]} are not compared: of a large environment only the first are recorded by name. "
            "The lock files have all."
        )
    return PackageRows(tuple(found), " ".join(reasons))


def packages_left_out(parts: Contents) -> int:
    """How many packages of the environment are not recorded by name."""
    count = parts.get("environment", {}).get("packages_left_out")
    return count if isinstance(count, int) and count > 0 else 0


def _package_rows(known: Mapping[str, Mapping[str, str]], end: str | None) -> list[PackageRow]:
    """Of those up to the name `end`, where there is one."""
    first = next(iter(known))
    rows: list[PackageRow] = []
    for name in sorted({name for found in known.values() for name in found}):
        if end is not None and name > end:
            break
        values = {run_id: found[name] for run_id, found in known.items() if name in found}
        if len(values) < len(known) or len(set(values.values())) > 1:
            change: Change = "added" if first not in values else "removed" if list(values) == [first] else "changed"
            rows.append(PackageRow(name, values, change))
            if len(rows) == DIFF_ROWS_MAX_COUNT:
                break
    return rows


def _packages_of(parts: Contents) -> dict[str, str] | None:
    found = parts.get("environment", {}).get("packages")
    return (
        {name: str(version)[:_TEXT_MAX_CHARS] for name, version in found.items()} if isinstance(found, dict) else None
    )


def datasets(details: Sequence[RunDetails]) -> list[DatasetRow]:
    """What the runs used, by context and name; the differing first."""
    digests: dict[tuple[str, str], dict[str, list[str]]] = {}
    versions: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in details:
        for use in one.datasets:
            key = use.context, use.dataset.name
            digests.setdefault(key, {}).setdefault(one.run.run_id, []).append(use.dataset.digest)
            versions.setdefault(key, {}).setdefault(one.run.run_id, []).append(use.dataset.version or "")
    rows = [
        DatasetRow(
            name,
            context,
            values,
            versions[context, name],
            len(values) < len(details) or len({tuple(sorted(found)) for found in values.values()}) > 1,
        )
        for (context, name), values in sorted(digests.items())
    ]
    return sorted(rows, key=lambda row: not row.differs)[:DIFF_ROWS_MAX_COUNT]
