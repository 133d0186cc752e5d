"""What recording costs a real training: scikit-learn on two cores or more, the same script with and without Lineal.

    python -m benchmarks.capture_overhead                    (60 s a training, 3 rounds of all arms: 9 minutes)
    python -m benchmarks.capture_overhead --seconds 10 --rounds 1

Arms: `plain` knows nothing of Lineal; `none` logs a loss and a score an epoch, capture turned off; `all` the same with everything that
is captured by default. They take turns, so that a noisy hour is noisy for all. The work is fixed (epochs, counted beforehand), CPU time and
peak memory are the kernel's word (wait4, children included), and what is compared is each arm with `plain` of the same round.
`own_cpu_ms` is what Lineal's threads, import, init and finish took by the process's own clock: on a noisy machine the better figure.
Target: `all` <= 2 % and <= 40 MB more than `plain`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ARMS = ("plain", "none", "all")
STAGES = ("import", "init", "train", "finish")
SHOWN = ("own_cpu_ms", "import_ms", "init_ms", "finish_ms", "folder_kb")
CPU_MAX_SHARE, MEMORY_MAX_MB = 0.02, 40.0


def train(epochs: int, run: Any) -> float:
    """A small network on handwritten digits, a line printed an epoch, as people do."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    inputs, targets = load_digits(return_X_y=True)
    inputs = inputs / 16
    model = MLPClassifier((128, 64), random_state=0, batch_size=32)
    labels = sorted(set(targets.tolist()))
    for epoch in range(epochs):
        model.partial_fit(inputs, targets, classes=labels)
        if epoch % 10 == 0:
            print(f"epoch {epoch} loss {model.loss_:.4f}")
        if run is not None:
            run.log({"loss": model.loss_, "score": model.score(inputs[:200], targets[:200])}, step=epoch)
        else:
            model.score(inputs[:200], targets[:200])
    return float(model.loss_)


def work(arm: str, epochs: int, folder: str) -> None:
    """In the measured process."""
    if arm == "plain":
        print(json.dumps({"loss": train(epochs, None)}))
        return
    marks = [_mark()]
    import lineal

    marks.append(_mark())
    run = lineal.init("overhead", url=folder)
    marks.append(_mark())
    loss = train(epochs, run)
    marks.append(_mark())
    run.finish()
    marks.append(_mark())
    passed = dict(zip(STAGES, pairwise(marks), strict=True))
    mine_s = sum(after[1] - before[1] for name, (before, after) in passed.items() if name != "train")
    beside_s = marks[-1][2] - marks[0][2]
    told = {f"{name}_ms": 1e3 * (after[0] - before[0]) for name, (before, after) in passed.items() if name != "train"}
    print(json.dumps({"loss": loss, "own_cpu_ms": 1e3 * (mine_s + beside_s)} | told))


def _mark() -> tuple[float, float, float]:
    """The time, the CPU time of this thread, and that of all others: numpy is told to use none."""
    own_s = time.thread_time()
    return time.perf_counter(), own_s, time.process_time() - own_s


def measure(arm: str, epochs: int, place: Path) -> dict[str, Any]:
    folder = place / f"{arm}-{time.time_ns()}"
    environ = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environ["LINEAL_CAPTURE"] = "none" if arm == "none" else "all"
    command = [sys.executable, "-m", "benchmarks.capture_overhead", "--work", arm, str(epochs), str(folder)]
    with open(place / "out", "wb") as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{arm} ended with {child.returncode}")
    told = json.loads((place / "out").read_text().splitlines()[-1])
    size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    figures = {
        "arm": arm,
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * 1024 / 1e6,
    }
    return figures | {"folder_kb": size / 1e3} | told


def epochs_for(seconds: float, place: Path) -> int:
    few = 20
    first, second = measure("plain", few, place)["wall_s"], measure("plain", 5 * few, place)["wall_s"]
    return max(few, int(seconds / (second - first) * 4 * few))


def report(lines: list[dict[str, Any]]) -> bool:
    """Prints medians and differences; whether the targets are reached."""
    rounds = [
        {one["arm"]: one for one in lines if one["round"] == number} for number in {one["round"] for one in lines}
    ]
    print(f"{'arm':6} {'wall s':>8} {'cpu s':>8} {'peak MB':>8}   more than plain of its round (median, least to most)")
    for arm in ARMS:
        own = [one[arm] for one in rounds]
        text = f"{arm:6} " + " ".join(
            f"{median(one[key] for one in own):8.2f}" for key in ("wall_s", "cpu_s", "peak_mb")
        )
        if arm != "plain":
            for key, name in (("wall_s", "wall"), ("cpu_s", "cpu")):
                shares = sorted(100 * (one[arm][key] / one["plain"][key] - 1) for one in rounds)
                text += f"   {name} {median(shares):+.2f} % ({shares[0]:+.2f} to {shares[-1]:+.2f})"
            more = sorted(one[arm]["peak_mb"] - one["plain"]["peak_mb"] for one in rounds)
            text += f"   {median(more):+.1f} MB"
            text += "".join(f"   {key} {median(one[key] for one in own):.1f}" for key in SHOWN)
        print(text)
    if len({round(one["loss"], 12) for one in lines}) != 1:
        print("WRONG: the arms trained differently")
        return False
    share = median(one["all"]["cpu_s"] / one["plain"]["cpu_s"] - 1 for one in rounds)
    memory = median(one["all"]["peak_mb"] - one["plain"]["peak_mb"] for one in rounds)
    own = median(one["all"]["own_cpu_ms"] / 1e3 / one["plain"]["cpu_s"] for one in rounds)
    print(f"Lineal's own threads, init and finish: {own:.2%} of the CPU time of plain")
    print(f"target: cpu <= {CPU_MAX_SHARE:.0%}: {share:.2%}; memory <= {MEMORY_MAX_MB:.0f} MB: {memory:.1f}")
    return share <= CPU_MAX_SHARE and memory <= MEMORY_MAX_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of one training")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.work[0], int(chosen.work[1]), chosen.work[2])
        return 0
    place = Path(tempfile.mkdtemp(prefix="lineal-overhead-"))
    try:
        epochs = epochs_for(chosen.seconds, place)
        lines = []
        for number in range(chosen.rounds):
            for arm in ARMS[number % len(ARMS) :] + ARMS[: number % len(ARMS)]:
                lines.append(measure(arm, epochs, place) | {"round": number})
                print(json.dumps(lines[-1]), file=sys.stderr)
        return 0 if report(lines) else 1
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
