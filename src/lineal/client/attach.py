"""How a run that was pickled comes back in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.journal.segment import WriterMode

if TYPE_CHECKING:
    from lineal.client.run import Run


def attach(
    root: str,
    identity: Identity,
    experiment: str,
    name: str | None,
    mode: WriterMode | None,
    finished: bool,
    server: tuple[str, str | None] | None,
) -> Run:
    """The run as a spawned process has it: with a writer of its own."""
    from lineal.client.run import Run
    from lineal.model.frozen import replace

    folder = Folder(root)
    journal = Journal(folder, replace(identity, primary=False), mode=mode)
    run = Run(journal, experiment=experiment, name=name, primary=False, finished=finished)
    if finished:
        journal.close()
    elif server is not None:
        from lineal.client.address import parse_address
        from lineal.client.exits import EXITS
        from lineal.client.uploader import find_uploader

        run._uploader = find_uploader(parse_address(server[0]), folder, server[1])
        journal.on_open = run._uploader.add
        EXITS.add(run)  # so that the end of this process waits for its part
    return run
