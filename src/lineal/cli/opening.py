"""Opens the folder for a command that asks of runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineal.model.limits import MIB

if TYPE_CHECKING:
    from lineal.local import LocalStore

# More than a second's work for the first question after it.
_MANY_SEGMENTS = 500
_MANY_BYTES = 64 * MIB


@contextmanager
def opened(url: str | None, tenant: str | None) -> Iterator[LocalStore]:
    """The store. Says so, on a terminal, if much must be taken in before the answer."""
    from lineal.api import open_store

    with open_store(url, tenant=tenant) as store:
        if sys.stderr.isatty() and store.place == store.folder.root and store.folder.check():
            segments = store.folder.list_segments()
            size = sum(_size_of(segment.path) for segment in segments)
            if len(segments) >= _MANY_SEGMENTS or size >= _MANY_BYTES:
                click.echo(f"Taking in {len(segments):,} journals ({size // MIB} MiB) ...", err=True)
        yield store


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # taken in meanwhile
        return 0
