"""What reaches whoever reads a program's output is, byte for byte, what would without Lineal, and when it would; what is recorded
is what a terminal would show of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lineal.client.capture.console import pump
from tests.console.programs import TIMEOUT_S, command, environment, folded, logged, run, start, texts

INIT = 'run = lineal.init("x", url=sys.argv[1])\n'
TORTURE = """
import ctypes
libc = ctypes.CDLL(None)
run = lineal.init("x", url=sys.argv[1])
for turn in range(COUNT):
    print("python", turn, "é🦊" * 20)
    print("to stderr", turn, file=sys.stderr)
    sys.stdout.flush(); sys.stderr.flush()
    os.write(1, b"raw %d\\n" % turn)
    libc.printf(b"printf %d\\n", turn)
    libc.fflush(None)
    libc.write(2, b"native error\\n", 13)
    if turn % 100 == 0:
        subprocess.run(["sh", "-c", f"echo child {turn}; echo child error {turn} >&2"])
        for percent in range(0, 101, 5):
            print(f"\\r{percent:3}% {'#' * (percent // 5):20}", end="", flush=True)
        print("\\x1b[1;32m ok\\x1b[0m", flush=True)
        os.write(1, os.urandom(0) + b"\\0\\xff odd \\x1b[2Kbytes\\n")
    sys.stdout.write("x" * 999 + "\\n")
sys.stdout.write("no line feed at the end")
run.finish()
"""


@pytest.mark.parametrize("shared", [False, True])
def test_it_is_what_tee_gets(tmp_path: Path, shared: bool) -> None:
    source = TORTURE.replace("COUNT", "1500")
    errors = subprocess.STDOUT if shared else subprocess.PIPE
    plain = run(source, tmp_path / "plain", "none", stderr=errors)
    teed = tmp_path / "teed"
    with teed.open("wb") as file:
        tee = subprocess.Popen(["tee", "/dev/null"], stdin=subprocess.PIPE, stdout=file)
        captured = run(
            source, tmp_path / "captured", stdout=tee.stdin, stderr=subprocess.STDOUT if shared else subprocess.PIPE
        )
        tee.communicate()
    assert plain.returncode == captured.returncode == 0, captured.stderr
    printed = teed.read_bytes()
    assert len(printed) > 1_500_000 and printed == plain.stdout
    assert captured.stderr == plain.stderr
    if shared:
        assert texts(tmp_path / "captured") == folded(printed)
        assert {line.stream for line in logged(tmp_path / "captured")[0].console()[:9]} == {"both"}
    else:
        assert texts(tmp_path / "captured", "stdout") == folded(printed)
        assert texts(tmp_path / "captured", "stderr") == folded(captured.stderr)
    assert logged(tmp_path / "captured")[0].losses == {}


@pytest.mark.torture
def test_a_hundred_megabytes_are_kept(tmp_path: Path) -> None:
    done = run(
        INIT + "for n in range(1_000_000): print(n, 'x' * 92)\nrun.finish()", tmp_path / "nb", stdout=subprocess.PIPE
    )
    assert done.returncode == 0 and len(done.stdout) > 99_000_000
    assert texts(tmp_path / "nb") == done.stdout.decode().splitlines()
    assert logged(tmp_path / "nb")[0].losses == {}


def test_threads_and_children_are_all_heard_in_their_own_order(tmp_path: Path) -> None:
    source = (
        INIT
        + """
def say(name, count=300):
    for n in range(count):
        os.write(1, f"{name} {n}\\n".encode())
shell = 'for n in 0 1 2 3 4 5 6 7 8 9; do echo "$0 $n"; done'
children = [subprocess.Popen(["sh", "-c", shell, f"child{n}"]) for n in range(3)]
threads = [threading.Thread(target=say, args=(f"thread{n}",)) for n in range(6)]
for one in threads: one.start()
pid = os.fork()
if pid == 0:
    say("forked", 50)
    os._exit(0)
os.waitpid(pid, 0)
for one in threads: one.join()
for one in children: one.wait()
run.finish()
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0, done.stderr
    counts = {**{f"thread{n}": 300 for n in range(6)}, **{f"child{n}": 10 for n in range(3)}, "forked": 50}
    for lines in (done.stdout.decode().splitlines(), texts(tmp_path / "nb")):
        for name, count in counts.items():
            assert [line for line in lines if line.split()[0] == name] == [f"{name} {n}" for n in range(count)]
        assert len(lines) == sum(counts.values())


