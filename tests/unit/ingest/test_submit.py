"""The door that validates: all or nothing, refusals that name the field, and a repeated submission changes nothing."""

from __future__ import annotations

import pytest

from lineal.ingest.submit import Submitter
from lineal.model.errors import Conflict, NotFound
from lineal.record.records import (
    AttemptEnded,
    AttemptStarted,
    ExperimentSet,
    NoteSet,
    ParamsSet,
    RunLifecycleSet,
    RunTagsSet,
    TagsSet,
)
from lineal.store.open import open_store

ATTEMPT = "a" * 15


@pytest.fixture(params=["memory:", "sqlite"])
def store(request, tmp_path):
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/lineal.db"
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def submitter(store):
    return Submitter(store, "default", "b" * 15)


def started(submitter: Submitter) -> None:
    submitter.submit("r1", [AttemptStarted(ATTEMPT, "digits", "mlp"), ParamsSet(ATTEMPT, {"lr": 0.1})])


def test_a_run_from_start_to_end(store, submitter):
    started(submitter)
    submitter.submit("r1", [TagsSet({"k": "v"}), NoteSet("hello"), AttemptEnded(ATTEMPT, "finished")])
    details = store.tenant("default").get_details("r1")
    assert (details.run.status, details.params, details.tags, details.note) == (
        "finished",
        {"lr": 0.1},
        {"k": "v"},
        "hello",
    )


def test_another_value_for_a_param_is_refused_and_nothing_of_the_request_is_kept(store, submitter):
    started(submitter)
    with pytest.raises(Conflict) as refused:
        submitter.submit("r1", [TagsSet({"k": "v"}), ParamsSet(ATTEMPT, {"lr": 0.2})])
    assert refused.value.field == "params.lr"
    details = store.tenant("default").get_details("r1")
    assert (details.params, details.tags, details.conflicts) == ({"lr": 0.1}, {}, [])


def test_the_same_value_again_is_accepted(submitter):
    started(submitter)
    submitter.submit("r1", [ParamsSet(ATTEMPT, {"lr": 0.1})])


def test_two_values_within_one_request_are_refused(submitter):
    started(submitter)
    with pytest.raises(Conflict):
        submitter.submit("r1", [ParamsSet(ATTEMPT, {"x": 1}), ParamsSet(ATTEMPT, {"x": 2})])


def test_an_unknown_run_is_refused(submitter):
    with pytest.raises(NotFound):
        submitter.submit("nobody", [TagsSet({"k": "v"})])


def test_a_deleted_run_is_refused_until_it_is_restored(store, submitter):
    started(submitter)
    submitter.submit(None, [RunLifecycleSet("r1", "deleted")])
    with pytest.raises(Conflict):
        submitter.submit("r1", [TagsSet({"k": "v"})])
    submitter.submit(None, [RunLifecycleSet("r1", "active")])
    submitter.submit("r1", [TagsSet({"k": "v"})])
    assert store.tenant("default").get_details("r1").tags == {"k": "v"}


def test_tags_may_be_said_of_many_runs_from_outside(store, submitter):
    started(submitter)
    submitter.submit("r1", [TagsSet({"old": "1"})])
    submitter.submit(None, [RunTagsSet("r1", {"k": "v", "old": None}), RunTagsSet("r2", {"k": "w"})])
    reader = store.tenant("default")
    assert [reader.get_details(run_id).tags for run_id in ("r1", "r2")] == [{"k": "v"}, {"k": "w"}]


def test_a_submission_repeated_under_its_sequence_is_answered_and_changes_nothing(store, submitter):
    started(submitter)
    last = submitter.submit("r1", [TagsSet({"k": "1"})])
    audit = store.tenant("default").list_audit()
    assert submitter.submit("r1", [TagsSet({"k": "2"})], first_seq=last) == last
    assert store.tenant("default").get_details("r1").tags == {"k": "1"}
    assert store.tenant("default").list_audit() == audit


def test_an_experiment_is_made_and_changed_through_the_same_door(store, submitter):
    submitter.submit(None, [ExperimentSet("digits", description="scans", tags={"team": "vision"})])
    submitter.submit(None, [ExperimentSet("digits", tags={"team": None})])
    found = store.tenant("default").find_experiment("digits")
    assert found is not None
    assert (found.description, found.tags) == ("scans", {})
