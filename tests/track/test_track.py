"""`lineal track`: what a run around a command is, and that the command is as it would be without it."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

import lineal
from tests.track.conftest import Tracker, wait_until

ARGPARSE = """
import argparse, enum, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--layers", type=int, nargs="*")
parser.add_argument("--out", type=pathlib.Path, default="here")
parser.add_argument("--quiet", action="store_true")
parser.set_defaults(func=print)
arguments = parser.parse_args()
print("lr", arguments.lr)
"""


def test_an_unmodified_argparse_script(tracker: Tracker) -> None:
    options = ("--experiment", "digits", "--name", "mlp", "--tag", "kind=try", "--tag", "a=b=c")
    code, out, err = tracker.python(ARGPARSE, "--lr", "0.5", "--layers", "64", "32", options=options)
    assert (code, out, err) == (0, "lr 0.5\n", "")
    run = tracker.only
    assert (run.status, run.experiment, run.name) == ("finished", "digits", "mlp")
    assert dict(run.params) == {"lr": 0.5, "layers": "[64,32]", "out": "here", "quiet": False}
    assert dict(run.tags) == {"kind": "try", "a": "b=c"}


def test_the_circumstances_are_the_commands(tracker: Tracker) -> None:
    tracker.environ["LINEAL_CAPTURE"] = "execution"
    code, _, _ = tracker.python(
        "import lineal\nwith lineal.init(capture='all') as run: run.log({'a': 1})", "--secret-token", "hush"
    )
    assert code == 0
    run = tracker.only
    assert {one.part for one in run.captures} == {"execution"}
    execution = run.capture("execution")
    assert execution is not None
    assert execution["command"] == [sys.executable, "train.py", "--secret-token", "[masked]"]
    assert execution["entry_point"] == {"kind": "script", "name": "train.py"}
    assert execution["is_tracked"] is True
    assert execution["folder"] == str(tracker.work)


def test_secrets_on_the_command_line_are_no_params(tracker: Tracker) -> None:
    script = """
import argparse
parser = argparse.ArgumentParser()
for name in ("--api-key", "--max-token", "--store"):
    parser.add_argument(name)
parser.parse_args()
"""
    given = ("--api-key", "hush", "--max-token", "12", "--store", "s3://me:hush@bucket/x")
    assert tracker.python(script, *given)[0] == 0
    assert dict(tracker.only.params) == {"api_key": "[masked]", "max_token": "12", "store": "s3://[masked]@bucket/x"}


def test_what_parsers_beside_the_command_line_read_is_none_of_the_run(tracker: Tracker) -> None:
    script = """
import argparse
inner = argparse.ArgumentParser()
inner.add_argument("--hidden", default="x")
inner.parse_args([])
inner.parse_args(["--hidden", "y"])
outer = argparse.ArgumentParser()
commands = outer.add_subparsers(dest="command")
train = commands.add_parser("train")
train.add_argument("--depth", type=int)
print(outer.parse_args())
rest = argparse.ArgumentParser()
rest.add_argument("--depth", type=int)
known, left = rest.parse_known_args()
print(known, left)
"""
    code, out, _ = tracker.python(script, "train", "--depth", "3")
    assert code == 0
    assert out == "Namespace(command='train', depth=3)\nNamespace(depth=3) ['train']\n"
    assert dict(tracker.only.params) == {"command": "train", "depth": 3}


def test_a_refusal_of_argparse_is_its_own(tracker: Tracker) -> None:
    code, out, err = tracker.python(ARGPARSE, "--lr", "much")
    assert (code, out) == (2, "")
    assert err.startswith("usage: train.py") and "Traceback" not in err
    assert tracker.only.status == "failed"


def test_a_click_script(tracker: Tracker) -> None:
    script = """
import click

@click.group()
@click.option("--device", default="cpu")
def main(device):
    pass

@main.command()
@click.option("--lr", type=float)
@click.argument("files", nargs=-1)
def train(lr, files):
    click.echo(f"{lr} {files}")

if __name__ == "__main__":
    main()
"""
    code, out, _ = tracker.python(script, "--device", "gpu", "train", "--lr", "0.25", "a", "b")
    assert (code, out) == (0, "0.25 ('a', 'b')\n")
    assert dict(tracker.only.params) == {"device": "gpu", "lr": 0.25, "files": '["a","b"]'}


def test_lineal_within_the_command_joins_its_run(tracker: Tracker) -> None:
    """In the child by `init`, in a grandchild by `log`; the run ends with the command, not with them."""
    tracker.write("part.py", "import lineal\nlineal.log({'part': 2.0}, step=0)\n")
    script = """
import subprocess, sys
import lineal
with lineal.init(experiment="other", name="mine", params={"depth": 3}, tags={"from": "child"}) as run:
    run.log({"loss": 1.0}, step=0)