def test_native_code_may_fill_the_pipe_while_it_holds_the_interpreter(tmp_path: Path) -> None:
    """The trap of a reader thread: `PyDLL` keeps the interpreter's lock while it writes 8 MiB."""
    source = (
        INIT
        + """
import ctypes
line = b"x" * 63 + b"\\n"
data = line * (8 * 1024 * 16)
place = ctypes.create_string_buffer(data)
write = ctypes.PyDLL(None).write
write.argtypes, write.restype = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t], ctypes.c_ssize_t
done = 0
while done < len(data):
    done += write(1, ctypes.addressof(place) + done, len(data) - done)
run.finish()
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0, done.stderr
    lines = 8 * 1024 * 16
    assert done.stdout == (b"x" * 63 + b"\n") * lines
    assert texts(tmp_path / "nb") == ["x" * 63] * lines and logged(tmp_path / "nb")[0].losses == {}


def test_a_reader_that_stands_still_is_waited_for_as_ever(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("begun", file=sys.stderr, flush=True)
for n in range(100_000): print(n, "x" * 50)
print("ended", file=sys.stderr, flush=True)
run.finish()
"""
    )
    program = start(source, tmp_path / "nb")
    assert program.stdout is not None and program.stderr is not None
    assert program.stderr.readline() == b"begun\n"  # 5 MB are more than all pipes together hold
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(1.5)
    printed, errors = program.communicate(timeout=TIMEOUT_S)
    assert program.returncode == 0 and errors == b"ended\n"
    assert printed.decode().splitlines() == [f"{n} {'x' * 50}" for n in range(100_000)]
    assert texts(tmp_path / "nb", "stdout") == printed.decode().splitlines()


def test_a_reader_that_stands_still_keeps_no_run_from_finishing(tmp_path: Path) -> None:
    source = (
        INIT
        + """
sys.stdout.write("x" * 299_999 + "\\n")  # more than the reader's pipe holds, less than ours
run.finish()
print("finished", file=sys.stderr, flush=True)
"""
    )
    program = start(source, tmp_path / "nb")
    assert program.stdout is not None and program.stderr is not None
    assert program.stderr.readline() == b"finished\n"
    assert logged(tmp_path / "nb")[0].losses == {"console_unread": 1}
    printed, _ = program.communicate(timeout=TIMEOUT_S)
    assert printed == b"x" * 299_999 + b"\n" and program.returncode == 0


def test_a_reader_that_goes_ends_the_program_as_ever(tmp_path: Path) -> None:
    source = INIT + "for n in range(10_000_000): print(n)\nrun.finish()"
    answers = []
    for capture in ("none", "console"):
        program = start(source, tmp_path / capture, capture)
        head = subprocess.run(["head", "-1"], stdin=program.stdout, capture_output=True, timeout=TIMEOUT_S, check=True)
        assert program.stdout is not None and program.stderr is not None
        program.stdout.close()
        errors = program.stderr.read()
        assert head.stdout == b"0\n" and b"BrokenPipeError" in errors
        answers.append(program.wait(TIMEOUT_S))
        program.stderr.close()
    assert answers[0] == answers[1]
    [one] = logged(tmp_path / "console")
    assert one.status == "failed" and one.console()[0].text == "0"


def test_a_full_disk_behind_the_output_ends_no_child(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("parent", flush=True)
for turn in range(3):
    child = subprocess.run([sys.executable, "-S", "-c", f"print('child', {turn})"])
    assert child.returncode == 0, child
run.finish()
"""
    )
    with open("/dev/full", "wb") as full:
        done = run(source, tmp_path / "nb", stdout=full)
    assert (done.returncode, done.stderr) == (0, b"")
    assert texts(tmp_path / "nb") == ["parent", "child 0", "child 1", "child 2"]
    assert logged(tmp_path / "nb")[0].losses == {"console_target": len("parent\n") + 3 * len("child 0\n")}


def test_what_is_printed_when_there_is_room_again_arrives(tmp_path: Path) -> None:
    source = """
import resource
from lineal.client.capture.console import pump
reading, writing = os.pipe()
target = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND)
waiting = pump.Waiting(-1, "")
resource.setrlimit(resource.RLIMIT_FSIZE, (4, resource.RLIM_INFINITY))
thread = threading.Thread(target=pump.pump, args=(reading, os.dup(target), b"o", bytes(17), waiting))
thread.start()
os.write(writing, b"12345678")
deadline = time.monotonic() + 60
while len(waiting._parts) < 2:  # the text, and the loss
    assert time.monotonic() < deadline and thread.is_alive()
    time.sleep(0.01)
