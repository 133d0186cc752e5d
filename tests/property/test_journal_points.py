"""Any dict of names and numbers, at any steps, in any order: what was logged is what is read."""

import math
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineal
from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.testing.crash import read_journals

names = st.one_of(
    st.sampled_from(["loss", "acc", "train/loss", "a", "b"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    st.sampled_from(
        ["/", "..", "../../etc/passwd", "\0", "🦊", "\u202eabc", "a b", "'", '"', "\n", "%s", "NaN", "$float"]
    ),
)
int64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**53 + 1, -(2**63), 2**63 - 1, 0]))
floats = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("<d", n.to_bytes(8, "little"))[0]),
    st.floats(width=32),
    st.floats(width=16),
)
values = st.one_of(int64, floats, st.booleans())
steps = st.one_of(st.integers(-5, 5), int64, st.floats(allow_nan=False))
calls = st.lists(st.tuples(st.dictionaries(names, values, min_size=1, max_size=5), steps), max_size=12)


def bits(number):
    return struct.pack("<d", number) if isinstance(number, float) else int(number)


def key_of(name, value):
    return name, "float64" if isinstance(value, float) else "int64"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One folder for all examples, open for reading; a new run each."""
    with lineal.open_store(tmp_path_factory.mktemp("home") / "lineal") as store:
        yield store


@given(calls)
def test_journal_keeps_every_call(tmp_path_factory, said):
    folder = Folder(tmp_path_factory.getbasetemp() / "journals")
    journal = Journal(folder, Identity("default", "r", "a", True), mode="write")
    for metrics, step in said:
        assert journal.append_points(metrics, step, 0)
    assert journal.close()
    readings = [reading for found in read_journals(folder.root).values() for reading in found]
    for segment in folder.list_segments():
        os.unlink(segment.path)
    points = [point for reading in readings for point in reading.points]
    assert len(points) == len(said)
    for (metrics, step), (got_step, got) in zip(said, points, strict=True):
        assert bits(got_step) == bits(step)
        assert list(got) == list(metrics)
        assert [(type(v) is float, bits(v)) for v in got.values()] == [
            (isinstance(v, float), bits(v)) for v in metrics.values()
        ]
    seqs = [said.header.seq for reading in readings for said in reading.said if said.header.seq]
    assert seqs == list(range(1, len(said) + 1))


@given(calls, st.booleans())
@pytest.mark.parametrize("writer", ["mapped", "write"])
def test_what_was_logged_is_what_is_read(home, writer, said, reads_between):
    """The whole road: journal, ingest, store, reader. Points of a name keep their order, types and bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINEAL_JOURNAL_WRITER", writer)
        run = lineal.init(url=home.folder.root)
    expected: dict = {}
    for number, (metrics, step) in enumerate(said):
        run.log(metrics, step=step)
        for name, value in metrics.items():
            expected.setdefault(name, []).append((step, value))
        if reads_between and number == len(said) // 2:
            assert home.get_run(run.run_id).status == "running"
    run.finish()
    logged = home.get_run(run.run_id)
    assert logged.losses == {}
    assert {info.key.name for info in logged.series} == set(expected)
    for name, points in expected.items():
        history = logged.history(name)
        got_steps, got_values = history.step.tolist(), history.value.tolist()
        assert len(got_values) == len(points)
        mixed = len({isinstance(value, float) for _, value in points}) > 1
        for (step, value), got_step, got in zip(points, got_steps, got_values, strict=True):
            assert got_step == step
            if mixed and history.value.dtype == float:
                assert float(value) == got or (math.isnan(value) and math.isnan(got))
            else:
                assert bits(got) == bits(value)


@given(st.lists(st.one_of(st.none(), st.integers(-1000, 1000), st.floats(-1000, 1000)), max_size=20))
def test_a_missing_step_counts_on_from_the_last(home, given_steps):
    expected, following = [], 0
    with lineal.init(url=home.folder.root) as run:
        for step in given_steps:
            run.log({"x": 1}, step=step)
            expected.append(following if step is None else step)
            following = int(expected[-1]) + 1
    if expected:
        assert home.get_run(run.run_id).history("x").step.tolist() == expected


trees = st.recursive(
    st.one_of(values, st.none(), st.just("text")),
    lambda inner: st.dictionaries(st.text("ab/", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("ab/", min_size=1, max_size=3), trees, max_size=4))
def test_nested_mappings_every_value_is_recorded_or_counted(home, metrics):
    """Joined by "/", two values may come out under one name: then one of them is refused, not dropped in silence."""

    def leaves(tree):
        return [leaf for value in tree.values() for leaf in (leaves(value) if isinstance(value, dict) else [value])]

    with lineal.init(url=home.folder.root) as run:
        run.log(metrics, step=0)
    logged = home.get_run(run.run_id)
    recorded = sum(info.summary.count for info in logged.series)
    same = sum(logged.losses.values()) + recorded
    # Two equal values under one name are one statement.
    assert same <= len(leaves(metrics))
    if len({bits(v) for v in leaves(metrics) if isinstance(v, (int, float))}) == len(leaves(metrics)):
        assert same == len(leaves(metrics))
