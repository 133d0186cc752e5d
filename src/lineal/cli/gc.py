"""`lineal gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lineal.cli.options import folder_option, json_option

if TYPE_CHECKING:
    from lineal.ingest.sweep import Sweep

_NAMED_MAX_COUNT = 20
_WAIT_S = 10.0  # for a server that sweeps just now


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be freed, and free nothing.")
@click.option("--tenant", metavar="NAME", help="Only this tenant's files. Without it: those of all tenants.")
@click.option("--store", metavar="URL", help="The files of a server's database, as `lineal serve --store` names it.")
@click.option(
    "--blobs", metavar="PATH", help="With --store: where they are. Without it: `blobs` beside a SQLite database."
)
@click.option("--adopt", is_flag=True, help="With --store: after an older database was restored, these files are its.")
@folder_option
@json_option
def gc(
    dry_run: bool,
    tenant: str | None,
    store: str | None,
    blobs: str | None,
    adopt: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Free the files that nothing refers to.

    Those are bytes of artifacts that no run has, deleted runs included, and unfinished copies: a process that was
    killed while it logged a file leaves one or the other. Whatever is younger than 24 hours stays, and runs may be
    recorded meanwhile. A deleted run keeps its files, since it can be restored.

    A server does the same by itself, every six hours. With --store it is done now, beside the server."""
    from lineal.model.ids import check_tenant

    if store is None and (blobs is not None or adopt):
        raise click.UsageError("--blobs and --adopt go with --store")
    if tenant is not None:
        tenant = check_tenant(tenant)
    if store is not None:
        place, done = _sweep_server(store, blobs, tenant, dry_run, adopt)
    else:
        place, done = _sweep_folder(url, tenant, dry_run)
    if as_json:
        from lineal.cli.output import write_json

        write_json({"folder": place} | _describe(done))
        return
    _print(done)


def _sweep_folder(url: str | None, tenant: str | None, dry_run: bool) -> tuple[str, Sweep]:
    from lineal.client import host
    from lineal.client.settings import resolve
    from lineal.ingest.sweep import sweep

    folder = resolve(url).folder
    return folder.root, sweep(folder, tenant=tenant, dry_run=dry_run, host=host.host_name(), boot=host.boot_id())


def _sweep_server(store: str, blobs: str | None, tenant: str | None, dry_run: bool, adopt: bool) -> tuple[str, Sweep]:
    from pathlib import Path

    from lineal.ingest.sweep_hosted import sweep_hosted
    from lineal.journal.layout import Folder
    from lineal.model.errors import InvalidInput, NotFound
    from lineal.store.open import MEMORY_URL, is_shared, open_store, sqlite_path

    if blobs is None and (store == MEMORY_URL or is_shared(store)):
        raise InvalidInput("say where the server's files are: --blobs", field="blobs")
    place = Path(blobs) if blobs is not None else sqlite_path(store).absolute().parent / "blobs"
    if not place.is_dir():
        raise NotFound(f"{place} is no folder", field="blobs")
    folder = Folder(place)
    folder.blobs = folder.root
    opened = open_store(store, read_only=True)
    try:
        return folder.root, sweep_hosted(opened, folder, tenant=tenant, dry_run=dry_run, adopt=adopt, wait_s=_WAIT_S)
    finally:
        opened.close()


def _describe(done: Sweep) -> dict[str, Any]:
    return {
        "dry_run": done.dry_run,
        "freed_bytes": done.taken_bytes,
        "blob_count": sum(len(one.taken) for one in done.tenants),
        "leftover_count": len(done.leftovers),
        "tenants": [
            {
                "tenant": one.tenant,
                "freed_bytes": one.taken_bytes,
                "digests": [blob.digest for blob in one.taken],
                "kept_count": one.kept_count,
                "kept_bytes": one.kept_bytes,
                "young_count": one.young_count,
                "young_bytes": one.young_bytes,
            }
            for one in done.tenants
        ],
        "problems": done.problems,
    }


def _print(done: Sweep) -> None:
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import bytes_text, count_text, printable

    out = Page()
    for problem in done.problems:
        out.print(Text(printable(problem), style="yellow"))
    if done.dry_run:
        _list_taken(done, out)
    blob_count = sum(len(one.taken) for one in done.tenants)
    parts = [
        text
        for count, text in (
            (blob_count, f"{count_text(blob_count, 'file')} that no run refers to"),
            (len(done.leftovers), count_text(len(done.leftovers), "unfinished copy", "unfinished copies")),
        )
        if count
    ]
    verb = "Would free" if done.dry_run else "Freed"
    out.print(f"{verb} {bytes_text(done.taken_bytes)}: {', '.join(parts)}." if parts else "Nothing to free.")
    kept, kept_bytes = sum(one.kept_count for one in done.tenants), sum(one.kept_bytes for one in done.tenants)
    young, young_bytes = sum(one.young_count for one in done.tenants), sum(one.young_bytes for one in done.tenants)
    if kept:
        out.print(Text(f"{count_text(kept, 'file')} of runs kept ({bytes_text(kept_bytes)}).", style="dim"))
    if young:
        out.print(
            Text(
                f"{count_text(young, 'file')} ({bytes_text(young_bytes)}) without a run, younger than 24 hours: kept until then.",
                style="dim",
            )
        )


def _list_taken(done: Sweep, out: Any) -> None:
    from lineal.cli.wording import bytes_text, printable

    taken = [(one.tenant, blob) for one in done.tenants for blob in one.taken]
    for tenant, blob in taken[:_NAMED_MAX_COUNT]:
        out.print(f"{printable(tenant)}  sha256 {blob.digest[:12]}  {bytes_text(blob.size_bytes)}")
    if len(taken) > _NAMED_MAX_COUNT:
        out.print(f"... and {len(taken) - _NAMED_MAX_COUNT:,} more; --json lists them all")
    if taken:
        out.print("")