assert waiting._parts[1][0:1] == b"?" and waiting._parts[1][-8:] == (4).to_bytes(8, "little")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
os.write(writing, b"more")
os.close(writing)
thread.join(60)
print(os.pread(target, 99, 0).decode())
"""
    done = run(source, tmp_path / "file", "none")
    assert (done.returncode, done.stdout) == (0, b"1234more\n"), done.stderr


@pytest.mark.parametrize("way", ["fork", "retire"])
def test_a_descriptor_that_was_given_up_is_not_closed_again(tmp_path: Path, way: str) -> None:
    """Its number may be that of a file of the program's meanwhile."""
    source = """
from lineal.client.capture.console import led, start
led.CONSOLE_IDLE_S = 0.0
run = lineal.init("x", url=sys.argv[1])
try:
    while True:
        os.write(1, b"line\\n" * 1000)
except BrokenPipeError:
    pass
files = [os.open(os.devnull, os.O_WRONLY) for _ in range(12)]
def check():
    for file in files: os.write(file, b"x")
if sys.argv[2] == "fork":
    pid = os.fork()
    if pid == 0:
        try: check()
        except OSError: os._exit(9)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    run.finish()
else:
    thread = start._sources["descriptors"]._reading._thread
    run.finish()
    thread.join(60)
    assert not thread.is_alive()
    check()
print("done", file=sys.stderr)
"""
    program = subprocess.Popen(
        [*command(source, tmp_path / "nb"), way], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert program.stdout is not None
    subprocess.run(["head", "-1"], stdin=program.stdout, stdout=subprocess.DEVNULL, timeout=TIMEOUT_S, check=True)
    program.stdout.close()
    program.stdout = None
    _, errors = program.communicate(timeout=TIMEOUT_S)
    assert (program.returncode, errors) == (0, b"done\n")


@pytest.mark.parametrize("closed", [1, 2])
def test_where_one_is_closed_the_other_is_recorded(tmp_path: Path, closed: int) -> None:
    """And whatever file gets its number is left alone: Lineal's own may."""
    other = 3 - closed
    source = (
        INIT
        + f"""
os.write({other}, b"still here\\n")
print("nobody", file=(sys.stdout, sys.stderr)[{closed} - 1] or open(os.devnull, "w"))
subprocess.run(["sh", "-c", "echo child >&{other}"])
run.log({{"loss": 1.0}})
run.finish()
"""
    )
    arguments = command(source, tmp_path / "nb")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *arguments],
        capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False,
    )  # fmt: skip
    assert (done.stderr if closed == 1 else done.stdout) == b"still here\nchild\n", done
    assert texts(tmp_path / "nb") == ["still here", "child"]
    assert logged(tmp_path / "nb")[0].metrics == {"loss": 1.0}


