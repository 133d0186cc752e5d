"""What `lineal reproduce` decides for the runs of the program that it started, whatever that says itself: where they are recorded
and under which ids. It could resume the very run that it is to make again otherwise, or find it finished and train nothing. And it
changes no registered model: people serve from those.

LINEAL_REPRODUCES    the run that is made again; LINEAL_RUN_ID is then the id of the first run that the program begins
LINEAL_REPRODUCTION  the same, for a command under `lineal track`, which joins the run that was made again there"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lineal.model.ids import new_run_id
from lineal.model.vocabulary import REPRODUCES_TAG

if TYPE_CHECKING:
    from lineal.client.guard import Guard
    from lineal.record.records import ModelVersionCreated

TRACKED_VARIABLE = "LINEAL_REPRODUCTION"

_ids: dict[str | None, str] = {}
_guards: list[Guard] = []

unmade: dict[str, tuple[str, ModelVersionCreated]] = {}
"""By their ids: the run and the words of the versions that a program logged, and that were not made. It may load them again."""


def original() -> str | None:
    """The run that this process makes again, if it was started for that."""
    return os.environ.get("LINEAL_REPRODUCES") or None


def run_id_for(given: str | None) -> str:
    """The id to record under instead of the one that the program gave: the first run gets LINEAL_RUN_ID; a given id means the same
    run each time, in each process."""
    first = os.environ.get("LINEAL_RUN_ID") or new_run_id()
    if given is not None and given in _ids:
        return _ids[given]
    if not _ids:
        chosen = first
    elif given is None:
        return new_run_id()
    else:
        from hashlib import sha256  # late: 2 ms of OpenSSL

        chosen = sha256(f"{first}\0{given}".encode()).hexdigest()[:32]
    _ids[given] = chosen
    return chosen


def parent_for(given: str | None) -> str | None:
    """A parent that the program made itself, under the id that it has now."""
    return _ids.get(given, given) if given is not None else None


def tags() -> dict[str, str | None]:
    """What a run of this process is marked with."""
    run_id = original()
    return {} if run_id is None else {REPRODUCES_TAG: run_id}


def keeps_models() -> bool:
    """Whether registered models stay as they are, whatever this process says of them: so it is in what makes a run again, which
    hears of it once."""
    run_id = original() or os.environ.get(TRACKED_VARIABLE)
    if not run_id:
        return False
    if not _guards:
        from lineal.client.guard import Guard

        _guards.append(Guard())
    _guards[0].warn_once(
        "reproduction",
        f"this makes run {run_id} again: registered models stay as they are. What it logs as a model is kept with its run and is no "
        "new version; nothing is promoted, described, renamed or deleted.",
    )
    return True
