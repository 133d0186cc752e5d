"""What a run recorded of its circumstances, in a few lines: how it was started, with which code, where."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from lineal.cli.output import joined
from lineal.cli.wording import bytes_text, count_text

_COMMIT_CHARS = 12


def circumstance_lines(contents: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Labels and texts. `contents`: by part. What was said there by others need not have the types that ours have."""
    execution, code = contents.get("execution", {}), contents.get("code", {})
    environment, hardware = contents.get("environment", {}), contents.get("hardware", {})
    yield "command", _command(execution)
    yield "in", _text(execution.get("folder"))
    yield "code", code_text(code)
    yield "python", _python(environment)
    yield "system", _system(environment)
    yield "machine", _machine(hardware)


def code_text(code: Mapping[str, Any]) -> str:
    """main at a1b2c3d4e5f6, with changes in 3 files that are not committed"""
    if code.get("kind") == "snapshot":
        files = _dict(code.get("snapshot")).get("files")
        return f"a snapshot of {count_text(len(files), 'file')}" if isinstance(files, list) else "a snapshot"
    if code.get("kind") == "notebook" and not code.get("commit"):
        return "a notebook"
    commit, branch = _text(code.get("commit")), _text(code.get("branch"))
    where = joined((branch, commit[:_COMMIT_CHARS]), " at ")
    if not where or not code.get("is_dirty"):
        return where
    files = _dict(code.get("patch")).get("files")
    changed = f"changes in {count_text(len(files), 'file')}" if isinstance(files, list) and files else "changes"
    return f"{where}, with {changed} that are not committed"


def _command(execution: Mapping[str, Any]) -> str:
    command = execution.get("command")
    if not isinstance(command, list):
        return ""
    return shlex.join(str(word) for word in command)


def _python(environment: Mapping[str, Any]) -> str:
    python = _dict(environment.get("python"))
    name = joined((_text(python.get("implementation")), _text(python.get("version"))), " ")
    packages = environment.get("packages")
    count = count_text(len(packages), "package") if isinstance(packages, dict) else ""
    left_out = environment.get("packages_left_out")
    if count and isinstance(left_out, int) and left_out > 0:
        count += f" by name and {left_out:,} more in its lock file"
    kind = _text(python.get("kind"))
    return joined((name, f"in a {kind} environment" if kind in ("venv", "conda") else "", count), ", ")


def _system(environment: Mapping[str, Any]) -> str:
    system, container = _dict(environment.get("os")), _dict(environment.get("container"))
    name = joined((_text(system.get("name")), _text(system.get("version"))), " ")
    inside = joined((_text(container.get("kind")), _text(container.get("image"))), " ")
    return joined((name, _text(system.get("machine")), f"in {inside}" if inside else ""), ", ")


def _machine(hardware: Mapping[str, Any]) -> str:
    cpu = _dict(hardware.get("cpu"))
    count, memory = cpu.get("available", cpu.get("count")), hardware.get("memory_bytes")
    cores = count_text(count, "core") if isinstance(count, int) else ""
    listed = hardware.get("gpus")
    names = [_text(_dict(gpu).get("name")) for gpu in listed] if isinstance(listed, list) else []
    gpus = [f"{names.count(name)} x {name}" if names.count(name) > 1 else name for name in dict.fromkeys(names) if name]
    return joined(
        (_text(cpu.get("model")), cores, f"{bytes_text(memory)} of memory" if isinstance(memory, int) else "", *gpus),
        ", ",
    )


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
