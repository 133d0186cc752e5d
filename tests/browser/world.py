"""Everything the browser tests look at: real folders made by the SDK, each behind a real `lineal ui`.

    python -m tests.browser.world PLACE

prints one line of JSON when all is up: {"python": ..., "sites": {name: {"url": ..., "folder": ...}}}. The end of standard
input ends it and its servers, so that a test runner which is killed leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.browser.site import Site

STORES = ("demo", "data", "odd", "shelf", "desk", "pulse", "notebook", "empty", "many")


def make_stores(place: Path) -> None:
    """Each in a process of its own, the longest first: together they take as long as two cores need."""
    making = {}
    for name in sorted(STORES, key=("many", "demo").count, reverse=True):
        command = [sys.executable, "-m", "tests.browser.stores", name, str(place / name)]
        making[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    failed = [name for name, process in making.items() if process.wait() != 0]
    if failed:
        raise SystemExit(f"these folders could not be made: {', '.join(failed)}")


def main() -> None:
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    make_stores(place)
    made = time.monotonic()
    sites = {name: Site(place / name, place / f"{name}.log") for name in STORES}
    try:
        for site in sites.values():
            site.start()
        up = time.monotonic()
        print(f"folders made in {made - began:.1f} s, servers up in {up - made:.1f} s", file=sys.stderr, flush=True)
        told = {name: {"url": site.url, "folder": str(site.folder)} for name, site in sites.items()}
        print(json.dumps({"python": sys.executable, "root": os.getcwd(), "sites": told}), flush=True)
        sys.stdin.read()
    finally:
        for site in sites.values():
            site.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    main()
