"""`lineal ui`."""

from __future__ import annotations

import os
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
@click.option(
    "--no-browser", is_flag=True, help="Open no browser. None is opened either where standard output is no terminal."
)
@folder_option
@json_option
def ui(port: int | None, no_browser: bool, url: str | None, as_json: bool) -> None:
    """Serve the dashboard over the local folder, until Ctrl-C.

    Runs appear as they are logged. It listens on this machine only; the first line printed is its address."""
    show(url, port=port, browser=not no_browser, as_json=as_json)


def show(url: str | None, *, port: int | None = None, browser: bool = True, as_json: bool = False) -> None:
    """Serves until it is interrupted. Says where, and opens a browser there if somebody sits before this terminal."""
    from lineal.api import open_store
    from lineal.server.serving import listen

    with open_store(url) as local:
        local.folder.check()
        with listen(port) as listener:
            address = f"http://localhost:{listener.getsockname()[1]}/"

            def on_ready() -> None:
                _say(address, local.folder.root, as_json)
                if browser and _has_browser():
                    _open_browser(address)

            from lineal.dashboard import LocalSource
            from lineal.server.serving import make_server

            source = LocalSource(local)
            try:
                make_server(source, listener, on_ready).run(sockets=[listener])
            except KeyboardInterrupt:
                pass  # how it is meant to end
            finally:
                source.close()


def _say(address: str, folder: str, as_json: bool) -> None:
    if as_json:
        from lineal.cli.output import write_json

        write_json({"url": address, "folder": folder})
    else:
        click.echo(f"{address}\nThe dashboard of {folder}; Ctrl-C ends it.")
    sys.stdout.flush()


def _has_browser() -> bool:
    """Without a display, Python would start a browser for the terminal, over what is printed there."""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open_browser(address: str) -> None:
    """In a thread: some systems wait for the browser."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
