"""In what runs differ, whole: params and metrics, code, packages, data, hardware, environment, and where their curves part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineal.model.entities import RunDetails
from lineal.model.errors import InvalidInput
from lineal.model.limits import DIFF_RUNS_MAX_COUNT
from lineal.store.captures import CODE
from lineal.store.circumstance_difference import (
    SECTIONS,
    Contents,
    DatasetRow,
    Fact,
    PackageRow,
    datasets,
    facts,
    packages,
)
from lineal.store.code_difference import CodePatch, code_patch
from lineal.store.code_identity import identity_of, others_of, unknown_of
from lineal.store.code_trees import ReadBlob, Repository, tree_of
from lineal.store.comparable import Comparable, comparable
from lineal.store.contracts import TenantReader
from lineal.store.difference import Difference, difference
from lineal.store.parting import Partings, find_partings

_PARTS = (CODE, *SECTIONS)


@dataclass(frozen=True, slots=True)
class CodeRow:
    """What a run recorded of its code. `patch`: what makes the first run's tree this one's; None for the first, and where one of
    the two recorded none, or both the same."""

    run_id: str
    kind: str | None
    commit: str | None
    branch: str | None
    remote: str | None
    is_dirty: bool | None
    digest: str | None
    patch: CodePatch | None


@dataclass(frozen=True, slots=True)
class FullDifference:
    """Of the runs in the order given. `code`: of those that recorded any. Sections list what is equal, too, behind the rest;
    `packages` only what differs, and `packages_unknown` which of them could not be compared, as a sentence."""

    details: tuple[RunDetails, ...]
    rows: Difference
    comparable: Comparable
    code: tuple[CodeRow, ...]
    packages: tuple[PackageRow, ...]
    datasets: tuple[DatasetRow, ...]
    execution: tuple[Fact, ...]
    environment: tuple[Fact, ...]
    hardware: tuple[Fact, ...]
    parts: Partings
    packages_unknown: str = ""

    @property
    def run_ids(self) -> tuple[str, ...]:
        return self.rows.run_ids

    @property
    def is_empty(self) -> bool:
        """Nothing differs, of all that was recorded; names, ids and times of runs are no difference."""
        told = [row for row in self.rows.rows if row.section != "attribute"]
        texts = [row.patch for row in self.code if row.patch is not None]
        lists = (told, self.datasets, self.execution, self.environment, self.hardware)
        return not (
            any(row.differs for rows in lists for row in rows)
            or self.packages
            or self.packages_unknown
            or any(patch.text or patch.unknown for patch in texts)
            or any(parting.step is not None for parting in self.parts.found)
        )


def full_difference(
    reader: TenantReader,
    run_ids: Sequence[str],
    read_blob: ReadBlob,
    repository: Repository | None = None,
    metrics: Sequence[str] | None = None,
) -> FullDifference:
    """`metrics`: whose curves are looked at; None: all but the machine's. `repository`: one at hand, for patches between commits.
    InvalidInput for too few runs, and too many."""
    ids = list(dict.fromkeys(run_ids))
    if not 2 <= len(ids) <= DIFF_RUNS_MAX_COUNT:
        raise InvalidInput(
            f"a difference is of 2 to {DIFF_RUNS_MAX_COUNT} different runs, not {len(ids)}", field="run_ids"
        )
    details, series = reader.get_details_of(ids), reader.list_summaries(ids)
    contents: dict[str, Contents] = {
        run_id: {part: capture.content for part, capture in found.items()}
        for run_id, found in zip(ids, reader.get_captures_of(ids, _PARTS), strict=True)
    }
    execution, environment, hardware = (tuple(facts(section, contents)) for section in SECTIONS)
    code = _code(contents, read_blob, repository)
    named = packages(contents)
    return FullDifference(
        tuple(details),
        difference(details, series),
        comparable(details, series, _codes_to_compare(ids, contents, code)),
        tuple(code),
        named.found,
        tuple(datasets(details)),
        execution,
        environment,
        hardware,
        find_partings(reader, ids, series, metrics),
        named.unknown,
    )


def _code(contents: Mapping[str, Contents], read_blob: ReadBlob, repository: Repository | None) -> list[CodeRow]:
    rows: list[CodeRow] = []
    first: Mapping[str, Any] | None = None
    for run_id, parts in contents.items():
        code = parts.get(CODE)
        if code is None:
            continue
        patch = None
        if first is None:
            first = code
        elif not _is_same(first, code):
            patch = code_patch(tree_of(first, read_blob), tree_of(code, read_blob), repository)
        texts = {name: _text(code.get(name)) for name in ("kind", "commit", "branch", "remote", "digest")}
        is_dirty = code.get("is_dirty")
        flag = is_dirty if isinstance(is_dirty, bool) else None
        rows.append(CodeRow(run_id, is_dirty=flag, patch=patch, **texts))
    return rows


def _codes_to_compare(
    ids: Sequence[str], contents: Mapping[str, Contents], rows: Sequence[CodeRow]
) -> list[Mapping[str, Any] | None]:
    """What was committed later is the same code where it turned out to be the same files: known by what the first run recorded."""
    same = {row.run_id for row in rows if row.patch is not None and row.patch.is_empty}
    first = contents[rows[0].run_id][CODE] if rows else None
    return [first if run_id in same else contents[run_id].get(CODE) for run_id in ids]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """All files are known to be: there is nothing to look into."""
    if unknown_of(one) or unknown_of(other) or others_of(one) != others_of(other) or "" in others_of(one).values():
        return False
    digest = one.get("digest")
    if isinstance(digest, str) and digest and digest == other.get("digest"):
        return True
    return one == other and identity_of(one) is not None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