def test_descriptors_closed_or_replaced_by_the_program_are_left_alone(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("one", flush=True)
file = os.open(sys.argv[1] + "/mine", os.O_CREAT | os.O_WRONLY)
os.dup2(file, 1)
print("mine", flush=True)
run.finish()
print("mine, too", flush=True)
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.stdout == b"one\n" and done.stderr == b""
    assert (tmp_path / "nb" / "mine").read_text() == "mine\nmine, too\n"
    assert texts(tmp_path / "nb") == ["one"]


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"])
def test_the_last_words_of_a_program_that_dies_are_printed(tmp_path: Path, end: str) -> None:
    source = INIT + f"os.write(1, b'x' * 9_999 + b'\\n'); os.write(2, b'last words\\n'); {end}"
    for _ in range(5):
        done = run(source, tmp_path / "nb")
        assert done.returncode in (3, -9, -11)
        assert done.stdout == b"x" * 9_999 + b"\n" and done.stderr == b"last words\n"


def test_a_child_that_stays_keeps_nobody_waiting(tmp_path: Path) -> None:
    source = (
        INIT
        + """
child = subprocess.Popen(["sh", "-c", "echo child; read line; echo later"], stdin=subprocess.PIPE)
print("parent", flush=True)
run.finish()
print("after", flush=True)
child.communicate(b"now\\n")
print("end", flush=True)
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0 and done.stderr == b""
    lines = done.stdout.decode().splitlines()
    assert sorted(lines) == sorted(["parent", "child", "after", "later", "end"])
    recorded = texts(tmp_path / "nb")
    assert "parent" in recorded and "after" not in recorded and "later" not in recorded


def test_no_child_is_there_that_the_program_does_not_know(tmp_path: Path) -> None:
    source = (
        INIT
        + """
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("none")
run.finish()
"""
    )
    assert run(source, tmp_path / "nb").stdout == b"none\n"


def test_a_terminal_stays_a_terminal(tmp_path: Path) -> None:
    source = (
        INIT
        + """
import shutil
print(sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size(1).columns)
print("a\\tb\\x1b[1mc\\x1b[0m")
print("error", file=sys.stderr)
run.finish()
print(sys.stdout.isatty())
"""
    )
    answers = []
    for capture in ("none", "console"):
        master, slave = os.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        program = subprocess.Popen(
            command(source, tmp_path / capture), stdout=slave, stderr=slave, env=environment(capture)
        )
        os.close(slave)
        printed = b""
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:
                break
            if not data:
                break
            printed += data
        os.close(master)
        assert program.wait(TIMEOUT_S) == 0
        answers.append(printed)
    assert answers[0] == answers[1] == b"True True 77\r\na\tb\x1b[1mc\x1b[0m\r\nerror\r\nTrue\r\n"
    assert texts(tmp_path / "console", "both") == ["True True 77", "a\tbc", "error"]


def test_a_helper_that_is_killed_takes_nothing_with_it(tmp_path: Path) -> None:
    source = (
        INIT
        + """
print("one", flush=True)
def helpers():
    found = []
    for name in os.listdir("/proc"):
        try:
            words = open(f"/proc/{name}/cmdline", "rb").read().split(b"\\0")
            is_ours = any(word.endswith(b"pump.py") for word in words) and sys.argv[1].encode() + b"/journals" in words
            if is_ours and os.readlink(f"/proc/{name}/cwd") == "/":
                found.append(int(name))
        except OSError:
            pass
    return found
deadline = time.monotonic() + 60
while True:
    [helper] = helpers() or [0]
    if helper:
        break
    assert time.monotonic() < deadline
    time.sleep(0.01)
journals = sys.argv[1] + "/journals"
while not any(b"one" in open(f"{journals}/{name}", "rb").read() for name in os.listdir(journals) if name.endswith(".seg")):
    assert time.monotonic() < deadline  # else it may have printed what it has told nobody yet
    time.sleep(0.01)
before = os.fstat(1).st_ino
os.kill(helper, 9)
while os.fstat(1).st_ino == before:
    assert time.monotonic() < deadline
    time.sleep(0.01)
print("two", flush=True)
run.finish()
print("three")
"""
    )
    done = run(source, tmp_path / "nb")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"one\ntwo\nthree\n" and texts(tmp_path / "nb")[0] == "one"


def test_a_mark_that_a_dead_helper_has_left_is_printed_nowhere(tmp_path: Path) -> None:
    source = """
        import signal
        from lineal.client.capture.console import descriptors
        spawn, send = descriptors._spawn, descriptors.Leading.send_mark
        def said(name, file):
            try:
                return open(f"/proc/{name}/{file}", "rb").read()
            except OSError:
                return b""
        def spawned(*given):
            global helper
            spawn(*given)
            mine = sys.argv[1].encode() + b"/journals"
            found = []
            while len(found) != 1:  # in the middle of its exec it has no words
                words = {name: said(name, "cmdline") for name in os.listdir("/proc") if name.isdigit()}
                found = [name for name in words if mine in words[name] and b"pump.py" in words[name]]
            helper = int(found[0])
        def stopped_before(self, letter, timeout_s):
            os.kill(helper, signal.SIGSTOP)
            while said(helper, "stat").rpartition(b") ")[2][:1] != b"T":
                time.sleep(0.001)
            print("two", flush=True)
            sent = send(self, letter, timeout_s)
            os.kill(helper, signal.SIGKILL)
            return sent
        descriptors._spawn = spawned
        with lineal.init(url=sys.argv[1], experiment="e"):
            print("one", flush=True)
            descriptors.Leading.send_mark = stopped_before
        print("three")
    """
    done = run(source, tmp_path / "nb", stderr=subprocess.STDOUT)
    assert done.returncode == 0 and done.stdout.replace(b"one\n", b"") == b"two\nthree\n", done.stdout


def test_a_helper_without_a_list_of_its_descriptors_closes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert {0, 1, 2, 100} <= set(pump._open_numbers())
