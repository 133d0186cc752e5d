"""The command `lineal`: finds the group, calls it, and ends with a status that scripts can rely on.

A group's module is imported when it is asked for, and imports what it needs when its command runs: `lineal --help`
and `lineal --version` load neither numpy nor rich."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from lineal._version import __version__
from lineal.cli.exits import INTERRUPTED_STATUS, UNREACHABLE, Refusal, end_with
from lineal.model.errors import LinealError

_COMMANDS = {
    "audit": "lineal.cli.audit",
    "datasets": "lineal.cli.datasets",
    "demo": "lineal.cli.demo",
    "doctor": "lineal.cli.doctor",
    "experiments": "lineal.cli.experiments",
    "gc": "lineal.cli.gc",
    "import": "lineal.cli.import_",
    "lineage": "lineal.cli.lineage",
    "login": "lineal.cli.login",
    "members": "lineal.cli.members",
    "models": "lineal.cli.models",
    "reproduce": "lineal.cli.reproduce",
    "runs": "lineal.cli.runs",
    "serve": "lineal.cli.serve",
    "sync": "lineal.cli.sync",
    "tokens": "lineal.cli.tokens",
    "track": "lineal.cli.track",
    "ui": "lineal.cli.ui",
    "users": "lineal.cli.users",
}

_EPILOG = (
    "Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 not found, 4 conflict, 5 unreachable or not writable."
)


class Commands(click.Group):
    """The top group. Errors raised on purpose become one line and an exit status, never a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (LinealError, Refusal) as error:
            end_with(ctx, error)
        except BrokenPipeError:
            raise  # click ends quietly: whoever read us had enough
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            end_with(ctx, Refusal(f"{where}{error.strerror or error}", UNREACHABLE, "unreachable"))
        except KeyboardInterrupt:
            end_with(ctx, Refusal("interrupted", INTERRUPTED_STATUS, "interrupted"))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
@click.version_option(__version__, prog_name="lineal", message="%(prog)s %(version)s")
@click.pass_context
def lineal(ctx: click.Context) -> None:
    """Lineal, an experiment tracker: a lab notebook that writes itself.

    It reads where your runs are recorded: --url, else LINEAL_URL (a folder or a server), else the nearest .lineal folder upward."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a "?" and not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    lineal(prog_name="lineal")


if __name__ == "__main__":
    main()
