"""The folder, who is alive in it, and the artifacts' bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lineal.journal import blobs
from lineal.journal.layout import FOLDER_VERSION, Folder, find_root
from lineal.journal.locks import locks_of
from lineal.journal.segment import mode_for
from lineal.model.errors import InvalidInput, NewerFormat, NotFound, NotWritable
from lineal.model.ids import new_writer_id


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "lineal")
    folder.ensure()
    return folder


# -- layout ------------------------------------------------------------------------------------------------------


def test_asking_makes_nothing(tmp_path):
    folder = Folder(tmp_path / "lineal")
    assert folder.check() is False
    assert folder.list_segments() == []
    assert folder.list_spares() == []
    assert os.listdir(tmp_path) == []


def test_ensure_makes_what_is_missing_and_repeats_itself(tmp_path):
    folder = Folder(tmp_path / "a" / "b" / "lineal")
    folder.ensure()
    assert folder.check() is True
    assert Path(folder.version).read_text() == f"{FOLDER_VERSION}\n"
    os.unlink(folder.version)
    os.rmdir(folder.journals)
    folder.ensure()
    assert sorted(os.listdir(folder.root)) == [".gitignore", "VERSION", "journals"]


def test_many_processes_make_one_folder(tmp_path):
    root = tmp_path / "lineal"
    code = "import sys; from lineal.journal.layout import Folder; Folder(sys.argv[1]).ensure()"
    env = {**os.environ, "PYTHONPATH": str(Path(blobs.__file__).parents[2])}
    started = [subprocess.Popen([sys.executable, "-c", code, str(root)], env=env) for _ in range(8)]
    assert [process.wait() for process in started] == [0] * 8
    assert sorted(os.listdir(root)) == [".gitignore", "VERSION", "journals"]


def seen_by_git(tree):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    asked = ["git", "-C", str(tree), "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("name", [".lineal", "runs", "deep/er/runs", ".lineal/servers/0123"])
def test_git_sees_nothing_of_a_folder_that_was_made(tmp_path, name):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "train.py").touch()
    folder = Folder(tmp_path / name)
    folder.ensure()
    blobs.add_bytes(folder, "default", b"x")
    assert seen_by_git(tmp_path) == ["?? train.py"]


def test_git_sees_nothing_of_an_empty_folder_of_the_usual_name(tmp_path):
    """`mkdir .lineal` says where to record."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".lineal").mkdir()
    Folder(tmp_path / ".lineal").ensure()
    assert seen_by_git(tmp_path) == []


@pytest.mark.parametrize("name", ["project", ".lineal"])
def test_a_folder_that_holds_something_is_not_hidden(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "train.py").touch()
    Folder(tmp_path / name).ensure()
    assert sorted(os.listdir(tmp_path / name)) == ["VERSION", "journals", "train.py"]


def test_an_empty_folder_of_another_name_is_not_hidden(tmp_path):
    """It may become somebody's project, or be a disk that many share."""
    Folder(tmp_path).ensure()
    assert sorted(os.listdir(tmp_path)) == ["VERSION", "journals"]


def test_what_somebody_wants_git_to_see_stays(tmp_path):
    mine = tmp_path / ".lineal" / ".gitignore"
    mine.parent.mkdir()
    mine.write_text("*.db\n")
    Folder(mine.parent).ensure()
    assert mine.read_text() == "*.db\n"
    mine.unlink()
    os.unlink(Folder(mine.parent).version)
    Folder(mine.parent).ensure()
    assert not mine.exists(), "deleted, it stays deleted"


def test_a_folder_that_cannot_be_hidden_is_made(tmp_path, monkeypatch):
    real = os.open

    def refuse(path, *rest, **more):
        if str(path).endswith(".gitignore"):
            raise OSError(28, "No space left on device")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    Folder(tmp_path / ".lineal").ensure()
    monkeypatch.undo()
    assert sorted(os.listdir(tmp_path / ".lineal")) == ["VERSION", "journals"]


@pytest.mark.parametrize("text", ["", "x", "1", "0", "-1", "1.0", "\xff"])
def test_a_version_that_says_nothing_is_not_newer(folder, text):
    Path(folder.version).write_text(text, "latin-1")
    assert folder.check() is True


@pytest.mark.parametrize("text", ["2", "2\n", " 10 ", "999999999999999999999"])
def test_a_newer_version_is_refused(folder, text):
    Path(folder.version).write_text(text)
    for refused in (folder.check, folder.ensure):
        with pytest.raises(NewerFormat):
            refused()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotWritable):
        Folder(tmp_path / "file").check()
    with pytest.raises(OSError):
        Folder(tmp_path / "file").ensure()


def test_segments_are_listed_by_writer_and_number(folder):
    for name in (
        "b" * 15 + "-000002.seg",
        "a" * 15 + "-000010.seg",
        "b" * 15 + "-1000000.seg",
        "b" * 15 + "-000001.seg",
        "x.seg",
        "locks",
    ):
        Path(folder.journals, name).touch()
    found = [(segment.writer[0], segment.number) for segment in folder.list_segments()]
    assert found == [("a", 10), ("b", 1), ("b", 2), ("b", 1_000_000)]
    assert folder.segment("a" * 15, 10) == folder.list_segments()[0].path


def test_the_root_is_found_upward(tmp_path):
    deep = tmp_path / "repository" / "src" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    assert find_root(str(deep)) == str(tmp_path / "repository" / ".lineal")
    (tmp_path / ".lineal").mkdir()
    assert find_root(str(deep)) == str(tmp_path / ".lineal")
    (deep / ".lineal").write_text("a file is no folder")
    assert find_root(str(deep)) == str(tmp_path / ".lineal")


