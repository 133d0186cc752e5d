"""What an attempt recorded by itself of its circumstances, once the record was applied. See docs/glossary.md."""

from __future__ import annotations

import re
from typing import Any

from lineal.model.frozen import frozen
from lineal.model.values import from_json, to_json

PARTS = ("execution", "code", "environment", "hardware", "sources", "resources")
"""Those that Lineal records and looks into. Others are kept and handed out."""

OWN_FOLDER = ".lineal"

PATCH_MASKED = "Secrets were masked in the patch: applied, it is not exactly what ran."
"""A sentence of the code's trouble. `lineal reproduce` looks whether it is so."""


_CODE = re.compile(
    r"(?i)(\A|/)(Makefile|Dockerfile|Snakefile|Justfile)\Z"
    r"|[^/]\.(py|pyi|pyw|pyx|pxd|ipy|ipynb|sh|bash|zsh|r|rmd|jl|m|c|cc|cpp|cxx|h|hh|hpp|cu|cuh|rs|go|java|kt|scala|js|ts|lua|pl|rb|swift|sql"
    r"|toml|yaml|yml|cfg|ini|conf|gin|jsonnet)\Z"
)


# Hydra, Lightning, MLflow and Weights & Biases write the configuration of each run beside the code, or code as it was.
_OF_A_RUN = re.compile(r"(\A|/)(\.hydra|lightning_logs|mlruns|wandb)/|(\A|/)multirun\.yaml\Z")


def is_code_file(name: str) -> bool:
    """Code and configuration by its name, of files that git does not track. Others are kept, too, but what a run writes (tables, logs,
    JSON, pictures) must not make it another code's."""
    return _CODE.search(name) is not None and _OF_A_RUN.search(name) is None


def is_own_path(path: str) -> bool:
    """Of an artifact that Lineal keeps for itself: what captures name. Not among the user's where files are listed."""
    return path == OWN_FOLDER or path.startswith(f"{OWN_FOLDER}/")


def is_running_total(part: str) -> bool:
    """What an attempt used, said again while it lives: `resources`, and `resources.rank-3.WRITER` of another rank. Other parts are
    said once."""
    return part.partition(".")[0] == "resources"


@frozen
class Capture:
    """`digest`: SHA-256 of `json_text`, in hex. `said_ms`: when it was said."""

    attempt_id: str
    part: str
    json_text: str
    digest: str
    said_ms: int

    @property
    def content(self) -> dict[str, Any]:
        found = from_json(self.json_text)
        return found if isinstance(found, dict) else {}


def canonical(content: dict[str, Any]) -> str:
    """The same content, the same text: keys are sorted at every level."""
    return to_json(_sorted(content))


def content_digest(json_text: str) -> bytes:
    import hashlib  # late: 2 ms of OpenSSL, and the client wants only the name of a folder from here

    return hashlib.sha256(json_text.encode()).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
