"""`lineal datasets list`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lineal.cli.options import folder_option, json_option, tenant_option

if TYPE_CHECKING:
    from lineal.store.dataset_reading import LoggedDataset

DIGEST_CHARS = 12
_NAME_CHARS, _PIPED_CHARS = 40, 1_024
_ALL = 2**31


@click.command("list", short_help="List the datasets that runs used.")
@click.argument("search", default="", metavar="[TEXT]")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many.")
@click.option("--last-used", is_flag=True, help="The last used first, instead of by name.")
@folder_option
@tenant_option
@json_option
def list_datasets(search: str, limit: int, last_used: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """List the datasets whose name contains TEXT (in any case), or all, with what was used last of each."""
    from lineal.cli.opening import opened

    with opened(url, tenant) as store:
        found = store.datasets(search, order_by="last_used" if last_used else "name", limit=limit)
        total = len(store.datasets(search, limit=_ALL)) if len(found) == limit else len(found)
    if as_json:
        from lineal.cli.output import write_json
        from lineal.store.dataset_view import dataset_dict

        write_json({"datasets": [dataset_dict(one.details) for one in found], "total": total})
        return
    _print(found, total, search)


def _print(found: Sequence[LoggedDataset], total: int, search: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import ago_text, count_text, printable, shortened

    out = Page()
    if not found:
        if search:
            out.print(f"No dataset has {printable(search)!r} in its name.")
        else:
            out.print("No datasets yet. run.log_dataset(NAME, DATA) says which data a run uses.")
        return
    now_ms = time.time_ns() // 1_000_000
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("dataset", no_wrap=True, style="bold")
    for name in ("versions", "runs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("last used", no_wrap=True, style="dim")
    table.add_column("digest", no_wrap=True)
    table.add_column("called", no_wrap=True, overflow="ellipsis")
    table.add_column("size", no_wrap=True)
    name_chars = _NAME_CHARS if out.is_terminal else _PIPED_CHARS
    for one in found:
        details = one.details
        table.add_row(
            Text(shortened(printable(one.name), name_chars)),
            Text(f"{details.version_count:,}"),
            Text(f"{details.run_count:,}"),
            Text(ago_text(details.last_used_ms, now_ms)),
            Text(printable(details.latest.digest[:DIGEST_CHARS])),
            Text(printable(details.latest.version or "")),
            Text(size_text(details.latest.profile)),
        )
    out.print(table, "")
    said = f"{len(found):,} of {count_text(total, 'dataset')}" if len(found) < total else count_text(total, "dataset")
    out.print(Text(said, style="dim"))


def size_text(profile: str | None) -> str:
    """1,437 x 65, or what else is known of how much it is."""
    from lineal.cli.wording import bytes_text, count_text
    from lineal.store.lineage import profile_of

    said = profile_of(profile)
    rows, columns, size = said["row_count"], said["column_count"], said["size_bytes"]
    if rows is not None:
        return f"{rows:,} x {columns:,}" if columns is not None else count_text(rows, "row")
    return "" if size is None else bytes_text(size)
