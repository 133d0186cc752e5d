"""Whether what a look at the code saw may still be said of a run that begins the moment after: by the times of what it was made of,
since the look itself takes a hundred times as long."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from lineal.client.capture.snapshot import files_elsewhere, project_files
from lineal.model.limits import CODE_AT_ONCE_MAX_COUNT, CODE_WATCHED_MAX_COUNT

_Times = tuple[int, int, int] | None


class Sight(NamedTuple):
    """How the files of a look were when it began. `project`: the script and the modules of the project, below `root`; `elsewhere`: those
    outside of it; `module_count`: of all modules, since none was imported while it is the same."""

    root: str
    script: str | None
    project: list[str]
    elsewhere: list[str]
    module_count: int
    times: dict[str, _Times]

    @property
    def is_quick(self) -> bool:
        """Whether it takes some microseconds to learn if all is still so."""
        return len(sys.modules) == self.module_count and len(self.times) <= CODE_AT_ONCE_MAX_COUNT

    def renewed(self) -> Sight | None:
        """As of now, if nothing was edited, committed, staged, or imported. What git tracks, was not changed and is no module of the
        program is not looked at again."""
        count = len(sys.modules)
        if count != self.module_count and (
            project_files(self.root, self.script) != self.project or files_elsewhere(self.root) != self.elsewhere
        ):
            return None
        if any(_times(path) != before for path, before in self.times.items()):
            return None
        return self if count == self.module_count else self._replace(module_count=count)

    def watching(self, paths: Iterable[str]) -> Sight | None:
        """Those, too; None where they are too many to be looked at for every run."""
        times = dict(self.times)
        for path in paths:
            if path not in times:
                times[path] = _times(path)
            if len(times) > CODE_WATCHED_MAX_COUNT:
                return None
        return self._replace(times=times)


def sight_of(root: str, script: str | None, git_folder: str) -> Sight:
    """To be taken before the look. Every commit, checkout and staged change is seen in the files of `git_folder`."""
    count, project, elsewhere = len(sys.modules), project_files(root, script), files_elsewhere(root)
    paths = [os.path.join(git_folder, name) for name in ("HEAD", "index", os.path.join("logs", "HEAD"))]
    paths += [os.path.join(root, name) for name in project] + elsewhere
    return Sight(root, script, project, elsewhere, count, {path: _times(path) for path in paths})


def _times(path: str) -> _Times:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
