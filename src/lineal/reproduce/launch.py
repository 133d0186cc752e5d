"""The command of a plan, started as a child process whose runs are recorded where the original is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lineal.client.settings import resolve, resolve_outer_root
from lineal.local import LoggedRun
from lineal.reproduce.command import Command

# Where the new run goes is decided here, and not by what is set for others.
_NOT_HANDED_ON = ("LINEAL_URL", "LINEAL_FOLDER", "LINEAL_TENANT", "LINEAL_EXPERIMENT", "LINEAL_RUN_ID")


def child_variables(
    command: Command, original: LoggedRun, run_id: str, url: str | None, tenant: str | None, environment: Path | None
) -> dict[str, str]:
    """`environment`: the folder of a rebuilt one."""
    settings = resolve(url, tenant)
    said = {name: value for name, value in os.environ.items() if name not in (*_NOT_HANDED_ON, *command.unset)}
    said |= command.variables
    said |= {
        "LINEAL_URL": settings.folder.root if settings.server is None else settings.server.url,
        "LINEAL_EXPERIMENT": original.experiment,
        "LINEAL_RUN_ID": run_id,
        "LINEAL_REPRODUCES": original.run_id,
    }
    if settings.server is not None:
        said["LINEAL_FOLDER"] = resolve_outer_root()
    if settings.names_tenant:
        said["LINEAL_TENANT"] = settings.tenant
    if environment is not None:
        said["VIRTUAL_ENV"] = str(environment)
        said["PATH"] = os.pathsep.join([str(environment / "bin"), said.get("PATH", os.defpath)])
    return said


def launch(command: Command, variables: dict[str, str], *, quiet: bool) -> int:
    """Its exit status. `quiet`: what it prints goes to standard error, as standard output is for the answer alone."""
    sys.stdout.flush()
    sys.stderr.flush()
    output = sys.stderr.fileno() if quiet else None
    with subprocess.Popen(
        command.words, cwd=command.folder, env=variables, stdin=subprocess.DEVNULL, stdout=output
    ) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # it got the same signal, and ends its run first
                continue
