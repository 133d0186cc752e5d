"""A run around a command."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineal.client import reproducing
from lineal.client.capture.redact import mask_value
from lineal.client.settings import ATTEMPT_VARIABLE, NAME_VARIABLE, TRACK_VARIABLE
from lineal.client.tracked.child import Child, Ended
from lineal.client.tracked.events import EventFollower
from lineal.client.tracked.spool import Spool
from lineal.journal.numbers import shown
from lineal.model.limits import SIGNAL_SYNC_TIMEOUT_S, TRACK_INTERVAL_S
from lineal.model.vocabulary import EndStatus

if TYPE_CHECKING:
    from lineal.client.run import Run

SAID_VARIABLE = "LINEAL_TRACK_SAID"
"""In the child: that a process said its values, so that those which it starts need not."""
_HOOK = Path(__file__).parent / "hook"


def masked(params: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets of a command line are none of the run's params."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            found[name] = masked(value)
        elif isinstance(value, str):
            found[name] = mask_value(name, value)
        elif isinstance(value, list):
            found[name] = [mask_value(name, one) if isinstance(one, str) else one for one in value]
        else:
            found[name] = value
    return found


class Tracking:
    """What is done for `run` while its command runs. `folders`: where it may write event files."""

    def __init__(self, run: Run, folders: Sequence[str] | None) -> None:
        self._run = run
        self._spool = Spool()
        self._follower = EventFollower(run, folders, self._spool.folder)
        self._errors: dict[bool, str] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="lineal-track", daemon=True)

    def environment(self, environ: Mapping[str, str], *, name: str | None) -> dict[str, str]:
        """Of the child: it joins the run, wherever Lineal is imported."""
        run = self._run
        python_path = environ.get("PYTHONPATH")
        own = {
            "LINEAL_URL": run.folder if run._uploader is None else run._uploader.address.url,
            "LINEAL_TENANT": run.tenant,
            "LINEAL_RUN_ID": run.run_id,
            "LINEAL_EXPERIMENT": run.experiment,
            ATTEMPT_VARIABLE: run._journal.identity.attempt,
            TRACK_VARIABLE: self._spool.folder,
            "PYTHONPATH": f"{_HOOK}{os.pathsep}{python_path}" if python_path else str(_HOOK),
        }
        if name is not None:
            own[NAME_VARIABLE] = name
        # A run that is made again is this one; what joins it is told nothing else.
        dropped = (SAID_VARIABLE, NAME_VARIABLE, "LINEAL_REPRODUCES")
        original = reproducing.original()
        if original is not None:
            own[reproducing.TRACKED_VARIABLE] = original
        return {**{key: value for key, value in environ.items() if key not in dropped}, **own}

    def wait(self, child: Child) -> Ended:
        self._follower.pid = child.pid
        self._thread.start()
        return child.wait(self._on_told)

    def finish(self, ended: Ended | None, why: str | None = None) -> EndStatus:
        """Takes what is left, and ends the run as the command ended; `why` if it could not be started."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._take(final=True)
        self._spool.remove()
        status: EndStatus
        status, error = ("failed", why) if ended is None else self._judged(ended)
        self._run.finish(status, error=error)
        return status

    # -- within ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._ending.wait(TRACK_INTERVAL_S):
            self._take(final=False)

    def _take(self, *, final: bool) -> None:
        """Never raises: the command goes on, whatever becomes of what is recorded of it."""
        for act in (self._take_spool, lambda: self._follower.poll(final=final)):
            try:
                act()
            except Exception as error:
                self._run._refuse("not_captured", f"of the tracked command something is not recorded: {shown(error)}")

    def _take_spool(self) -> None:
        for said in self._spool.read_new():
            if said.get("kind") == "params" and isinstance(said.get("params"), dict):
                self._take_params(said)
            elif said.get("kind") == "source" and isinstance(said.get("entry"), dict):
                self._say_source(said["entry"])
            elif said.get("kind") == "error":
                self._errors[bool(said.get("is_launcher"))] = str(said.get("text", ""))

    def _take_params(self, said: Mapping[str, Any]) -> None:
        params = masked(said["params"])
        self._run.log_params(params)
        entry = {"kind": str(said.get("source")), "name": str(said.get("program")), "params": list(params)}
        self._say_source(entry)

    def _say_source(self, entry: dict[str, Any]) -> None:
        if self._run._sources is not None:
            self._run._sources.say_entry(entry)

    def _on_told(self, number: int) -> None:
        if number == signal.SIGTERM:  # whoever sends it may not wait for long
            self._run.end_by_signal("killed", SIGNAL_SYNC_TIMEOUT_S)

    def _judged(self, ended: Ended) -> tuple[EndStatus, str | None]:
        """The program's own traceback rather than that of what started it."""
        self._run.signalled = None
        if ended.exit_status == 0:
            return "finished", None
        if ended.was_killed:
            return "killed", None
        what = f"exit status {ended.code}"
        if ended.signal:
            what = f"ended by signal {ended.signal} ({signal.strsignal(ended.signal)})"
        return "failed", self._errors.get(False) or self._errors.get(True) or what
