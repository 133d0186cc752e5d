"""`lineal models show`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lineal.registry.handles import ModelVersion, RegisteredModel

_VERSIONS_COUNT = 20


@click.command("show", short_help="Show a registered model, or one of its versions.")
@click.argument("model", metavar="MODEL")
@click.option("--deleted", is_flag=True, help="The deleted versions of a model instead.")
@folder_option
@tenant_option
@json_option
def show_model(model: str, deleted: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Show a registered model with its versions (MODEL is its name), or one version: NAME@ALIAS, NAME/3, NAME/production, the id of
    a version, or of the run that made it."""
    from lineal.registry.handles import ModelVersion

    found = find(model, url, tenant)
    if isinstance(found, ModelVersion):
        if as_json:
            _write(found.to_dict())
        else:
            _print_version(found)
        return
    versions = found.versions(_VERSIONS_COUNT if not as_json else 1_000, deleted=deleted)
    if as_json:
        _write(found.to_dict() | {"versions": [one.to_dict() for one in versions]})
    else:
        _print_model(found, versions, deleted=deleted)


def find(asked: str, url: str | None, tenant: str | None) -> RegisteredModel | ModelVersion:
    """What is asked for. NotFound, InvalidInput."""
    from lineal.registry import calls

    try:
        return calls.get_model(asked, url=url, tenant=tenant)
    except (NotFound, InvalidInput):
        return calls.get_model_version(asked, url=url, tenant=tenant)


def _write(answer: Any) -> None:
    from lineal.cli.output import write_json

    write_json(answer)


def _print_model(model: RegisteredModel, versions: list[ModelVersion], *, deleted: bool) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.run_page import pairs
    from lineal.cli.wording import ago_text, printable, time_text

    out = Page()
    head = Text(printable(model.name), style="bold")
    if model.details.lifecycle == "deleted":
        head.append("  deleted", style="red")
    rows = [
        ("about", model.description),
        ("made", time_text(model.details.created_ms)),
        ("versions", f"{model.details.version_count:,}"),
        ("aliases", ", ".join(f"@{alias} is {number}" for alias, number in sorted(model.aliases.items()))),
    ]
    out.print(head, pairs((label, value) for label, value in rows if value))
    if model.tags:
        out.print("", Text("Tags", style="bold"), Padding(pairs(model.tags.items()), (0, 0, 0, 2), expand=False))
    if not versions:
        if deleted:
            out.print("", "No version of it is deleted.")
        return
    now_ms = time.time_ns() // 1_000_000
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("version", "stage", "aliases", "made", "run", "format", "about"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", style="bold" if name == "version" else "")
    for one in versions:
        table.add_row(
            str(one.version),
            "" if one.stage == "none" else one.stage,
            Text(" ".join(f"@{alias}" for alias in one.aliases)),
            ago_text(one.details.created_ms, now_ms),
            Text(printable(one.run_id[:8] if one.run_id and len(one.run_id) == 32 else one.run_id or "none")),
            Text(printable(one.format or "")),
            Text(printable(one.description)),
        )
    out.print("", table)
    if deleted:
        if len(versions) == _VERSIONS_COUNT:
            out.print(Text(f"the newest {_VERSIONS_COUNT}: --json has all", style="dim"))
        return
    left_out = model.details.version_count - len(versions)
    if left_out > 0:
        out.print(Text(f"and {left_out:,} older ones: --json has them", style="dim"))
    newest = versions[0]
    out.print("", f"lineal models why {printable(quote(f'{newest.name}/{newest.version}'))}")


def _print_version(version: ModelVersion) -> None:
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import printable

    out = Page()
    head = Text(printable(f"{version.name}/{version.version}"), style="bold")
    if version.stage != "none":
        head.append(f"  {version.stage}", style="green" if version.stage == "production" else "")
    for alias in version.aliases:
        head.append(f"  @{alias}", style="cyan")
    if version.details.lifecycle == "deleted":
        head.append("  deleted", style="red")
    out.print(head, *_version_body(version))
    out.print("", f"lineal models why {printable(quote(f'{version.name}/{version.version}'))}")


def _version_body(version: ModelVersion) -> Iterator[RenderableType]:
    import json

    from rich.padding import Padding
    from rich.text import Text

    from lineal.cli.run_page import pairs
    from lineal.cli.wording import bytes_text, time_text

    status = version.details.status
    rows = [
        ("version id", version.version_id),
        ("made", time_text(version.details.created_ms)),
        ("run", version.run_id or "none: whoever registered it named no run"),
        ("status", "" if status == "ready" else status),
        ("format", version.format or "not known"),
        ("source", version.source),
        ("about", version.description),
    ]
    yield pairs((label, value) for label, value in rows if value)
    sections = [
        (
            "Files",
            [(one.path, f"{bytes_text(one.size_bytes)}  sha256 {one.digest or 'not known'}") for one in version.files],
        ),
        ("Tags", list(version.tags.items())),
    ]
    for title, found in sections:
        if found:
            yield from ("", Text(title, style="bold"), Padding(pairs(found), (0, 0, 0, 2), expand=False))
    for title, said in (("Signature", version.signature), ("Input example", version.input_example)):
        if said is not None:
            text = json.dumps(said, ensure_ascii=True)
            yield from ("", Text(title, style="bold"), f"  {text if len(text) <= 400 else text[:400] + ' ...'}")
