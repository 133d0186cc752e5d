"""Lineal and its peers, measured side by side: `python -m benchmarks` from the repository root."""

import os

# Whoever installs Lineal has its bytecode, as the peers' environments here do; a shell that forbids writing it makes every process
# of a benchmark compile Lineal's sources again, which is 30 ms of each `init`.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
