"""`lineal runs note` and `rename`: what people say of a run afterwards."""

from __future__ import annotations

import sys

import click

from lineal.cli.completion import run_ids
from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput


@click.command("note", short_help="Print or write a run's note.")
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.argument("text", required=False)
@click.option("--edit", is_flag=True, help="Write it in your editor ($VISUAL, $EDITOR).")
@folder_option
@tenant_option
@json_option
def note_run(run: str, text: str | None, edit: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Print the note of a run, or write TEXT (Markdown) as its note; "-" reads it from standard input."""
    from lineal import api
    from lineal.cli.opening import opened

    if edit and text is not None:
        raise InvalidInput("TEXT and --edit exclude each other", field="text")
    with opened(url, tenant) as store:
        logged = store.get_run(run)
        note = logged.note
        if edit:
            written = click.edit(note, extension=".md")
            text = None if written is None or written == note else written
        elif text == "-":
            text = sys.stdin.read()
        if text is not None:
            api.set_run_note(logged.run_id, text, url=url, tenant=tenant)
            note = store.get_run(logged.run_id).note
    if as_json:
        from lineal.cli.output import write_json

        write_json({"run_id": logged.run_id, "note": note, "changed": text is not None})
        return
    if text is not None:
        click.echo(f"Wrote the note of run {logged.run_id[:8]}.")
    elif not edit:
        from lineal.cli.wording import printable

        click.echo(printable(note, keep_lines=True), nl=bool(note) and not note.endswith("\n"))


@click.command("rename", short_help="Give a run another name.")
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.argument("name")
@folder_option
@tenant_option
@json_option
def rename_run(run: str, name: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Give a run another display name. Its id stays."""
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.wording import printable

    with opened(url, tenant) as store:
        logged = store.get_run(run)
        api.rename_run(logged.run_id, name, url=url, tenant=tenant)
        after = store.get_run(logged.run_id).name
    if as_json:
        from lineal.cli.output import write_json

        write_json({"run_id": logged.run_id, "name": after})
        return
    click.echo(f"Run {logged.run_id[:8]} is now called {printable(after)}.")