subprocess.run([sys.executable, "part.py"], check=True)
lineal.log({"loss": 0.5}, step=1)
print(run.run_id)
"""
    code, out, err = tracker.python(script)
    assert code == 0, err
    assert "lineal track --experiment 'other'" in err
    run = tracker.only
    assert out.strip() == run.run_id
    assert (run.status, run.experiment, run.name) == ("finished", "Default", "mine")
    assert (dict(run.params), dict(run.tags)) == ({"depth": 3}, {"from": "child"})
    assert list(run.history("loss").value) == [1.0, 0.5]
    assert list(run.history("part").value) == [2.0]
    assert len(run.attempts) == 1


def test_the_name_of_the_command_line_stands(tracker: Tracker) -> None:
    code, _, err = tracker.python("import lineal\nlineal.init(name='inner').log({'a': 1})", options=("--name", "outer"))
    assert (code, err, tracker.only.name) == (0, "", "outer")


def test_a_child_that_names_another_folder_has_a_run_there(tracker: Tracker) -> None:
    code, _, err = tracker.python(
        "import lineal\nwith lineal.init(url='elsewhere', run_id='own') as run: run.log({'a': 1})"
    )
    assert code == 0, err
    assert not tracker.only.metrics
    assert [run.run_id for run in lineal.runs(url=tracker.work / "elsewhere")] == ["own"]


def test_a_shell_command_and_two_scripts_in_it(tracker: Tracker) -> None:
    tracker.write(
        "one.py", "import argparse\np = argparse.ArgumentParser(); p.add_argument('--a', type=int); p.parse_args()"
    )
    tracker.write(
        "two.py", "import argparse\np = argparse.ArgumentParser(); p.add_argument('--b', type=int); p.parse_args()"
    )
    command = f"cat && {sys.executable} one.py --a 1 && {sys.executable} two.py --b 2; exit 9"
    with tracker.start("--", "sh", "-c", command, stdin=-1) as process:
        out, err = process.communicate("through me\n", timeout=60)
    assert (process.returncode, out, err) == (9, "through me\n", "")
    assert dict(tracker.only.params) == {"a": 1, "b": 2}
    assert tracker.only.status == "failed"


def test_programs_that_a_script_starts_do_not_speak_for_it(tracker: Tracker) -> None:
    tracker.write("tool.py", ARGPARSE)
    script = """
import argparse, subprocess, sys
parser = argparse.ArgumentParser(); parser.add_argument("--epochs", type=int); parser.parse_args()
subprocess.run([sys.executable, "tool.py", "--lr", "9"], check=True)
"""
    assert tracker.python(script, "--epochs", "4")[0] == 0
    assert dict(tracker.only.params) == {"epochs": 4}


def test_of_a_launcher_the_scripts_of_rank_0_speak(tracker: Tracker) -> None:
    tracker.write("train.py", ARGPARSE)
    launcher = """
import argparse, os, subprocess, sys
parser = argparse.ArgumentParser()
parser.add_argument("--nproc", type=int); parser.add_argument("script"); parser.add_argument("rest", nargs="...")
given = parser.parse_args()
for rank in range(given.nproc):
    environ = {**os.environ, "RANK": str(rank), "WORLD_SIZE": str(given.nproc)}
    subprocess.run([sys.executable, given.script, *given.rest, "--lr", str(rank + 1)], check=True, env=environ)
