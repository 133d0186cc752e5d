"""A real `lineal ui` over a folder, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import environments

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROBE = Path(__file__).with_name("page_probe.js")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZE = {"width": 1440, "height": 900}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Its address without the last slash; how long it took to answer is `benchmarks.page`'s business."""
    path = os.pathsep.join([str(environments.HERE.parent), str(environments.HERE.parent / "src")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lineal.cli.main",
            "ui",
            "--no-browser",
            "--port",
            "0",
            "--folder",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"PYTHONPATH": path},
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            raise RuntimeError("lineal ui did not start")
        yield line.strip().rstrip("/").replace("localhost", "127.0.0.1")
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def fresh_page(chromium: Browser) -> Iterator[Page]:
    """Of a context of its own: nothing is in its cache."""
    context = chromium.new_context(viewport=SIZE)  # type: ignore[arg-type]
    try:
        context.add_init_script(path=PROBE)
        yield context.new_page()
    finally:
        context.close()


def seconds_to_answer(folder: Path) -> float:
    began = time.perf_counter()
    with site(folder) as address:
        import urllib.request

        with urllib.request.urlopen(f"{address}/api/v1/health", timeout=30):
            return time.perf_counter() - began
