"""A folder as real trainings leave it: programs in a git repository, with all that they record by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TRAIN = """\
import argparse, math, random, sys
import lineal

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--name", default="first")
args = parser.parse_args()

random.seed(7)
with lineal.init("notebook", args.name, params=args) as run:
    run.log_dataset("train", "data.csv", version="v1", context="training")
    weight = 0.0
    for step in range(60):
        weight += args.lr * (1.0 - weight)
        loss = (1.0 - weight) ** 2 + random.random() / 100
        run.log({"train/loss": loss, "val/accuracy": 1 - loss / 2}, step=step)
        print(f"step {step:3d} loss {loss:.5f}")
        if step % 20 == 0:
            print(f"warning: step {step} was slow", file=sys.stderr)
    run.log_text(str(weight), "weights.txt")
"""

SCORE = """\
import sys
import lineal

with lineal.init("notebook", "score") as run:
    path = run.use_artifact(sys.argv[1] + ":weights.txt")
    run.log({"score": float(open(path).read())})
"""

RESUMED = """\
import sys
import lineal

with lineal.init("notebook", "resumed", run_id="resumed", resume="allow") as run:
    print("from", sys.argv[1])
    run.log({"loss": 1.0}, step=int(sys.argv[1]))
"""

_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "HOME": "/nonexistent",
}


def make_notebook(folder: Path) -> None:
    """The second training runs other code with a file that git does not know, on other data."""
    project = folder.parent / f"{folder.name}-project"
    project.mkdir(parents=True)
    (project / "train.py").write_text(TRAIN)
    (project / "score.py").write_text(SCORE)
    (project / "resumed.py").write_text(RESUMED)
    (project / "data.csv").write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(50)))
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=project, env=os.environ | _GIT, check=True)
    remote = ["git", "remote", "add", "origin", "https://ann:hunter2@github.com/ann/digits.git"]
    subprocess.run(remote, cwd=project, env=os.environ | _GIT, check=True)
    _run(folder, project, "train.py", "--lr", "0.1")
    for start in ("0", "10"):  # each attempt another change that is not committed
        (project / "resumed.py").write_text(f"{RESUMED}# change {start}\n")
        _run(folder, project, "resumed.py", start)
    (project / "resumed.py").write_text(RESUMED)
    (project / "train.py").write_text(TRAIN.replace("(1.0 - weight) ** 2", "abs(1.0 - weight) ** 1.5"))
    (project / "notes.py").write_text("# to be tried: warmup\n")
    with open(project / "data.csv", "a") as file:
        file.write("50,2500\n")
    _run(folder, project, "train.py", "--lr", "0.2", "--name", "second")
    from lineal.api import runs

    _run(folder, project, "score.py", runs("name = 'second'", url=folder)[0].run_id)


def _run(folder: Path, project: Path, *arguments: str) -> None:
    source = str(Path(__file__).parents[2] / "src")
    environ = os.environ | {"LINEAL_URL": str(folder), "PYTHONPATH": source}
    environ.pop("LINEAL_CAPTURE", None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