"""
    tracker.write("torchrun", launcher)
    code, _, err = tracker.run("--", sys.executable, "torchrun", "--nproc", "2", "train.py", "--quiet")
    assert code == 0, err
    assert dict(tracker.only.params) == {"lr": 1.0, "layers": None, "out": "here", "quiet": True}


# -- how it ends --------------------------------------------------------------------------------


def test_the_traceback_is_the_programs(tracker: Tracker) -> None:
    code, _, err = tracker.python("def f():\n    raise ValueError('no data')\nf()")
    assert code == 1
    assert err.count("ValueError: no data") == 1
    run = tracker.only
    assert run.status == "failed"
    assert run.attempts[-1].error is not None
    assert "in f" in run.attempts[-1].error and "ValueError: no data" in run.attempts[-1].error


@pytest.mark.parametrize("code", [1, 3, 77, 255])
def test_the_exit_status_is_the_commands(tracker: Tracker, code: int) -> None:
    assert tracker.run("--", "sh", "-c", f"exit {code}")[0] == code
    assert tracker.only.status == "failed"
    assert tracker.only.attempts[-1].error == f"exit status {code}"


@pytest.mark.parametrize(
    ("name", "status"), [("SEGV", "failed"), ("ABRT", "failed"), ("KILL", "killed"), ("TERM", "killed")]
)
def test_a_command_that_dies_by_a_signal(tracker: Tracker, name: str, status: str) -> None:
    code, _, _ = tracker.run("--", "sh", "-c", f"kill -{name} $$")
    assert code == -getattr(signal, f"SIG{name}")
    assert tracker.only.status == status


def test_the_answer_as_json(tracker: Tracker) -> None:
    code, out, err = tracker.run("--json", "--", "sh", "-c", "echo hello; exit 3")
    assert (code, err) == (3, "hello\n")
    assert json.loads(out) == {"run_id": tracker.only.run_id, "status": "failed", "exit_status": 3}
    code, out, _ = tracker.run("--json", "--", "sh", "-c", "kill $$")
    assert (code, json.loads(out)["exit_status"]) == (-15, 143)


def test_no_such_command(tracker: Tracker) -> None:
    code, _, err = tracker.run("--", "no-such-command-anywhere", "--x")
    assert (code, err) == (127, "lineal: no-such-command-anywhere: there is no such command\n")
    tracker.write("plain.txt", "no program")
    assert tracker.run("--", "./plain.txt")[::2] == (126, "lineal: ./plain.txt may not be run\n")
    assert tracker.run("--", "/")[0] == 126
    assert tracker.run()[0] == 2
    assert not tracker.runs()


def test_a_program_of_another_machine_leaves_a_failed_run(tracker: Tracker) -> None:
    """Nobody can tell before it is tried."""
    tracker.write("foreign", "#!/no/such/interpreter\n").chmod(0o755)
    code, _, err = tracker.run("--", "./foreign")
    assert code == 127
    assert err.startswith("lineal: ./foreign: ")
    assert tracker.only.status == "failed"


WAITING = """
import signal, sys, time
def obey(number, frame):
    print("heard", number, flush=True)
    sys.exit({status})
signal.signal(signal.SIGTERM, obey)
signal.signal(signal.SIGINT, obey)
signal.signal(signal.SIGUSR1, lambda number, frame: print("noted", flush=True))
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("code", "status"), [(0, "finished"), (5, "killed")])
def test_signals_are_passed_on(tracker: Tracker, number: signal.Signals, code: int, status: str) -> None:
    tracker.write("train.py", WAITING.replace("{status}", str(code)))
    with tracker.start("--", sys.executable, "train.py") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "noted\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, f"heard {int(number)}\n", "")
    assert tracker.only.status == status


def test_ctrl_c_in_a_terminal_reaches_the_command_once(tracker: Tracker) -> None:
    import pty

    script = """
import signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
print("ready", flush=True)
while not heard:
    time.sleep(0.05)
time.sleep(1)
print("heard", len(heard), "times", flush=True)
sys.exit(4)
"""
    tracker.write("train.py", script)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tracker.work)
        command = [sys.executable, "-m", "lineal.cli.main", "track", "--", sys.executable, "train.py"]
        os.execve(sys.executable, command, tracker.environ)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 4_096)
    os.write(terminal, b"\x03")
    while True:
        try:
            piece = os.read(terminal, 4_096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    _, ended = os.waitpid(pid, 0)
    os.close(terminal)
    assert b"heard 1 times" in seen
    assert os.waitstatus_to_exitcode(ended) == 4
    assert tracker.only.status == "killed"


def test_a_tracker_that_is_killed_leaves_what_was_said(tracker: Tracker) -> None:
    """Its command goes on, as it would without it."""
    script = """
import sys, time, lineal
lineal.log({"loss": 1.0}, step=0)
print("ready", flush=True)
sys.stdin.readline()
lineal.log({"loss": 0.5}, step=1)
"""
    tracker.write("train.py", script)
    with tracker.start("--", sys.executable, "train.py", stdin=-1) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait()
        wait_until(lambda: tracker.runs()[0].status == "lost", "the run is lost")
        process.stdin.write("go on\n")
        process.stdin.close()
        wait_until(lambda: len(tracker.runs()[0].history("loss").value) == 2, "the command has gone on")


# -- that it does no harm -----------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-I", "-S", "-E"])
def test_an_isolated_python_has_no_values_and_runs(tracker: Tracker, option: str) -> None:
    tracker.write("train.py", ARGPARSE)
    code, out, _ = tracker.run("--", sys.executable, option, "train.py", "--lr", "0.5")
    assert (code, out) == (0, "lr 0.5\n")
    assert dict(tracker.only.params) == {}


def test_the_program_finds_its_python_as_it_was(tracker: Tracker) -> None:
    """A sitecustomize of its own is run, sys.path is as without, and nothing of ours is loaded."""
    own = tracker.place / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import os\nos.environ['OWN'] = 'ran'\nvalue = 3\n")
    tracker.environ["PYTHONPATH"] = f"{own}{os.pathsep}{SRC_TEXT}"
    script = """
import os, sys
import sitecustomize
print(os.environ["OWN"], sitecustomize.value, sitecustomize.__file__)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("lineal", "json", "argparse", "click")))
print([place for place in sys.path if "hook" in place])
"""
    code, out, err = tracker.python(script)
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"ran 3 {own / 'sitecustomize.py'}", "[]", "[]"]


