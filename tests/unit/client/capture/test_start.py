"""What a run records by itself, in real processes: all of it when it finishes, what there was when it is killed, nothing in the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lineal
from lineal.client.capture import environment as environment_module
from lineal.client.capture import hardware as hardware_module
from lineal.client.capture import start
from lineal.record.records import ArtifactLogged, AttemptEnded, CaptureSet, Lost
from tests.unit.client.capture.repositories import repository, write
from tests.unit.client.capture.said import captures, records

SRC = str(Path(lineal.__file__).parents[1])


def begin(folder, text, **variables):
    usual = {name: value for name, value in os.environ.items() if name != "LINEAL_CAPTURE"}
    environ = {**usual, "PYTHONPATH": SRC, "LINEAL_URL": str(folder), **variables}
    # Not where these tests are developed: a repository with changes has more to keep.
    place = folder if folder.is_dir() else folder.parent
    return subprocess.Popen(
        [sys.executable, "-c", text], cwd=place, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run(folder, text, **variables):
    process = begin(folder, text, **variables)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output


def test_by_default_and_whole_when_it_is_finished(tmp_path):
    run(tmp_path, "import lineal; lineal.init().finish()")
    said = captures(tmp_path)
    assert said["execution"]["command"][1] == "-c"
    lock = said["environment"]["lock"]
    assert lock["path"] == ".lineal/environment/requirements.txt"
    kept = [one for one in records(tmp_path) if isinstance(one, ArtifactLogged) and one.path == lock["path"]]
    assert [(one.digest, one.size_bytes) for one in kept] == [(lock["digest"], lock["size_bytes"])]
    all_said = records(tmp_path)
    places = [number for number, one in enumerate(all_said) if isinstance(one, CaptureSet)]
    ends = [number for number, one in enumerate(all_said) if isinstance(one, AttemptEnded)]
    assert max(places) < ends[0]


@pytest.mark.parametrize("how", ["variable", "argument"])
def test_none_means_none(tmp_path, how):
    if how == "variable":
        run(tmp_path, "import lineal; lineal.init().finish()", LINEAL_CAPTURE="none")
    else:
        run(tmp_path, "import lineal; lineal.init(capture='none').finish()")
    assert not [one for one in records(tmp_path) if isinstance(one, (CaptureSet, ArtifactLogged))]


def test_a_thousand_runs_keep_one_lock(tmp_path):
    run(tmp_path, "import lineal\nfor _ in range(20): lineal.init().finish()")
    locks = [one.digest for one in records(tmp_path) if isinstance(one, ArtifactLogged)]
    assert len(locks) == 20 and len(set(locks)) == 1
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


def test_a_killed_run_has_what_was_said_until_then(tmp_path):
    text = "import lineal, time\nrun = lineal.init()\nrun._captures._looking.acquire()\nprint('up', flush=True)\ntime.sleep(600)"
    process = begin(tmp_path, text)
    assert process.stdout.readline() == "up\n"
    process.kill()
    process.communicate()
    assert {"execution", "environment"} <= set(captures(tmp_path))


def test_what_the_process_knows_already_is_said_at_once(tmp_path):
    """Killed the moment after `init`, a later run has all that the first had to find out."""
    text = (
        "import lineal, os, signal\nfrom lineal.client.capture import code\ncode.CODE_REUSE_S = 3600.0\n"
        "for _ in range(2): lineal.init().finish()\nrun = lineal.init()\n"  # the first loads modules, the second sees that
        "assert run._captures._looking is None\nrun.log({'x': 1})\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    folder = tmp_path / "lineal"
    repository(tmp_path, {"train.py": "", "model.py": ""})
    write(tmp_path, {"model.py": "changed\n", "new.py": "new\n"})
    process = begin(folder, text)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    said = [one for one in records(folder) if isinstance(one, CaptureSet)]
    attempts = {
        attempt: {one.part: one.content for one in said if one.attempt == attempt}
        for attempt in {one.attempt for one in said}
    }
    [killed] = [one for one in attempts.values() if "resources" not in one]
    assert len(attempts) == 3
    for one in attempts.values():
        assert {"execution", "environment", "hardware", "code"} <= set(one)
        assert all(one[part] == killed[part] for part in ("environment", "hardware", "code"))
    refs = [killed["environment"]["lock"], killed["code"]["patch"], killed["code"]["untracked"]["archive"]]
    kept = [(one.path, one.digest) for one in records(folder) if isinstance(one, ArtifactLogged)]
    assert sorted(kept) == sorted(3 * [(one["path"], one["digest"]) for one in refs])


def test_what_must_be_written_is_written_behind_init(tmp_path):
    """In another folder, where nothing of it is yet, and in one that a server has emptied, or somebody else."""
    text = (
        "import lineal, shutil, threading\nfrom lineal.journal import blobs\nreal, wrote = blobs.add_bytes, []\n"
        "def add_bytes(*given): wrote.append(threading.get_ident()); return real(*given)\nblobs.add_bytes = add_bytes\n"
        "for url in ('first', 'first', 'second', 'second', 'gone', 'second'):\n"
        "    if url == 'gone': shutil.rmtree('second/blobs'); continue\n"
        "    run = lineal.init(url=url)\n    print(url, run._captures._looking is None)\n    run.finish()\n"
        "print(len(wrote), threading.get_ident() in wrote)"
    )
    assert run(tmp_path, text, LINEAL_CAPTURE="environment").splitlines() == [
        "first False",
        "first True",
        "second False",
        "second True",
        "second False",
        "3 False",
    ]


def test_a_file_that_the_disk_refuses_is_not_named_by_whoever_said_it_before(tmp_path):
    text = (
        "import lineal, shutil\nfrom lineal.journal import blobs\nlineal.init(url='first').finish()\n"
        "def full(*given): raise OSError(28, 'No space left on device')\nblobs.add_bytes, real = full, blobs.add_bytes\n"
        "lineal.init(url='second').finish()\nblobs.add_bytes = real\nlineal.init(url='third').finish()"
    )
    process = begin(tmp_path, text)
    process.communicate(timeout=120)
    assert process.returncode == 0
    first, second, third = (captures(tmp_path / name)["environment"] for name in ("first", "second", "third"))
    assert first == third == {**second, "lock": first["lock"]} and "lock" not in second
    lost = [one.reason for one in records(tmp_path / "second") if isinstance(one, Lost)]
    assert lost == ["artifact_not_kept"]


def test_a_child_ends_without_its_parents_look(tmp_path):
    """It has no thread to wait for."""
    text = (
        "import lineal, os\nrun = lineal.init()\npid = os.fork()\nif pid == 0:\n    run.log({'x': 1}); run.finish(); os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\nrun.finish()"
    )
    assert run(tmp_path, text) == "7\n"


def test_terminated_while_it_looks(tmp_path):
    text = (
        "import lineal, threading\nfrom lineal.client.capture import start\n"
        "start.Captures._look = lambda self, steps, begun: threading.Event().wait()\n"
        "run = lineal.init()\nprint('up', flush=True)\nimport time\nwhile True: time.sleep(0.05)"
    )
    process = begin(tmp_path, text)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert [one.status for one in records(tmp_path) if isinstance(one, AttemptEnded)][-1] == "killed"


def test_what_takes_too_long_is_left_and_said(tmp_path, monkeypatch):
    import threading

    end = threading.Event()
    monkeypatch.setattr(start.Captures, "_look", lambda self, steps, begun: end.wait())
    monkeypatch.setattr(start, "CAPTURE_FINISH_WAIT_S", 0.05)
    monkeypatch.setenv("LINEAL_CAPTURE", "environment")
    lineal.init(url=tmp_path).finish()
    end.set()
    assert [one.reason for one in records(tmp_path) if isinstance(one, Lost)] == ["not_captured"]


def hanging(place, name):
    """A program of that name that never answers."""
    place.mkdir(exist_ok=True)
    (place / name).write_text("#!/bin/sh\nexec sleep 120\n")
    (place / name).chmod(0o755)
    return f"{place}{os.pathsep}{os.environ['PATH']}"


def until_said(folder, *parts):
    deadline = time.monotonic() + 60
    while not set(parts) <= set(captures(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


PAUSE = "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n"


def test_a_git_that_hangs_costs_the_code_alone(tmp_path):
    text = (
        "import lineal\nfrom lineal.client.capture import start\nstart.CAPTURE_FINISH_WAIT_S = 0.05\n"
        f"run = lineal.init()\n{PAUSE}run.finish()"
    )
    folder = tmp_path / "nb"
    process = begin(folder, text, PATH=hanging(tmp_path / "bin", "git"))
    assert process.stdout.readline() == "up\n"
    until_said(folder, "execution", "environment", "hardware")
    process.communicate("\n", timeout=120)
    said = captures(folder)
    assert (
        "code" not in said
        and said["environment"]["packages"]
        and said["environment"]["lock"]
        and said["hardware"]["cpu"]
    )
    assert [(one.reason, one.count) for one in records(folder) if isinstance(one, Lost)] == [("not_captured", 1)]


def test_a_conda_that_hangs_costs_its_export_alone(tmp_path):
    (tmp_path / "env" / "conda-meta").mkdir(parents=True)
    text = (
        "import lineal, sys\nfrom lineal.client.capture import start\nstart.CAPTURE_FINISH_WAIT_S = 0.05\n"
        f"sys.prefix = {str(tmp_path / 'env')!r}\nrun = lineal.init()\n{PAUSE}run.finish()"
    )
    folder = tmp_path / "nb"
    hanging(tmp_path / "bin", "conda")
    process = begin(folder, text, CONDA_EXE=str(tmp_path / "bin" / "conda"))
    assert process.stdout.readline() == "up\n"
    until_said(folder, "execution", "environment", "hardware", "code")
    process.communicate("\n", timeout=120)
    said = captures(folder)
    assert said["environment"]["python"]["kind"] == "conda" and "conda_export" not in said["environment"]


def test_what_conda_says_comes_later(tmp_path):
    (tmp_path / "env" / "conda-meta").mkdir(parents=True)
    (tmp_path / "conda").write_text("#!/bin/sh\necho name: mine\n")
    (tmp_path / "conda").chmod(0o755)
    text = f"import lineal, sys\nsys.prefix = {str(tmp_path / 'env')!r}\nlineal.init().finish()"
    run(tmp_path / "nb", text, CONDA_EXE=str(tmp_path / "conda"))
    said = captures(tmp_path / "nb")["environment"]
    assert said["conda_export"]["path"] == ".lineal/environment/conda.yaml" and said["lock"]
    kept = [one.path for one in records(tmp_path / "nb") if isinstance(one, ArtifactLogged)]
    assert sorted(kept) == [said["conda_export"]["path"], said["lock"]["path"]]


def test_what_conda_has_said_meanwhile_to_another_run_is_said(tmp_path):
    """Between what this one says at once and its turn to ask."""
    (tmp_path / "env" / "conda-meta").mkdir(parents=True)
    (tmp_path / "conda").write_text("#!/bin/sh\necho name: mine\n")
    (tmp_path / "conda").chmod(0o755)
    text = (
        f"import lineal, os, sys\nsys.prefix = {str(tmp_path / 'env')!r}\n"
        "from lineal.client.capture import environment\nfrom lineal.client.capture.start import Captures\n"
        "def meanwhile(*given): environment.whole_environment(dict(os.environ)); return real(*given)\n"
        "Captures._say_gpus, real = meanwhile, Captures._say_gpus\nlineal.init().finish()"
    )
    run(tmp_path / "nb", text, CONDA_EXE=str(tmp_path / "conda"))
    assert captures(tmp_path / "nb")["environment"]["conda_export"]["path"] == ".lineal/environment/conda.yaml"


def test_what_a_driver_says_comes_later(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware_module, "own_hardware_at_once", lambda: ({"cpu": {"count": 2}}, False))
    monkeypatch.setattr(hardware_module, "own_hardware", lambda: {"cpu": {"count": 2}, "gpus": [{"name": "H100"}]})
    monkeypatch.setenv("LINEAL_CAPTURE", "hardware")
    lineal.init(url=tmp_path).finish()
    said = [one.content for one in records(tmp_path) if isinstance(one, CaptureSet)]
    assert said == [{"cpu": {"count": 2}}, {"cpu": {"count": 2}, "gpus": [{"name": "H100"}]}]


def test_a_fault_of_ours_is_said_and_no_more(tmp_path, monkeypatch):
    def fault(environ):
        raise RuntimeError("no")

    monkeypatch.setattr(environment_module, "environment", fault)
    monkeypatch.setenv("LINEAL_CAPTURE", "environment")
    run = lineal.init(url=tmp_path)
    run.log({"x": 1})
    run.finish()
    assert [(one.reason, one.detail) for one in records(tmp_path) if isinstance(one, Lost)] == [
        ("not_captured", "environment")
    ]


@pytest.mark.parametrize("path", [".lineal", ".lineal/x", "./.lineal/x", "a/../.lineal"])
def test_the_own_folder_is_not_for_users(tmp_path, path):
    run = lineal.init(url=tmp_path)
    with pytest.raises(lineal.InvalidInput):
        run.log_text("x", path)
    with pytest.raises(lineal.InvalidInput):
        run.log_artifact(__file__, path)
    run.log_text("x", "a/.lineal/x")  # only at the top
    run.finish()


def test_a_fork_waits_while_the_thread_imports(tmp_path):
    """Else the child would wait for ever for what the thread was loading: here a module that takes its time, loaded again by the child."""
    (tmp_path / "slow_module.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(0.3)\n")
    text = (
        "import os, sys, time\nsys.path.insert(0, os.environ['PLACE'])\nimport lineal\nfrom lineal.client.capture import start\n"
        "from lineal.client.capture import imports\nimports.CAPTURE_FORK_WAIT_S = 60.0\ninner = start._import_all\n"
        "import _imp\n"
        "def import_all():\n    _imp.acquire_lock()\n    begun.set()\n    import slow_module\n    inner()\n    _imp.release_lock()\n"
        "import threading\nbegun = threading.Event()\nstart._import_all = import_all\n"
        "run = lineal.init()\nbegun.wait()\npid = os.fork()\n"
        "if pid == 0:\n    import slow_module\n    run.log({'x': 1}); run.finish(); os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\nrun.finish()"
    )
    assert run(tmp_path / "lineal", text, PLACE=str(tmp_path)).split() == ["loading", "7"]


def test_an_error_is_kept_without_its_passwords(tmp_path):
    run_folder = tmp_path
    process = begin(
        run_folder,
        "import lineal; lineal.init(); raise ValueError('postgresql://bob:hunter2@db/x')",
        LINEAL_CAPTURE="none",
    )
    process.communicate(timeout=120)
    (end,) = [one for one in records(run_folder) if isinstance(one, AttemptEnded)]
    assert end.error is not None and "ValueError" in end.error and "hunter2" not in end.error


def test_what_is_printed_is_kept_without_tokens(tmp_path):
    text = "import lineal\nrun = lineal.init()\nprint('using ghp_' + 'a1B2' * 9)\nrun.finish()"
    assert "ghp_a1B2" in run(tmp_path, text, LINEAL_CAPTURE="console")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"ghp_a1B2" in path.read_bytes()]
