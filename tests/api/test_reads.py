"""What a reader of a local folder is promised: everything whose call returned, bit for bit, wherever it runs."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import lineal


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "notebook")


def logged(folder, count=100, **settings):
    with lineal.init(url=folder, **settings) as run:
        for step in range(count):
            run.log({"loss": 1 / (step + 1), "step_squared": step * step}, step=step)
    return run


def test_a_query_sees_every_call_that_returned_while_the_run_is_open(folder):
    with lineal.init(url=folder, params={"lr": 0.1}) as run:
        for step in range(50):
            run.log({"loss": step / 7}, step=step)
            if step % 10 == 9:
                history = lineal.get_run(run.run_id, url=folder).history("loss")
                assert history.step.tolist() == list(range(step + 1))
        seen = lineal.get_run(run.run_id, url=folder)
        assert (seen.status, seen.params) == ("running", {"lr": 0.1})
    assert lineal.get_run(run.run_id, url=folder).status == "finished"


def test_values_come_back_bit_for_bit_with_their_types(folder):
    values: list[Any] = [0.1, -0.0, 5e-324, float("inf"), float("-inf"), float("nan"), 1e308, np.float32(0.1)]
    with lineal.init(url=folder) as run:
        for value in values:
            run.log({"x": value, "n": 2**53 + 1})
    read = lineal.get_run(run.run_id, url=folder)
    expected = np.array([float(value) for value in values])
    assert read.history("x").value.tobytes() == expected.tobytes()
    assert read.history("n").value.tolist() == [2**53 + 1] * len(values)
    assert read.history("n").value.dtype == np.int64


def test_another_process_reads_what_a_living_one_logs(folder):
    with lineal.init(url=folder, name="alive") as run:
        run.log({"loss": 0.5}, step=3)
        script = f"""
            import lineal
            run = lineal.get_run({run.run_id[:6]!r}, url={folder!r})
            history = run.history("loss")
            print(run.status, history.step.tolist(), history.value.tolist())
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == "running [3] [0.5]"


