"""`lineal datasets show`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.dataset_list import DIGEST_CHARS, size_text
from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.lineage_graph import is_content_digest

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion
    from lineal.store.dataset_reading import LoggedDataset

_COUNT = 20
_COLUMNS_COUNT = 12


@click.command("show", short_help="Show a dataset: its versions, who used them, what came of that.")
@click.argument("dataset", metavar="DATASET")
@click.option("--digest", metavar="DIGEST", help="One of its versions: its digest, or the beginning of it.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help=f"Versions, runs and models at most; {_COUNT} without it, 1,000 of each with --json.",
)
@folder_option
@tenant_option
@json_option
def show_dataset(
    dataset: str, digest: str | None, limit: int | None, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Show a dataset. DATASET is its name; or one of its versions: NAME@DIGEST, NAME@VERSION, or a digest alone. The beginning of a
    digest will do, alone from eight characters on."""
    from lineal.cli.opening import opened

    count = limit or (1_000 if as_json else _COUNT)
    with opened(url, tenant) as store:
        found = store.get_dataset(dataset, digest)
        versions, runs, models = found.versions(count), found.runs(count), found.models(count)
        said = found.to_dict()
    if as_json:
        from lineal.cli.output import write_json
        from lineal.store.dataset_view import made_dict, use_dict, version_dict

        write_json(
            {
                **said,
                "versions": [version_dict(one) for one in versions],
                "runs": [use_dict(one) for one in runs],
                "models": [made_dict(one) for one in models],
            }
        )
        return
    _print(found, said, versions, runs, models, count)


def _print(
    found: LoggedDataset,
    said: dict[str, Any],
    versions: Sequence[DatasetVersion],
    runs: Sequence[DatasetRun],
    models: Sequence[MadeVersion],
    limit: int,
) -> None:
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import printable

    out = Page()
    head = Text(printable(found.name), style="bold")
    if said["asked_digest"] is not None:
        head.append(printable(f"@{found.digest[:DIGEST_CHARS]}"))
    out.print(head, *_facts(said))
    now_ms = time.time_ns() // 1_000_000
    if said["asked_digest"] is None:
        out.print(*_section("Versions", _versions_table(versions, now_ms), len(versions), limit))
    out.print(*_section("Runs", _runs_table(runs, now_ms), len(runs), limit))
    if models:
        out.print(*_section("Models", _models_table(models, now_ms), len(models), limit))
    thing = found.digest if is_content_digest(found.digest) else f"{found.name}@{found.digest}"
    out.print("", f"lineal lineage {printable(quote(thing))}")


def _facts(said: dict[str, Any]) -> Iterator[RenderableType]:
    from lineal.cli.run_page import pairs
    from lineal.cli.wording import bytes_text

    shown = said["shown"]
    sizes = [f"{shown[name]:,} {noun}" for name, noun in _SIZES if shown[name] is not None]
    if shown["size_bytes"] is not None:
        sizes.append(bytes_text(shown["size_bytes"]))
    rows = [
        ("digest", shown["digest"]),
        ("version", shown["version"] or ""),
        ("source", shown["source"] or ""),
        ("size", ", ".join(sizes)),
        ("columns", _columns_text(shown["schema"])),
        ("also called", ", ".join(shown["other_names"])),
        ("versions", f"{said['version_count']:,}"),
        ("runs", f"{(shown if said['asked_digest'] else said)['run_count']:,}"),
    ]
    yield pairs((label, value) for label, value in rows if value)


_SIZES = (("row_count", "rows"), ("column_count", "columns"), ("file_count", "files"))


def _columns_text(schema: Any) -> str:
    """Names and types, as Lineal says them; of other schemas nothing."""
    columns = schema.get("columns") if isinstance(schema, dict) else None
    if not isinstance(columns, list) or not all(isinstance(one, dict) for one in columns):
        return ""
    named = [f"{one.get('name')} {one.get('type') or ''}".rstrip() for one in columns[:_COLUMNS_COUNT]]
    return ", ".join(named) + (f" and {len(columns) - len(named):,} more" if len(columns) > len(named) else "")


def _section(title: str, table: Table, shown: int, limit: int) -> Iterator[RenderableType]:
    from rich.text import Text

    yield from ("", Text(title, style="bold"), table)
    if shown == limit:
        yield Text(f"the newest {shown:,}: --limit shows more", style="dim")


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis", justify="right" if name == "runs" else "left")
    return table


def _versions_table(versions: Sequence[DatasetVersion], now_ms: int) -> Table:
    from lineal.cli.wording import ago_text, printable

    table = _table("digest", "called", "runs", "first used", "last used", "size", "source")
    for one in versions:
        data = one.dataset
        table.add_row(
            printable(data.digest[:DIGEST_CHARS]),
            printable(data.version or ""),
            f"{one.run_count:,}",
            ago_text(one.first_used_ms, now_ms),
            ago_text(one.last_used_ms, now_ms),
            size_text(data.profile),
            printable(data.source or ""),
        )
    return table


def _runs_table(runs: Sequence[DatasetRun], now_ms: int) -> Table:
    from lineal.cli.wording import ago_text, printable

    table = _table("run", "name", "experiment", "status", "used as", "digest", "used")
    for one in runs:
        table.add_row(
            printable(one.run_id[:8] if len(one.run_id) == 32 else one.run_id),
            printable(one.run_name),
            printable(one.experiment),
            "deleted" if one.lifecycle == "deleted" else one.status,
            printable(one.context),
            printable(one.digest[:DIGEST_CHARS]),
            ago_text(one.used_ms, now_ms),
        )
    return table


def _models_table(models: Sequence[MadeVersion], now_ms: int) -> Table:
    from lineal.cli.wording import ago_text, printable

    table = _table("model", "stage", "run", "made")
    for one in models:
        table.add_row(
            printable(f"{one.name}/{one.number}"),
            "" if one.stage == "none" else one.stage,
            printable(one.run_id[:8] if len(one.run_id) == 32 else one.run_id),
            ago_text(one.created_ms, now_ms),
        )
    return table
