"""`lineal ui`."""

from __future__ import annotations

import sys

import click

from lineal.cli.options import folder_option, json_option


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=None,
    help="Port (0: any free one). Without it 7007, or the next free one.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser.")
@folder_option
@json_option
def ui(port: int | None, no_browser: bool, url: str | None, as_json: bool) -> None:
    """Serve the dashboard over the local folder.

    Listens on this machine only, until Ctrl-C. Runs appear as they are logged."""
    show(url, port=port, browser=not no_browser and sys.stdout.isatty(), as_json=as_json)


def show(url: str | None, *, port: int | None = None, browser: bool = True, as_json: bool = False) -> None:
    """Serves until it is interrupted; says where, and opens a browser there."""
    from lineal.api import open_store
    from lineal.dashboard import LocalSource
    from lineal.server.serving import listen, make_server

    with open_store(url) as local:
        local.folder.check()
        listener = listen(port)
        address = f"http://localhost:{listener.getsockname()[1]}/"

        def on_ready() -> None:
            if as_json:
                from lineal.cli.output import write_json

                write_json({"url": address, "folder": local.folder.root})
            else:
                click.echo(f"{address}\nThe dashboard of {local.folder.root}; Ctrl-C ends it.")
            sys.stdout.flush()
            if browser:
                _open_browser(address)

        source = LocalSource(local)
        try:
            make_server(source, listener, on_ready).run(sockets=[listener])
        finally:
            source.close()


def _open_browser(address: str) -> None:
    """In a thread: some systems wait for the browser."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
