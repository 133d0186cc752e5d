"""What `lineal runs show` says of reproductions: of which run this is one, and which there are of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineal.model.errors import NotFound
from lineal.model.vocabulary import REPRODUCES_TAG, REPRODUCTION_DOCUMENT

if TYPE_CHECKING:
    from lineal.local import LocalStore, LoggedRun

_SHOWN_MAX_COUNT = 10


def reproduction_lines(store: LocalStore, run: LoggedRun) -> Iterator[tuple[str, str]]:
    """The newest come first."""
    original = run.tags.get(REPRODUCES_TAG)
    if original is not None:
        yield f"of {original}", _verdict(run)
    made = store.runs(f"tags.`{REPRODUCES_TAG}` = '{run.run_id}'", limit=_SHOWN_MAX_COUNT)
    for other in made:
        yield other.run_id, _verdict(other)
    if made.total > len(made):
        yield "...", f"and {made.total - len(made)} more"


def _verdict(run: LoggedRun) -> str:
    """As the run keeps it; a document is anybody's to set."""
    try:
        said = run.document(REPRODUCTION_DOCUMENT)
    except NotFound:
        return "no verdict: it is running, or was cut off"
    if not isinstance(said, dict) or not isinstance(said.get("verdict"), str):
        return "no verdict that can be read"
    reason = said.get("reason")
    return f"{said['verdict']}: {reason}" if isinstance(reason, str) and reason else str(said["verdict"])
