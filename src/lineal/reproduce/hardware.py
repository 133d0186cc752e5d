"""What the run ran on, against what is here."""

from __future__ import annotations

import os
import shutil
import subprocess

from lineal.reproduce.captured import Hardware
from lineal.reproduce.problems import Problem


def check_hardware(then: Hardware | None) -> list[Problem]:
    """A GPU that is missing stops it; another one, or fewer processors, may give other numbers or take longer."""
    if then is None:
        return []
    problems: list[Problem] = []
    if then.gpus:
        now = _gpus()
        wanted = ", ".join(dict.fromkeys(then.gpus))
        if len(now) < len(then.gpus):
            said = f"it ran with {len(then.gpus)} GPU ({wanted}), and {len(now) or 'none'} is here"
            problems.append(Problem("hardware", "gpu", said))
        elif sorted(now[: len(then.gpus)]) != sorted(then.gpus):
            said = f"it ran on {wanted}, and here is {', '.join(dict.fromkeys(now))}"
            problems.append(Problem("hardware", "gpu", said, blocks=False))
    count = os.cpu_count() or 1
    if then.cpu_count is not None and count < then.cpu_count:
        said = f"it had {then.cpu_count} processors, and {count} are here"
        problems.append(Problem("hardware", "cpu", said, blocks=False))
    return problems


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        asked = subprocess.run(
            [program, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in asked.stdout.splitlines() if line.strip()] if asked.returncode == 0 else []
