"""Who, where and what: in real processes, started in every way there is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lineal
from lineal.client.capture.execution import _within, execution_content
from lineal.client.capture.launchers import find_launchers
from lineal.client.capture.secret_shapes import MASK
from lineal.model.limits import COMMAND_MAX_BYTES
from lineal.record.records import CaptureSet
from tests.unit.client.capture.said import captures, records

SRC = str(Path(lineal.__file__).parents[1])
PROGRAM = "import lineal, sys\nlineal.init(url=sys.argv[1], capture='execution').finish()\n"


def run(arguments, cwd, **settings):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": SRC, "LINEAL_CAPTURE": "execution", **settings.pop("env", {})},
        capture_output=True,
        text=True,
        timeout=120,
        **settings,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "entry"),
    [
        (["train.py"], {"kind": "script", "name": "train.py"}),
        (["-u", "sub/other.py"], {"kind": "script", "name": "other.py"}),
        (["-m", "pkg.training"], {"kind": "module", "name": "pkg.training"}),
        (["-m", "pkg"], {"kind": "module", "name": "pkg"}),
        (["-c", PROGRAM], {"kind": "program", "name": "-c"}),
        (["bin/train"], {"kind": "program", "name": "train"}),
    ],
    ids=["script", "script-below", "module", "package", "text", "program"],
)
def test_how_it_began(tmp_path, arguments, entry):
    for name in ("train.py", "sub/other.py", "pkg/__init__.py", "pkg/training.py", "pkg/__main__.py", "bin/train"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("" if name.endswith("__init__.py") else PROGRAM)
    run([*arguments, "lineal", "--api-key", "hunter2", "--lr=0.1"], tmp_path)
    said = captures(tmp_path / "lineal")["execution"]
    assert said["entry_point"] == entry
    assert said["command"] == [said["command"][0], *arguments, "lineal", "--api-key", MASK, "--lr=0.1"]
    assert Path(said["folder"]).samefile(tmp_path)
    assert said["host"] == os.uname().nodename and said["pid"] > 1
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.glob("lineal/**/*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["train.py"], "."),
        (["./train.py"], "."),
        (["../train.py"], "out"),
        (["-u", "-m", "pkg.training"], "."),
        (["-m", "pkg"], "."),
    ],
    ids=["script", "dotted", "above", "module", "package"],
)
def test_a_program_that_changes_its_folder_first(tmp_path, arguments, folder):
    """As those do that make a folder for what they write: the command was given in another."""
    program = f"import os\nos.chdir({str(tmp_path / 'out' / 'day')!r})\n{PROGRAM}"
    for name in ("train.py", "pkg/__init__.py", "pkg/training.py", "pkg/__main__.py", "out/day/.keep"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(program if name.endswith(("train.py", "training.py", "main__.py")) else "")
    run([*arguments, str(tmp_path / "lineal")], tmp_path / folder)
    said = captures(tmp_path / "lineal")["execution"]
    assert Path(said["folder"]).samefile(tmp_path / "out" / "day")
    assert Path(said["started_in"]).samefile(tmp_path / folder)


@pytest.mark.parametrize("arguments", [["train.py"], ["-m", "train"]], ids=["script", "module"])
def test_a_program_that_stays_says_nothing_of_it(tmp_path, arguments):
    (tmp_path / "train.py").write_text("import sys\nsys.path.insert(0, '/somewhere')\n" + PROGRAM)
    run([*arguments, "lineal"], tmp_path)
    assert "started_in" not in captures(tmp_path / "lineal")["execution"]


def test_standard_input_is_interactive(tmp_path):
    run(["-"], tmp_path, input=PROGRAM.replace("sys.argv[1]", "'lineal'"))
    assert captures(tmp_path / "lineal")["execution"]["entry_point"]["kind"] == "interactive"


def test_variables_are_those_chosen_and_masked(tmp_path):
    chosen = {"LINEAL_CAPTURE_VARIABLES": "MINE, OURS_*,MY_TOKEN", "MINE": "1", "OURS_A": "2", "MY_TOKEN": "hunter2"}
    (tmp_path / "train.py").write_text(PROGRAM)
    run(["train.py", "lineal"], tmp_path, env={**chosen, "NOBODYS": "3", "CUDA_VISIBLE_DEVICES": "0"})
    said = captures(tmp_path / "lineal")["execution"]["variables"]
    assert said == {"MINE": "1", "OURS_A": "2", "MY_TOKEN": MASK, "CUDA_VISIBLE_DEVICES": "0"}


def test_a_script_whose_last_line_has_run_is_a_script(tmp_path):
    """The look at it may begin later than that."""
    program = (
        "import atexit, lineal, sys, threading\nfrom lineal.client.capture import start\nover = threading.Event()\n"
        "load = start._import_all\nstart._import_all = lambda: (over.wait(), load())\n"
        "run = lineal.init(url=sys.argv[1], capture='execution')\natexit.register(over.set)\n"
    )
    (tmp_path / "train.py").write_text(program)
    run(["train.py", "lineal"], tmp_path)
    assert captures(tmp_path / "lineal")["execution"]["entry_point"] == {"kind": "script", "name": "train.py"}


def test_a_forked_child_and_a_rank_above_0_say_nothing_of_their_own(tmp_path, monkeypatch):
    program = "import lineal, os, sys\n"
    program += "run = lineal.init(run_id='r', url=sys.argv[1], capture='execution')\npid = os.fork()\n"
    program += "run.log({'a': 1})\nrun.finish()\nif pid: os.waitpid(pid, 0)\n"
    run(["-c", program, "lineal"], tmp_path)
    said = [one for one in records(tmp_path / "lineal") if isinstance(one, CaptureSet)]
    assert [one.part for one in said] == ["execution"]
    monkeypatch.setenv("LINEAL_CAPTURE", "execution")
    lineal.init(run_id="r", rank=1, url=tmp_path / "other").finish()
    assert captures(tmp_path / "other") == {}


def test_a_long_command_line_is_cut():
    command, is_cut = _within(["python", "é" * COMMAND_MAX_BYTES, "more"])
    assert is_cut and command[0] == "python" and set(command[1]) == {"é"} and len(command) == 2
    assert len("".join(command).encode()) <= COMMAND_MAX_BYTES
    assert _within(["python", "x"]) == (["python", "x"], False)


TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "3",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "1",
    "TORCHELASTIC_RESTART_COUNT": "0",
    "MASTER_ADDR": "node0",
}
SLURM = {
    "SLURM_JOB_ID": "42",
    "SLURM_JOB_NAME": "train",
    "SLURM_PROCID": "5",
    "SLURM_NTASKS": "16",
    "SLURM_ARRAY_TASK_ID": "7",
    "SLURM_JOB_NODELIST": "gpu[1-4]",
}
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "pod-1", "JOB_COMPLETION_INDEX": "4"}


def test_launchers(tmp_path):
    namespace = tmp_path / "namespace"
    namespace.write_text("research\n")
    assert find_launchers({}) == []
    assert find_launchers(TORCHRUN)[0] == {
        "name": "torchrun",
        "rank": 3,
        "world_size": 8,
        "local_rank": 1,
        "local_world_size": 2,
        "group_rank": 1,
        "restart_count": 0,
        "run": "none",
        "master": "node0",
    }
    slurm = {"name": "slurm", "rank": 5, "world_size": 16, "array_task": 7, "job": "42", "job_name": "train"}
    assert find_launchers(SLURM) == [{**slurm, "nodes": "gpu[1-4]"}]
    kubernetes = {"name": "kubernetes", "pod": "pod-1", "completion_index": 4, "namespace": "research"}
    assert find_launchers(KUBERNETES, str(namespace)) == [kubernetes]
    assert find_launchers({"RAY_JOB_ID": "01000000", "RAY_RAYLET_PID": "17"})[0] == {
        "name": "ray",
        "job": "01000000",
        "raylet_pid": 17,
    }
    assert find_launchers({"RANK": "1", "WORLD_SIZE": "2"})[0] == {"name": "distributed", "rank": 1, "world_size": 2}
    assert find_launchers({"RANK": "colonel", "WORLD_SIZE": "2"}) == []


def test_the_innermost_launcher_is_the_one():
    said = execution_content({**KUBERNETES, **SLURM, **TORCHRUN}, None, "/")
    assert said["launcher"]["name"] == "torchrun"
    assert [one["name"] for one in said["launchers"]] == ["torchrun", "slurm", "kubernetes"]
    json.dumps(said)


def test_secrets_in_a_launchers_variables_are_masked():
    assert (
        find_launchers({"RAY_JOB_ID": "1", "RAY_ADDRESS": "ray://me:hunter2@head:1"})[0]["address"]
        == f"ray://{MASK}@head:1"
    )
