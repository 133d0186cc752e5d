"""What `lineal reproduce` decides for the runs of the program that it started, whatever that says itself: where they are recorded
and under which ids. It could resume the very run that it is to make again otherwise, or find it finished and train nothing.

LINEAL_REPRODUCES  the run that is made again; LINEAL_RUN_ID is then the id of the first run that the program begins."""

from __future__ import annotations

import os

from lineal.model.ids import new_run_id
from lineal.model.vocabulary import REPRODUCES_TAG

_ids: dict[str | None, str] = {}


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
