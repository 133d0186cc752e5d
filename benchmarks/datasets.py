"""How fast datasets are digested, beside the hash's own tools: `python -m benchmarks.datasets [--gigabytes 1]`.

Everything in one run on the same bytes, warm in the page cache, best of three: one file and a folder of 64 files through `log_dataset`'s
own function, `openssl dgst -sha256` and `sha256sum` over the same file; tables of pandas and polars beside the bare hash of as many bytes.
Both wall time and CPU time (user and system, children included) are told: on a busy machine only the latter means anything."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

GIGABYTE = 10**9


def measured(what: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    """Wall and CPU seconds of the best time."""
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        cpu, wall = _cpu_s(), time.perf_counter()
        what()
        best = min(best, (time.perf_counter() - wall, _cpu_s() - cpu))
    return best


def _cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def files(folder: Path, size: int) -> dict[str, tuple[float, float]]:
    from lineal.client.datasets.files import digest_of

    (folder / "parts").mkdir()
    piece = os.urandom(1 << 20)
    with open(folder / "whole.bin", "wb") as whole:
        for number in range(64):
            with open(folder / "parts" / f"{number:02}.bin", "wb") as part:
                for _ in range(size // 64 // len(piece)):
                    part.write(piece)
                    whole.write(piece)
    path = str(folder / "whole.bin")
    found = {"lineal, one file": measured(lambda: digest_of(path))}
    for tool in (["openssl", "dgst", "-sha256", path], ["sha256sum", path]):
        if shutil.which(tool[0]):
            found[tool[0]] = measured(lambda tool=tool: subprocess.run(tool, check=True, stdout=subprocess.DEVNULL))  # type: ignore[misc]
            said = subprocess.run(tool, check=True, capture_output=True, text=True).stdout
            assert digest_of(path) in said
    found["lineal, 64 files"] = measured(lambda: digest_of(str(folder / "parts")))
    return found


def tables(size: int) -> dict[str, tuple[float, float]]:
    import numpy as np
    import pandas as pd
    import polars as pl

    from lineal.client.datasets.tables import of_pandas, of_polars

    rows = size // 10 // 8 // 10  # ten columns of numbers, a tenth of the bytes
    frame = pd.DataFrame({f"c{n}": np.random.default_rng(n).normal(size=rows) for n in range(10)})
    columns = [frame[name].to_numpy() for name in frame]
    texts = pl.DataFrame({"t": [f"some text {n}" for n in range(rows)]})
    return {
        "bare hash of ten columns": measured(lambda: [hashlib.sha256(column).hexdigest() for column in columns]),
        "lineal, pandas": measured(lambda: of_pandas(frame)),
        "lineal, polars": measured(lambda: of_polars(pl.from_pandas(frame))),
        "lineal, polars texts": measured(lambda: of_polars(texts)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    size = int(given.gigabytes * GIGABYTE)
    with tempfile.TemporaryDirectory() as folder:
        found = files(Path(folder), size)
    tool = min((name for name in found if not name.startswith("lineal")), key=lambda name: found[name][0])
    ratio = {
        name: (round(found[tool][0] / wall, 2), round(found[tool][1] / cpu, 2))
        for name, (wall, cpu) in found.items()
        if name.startswith("lineal")
    }
    found |= tables(size)
    if given.json:
        print(json.dumps({"seconds": found, "ratio_to": tool, "ratio": ratio}, indent=2))
        return
    for name, (wall, cpu) in found.items():
        print(f"{name:<28} {wall:8.3f} s   {cpu:8.3f} s of CPU")
    for name, (wall, cpu) in ratio.items():
        print(f"{name}: {wall:.0%} of the speed of {tool}, {cpu:.0%} by CPU time")


if __name__ == "__main__":
    main()
