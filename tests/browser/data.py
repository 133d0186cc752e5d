"""A folder whose runs used data: the same data in several versions, under names of all kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lineal.api import delete_run, init

RUNS = 60
ODD_NAMES = (
    "data/Tést set?#&=%2F 🧪",
    "<img src=x onerror=\"document.title='owned'\">",
    "a//b/../c 'quoted'",
    "\u202egnp.live\u202c",
    "a name that goes on " * 12,
)


def make_data(folder: Path) -> None:
    """The newest runs used the newest version; one of the oldest was deleted; two registered a model."""
    place = folder.parent / f"{folder.name}-files"
    place.mkdir(parents=True, exist_ok=True)
    table = place / "train.csv"
    for number in range(RUNS):
        if number % 20 == 0:
            table.write_text("x,y,label\n" + "1,2,a\n" * (10 + number))
        with init("data", f"run {number}", params={"lr": 0.1}, url=folder) as run:
            run.log_dataset("train", table, version=f"v{number // 20 + 1}", context="training")
            run.log_dataset("held out", digest="held-out-1", source="s3://bucket/held-out.parquet", context="test")
            if number >= RUNS - 2:
                run.log_model("reader", {"w": np.zeros(3)})
        if number == 3:
            delete_run(run.run_id, url=folder)
    with init("data", "odd names", url=folder) as run:
        for number, name in enumerate(ODD_NAMES):
            run.log_dataset(name, digest=f"{number}" * 64, version="x" * 90)
        run.log_dataset("the same as train", table)