def test_a_run_whose_process_was_killed_is_lost_and_keeps_its_points(folder):
    script = f"""
        import lineal, os, signal
        run = lineal.init(url={folder!r}, run_id="victim")
        for step in range(1000):
            run.log({{"loss": step * 0.5}}, step=step)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=60, check=False)
    run = lineal.get_run("victim", url=folder)
    assert run.status == "lost"
    assert run.history("loss").value.tolist() == [step * 0.5 for step in range(1000)]
    assert os.listdir(os.path.join(folder, "journals")) == ["locks"]


def test_a_prefix_finds_one_run_and_refuses_two(folder):
    for run_id in ("abc1", "abc2", "xyz"):
        logged(folder, 1, run_id=run_id)
    with lineal.open_store(folder) as store:
        assert store.get_run("x").run_id == "xyz"
        with pytest.raises(lineal.InvalidInput, match="ambiguous"):
            store.get_run("abc")
        with pytest.raises(lineal.NotFound):
            store.get_run("nope")


def test_an_unknown_metric_is_named(folder):
    run = logged(folder)
    with pytest.raises(lineal.NotFound, match="no metric 'accuracy'"):
        lineal.get_run(run.run_id, url=folder).history("accuracy")


def test_a_folder_nobody_has_written_to_is_empty(folder):
    with lineal.open_store(folder) as store:
        assert (len(store.runs()), store.experiments()) == (0, [])
    assert not os.path.exists(folder)


def test_downsampling_counts_every_point_and_keeps_a_spike(folder):
    with lineal.init(url=folder) as run:
        for step in range(20_000):
            run.log({"loss": 1e9 if step == 12_345 else 0.0}, step=step)
    history = lineal.get_run(run.run_id, url=folder).history("loss", max_points=200)
    assert 0 < len(history) <= 200
    assert history.buckets is not None
    assert int(history.buckets.count.sum()) == history.point_count == 20_000
    assert history.buckets.max.max() == 1e9


def test_a_resumed_run_keeps_all_points_and_the_chart_shows_the_latest_attempt(folder):
    with pytest.raises(RuntimeError), lineal.init(url=folder, run_id="r") as run:
        for step in range(10):
            run.log({"loss": 1.0}, step=step)
        raise RuntimeError("out of memory")
    with lineal.init(url=folder, run_id="r", resume="must") as run:
        assert run.resumed
        for step in range(5, 12):
            run.log({"loss": 2.0}, step=step)
    read = lineal.get_run("r", url=folder)
    assert (read.status, len(read.attempts)) == ("finished", 2)
    assert read.history("loss").step.tolist() == [*range(10), *range(5, 12)]
    latest = read.history("loss", attempts="latest")
    assert latest.step.tolist() == list(range(12))
    assert latest.value.tolist() == [1.0] * 5 + [2.0] * 7
    assert read.history("loss", max_points=100).value.tolist() == latest.value.tolist()


def test_a_resumed_run_goes_on_counting_steps(folder):
    with lineal.init(url=folder, run_id="r", resume="allow") as run:
        for _ in range(3):
            run.log({"loss": 1.0})
    with lineal.init(url=folder, run_id="r", resume="allow") as run:
        run.log({"loss": 2.0})
    assert lineal.get_run("r", url=folder).history("loss").step.tolist() == [0, 1, 2, 3]


def test_a_fork_begins_with_its_parents_curve(folder):
    logged(folder, 10, run_id="parent")
    with lineal.init(url=folder, run_id="child", fork_from="parent@4") as run:
        for step in range(5, 8):
            run.log({"loss": 9.0}, step=step)
    history = lineal.get_run("child", url=folder).history("loss")
    assert history.step.tolist() == list(range(8))
    assert history.value.tolist()[:5] == [1 / (step + 1) for step in range(5)]
    drawn = lineal.get_run("child", url=folder).history("loss", max_points=100)
    assert drawn.step.tolist() == list(range(8))
    assert lineal.get_run("child", url=folder).history("step_squared").step.tolist() == list(range(5))


def test_a_held_ingest_lock_does_not_keep_answers_back(folder, monkeypatch):
    monkeypatch.setattr("lineal.local.INGEST_LOCK_WAIT_S", 0.05)
    first = logged(folder)
    assert lineal.get_run(first.run_id, url=folder).status == "finished"
    second = logged(folder, run_id="while-held")
    with open(os.path.join(folder, "ingest.lock"), "r+b") as held, lineal.open_store(folder) as store:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert store.get_run(first.run_id).history("loss").step.tolist() == list(range(100))
        assert store.get_run(second.run_id).history("loss").step.tolist() == list(range(100))
        third = logged(folder, run_id="later")
        assert store.get_run(third.run_id).status == "finished"
        assert len(store.runs()) == 3
        fcntl.flock(held, fcntl.LOCK_UN)
        assert store.get_run(third.run_id).status == "finished"
        assert store.tenants() == ["default"]
    assert len(lineal.runs(url=folder)) == 3


def test_the_folder_may_be_deleted_and_made_anew_under_a_reader(folder):
    import shutil

    with lineal.open_store(folder) as store:
        logged(folder, run_id="before")
        assert [run.run_id for run in store.runs()] == ["before"]
        shutil.rmtree(folder)
        assert len(store.runs()) == 0
        logged(folder, run_id="after")
        assert [run.run_id for run in store.runs()] == ["after"]


def test_two_stores_of_one_folder_see_each_others_ingest(folder):
    logged(folder, run_id="one")
    with lineal.open_store(folder) as first, lineal.open_store(folder) as second:
        assert len(first.runs()) == len(second.runs()) == 1
        logged(folder, run_id="two")
        assert len(first.runs()) == len(second.runs()) == 2


def test_filters_and_one_sort_key(folder):
    for index, rate in enumerate([0.1, 0.01, 0.1]):
        with lineal.init("digits", f"r{index}", url=folder, params={"lr": rate}, tags={"kind": "mlp"}) as run:
            run.log({"val/acc": 0.5 + index / 10})
    found = lineal.runs(
        "params.lr = 0.1 and tags.kind = 'mlp' and status = 'finished'", order_by="metrics.val/acc desc", url=folder
    )
    assert [run.name for run in found] == ["r2", "r0"]
    assert found.total == 2
    assert len(lineal.runs(experiment="digits", url=folder, limit=1)) == 1
    with pytest.raises(lineal.InvalidInput):
        lineal.runs("params.lr ~ 3", url=folder)


def test_changes_from_outside_of_a_run(folder):
    logged(folder, run_id="r")
    lineal.tag_run("r", {"kept": "yes", "n": 3}, url=folder)
    lineal.tag_run("r", {"n": None}, url=folder)
    assert lineal.get_run("r", url=folder).tags == {"kept": "yes"}
    lineal.delete_run("r", url=folder)
    assert len(lineal.runs(url=folder)) == 0
    with pytest.raises(lineal.Conflict):
        lineal.init(url=folder, run_id="r", resume="allow")
    lineal.restore_run("r", url=folder)
    assert len(lineal.runs(url=folder)) == 1


def test_documents_notes_and_references(folder, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("a,b\n")
    with lineal.init(url=folder, note="# why") as run:
        run.set_json("review", {"score": 3, "by": ["a", float("nan")]})
        run.log_artifact(data, mode="reference")
        run.log_artifact("s3://bucket/model.pt", "models", mode="reference", digest="0" * 64)
        run.log_text("v1", "notes.txt")
        run.log_text("v2", "notes.txt")
    read = lineal.get_run(run.run_id, url=folder)
    assert read.note == "# why"
    document: Any = read.document("review")
    assert document["score"] == 3
    references = {artifact.path: artifact.uri for artifact in read.artifacts if artifact.uri}
    assert references == {"data.csv": str(data), "models/model.pt": "s3://bucket/model.pt"}
    assert read.artifact_path("notes.txt").read_text() == "v2"
    assert read.artifact_path("notes.txt", version=1).read_text() == "v1"
    with pytest.raises(lineal.NotFound):
        read.artifact_path("models/model.pt")


def test_ranks_share_a_run_under_labels(folder):
    with lineal.init(url=folder, run_id="ddp", rank=0) as first:
        first.log({"loss": 0.5}, step=0)
        script = f"""
            import lineal
            with lineal.init(url={folder!r}, run_id="ddp", rank=1) as run:
                run.log({{"loss": 0.7}}, step=0)
        """
        subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=60, check=True)
    read = lineal.get_run("ddp", url=folder)
    assert read.status == "finished"
    assert read.history("loss").value.tolist() == [0.5]
    assert read.history("loss", labels={"rank": "1"}).value.tolist() == [0.7]


def test_a_read_only_folder_answers_with_its_unread_journals(folder, tmp_path):
    def run_script(script: str) -> list[str]:
        command = [sys.executable, "-c", f"import lineal\nfolder = {folder!r}\n{textwrap.dedent(script)}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()

    if os.geteuid() != 0 or subprocess.run(["mount", "--bind", tmp_path, tmp_path], check=False).returncode:
        pytest.skip("needs root and mount")
    log = textwrap.dedent("""
        with lineal.init(url=folder, run_id={run_id!r}) as run:
            for step in range(100):
                run.log({{"loss": step}}, step=step)
    """)
    try:
        run_script(log.format(run_id="known") + "\nprint(lineal.get_run('known', url=folder).status)")
        run_script(log.format(run_id="unread"))
        subprocess.run(["mount", "-o", "remount,bind,ro", tmp_path], check=True)
        read = """
            with lineal.open_store(folder) as store:
                print(*[run.run_id for run in store.runs()])
                print(*store.get_run("unread").history("loss").value.tolist())
        """
        assert run_script(read) == ["unread", "known", *map(str, range(100))]
        run_script("run = lineal.init(url=folder)\nrun.log({'loss': 1.0})\nrun.finish()")
        assert run_script(read) == ["unread", "known", *map(str, range(100))]
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=False)


def test_a_run_that_was_killed_before_its_start_was_written_whole_is_lost(folder):
    """Interrupted within init: the segment says whose it is, and no more."""
    from lineal.client.host import host_name
    from lineal.journal.journal import Identity, Journal
    from lineal.journal.layout import Folder

    journal = Journal(Folder(folder), Identity("default", "young", "a" * 15, primary=True, host=host_name()))
    journal.append_points({"loss": 1.0}, 0, 1_700_000_000_000_000_000)
    (segment,) = Folder(folder).list_segments()
    with open(segment.path, "rb") as file:
        content = file.read()
    journal.close()
    with open(segment.path, "wb") as file:
        file.write(content)
    assert lineal.get_run("young", url=folder).status == "lost"
    assert lineal.runs("status = 'running'", url=folder).total == 0
