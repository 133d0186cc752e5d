"""A step of a pipeline is part of a run that stands for the pipeline, and that really is there."""

import os
import signal
import sys
from types import SimpleNamespace

import pytest

import lineal
from lineal.client.capture.pipelines import find_pipeline
from lineal.testing.crash import Child

AIRFLOW = {
    "AIRFLOW_CTX_DAG_ID": "nightly",
    "AIRFLOW_CTX_TASK_ID": "fit",
    "AIRFLOW_CTX_DAG_RUN_ID": "manual__2026-11-26T06:44:00+00:00",
    "AIRFLOW_CTX_TRY_NUMBER": "2",
}


def parents(store):
    """run id -> that of its parent."""
    known = {one.run_id: None for one in store.runs()}
    for parent in (*known, "mine", "theirs"):
        known |= {one.run_id: parent for one in store.runs(f"parent_run_id = '{parent}'")}
    return known


def pipeline_of(environ):
    found = find_pipeline(environ)
    assert found is not None
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_CAPTURE", "execution")
    return tmp_path / "lineal"


@pytest.fixture
def airflow(monkeypatch):
    for name, value in AIRFLOW.items():
        monkeypatch.setenv(name, value)
    return pipeline_of(AIRFLOW).parent_run_id


@pytest.mark.parametrize(
    ("environ", "content"),
    [
        (
            AIRFLOW,
            {
                "name": "airflow",
                "flow": "nightly",
                "run": "manual__2026-11-26T06:44:00+00:00",
                "step": "fit",
                "attempt": "2",
            },
        ),
        (
            {"METAFLOW_FLOW_NAME": "Flow", "METAFLOW_RUN_ID": "17", "METAFLOW_STEP_NAME": "train"},
            {"name": "metaflow", "flow": "Flow", "run": "17", "step": "train"},
        ),
        (
            {"KFP_POD_NAME": "digits-x7k2p-system-container-impl-12", "ARGO_NODE_ID": "digits-x7k2p-1234567890"},
            {
                "name": "kubeflow",
                "flow": "digits-x7k2p",
                "run": "digits-x7k2p",
                "step": "digits-x7k2p-system-container-impl-12",
            },
        ),
        (
            {"KFP_RUN_ID": "0a1b", "WORKFLOW_ID": "digits-x7k2p", "KFP_POD_NAME": "p"},
            {"name": "kubeflow", "flow": "digits-x7k2p", "run": "0a1b", "step": "p"},
        ),
        (
            {"ARGO_NODE_ID": "wf-abc-1234567890"},
            {"name": "argo", "flow": "wf-abc", "run": "wf-abc", "step": "wf-abc-1234567890"},
        ),
        ({"AIRFLOW_CTX_DAG_ID": "nightly"}, None),
        ({"METAFLOW_USER": "me"}, None),
        ({"KFP_POD_NAME": "p"}, None),
        ({}, None),
    ],
    ids=["airflow", "metaflow", "kubeflow-2", "kubeflow-1", "argo", "no-run", "no-flow", "no-workflow", "none"],
)
def test_what_pipelines_say(environ, content):
    found = find_pipeline(environ)
    assert (found and found.content()) == content


def test_a_flow_on_this_machine_is_asked_if_it_is_imported_already(monkeypatch):
    current = SimpleNamespace(flow_name="Flow", run_id="1", step_name="start", task_id="2", retry_count=0)
    monkeypatch.setitem(sys.modules, "metaflow", SimpleNamespace(current=current))
    said = {"name": "metaflow", "flow": "Flow", "run": "1", "step": "start", "task": "2", "attempt": "0"}
    assert pipeline_of({}).content() == said
    monkeypatch.setitem(sys.modules, "metaflow", SimpleNamespace(current=SimpleNamespace(flow_name=None)))
    assert find_pipeline({}) is None


def test_every_step_knows_the_same_parent():
    one, other = pipeline_of(AIRFLOW), pipeline_of({**AIRFLOW, "AIRFLOW_CTX_TASK_ID": "score"})
    assert one.parent_run_id == other.parent_run_id
    assert one.parent_run_id != pipeline_of({**AIRFLOW, "AIRFLOW_CTX_DAG_RUN_ID": "other"}).parent_run_id


def test_the_parent_is_a_run_and_runs_while_a_step_does(folder, airflow):
    step = lineal.init("night", "fit", url=folder)
    assert lineal.current_run() is step
    step.log({"loss": 1.0})
    with lineal.open_store(folder) as store:
        assert parents(store) == {step.run_id: airflow, airflow: None}
        parent = store.get_run(airflow)
        assert (parent.status, parent.experiment, parent.tags) == ("running", "night", {"lineal.pipeline": "airflow"})
        assert parent.name == "nightly manual__2026-11-26T06:44:00+00:00"
        assert not parent.params
    step.finish()
    assert lineal.current_run() is None
    with lineal.open_store(folder) as store:
        assert store.get_run(airflow).status == "finished"
    with pytest.raises(ZeroDivisionError), lineal.init("night", "score", url=folder):
        _ = 1 / 0
    with lineal.open_store(folder) as store:
        parent = store.get_run(airflow)
        assert parent.status == "failed"
        assert [attempt.status for attempt in parent.attempts] == ["finished", "failed"]
        assert len(store.runs(f"parent_run_id = '{airflow}'")) == 2


def test_a_step_that_is_killed_leaves_no_pipeline_running(folder, airflow):
    program = "import lineal, sys, time\nrun = lineal.init(url=sys.argv[1])\nsaid(run.run_id)\n"
    # In short sleeps: Python hears of a signal that comes just before one only when it is over.
    program += "while True: time.sleep(0.05)\n"
    for number, status in ((signal.SIGTERM, "killed"), (signal.SIGKILL, "lost")):
        with Child(program, folder) as step:
            run_id = step.wait_for(lambda line: bool(line))
            os.kill(step.pid, number)
            step.process.wait(60)
        with lineal.open_store(folder) as store:
            assert store.get_run(run_id).status == status
            assert store.get_run(airflow).status == status


def test_whoever_says_the_parent_decides(folder, airflow, monkeypatch):
    with lineal.init(url=folder, parent_run_id="mine") as run:
        pass
    with lineal.open_store(folder) as store:
        assert parents(store) == {run.run_id: "mine"}
    monkeypatch.setenv("LINEAL_PARENT_RUN_ID", "theirs")
    with lineal.init(url=folder) as run, lineal.init(url=folder, run_id="theirs") as itself:
        pass
    with lineal.open_store(folder) as store:
        assert parents(store)[run.run_id] == "theirs"
        assert parents(store)[itself.run_id] is None
    with pytest.raises(lineal.InvalidInput):
        monkeypatch.setenv("LINEAL_PARENT_RUN_ID", "a b")
        lineal.init(url=folder)


def test_without_capture_no_run_is_made_for_the_pipeline(folder, airflow):
    with lineal.init(url=folder, capture="none") as run:
        pass
    with lineal.open_store(folder) as store:
        assert parents(store) == {run.run_id: None}
