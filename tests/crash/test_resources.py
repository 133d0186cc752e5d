"""The thread that samples, at the ends a process may come to: kill -9, SIGTERM, forks in every moment, the interpreter's own end."""

import os
import signal

import lineal

LIMIT_S = 150
FORKS = int(os.environ.get("LINEAL_TEST_FORKS", "300" if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else "24"))

BEGIN = """
import lineal, os, sys, time
from lineal.client.capture.resources.sampler import SAMPLER
from lineal.client.capture.resources.start import start
run = lineal.init(url=sys.argv[1], run_id="r", experiment="e")
resources = start(run)
def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1_000))
"""

# Totals are said with the first sample; whatever is said is in the journal.
SAMPLED = """
while not resources._meter._totals.sample_count:
    burn(0.05)
with resources._meter._lock:
    said("sampled")
"""


def resources_of(folder, part="resources"):
    with lineal.open_store(folder) as store:
        capture = store.reader().find_capture("r", part)
    return None if capture is None else capture.content


def test_a_killed_run_has_the_totals_of_its_last_statement(child, folder, read, writer):
    process = child(BEGIN + SAMPLED + "burn(60)", folder)
    process.wait_for("sampled")
    process.kill()
    assert read("r").status == "lost"
    total = resources_of(folder)
    assert total["wall_s"] >= 0.9 and 0 < total["cpu_hours"] * 3600 < 60 and total["sample_count"] == 1
    assert {info.key.name for info in read("r").series} >= {"system/process/memory_bytes", "system/memory_bytes"}


def test_a_sigterm_ends_it_as_without_the_thread(child, folder, read):
    process = child(BEGIN + SAMPLED + "burn(60)", folder)
    process.wait_for("sampled")
    process.kill(signal.SIGTERM)
    assert process.end(LIMIT_S) == -signal.SIGTERM
    assert read("r").status == "killed" and resources_of(folder)["wall_s"] > 0


def test_the_interpreter_ends_beside_the_thread(child, folder, read):
    process = child(BEGIN + SAMPLED, folder)
    assert process.end(LIMIT_S) == 0
    assert read("r").status == "finished"


def test_forks_in_every_moment_of_sampling(child, folder, read):
    """The thread samples without a pause while the main one forks; children log, start runs of their own, and end."""
    program = (
        BEGIN
        + """
import threading, _thread
stop = False
def sample():
    while not stop:
        SAMPLER._sample([resources._meter])
_thread.start_new_thread(sample, ())
for number in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        run.log({"child": number}, step=number)
        resources.stop()
        if number % 4 == 0:
            with lineal.init(url=sys.argv[1], run_id=f"own-{number}", experiment="e") as own:
                start(own).stop()
        os._exit(0)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            said("child", number, status)
            break
        time.sleep(0.001)
    else:
        os.kill(pid, 9)
        said("hang", number)
stop = True
resources.stop()
run.finish()
"""
    )
    process = child(program, folder, FORKS)
    assert process.end(LIMIT_S) == 0, process.output()
    assert process.lines() == [f"child {number} 0" for number in range(FORKS)]
    assert read("r").history("child").step.tolist() == list(range(FORKS))
    assert read("own-0").status == "finished"
    assert resources_of(folder)["wall_s"] > 0
