"""A real `lineal ui` over one folder, in a process of its own that never outlives this one.

As a program, for a test that kills its server:  python -m tests.browser.site FOLDER
It prints {"url": ...} and then obeys a word a line on standard input, answering "ok": kill, start. The end of standard
input ends it, so that a test runner which is killed leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.ports import kept_port

START_S = 30.0
STOP_S = 5.0


class Site:
    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        self._keeping = ExitStack()
        self.port = self._keeping.enter_context(kept_port())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return ["ui", "--no-browser", "--folder", str(self.folder), "--port", str(self.port)]

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "lineal.cli.main", *self.command()]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self._await()

    def _await(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended at once ({self._process.returncode}):\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/health", timeout=1):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"the server did not answer within {START_S:.0f} s:\n{self.log.read_text()}")

    def stop(self) -> None:
        """As Ctrl-C would; by force if that is not heard."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def main() -> None:
    folder = Path(sys.argv[1])
    site = Site(folder, folder.with_name(f"{folder.name}-own.log"))
    try:
        site.start()
        print(json.dumps({"url": site.url}), flush=True)
        for line in sys.stdin:
            {"kill": site.kill, "start": site.start}[line.strip()]()
            print("ok", flush=True)
    finally:
        site.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    main()
