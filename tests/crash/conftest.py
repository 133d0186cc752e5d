"""Both segment writers through everything; seeds that are printed; what needs root or a tool skips visibly."""

import os
import random
import shutil
import subprocess

import pytest

import lineal
from lineal.testing.crash import Child, small_disk

TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"


@pytest.fixture(params=["mapped", "write"])
def writer(request, monkeypatch):
    """Which segment writer this process and its children use."""
    monkeypatch.setenv("LINEAL_JOURNAL_WRITER", request.param)
    return request.param


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lineal"


@pytest.fixture
def seed():
    """The default profile repeats itself; torture draws anew. LINEAL_TEST_SEED replays what a failure printed."""
    known = os.environ.get("LINEAL_TEST_SEED")
    number = int(known) if known else random.SystemRandom().randrange(2**32) if TORTURE else 20261121
    print(f"LINEAL_TEST_SEED={number}")
    return number


@pytest.fixture
def child():
    """Starts programs, and ends what is left of them."""
    children = []

    def start(program, *arguments, **settings):
        children.append(Child(program, *arguments, **settings))
        return children[-1]

    yield start
    for each in children:
        each.__exit__(None, None, None)


@pytest.fixture
def read(folder):
    """The way every user reads: read(run_id) is the run, everything said so far included."""
    with lineal.open_store(folder) as store:
        yield store.get_run


@pytest.fixture
def tiny_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a tmpfs")
    try:
        with small_disk(tmp_path / "disk", "1M") as place:
            yield place
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("cannot mount a tmpfs here")


@pytest.fixture(scope="session")
def strace():
    """The command, if it may trace here."""
    path = shutil.which("strace")
    if path is None:
        pytest.skip("needs strace")
    if subprocess.run([path, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    return path
