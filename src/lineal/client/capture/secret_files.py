"""Files and patches with their secrets masked: by their shape, and by the names beside them, above them and before them."""

from __future__ import annotations

import os
import re

from lineal.client.capture.secret_blocks import mask_below
from lineal.client.capture.secret_lines import Lines
from lineal.client.capture.secret_pairs import Kind, mask_line
from lineal.client.capture.secret_shapes import mask_bytes, pieces_of

_CODE = [
    ".py",
    ".pyi",
    ".pyx",
    ".pxd",
    ".ipynb",
    ".r",
    ".jl",
    ".c",
    ".cc",
    ".cpp",
    ".cxx",
    ".h",
    ".hh",
    ".hpp",
    ".cu",
    ".cuh",
    ".rs",
    ".go",
    ".java",
    ".kt",
    ".scala",
    ".swift",
    ".js",
    ".jsx",
    ".mjs",
    ".ts",
    ".tsx",
    ".rb",
    ".php",
    ".cs",
    ".lua",
    ".pl",
    ".m",
    ".mm",
    ".dart",
    ".vue",
    ".svelte",
    ".f90",
    ".zig",
    ".hs",
    ".ex",
    ".clj",
]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_CODE, "code"),
    **dict.fromkeys([".sh", ".bash", ".zsh", ".ksh", ".fish", ".csh", ".mk", ".sbatch", ".slurm", ".pbs"], "shell"),
    **dict.fromkeys([".md", ".rst", ".tex", ".adoc", ".html"], "prose"),
    **dict.fromkeys([".yaml", ".yml", ".json", ".jsonl", ".toml"], "data"),
}
_SHELL_NAMES = ("dockerfile", "containerfile", "makefile", "justfile", "procfile", ".bashrc", ".profile", ".zshrc")
# A part of every name of secrets: only the lines that have one are looked at.
_HINT = re.compile(rb"pass|pw|secret|token|key|cred|auth|cookie|dsn|jwt|bearer|connection|webhook")
_STRETCH_BYTES = 65_536
_HINT_MAX_BYTES = 10


def mask_file(name: str, content: bytes) -> bytes:
    """A file, or the part of a patch about it. In code only what is quoted is masked by its name: what is not quoted there is an
    expression. References to a secret (`$TOKEN`, `{{ token }}`) are none."""
    kind = kind_of(name)
    content = mask_bytes(content, kind == "code")
    lines, lower = Lines(content), content.lower()
    place = lines.first
    while (place := _next_hint(lower, place)) >= 0:
        start = lines.start_of(place)
        place = max(lines.end_of(start), _mask_at(lines, start, kind))
    return lines.joined()


def kind_of(name: str) -> Kind:
    base = os.path.basename(name).lower()
    if base.startswith(_SHELL_NAMES) or base.endswith((".dockerfile", "dockerfile")):
        return "shell"
    return _KINDS.get(os.path.splitext(base)[1], "settings")


def _next_hint(lower: bytes, place: int) -> int:
    """In stretches, between which other threads run."""
    while place < len(lower):
        found = _HINT.search(lower, place, place + _STRETCH_BYTES)
        if found is not None:
            return found.start()
        place += _STRETCH_BYTES - _HINT_MAX_BYTES
    return -1


def _mask_at(lines: Lines, start: int, kind: Kind) -> int:
    """The line that starts there and those which its names reach to; where to go on."""
    _, body = lines.text(start)
    lines.change(start, b"".join([mask_line(piece, kind) for piece in pieces_of(body)]))
    return mask_below(lines, start, body, kind)
