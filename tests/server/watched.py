"""Python's audit hook over the server's own threads, in every test of this folder: whatever a test asks for, kindly or not, no process
is started, nothing is unpickled, nobody outside is called, and no file is opened but those of the test, of the page, and of Python itself.

(`test_opens_nothing_else.py` is stricter for requests that it makes itself. Servers that are processes of their own are not seen.)"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import threading
from pathlib import Path
from typing import Any

import lineal

SERVER_THREAD = "server of a test"
_THREADS = (SERVER_THREAD, "AnyIO worker thread", "lineal-")
FORBIDDEN = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "pickle.find_class",
    "socket.connect",
    "socket.getaddrinfo",
    "webbrowser.open",
    "urllib.Request",
}
_OPENING = {"open", "os.listdir", "os.scandir", "sqlite3.connect", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
_ROOTS = tuple(
    os.path.realpath(str(root))
    for root in (
        tempfile.gettempdir(),
        Path(lineal.__file__).parent,
        Path(__file__).parents[1],  # lines of a traceback in the log
        sys.prefix,
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(entry for entry in sys.path if entry.endswith("site-packages")),
        "/usr/share/zoneinfo",
    )
)
_SYSTEM = ("/proc/self/", "/dev/null", "/dev/urandom", "/etc/mime.types", "/usr/share/mime")


class Watch:
    """Installed once, for good: audit hooks cannot be taken away."""

    def __init__(self) -> None:
        self.is_on = False
        self.foreign: list[tuple[str, str]] = []
        self.heard_count = 0
        self.may_call: set[tuple[str, int]] = set()
        """Addresses and ports of a test's own receivers of webhooks; nobody else is called."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or not (event in FORBIDDEN or event in _OPENING):
            return
        if not is_server_thread():
            return
        self.heard_count += 1
        if event == "socket.connect" and arguments[1][:2] in self.may_call:
            return
        said = str(arguments[0]) if arguments else ""
        if event in FORBIDDEN or not _is_ours(said):
            self.foreign.append((event, said))


def is_server_thread() -> bool:
    """Not the test's own, nor an uploader's of another test in this process."""
    return threading.current_thread().name.startswith(_THREADS)


def _is_ours(place: str) -> bool:
    if place.isdigit() or place.startswith(_SYSTEM) or place == ":memory:":
        return True
    path = os.path.realpath(place.removeprefix("file:").partition("?")[0])
    return any(path == root or path.startswith(f"{root}{os.sep}") for root in _ROOTS)


WATCH = Watch()
