"""A process that reads and writes a folder keeps its readers' locks: nobody else may take the -wal file away under them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lineal
from lineal.local import LocalStore

_OTHER = """
import sys
from lineal.local import LocalStore
with LocalStore(sys.argv[1]) as store:
    print(store._take_in() and store.runs().total)
"""


def test_another_process_that_leaves_does_not_take_the_wal_file_from_a_reader(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    lineal.init(url=root).finish()
    with LocalStore(root) as store:
        assert store.runs().total == 1
        for count in range(2, 5):
            lineal.init(url=root).finish()
            # Takes in: this process writes while its readers hold their locks.
            assert store.runs().total == count
            done = subprocess.run([sys.executable, "-c", _OTHER, str(root)], capture_output=True, text=True, check=True)
            assert done.stdout.strip() == str(count)
            assert (root / "lineal.db-wal").exists()
        lineal.init(url=root).finish()
        subprocess.run([sys.executable, "-c", _OTHER, str(root)], check=True)
        assert store.runs().total == 5  # what the other one took in
