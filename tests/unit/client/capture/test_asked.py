"""Other programs are asked in whatever way the program that is recorded treats its children and its workers."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lineal
from lineal.client.capture import asked, unseen
from lineal.client.capture.asked import Answer, TookTooLong, ask
from lineal.journal.blobs import sha256

ENVIRON = {"PATH": os.environ["PATH"]}
GENEROUS_S = 60.0
NEEDS_UNSEEN = pytest.mark.skipif(
    unseen.library() is None, reason="only Linux with glibc has children that nobody waits for"
)
HEAD = """
import os, signal, sys, threading, time
from lineal.client.capture import asked
asked._REAP_TRIES = 60_000
if os.environ["WAY"] == "seen":
    asked.start_unseen = lambda *_: None
def ask(script):
    return asked.ask(["sh", "-c", script], os.environ, time.monotonic() + 60, 1 << 20)
"""


def sh(script: str, max_bytes: int = 1 << 20, hashed_max_bytes: int = 0, limit_s: float = GENEROUS_S) -> Answer:
    return ask(["sh", "-c", script], ENVIRON, time.monotonic() + limit_s, max_bytes, hashed_max_bytes)


@pytest.fixture(params=["unseen", "seen"], autouse=True)
def way(request, monkeypatch):
    """What has no clone(2) starts a shell as its child."""
    if request.param == "seen":
        monkeypatch.setattr(asked, "start_unseen", lambda *_: None)
        monkeypatch.setenv("WAY", "seen")
    elif unseen.library() is None:
        pytest.skip("there is one way only")
    return request.param


def run(folder: Path, text: str) -> None:
    environ = {**ENVIRON, "WAY": os.environ.get("WAY", ""), "PYTHONPATH": str(Path(lineal.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + text],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_it_says_and_how_it_ended():
    assert sh("printf out; printf err >&2; exit 3") == Answer(3, b"out", b"err")
    assert sh("head -c 300000 /dev/zero").output == bytes(300_000)
    assert ask(["/nonexistent/program"], ENVIRON, time.monotonic() + GENEROUS_S, 10).code == 127


def test_a_long_answer_is_hashed_and_an_endless_one_is_cut_off():
    whole = sh("head -c 300000 /dev/zero", 1000, 300_000)
    assert (whole.code, whole.output, whole.digest) == (0, None, sha256(bytes(300_000)).hexdigest())
    assert sh("head -c 300000 /dev/zero; exit 1", 1000, 300_000).digest is None
    endless = sh("exec cat /dev/zero", 1000, 300_000)
    assert (endless.code, endless.output, endless.digest) == (None, None, None)


def test_what_takes_too_long_is_left():
    with pytest.raises(TookTooLong):
        sh("exec sleep 600", limit_s=0.2)


def test_what_is_cut_off_is_ended_with_all_that_it_started(tmp_path):
    """Each of them holds the named pipe open."""
    os.mkfifo(tmp_path / "pipe")
    end = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert sh(f"exec 9> {tmp_path}/pipe; sleep 600 & cat /dev/zero; sleep 600", 1000).code is None
    until_s = time.monotonic() + GENEROUS_S
    while True:
        try:
            assert os.read(end, 1) == b""
            break
        except BlockingIOError:
            assert time.monotonic() < until_s
            time.sleep(0.01)
    os.close(end)


def test_a_worker_that_holds_the_pipes_open_is_not_waited_for(monkeypatch):
    """As one does that the program forks while something is asked."""
    held: list[int] = []
    real = asked._start

    def start(command, environ, writing):
        held.extend(os.dup(end) for end in writing)
        return real(command, environ, writing)

    monkeypatch.setattr(asked, "_start", start)
    try:
        assert sh("head -c 300000 /dev/zero; exit 4") == Answer(4, bytes(300_000), b"")
    finally:
        for end in held:
            os.close(end)
    assert len(held) == 3


def test_what_is_asked_is_no_child_of_the_program(tmp_path):
    """os.wait() must not see it, nor wait for it."""
    run(
        tmp_path,
        """
answers = []
thread = threading.Thread(
    target=lambda: answers.append(ask("touch started; while [ ! -e go ]; do sleep 0.01; done; echo done"))
)
thread.start()
until_s = time.monotonic() + 60
while True:
    assert time.monotonic() < until_s, "a child of the program"
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        if os.path.exists("started"):
            break
    time.sleep(0.001)
open("go", "w").close()
thread.join()
assert answers == [asked.Answer(0, b"done\\n", b"")], answers
""",
    )


def test_a_program_that_ignores_its_children_learns_how_it_ended(tmp_path):
    """Nobody can then wait for a child, as where another thread was faster."""
    run(
        tmp_path,
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nassert [ask(f'exit {n}').code for n in (0, 3)] == [0, 3]",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a program be what orphans are left to")
def test_the_first_process_of_a_container_has_no_children_left(tmp_path):
    run(
        tmp_path,
        """
import ctypes
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER, prctl(2)
assert ask("exit 3").code == 3
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    sys.exit(0)
sys.exit("a child is left")
""",
    )


def test_a_program_without_standard_streams(tmp_path):
    run(
        tmp_path,
        """
for end in (0, 1, 2):
    os.close(end)
answer = ask("echo out; echo err >&2; exit 5")
os._exit(0 if answer == asked.Answer(5, b"out\\n", b"err\\n") else 1)
""",
    )


@NEEDS_UNSEEN
def test_a_program_in_wait_gets_its_own_child_and_hears_of_no_other(tmp_path, way):
    """The main thread sits in os.wait() while another one asks and asks."""
    if way == "seen":
        pytest.skip("the shell is a child there")
    run(
        tmp_path,
        """
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
worker = os.fork()
if worker == 0:
    while not os.path.exists("go"):
        time.sleep(0.01)
    os._exit(7)
answers = []
def look():
    for number in range(20):
        answers.append(ask(f"echo {number}; exit {number}"))
    open("go", "w").close()
thread = threading.Thread(target=look)
thread.start()
assert os.wait() == (worker, 7 << 8)
thread.join()
assert [one.code for one in answers] == list(range(20)), answers
assert len(heard) == 1, heard
""",
    )


@NEEDS_UNSEEN
def test_what_is_started_unseen_is_as_any_program(tmp_path, way):
    """A group of its own, no signal blocked, nothing of ours open; and no child is left."""
    if way == "seen":
        pytest.skip("another shell is in between there")
    run(
        tmp_path,
        """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
script = "import os, signal; print(signal.pthread_sigmask(0, []) == set(), os.getpgrp() == os.getppid(), len(os.listdir('/dev/fd')))"
asks = lambda: asked.ask([sys.executable, "-I", "-S", "-c", script], {"A": "1"}, time.monotonic() + 60, 1000)
assert asks() == asked.Answer(0, b"True True 4\\n", b""), asks()
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGUSR1}
try:
    os.waitpid(-1, os.WNOHANG | 0x40000000)
except ChildProcessError:
    sys.exit(0)
sys.exit("a child is left")
""",
    )


@NEEDS_UNSEEN
def test_where_nothing_can_be_started_unseen_it_is_a_child(monkeypatch):
    """As under a filter of system calls."""
    monkeypatch.setattr(unseen, "_CLONE_VM", 0x10000)  # CLONE_THREAD without what it needs: EINVAL
    assert unseen.start_unseen("/bin/sh", ["sh", "-c", "exit 3"], ENVIRON, [], []) is None
    assert sh("exit 3").code == 3
    assert unseen.start_unseen("/nonexistent/sh", ["sh"], ENVIRON, [], []) is None