SRC_TEXT = str(Path(__file__).resolve().parents[2] / "src")


def test_a_broken_sitecustomize_is_told_as_ever(tracker: Tracker) -> None:
    own = tracker.place / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import no_such_module_at_all\n")
    tracker.environ["PYTHONPATH"] = f"{own}{os.pathsep}{SRC_TEXT}"
    tracker.write("train.py", ARGPARSE)
    import subprocess

    alone = subprocess.run(
        [sys.executable, "train.py"], cwd=tracker.work, env=tracker.environ, capture_output=True, text=True
    )
    code, out, err = tracker.run("--", sys.executable, "train.py")
    assert (code, out) == (alone.returncode, alone.stdout)
    assert "no_such_module_at_all" in err or not alone.stderr


def test_a_program_whose_listener_cannot_write_runs(tracker: Tracker) -> None:
    """The folder is taken from under it."""
    script = "import os, shutil\nshutil.rmtree(os.environ['LINEAL_TRACK'])\n" + ARGPARSE
    code, out, _ = tracker.python(script)
    assert (code, out) == (0, "lr 0.1\n")
    assert tracker.only.status == "finished"


def test_a_run_within_a_tracked_command_has_its_own(tracker: Tracker) -> None:
    tracker.write("train.py", ARGPARSE)
    inner = [sys.executable, "-m", "lineal.cli.main", "track", "--name", "inner", "--", sys.executable, "train.py"]
    code, _, err = tracker.run("--name", "outer", "--", *inner)
    assert code == 0, err
    found = {run.name: run for run in tracker.runs()}
    assert set(found) == {"inner", "outer"}
    assert found["inner"].params["lr"] == 0.1


def test_sources_of_the_command_and_of_lineal_within_it(tracker: Tracker) -> None:
    tracker.environ["LINEAL_CAPTURE"] = "sources"
    tracker.write("config.json", '{"depth": 3}')
    script = ARGPARSE + "import lineal\nlineal.init(params='config.json')\n"
    code, _, err = tracker.python(script, "--lr", "0.5")
    assert (code, err) == (0, "")
    captured = tracker.only.capture("sources")
    assert captured is not None
    assert [(source["kind"], source["name"]) for source in captured["sources"]] == [
        ("argparse", "train.py"),
        ("json", "config.json"),
    ]
    assert captured["sources"][0]["params"] == ["lr", "layers", "out", "quiet"]
    assert ".lineal/config/config.json" in {artifact.path for artifact in tracker.only.details.artifacts}


def test_the_code_is_the_commands(tracker: Tracker) -> None:
    tracker.environ["LINEAL_CAPTURE"] = "code"
    tracker.environ["GIT_CEILING_DIRECTORIES"] = str(tracker.place)
    tracker.write("part.py", "value = 3\n")
    tracker.write("other.py", "")
    code, out, err = tracker.python("import part\nprint(part.value)")
    assert (code, out, err) == (0, "3\n", "")
    captured = tracker.only.capture("code")
    assert captured is not None
    assert captured["kind"] == "snapshot"
    assert [name for name, _, _ in captured["snapshot"]["files"]] == ["part.py", "train.py"]


def test_the_code_of_a_shell_command_is_its_script(tracker: Tracker) -> None:
    tracker.environ["LINEAL_CAPTURE"] = "code"
    tracker.environ["GIT_CEILING_DIRECTORIES"] = str(tracker.place)
    tracker.write("train.sh", "echo trained\n")
    assert tracker.run("--", "sh", "train.sh") == (0, "trained\n", "")
    captured = tracker.only.capture("code")
    assert captured is not None
    assert (captured["kind"], [name for name, _, _ in captured["snapshot"]["files"]]) == ("snapshot", ["train.sh"])


def test_the_console_is_the_commands_and_what_it_starts(tracker: Tracker) -> None:
    tracker.environ["LINEAL_CAPTURE"] = "console"
    script = "import subprocess, sys\nprint('mine', flush=True)\nsubprocess.run(['sh', '-c', 'echo its; echo bad >&2'])\nsys.exit(3)"
    code, out, err = tracker.python(script)
    assert (code, out, err) == (3, "mine\nits\n", "bad\n")
    lines = tracker.only.console()
    assert sorted((line.stream, line.text) for line in lines) == [
        ("stderr", "bad"),
        ("stdout", "its"),
        ("stdout", "mine"),
    ]