def test_the_file_system_decides_the_writer(tmp_path):
    assert mode_for("/proc") == "write"
    if os.path.isdir("/dev/shm"):
        assert mode_for("/dev/shm") == "mapped"


# -- who is alive ------------------------------------------------------------------------------------------------

HOLD = """
import sys
from lineal.journal.locks import locks_of
locks_of(sys.argv[1]).hold(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def holder(path, writer):
    env = {**os.environ, "PYTHONPATH": str(Path(blobs.__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path, writer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_nobody_is_alive_where_nothing_is(tmp_path):
    assert locks_of(str(tmp_path / "missing" / "locks")).is_live("a" * 15) is False


def test_another_process_is_seen_and_its_death_too(folder):
    writer = new_writer_id()
    with holder(folder.locks, writer) as process:
        locks = locks_of(folder.locks)
        assert locks.is_live(writer)
        assert not locks.is_live(new_writer_id())
        process.kill()
        process.wait()
        assert not locks.is_live(writer)


def test_one_sees_oneself(folder):
    locks = locks_of(folder.locks)
    locks.hold("a" * 15)
    assert locks.is_live("a" * 15)
    locks.release("a" * 15)
    assert not locks.is_live("a" * 15)
    locks.release("a" * 15)


def test_every_id_has_a_byte(folder):
    locks = locks_of(folder.locks)
    for writer in ("0" * 15, "f" * 15, "0" * 14 + "1", "7" + "f" * 14):
        locks.hold(writer)
    assert not locks.is_live("0" * 14 + "2")
    for writer in ("0" * 15, "f" * 15, "0" * 14 + "1", "7" + "f" * 14):
        assert locks.is_live(writer)
        locks.release(writer)
    assert os.path.getsize(folder.locks) == 0


def test_a_locks_file_made_anew_is_noticed(folder):
    writer = new_writer_id()
    locks = locks_of(folder.locks)
    locks.hold("b" * 15)
    os.unlink(folder.locks)
    with holder(folder.locks, writer) as process:
        assert locks.is_live(writer)
        assert locks.is_live("b" * 15)
        process.kill()
    locks.hold("c" * 15)
    os.unlink(folder.locks)
    locks.hold("d" * 15)
    env = {**os.environ, "PYTHONPATH": str(Path(blobs.__file__).parents[2])}
    code = "import sys; from lineal.journal.locks import locks_of; print([locks_of(sys.argv[1]).is_live(c * 15) for c in 'bcde'])"
    seen = subprocess.run(
        [sys.executable, "-c", code, folder.locks], env=env, capture_output=True, text=True, check=True
    )
    assert seen.stdout == "[True, True, True, False]\n", "what was held before is held on the new file too"
    for letter in "bcd":
        locks.release(letter * 15)


def test_a_forked_child_holds_nothing(folder):
    writer = new_writer_id()
    locks_of(folder.locks).hold(writer)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if locks_of(folder.locks).is_live(writer) else 1)
    assert os.waitpid(pid, 0)[1] == 0, "the child sees its parent"
    assert locks_of(folder.locks).is_live(writer)
    locks_of(folder.locks).release(writer)


def test_threads_hold_and_ask_at_once(folder):
    locks = locks_of(folder.locks)
    errors = []

    def work(number):
        try:
            for _ in range(100):
                writer = f"{number:015x}"
                locks.hold(writer)
                assert locks.is_live(writer)
                locks.release(writer)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# -- artifacts' bytes --------------------------------------------------------------------------------------------


def kept(folder, blob):
    path = blobs.find_blob(folder, "default", blob.digest)
    assert path is not None
    return Path(path).read_bytes()


def files_below(path):
    return [os.path.join(place, name) for place, _, names in os.walk(path) for name in names]


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(3_000_000)], ids=["empty", "small", "large"])
def test_a_file_is_kept_under_its_digest(folder, tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    blob = blobs.add_file(folder, "default", str(path))
    assert blob == (hashlib.sha256(content).hexdigest(), len(content)) == blobs.add_bytes(folder, "default", content)
    assert kept(folder, blob) == path.read_bytes() == content
    assert len(files_below(folder.blobs)) == 1
    assert blobs.find_blob(folder, "other", blob.digest) is None


def test_a_kept_file_does_not_change_with_its_source(folder, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"first")
    blob = blobs.add_file(folder, "default", str(path))
    with open(path, "r+b") as file:
        file.write(b"other")
    assert kept(folder, blob) == b"first"


def test_moving_removes_the_source_once_it_is_kept(folder, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x")
    blob = blobs.add_file(folder, "default", str(path), mode="move")
    assert not path.exists()
    assert blobs.find_blob(folder, "default", blob.digest)


def test_what_cannot_be_kept_leaves_nothing(folder, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, error in ((tmp_path / "missing", NotFound), (tmp_path / "fifo", InvalidInput), (tmp_path, InvalidInput)):
        with pytest.raises(error):
            blobs.add_file(folder, "default", str(path))
    assert files_below(folder.blobs) == []


def test_a_copy_that_fails_leaves_nothing(folder, tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(os.urandom(3_000_000))
    real = os.write
    calls = []

    def write(fd, data):
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(blobs, "_reflink", lambda *_: False)
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError):
        blobs.add_file(folder, "default", str(path), mode="move")
    monkeypatch.undo()
    assert files_below(folder.blobs) == []
    assert path.exists()


def test_threads_keep_one_file_at_once(folder, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100_000)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(blobs.add_file(folder, "default", str(path)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert len(files_below(folder.blobs)) == 1
