"""What broke once, or nearly: each of these was found by somebody trying to break it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import lineal
from lineal import ExperimentTracker, RunConfig
from lineal.journal.layout import Folder
from lineal.model.limits import LAYOUTS_MAX_COUNT


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "notebook")


def run_script(folder: str, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import lineal\nfolder = {folder!r}\n{textwrap.dedent(script)}"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )


def test_a_call_of_thousands_of_metrics_fits_a_segment_of_its_own(folder):
    with lineal.init(url=folder) as run:
        for _ in range(3):
            run.log({f"m{index}": 1.0 for index in range(9_000)})
            run.log({f"layer/{index}/{'x' * 60}": 2.0 for index in range(2_000)})
    assert sum(os.path.getsize(segment.path) for segment in Folder(folder).list_segments()) < 16 * 1024 * 1024
    found = lineal.get_run(run.run_id, url=folder)
    assert (len(found.series), found.losses) == (11_000, {})
    assert found.history("m8999").value.tolist() == [1.0] * 3


def test_names_whose_definition_no_frame_can_hold_are_recorded_one_by_one(folder):
    names = [f"{index:05d}{'n' * 900}" for index in range(9_500)]
    with lineal.init(url=folder) as run:
        run.log(dict.fromkeys(names, 1.5), step=7)
    found = lineal.get_run(run.run_id, url=folder)
    assert (len(found.series), found.losses) == (9_500, {})
    assert found.history(names[-1]).step.tolist() == [7]


def test_ever_new_combinations_of_types_do_not_make_ever_more_layouts(folder):
    seed = 7
    draw = random.Random(seed)
    with lineal.init(url=folder) as run:
        for step in range(2_000):
            run.log({f"m{index}": draw.choice([0, 0.5]) for index in range(12)}, step=step)
        layouts = len(run._journal._layouts._known)
    assert layouts <= LAYOUTS_MAX_COUNT + 2 * 12
    assert lineal.get_run(run.run_id, url=folder).history("m3").step.tolist() == list(range(2_000))


def test_a_host_that_closes_a_copy_of_our_lock_file_does_not_make_us_dead(folder):
    with lineal.init(url=folder) as run:
        run.log({"x": 1.0})
        shutil.copytree(folder, f"{folder}-copy")
        time.sleep(1.5)  # the keeper's next round
        assert run_script(folder, f"print(lineal.get_run({run.run_id!r}, url=folder).status)").stdout == "running\n"


def test_a_folder_logged_as_artifact_leaves_our_own_files_out(tmp_path):
    (tmp_path / "data.txt").write_text("x")
    with lineal.init(url=tmp_path / ".lineal") as run:
        run.log({"x": 1.0})
        run.log_artifact(tmp_path)
    found = lineal.get_run(run.run_id, url=tmp_path / ".lineal")
    assert [artifact.path for artifact in found.artifacts] == ["data.txt"]


@pytest.mark.parametrize("what", ["segment", "journals", "folder"])
def test_what_is_deleted_just_before_the_end_is_written_again(folder, what):
    with lineal.init(url=folder, params={"lr": 0.1}) as run:
        run.log({"x": 1.0})
        (segment,) = Folder(folder).list_segments()
        if what == "segment":
            Path(segment.path).unlink()
        else:
            shutil.rmtree(folder if what == "folder" else Folder(folder).journals)
    found = lineal.get_run(run.run_id, url=folder)
    assert (found.status, found.params, found.metrics) == ("finished", {"lr": 0.1}, {"x": 1.0})


def test_a_clock_that_is_set_back_does_not_turn_the_last_word_into_the_first(folder):
    class Clock:
        now = 2_000_000_000_000_000_000

        def time_ns(self) -> int:
            return self.now

        def monotonic_s(self) -> float:
            return time.monotonic()

    clock = Clock()
    with lineal.init(url=folder) as run:
        run._journal.clock = clock
        run.set_tags({"a": "first"})
        run.set_note("first")
        clock.now -= 3_600 * 10**9
        run.set_tags({"a": "second"})
        run.set_note("second")
    found = lineal.get_run(run.run_id, url=folder)
    assert (found.tags, found.note, found.status) == ({"a": "second"}, "second", "finished")


def test_a_reader_that_forks_lets_go_of_the_ingest_lock(folder):
    with lineal.init(url=folder, run_id="r") as run:
        run.log({"x": 1.0})
    script = """
        import os, fcntl, time
        from lineal.ingest.lock import ingest_lock
        with ingest_lock(folder + "/ingest.lock", 1.0):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
        start = time.monotonic()
        with ingest_lock(folder + "/ingest.lock", 5.0):
            print(time.monotonic() - start < 4.0)
        os.kill(child, 9)
    """
    assert run_script(folder, script).stdout == "True\n"


def test_a_first_run_in_a_thread_does_not_keep_sigterm_from_being_seen(folder):
    script = """
        import os, signal, threading
        thread = threading.Thread(target=lambda: lineal.init(url=folder).finish())
        thread.start(); thread.join()
        run = lineal.init(url=folder, run_id="main")
        os.kill(os.getpid(), signal.SIGTERM)
    """
    assert run_script(folder, script).returncode == -signal.SIGTERM
    assert lineal.get_run("main", url=folder).status == "killed"


def test_many_threads_may_make_the_folder_at_once(folder, caplog):
    barrier = threading.Barrier(8)

    def log() -> None:
        barrier.wait()
        with lineal.init(url=folder) as run:
            run.log({"x": 1.0})

    threads = [threading.Thread(target=log) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caplog.text == ""
    assert lineal.runs("status = 'finished'", url=folder).total == 8


def test_one_writer_that_cannot_be_applied_does_not_keep_the_others_out(folder, monkeypatch):
    from lineal.ingest import follow
    from lineal.ingest.replay import replay

    def failing(store, opened, *args, **settings):
        if opened.run_id == "bad":
            raise UnicodeEncodeError("utf-8", "", 0, 1, "a fault of ours")
        return replay(store, opened, *args, **settings)

    monkeypatch.setattr(follow, "replay", failing)
    for run_id in ("good1", "bad", "good2"):
        with lineal.init(url=folder, run_id=run_id, tags={"name": run_id}):
            pass
    with lineal.open_store(folder) as store:
        problems = store.refresh().problems
        assert sorted(run.run_id for run in store.runs()) == ["good1", "good2"]
        assert len(problems) == 1
        monkeypatch.undo()
        monkeypatch.setattr("lineal.local.REFUSED_RETRY_S", 1e9)
        assert len(store.runs()) == 2  # not with every question
        monkeypatch.setattr("lineal.local.REFUSED_RETRY_S", 0.0)
        assert len(store.runs()) == 3


def test_a_damaged_database_does_not_keep_training_from_starting(folder, caplog):
    with lineal.init(url=folder, run_id="r") as run:
        run.log({"x": 1.0})
    assert lineal.get_run("r", url=folder).status == "finished"
    Path(Folder(folder).database).write_bytes(b"no database at all" * 1_000)
    with lineal.init(url=folder, run_id="s") as run:
        run.log({"x": 1.0})
    assert "cannot be read" in caplog.text


def test_statements_from_outside_are_checked_like_those_of_a_run(folder):
    with lineal.init(url=folder, run_id="r"):
        pass
    for refused in (
        lambda: lineal.end_run("r", "FINISHED", url=folder),  # type: ignore[arg-type]
        lambda: lineal.tag_run("r", {"": "x"}, url=folder),
        lambda: lineal.tag_run("r", {"k": "x" * 100_000}, url=folder),
        lambda: lineal.set_experiment("", url=folder),
        lambda: lineal.set_experiment("n" * 300, url=folder),
        lambda: lineal.set_experiment("n", description="d" * 2_000, url=folder),
        lambda: lineal.init(url=folder, rank=3),
        lambda: lineal.init(url=folder, run_id="own", parent_run_id="own"),
        lambda: lineal.runs(url=folder, limit=1.5),  # type: ignore[arg-type]
    ):
        with pytest.raises(lineal.InvalidInput):
            refused()
    found = lineal.get_run("r", url=folder)
    assert (found.status, found.tags, found.losses) == ("finished", {}, {})


def test_end_run_ends_any_run_of_this_process_for_good(folder):
    first = lineal.init(url=folder, run_id="first")
    with lineal.init(url=folder, run_id="second"):
        lineal.end_run("first", "failed", url=folder)
        first.finish()
    assert lineal.get_run("first", url=folder).status == "failed"


def test_the_facade_orders_within_one_tenant(tmp_path):
    tracker = ExperimentTracker(str(tmp_path / "notebook"))
    for tenant, value in ((None, 0.1), (None, 0.9), ("other", 0.5)):
        with tracker.start_run("e", RunConfig(tenant_id=tenant)) as run:
            run.log_metric("m", value)
    (best,) = tracker.search_runs(["e"], order_by=["metrics.m DESC"], max_results=1, filter_string=None)
    assert best["metrics"] == {"m": 0.9}
    for _ in range(3):
        with tracker.start_run("e"):
            pass
    assert len(tracker._active) <= 1


def test_content_ids_leave_nothing_out_in_silence(tmp_path):
    with pytest.raises(lineal.InvalidInput):
        lineal.content_id(code="c", params={"prompt": "x" * 70_000})
    with pytest.raises(lineal.NotFound):
        lineal.content_id(code="c", data=tmp_path / "nope.csv")


def test_nested_params_said_in_parts_are_kept_whole(folder):
    with lineal.init(url=folder, params={"opt": {"lr": 0.1}}) as run:
        run.log_params({"data": {"name": "digits"}})
        with pytest.raises(lineal.InvalidInput):
            run.set_json("params", {})
    found = lineal.get_run(run.run_id, url=folder)
    assert found.document("params") == {"opt": {"lr": 0.1}, "data": {"name": "digits"}}


def test_a_json_artifact_is_json(folder):
    import json

    with lineal.init(url=folder) as run:
        run.log_dict({"loss": float("nan"), "all": [float("inf"), 1.0]}, "x.json")
    text = lineal.get_run(run.run_id, url=folder).artifact_path("x.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"loss": "NaN", "all": ["Infinity", 1.0]}
