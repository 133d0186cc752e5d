"""What recording costs a real training: scikit-learn, the same script with and without Lineal, both at the same moment.

    python -m benchmarks.capture_overhead                    (60 s a training, 2 rounds of 6 pairs: 13 minutes)
    python -m benchmarks.capture_overhead --seconds 10 --rounds 1

Arms: `plain` knows nothing of Lineal; `none` logs a loss and a score an epoch, capture turned off; `all` the same with everything that
is captured by default. A cloud machine's hours differ by half and its minutes by 5 %, so trainings one after the other show the machine.
Here two trainings run side by side, each held to a core of its own (with all threads of Lineal's), and then once more with the cores
exchanged: what is said is the geometric mean of the two ratios, in which the machine's hour and the core cancel out. `plain` beside `plain`
is measured the same way and says how much of a difference is noise.
The work is fixed (epochs, counted beforehand), CPU time and peak memory are the kernel's word (wait4, children included).
`own_cpu_ms` is what Lineal's threads, import, init and finish took by the process's own clock.
Target: `all` <= 2 % and <= 40 MB more than `plain`. Needs two cores with nothing else to do."""

from __future__ import annotations

import argparse
import json
import math
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


def start(arm: str, epochs: int, place: Path, core: int) -> dict[str, Any]:
    folder = place / f"{arm}-{core}-{time.time_ns()}"
    environ = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environ["LINEAL_CAPTURE"] = "none" if arm == "none" else "all"
    command = [sys.executable, "-m", "benchmarks.capture_overhead", "--work", arm, str(epochs), str(folder), str(core)]
    with open(place / f"out-{core}", "wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out)
    return {"arm": arm, "core": core, "folder": folder, "child": child, "began": time.perf_counter()}


def side_by_side(arms: tuple[str, str], epochs: int, place: Path, cores: tuple[int, int]) -> list[dict[str, Any]]:
    """Both trainings at the same moment, each on its core: what each of them took."""
    begun = {
        one["child"].pid: one
        for one in [start(arm, epochs, place, core) for arm, core in zip(arms, cores, strict=True)]
    }
    ended: dict[int, dict[str, float]] = {}
    while len(ended) < len(begun):
        pid, status, usage = os.wait4(-1, 0)
        if pid not in begun:
            continue
        wall_s = time.perf_counter() - begun[pid]["began"]
        begun[pid]["child"].returncode = os.waitstatus_to_exitcode(status)
        if begun[pid]["child"].returncode:
            raise SystemExit(f"{begun[pid]['arm']} ended with {begun[pid]['child'].returncode}")
        cpu_s = usage.ru_utime + usage.ru_stime
        ended[pid] = {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": usage.ru_maxrss * 1024 / 1e6}
    lines = []
    for pid, one in begun.items():
        told = json.loads((place / f"out-{one['core']}").read_text().splitlines()[-1])
        parts = [path for path in one["folder"].rglob("*") if path.is_file()] if one["folder"].is_dir() else []
        size_kb = sum(path.stat().st_blocks * 512 for path in parts) / 1e3
        lines.append({"arm": one["arm"], "core": one["core"], "folder_kb": size_kb} | ended[pid] | told)
    return lines


def epochs_for(seconds: float, place: Path, cores: tuple[int, int]) -> int:
    few, many = 20, 120
    first, second = (side_by_side(("plain", "plain"), number, place, cores)[0]["wall_s"] for number in (few, many))
    return max(few, int(seconds / (second - first) * (many - few)))


def report(pairs: list[list[dict[str, Any]]]) -> bool:
    """Prints what each arm took beside `plain` at the same moment; whether the targets are reached. Two neighbours in `pairs` are the
    same arms with their cores exchanged."""
    compared: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for there, back in zip(pairs[::2], pairs[1::2], strict=True):
        arm = there[1]["arm"]
        ratios = {
            key: math.sqrt(math.prod(other[key] / plain[key] for plain, other in (there, back)))
            for key in ("wall_s", "cpu_s")
        }
        more_mb = (sum(other["peak_mb"] - plain["peak_mb"] for plain, other in (there, back))) / 2
        compared[arm].append(ratios | {"peak_mb": more_mb})
    print("beside plain at the same moment, the cores exchanged (median, least to most):")
    for arm, rounds in compared.items():
        text = f"{arm:6}"
        for key, name in (("wall_s", "wall"), ("cpu_s", "cpu")):
            shares = sorted(100 * (one[key] - 1) for one in rounds)
            text += f"   {name} {median(shares):+.2f} % ({shares[0]:+.2f} to {shares[-1]:+.2f})"
        text += f"   {median(one['peak_mb'] for one in rounds):+.1f} MB"
        own = [one for pair in pairs for one in pair if one["arm"] == arm]
        text += f"   wall {median(one['wall_s'] for one in own):.1f} s"
        if arm != "plain":
            text += "".join(f"   {key} {median(one[key] for one in own):.1f}" for key in SHOWN)
        print(text)
    lines = [one for pair in pairs for one in pair]
    if len({round(one["loss"], 12) for one in lines}) != 1:
        print("WRONG: the arms trained differently")
        return False
    own_s = median(one["own_cpu_ms"] / 1e3 for one in lines if one["arm"] == "all")
    share = median(one["cpu_s"] for one in compared["all"]) - 1
    memory = median(one["peak_mb"] for one in compared["all"])
    print(f"Lineal's own threads, init and finish: {own_s / median(one['cpu_s'] for one in lines):.2%} of the CPU time")
    print(f"target: cpu <= {CPU_MAX_SHARE:.0%}: {share:.2%}; memory <= {MEMORY_MAX_MB:.0f} MB: {memory:.1f}")
    return share <= CPU_MAX_SHARE and memory <= MEMORY_MAX_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of one training")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        arm, epochs, folder, core = chosen.work
        os.sched_setaffinity(0, {int(core)})
        work(arm, int(epochs), folder)
        return 0
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("two cores are needed: two trainings are compared while both run")
    cores = (usable[0], usable[1])
    place = Path(tempfile.mkdtemp(prefix="lineal-overhead-"))
    try:
        count = epochs_for(chosen.seconds, place, cores)
        pairs = []
        for _ in range(chosen.rounds):
            for arm in ARMS:
                for turned in (cores, cores[::-1]):
                    pairs.append(side_by_side(("plain", arm), count, place, turned))
                    print(json.dumps(pairs[-1]), file=sys.stderr)
        return 0 if report(pairs) else 1
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
