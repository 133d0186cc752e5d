"""`lineal models list`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lineal.cli.options import folder_option, json_option, tenant_option

if TYPE_CHECKING:
    from lineal.registry.handles import RegisteredModel

_NAME_CHARS, _PIPED_CHARS = 40, 256


@click.command("list", short_help="List registered models by name.")
@click.argument("search", default="", metavar="[TEXT]")
@click.option("--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="At most so many.")
@click.option("--deleted", is_flag=True, help="The deleted models instead.")
@folder_option
@tenant_option
@json_option
def list_models(search: str, limit: int, deleted: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """List the registered models whose name contains TEXT (in any case), or all, with their aliases."""
    from lineal.registry import calls

    found = calls.models(search, limit=limit, deleted=deleted, url=url, tenant=tenant)
    total = calls.count_models(search, deleted=deleted, url=url, tenant=tenant) if len(found) == limit else len(found)
    if as_json:
        from lineal.cli.output import write_json

        write_json({"models": [one.to_dict() for one in found], "total": total})
        return
    _print(found, total, search, deleted=deleted)


def _print(found: Sequence[RegisteredModel], total: int, search: str, *, deleted: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import ago_text, count_text, printable, shortened

    out = Page()
    if not found:
        if search or deleted:
            out.print(
                f"No {'deleted ' if deleted else ''}model{f' has {printable(search)!r} in its name' if search else ''}."
            )
        else:
            out.print("No registered models yet. run.log_model(NAME, MODEL) makes one.")
        return
    now_ms = time.time_ns() // 1_000_000
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("model", no_wrap=True, style="bold")
    table.add_column("versions", justify="right", no_wrap=True)
    table.add_column("last word", no_wrap=True, style="dim")
    table.add_column("aliases", no_wrap=True, overflow="ellipsis")
    table.add_column("about", no_wrap=True, overflow="ellipsis", style="dim")
    name_chars = _NAME_CHARS if out.is_terminal else _PIPED_CHARS
    for one in found:
        aliases = " ".join(f"@{alias}={number}" for alias, number in sorted(one.aliases.items()))
        table.add_row(
            Text(shortened(printable(one.name), name_chars)),
            Text(f"{one.details.version_count:,}"),
            Text(ago_text(one.details.updated_ms, now_ms)),
            Text(printable(aliases)),
            Text(printable(one.description)),
        )
    out.print(table, "")
    noun = "deleted model" if deleted else "model"
    said = f"{len(found):,} of {count_text(total, noun)}" if len(found) < total else count_text(total, noun)
    out.print(Text(said, style="dim"))
