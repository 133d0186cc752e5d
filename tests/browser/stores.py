"""The folders that the browser tests look at, made as users make theirs: python -m tests.browser.stores NAME FOLDER."""

from __future__ import annotations

import math
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

from lineal.api import delete_run, init
from tests.browser.data import make_data
from tests.browser.notebook import make_notebook

# They take a minute of one core to make; LINEAL_TEST_RUNS=20000 asks for fewer.
MANY_RUNS = int(os.environ.get("LINEAL_TEST_RUNS") or 100_000)
DEMO_EPOCHS = int(os.environ.get("LINEAL_TEST_EPOCHS") or 12)

LONG_NAME = "a name that goes on " * 12
HOSTILE_NAMES = (
    "<img src=x onerror=\"document.title='owned'\">",
    "'; drop table runs; --",
    "наша модель 模型 🧪👩‍🔬",
    "\u202egnp.live\u202c",
    "{{7*7}} ${7*7} %s %n",
    LONG_NAME.strip(),
)

HOSTILE_NOTE = """# A note

It says **bold**, and `code`, and [a link](https://example.org/).

| setting | accuracy |
|---|---|
| wide | 0.98 |

<script>document.title = "owned by script"</script>
<img src=x onerror="document.title='owned by image'">
[click](javascript:document.title='owned by link')
<iframe src="https://example.org/"></iframe>
"""

# One red pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


def make_demo(folder: Path) -> None:
    """What `lineal demo` records: the same networks, fewer epochs."""
    from lineal.demo.sweep import run_sweep
    from lineal.demo.training import load_digits

    run_sweep(load_digits(), lambda trained: None, url=str(folder), epochs=DEMO_EPOCHS)


def make_odd(folder: Path) -> None:
    """What a page would rather not be shown."""
    for name in HOSTILE_NAMES:
        with init("hostile", name, params={name[:200]: name, "lr": 0.1}, tags={name[:60]: name}, url=folder) as run:
            run.set_note(HOSTILE_NOTE)
            for step in range(20):
                run.log({"loss": 1 / (step + 1), "weird/<b>name</b>": step}, step=step)
    _crash(folder)
    with init("numbers", "not numbers", params={"nan": math.nan, "inf": math.inf}, url=folder) as run:
        for step in range(100):
            value = {30: math.nan, 31: math.nan, 60: math.inf, 90: -math.inf}.get(step, math.exp(-step / 30))
            run.log({"loss": value, "flat": 1.0, "all_nan": math.nan}, step=step)
    noise = random.Random(7)
    with init("numbers", "one spike", url=folder) as run:
        for step in range(100_000):
            run.log({"loss": 1000.0 if step == 61_803 else noise.random()}, step=step)
    with init("numbers", "two thousand metrics", params={f"p{n}": n for n in range(300)}, url=folder) as run:
        for step in range(5):
            run.log({f"layer{n // 20}/weight{n % 20}": n + step for n in range(2_000)}, step=step)
    with init("numbers", "no metrics", params={"only": "params"}, url=folder):
        pass
    run_id = ""
    for attempt in range(3):
        with init("numbers", "three attempts", run_id=run_id or None, resume="allow", url=folder) as run:
            run_id = run.run_id
            for step in range(10):
                run.log({"loss": attempt + step}, step=attempt * 5 + step)
    _make_files(folder)


def _crash(folder: Path) -> None:
    try:
        with init("numbers", "failed", params={"lr": 100.0}, url=folder) as run:
            for step in range(10):
                run.log({"loss": 10.0**step}, step=step)
            raise ZeroDivisionError("the loss is <b>gone</b>")
    except ZeroDivisionError:
        pass


def _make_files(folder: Path) -> None:
    with init("files", "files", params={"model": {"layers": [64, 32], "act": "relu"}, "lr": 0.1}, url=folder) as run:
        run.log({"loss": 0.5}, step=0)
        run.log_text("plain text, <b>not bold</b>\nsecond line", "notes/plain.txt")
        run.log_text("# Title\n\nSome *Markdown*.\n\n<script>document.title='owned'</script>", "notes/readme.md")
        run.log_dict({"layers": [64, 32], "deep": {"er": {"est": True}}}, "config/model.json")
        run.log_text("step,loss\n0,0.5\n1,0.25\n2,<b>x</b>", "tables/curve.csv")
        run.log_text("<!doctype html><script>document.title='owned'</script>", "pages/hostile.html")
        run.log_text('<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1"/>', "pages/hostile.svg")
        run.log_text("x" * 3_000_000, "big/large.txt")
        place = folder.parent / f"{folder.name}-files"
        place.mkdir(exist_ok=True)
        for name, content in {
            "red.png": PNG,
            "weights.bin": bytes(range(256)) * 64,
            "broken.json": b"{not json",
        }.items():
            (place / name).write_bytes(content)
            run.log_artifact(place / name, "files")


def make_desk(folder: Path) -> None:
    """Small runs that differ little: on the shelf they are only looked at, on the desk each test changes its own letter's."""
    for letter in "abcdefgh":
        for number in range(3):
            params = {"lr": 10.0**-number, "seed": number, "model": {"kind": letter, "depth": number}}
            with init(f"desk-{letter}", f"{letter}{number}", params=params, tags={"team": letter}, url=folder) as run:
                run.define_metric("val/acc", goal="max")
                for step in range(30):
                    loss = (number + 1) / (step + 1)
                    run.log({"train/loss": loss, "val/acc": 1 - loss / 4, "val/loss": loss * 1.1}, step=step)


def make_pulse(folder: Path) -> None:
    """Where tests log while they look; one run is there already, one is put away."""
    for name in ("before", "put away"):
        with init("pulse", name, url=folder) as run:
            run.log({"loss": 1.0}, step=0)
    delete_run(run.run_id, url=folder)


def make_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def make_many(folder: Path) -> None:
    from benchmarks.many_runs import make

    for _ in make(MANY_RUNS, folder):
        pass


MAKERS: dict[str, Callable[[Path], None]] = {
    "data": make_data,
    "notebook": make_notebook,
    "demo": make_demo,
    "odd": make_odd,
    "shelf": make_desk,
    "desk": make_desk,
    "pulse": make_pulse,
    "empty": make_empty,
    "many": make_many,
}

CAPTURING = ("demo", "notebook")
"""Whose runs record what surrounds them; for the others it would be the same thing a hundred thousand times."""

if __name__ == "__main__":
    if sys.argv[1] not in CAPTURING:
        os.environ["LINEAL_CAPTURE"] = "none"
    MAKERS[sys.argv[1]](Path(sys.argv[2]))
