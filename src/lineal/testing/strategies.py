"""Hypothesis strategies for what stores are told and asked, made to collide: few runs, few names, few moments."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from lineal.model.entities import Artifact, Attempt, Layout, MetricDefinition, SeriesKey, Stamp
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.values import INT64_MAX, INT64_MIN, ParamValue
from lineal.query.syntax import (
    ATTRIBUTES,
    GIT_PROPERTIES,
    NULL_OPERATORS,
    ORDERING_OPERATORS,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Or,
    Order,
    Scalar,
)
from lineal.series.columns import Block, Numbers
from lineal.store.contracts import GroupQuery, RunQuery, RunStart, TenantWriter
from lineal.store.lineage import MODEL_TEXTS, MODEL_TIMES, ModelOrder, ModelQuery

RUN_IDS = ("run-1", "run-2", "r3", "Z" * 32)
WRITERS = ("w1", "w2", "w3")
ATTEMPTS = ("a1", "a2", "a3")
EXPERIMENTS = ("Default", "digits", "é/\0")
NAMES = ("loss", "val/acc", "a.b", "nul\0inside", "😀 \u202e", "`'\"", "x" * 300)
MODELS = ("m-1", "m-2", "\0é")
LABELS = (
    (),
    (("rank", "0"),),
    (("dataset", "é"), ("rank", "1")),
    (("model_id", "m-1"),),
    (("dataset_digest", "1"), ("dataset_name", "train"), ("model_id", "m-1")),
    (("dataset_name", "train"), ("model_id", "\0é")),
)
CODES = (
    "{}",
    '{"commit":"12e3","is_dirty":true,"branch":"main"}',
    '{"commit":"12000","is_dirty":false,"remote":"https://example.com/a\\u0000"}',
    '{"branch":"","commit":7,"is_dirty":"yes","patch":{"files":["a.py"]}}',
)
DOCUMENTS = (
    "{}",
    '{"score":3}',
    '{"score":"3.0"}',
    "[1,2]",
    '["b",null]',
    '{"b":{"c":true}}',
    '{"b.c":0.5,"b":{"c":1}}',
    '{"$float":"NaN"}',
    '"text"',
    "7",
    "no json",
)
ODD_FLOATS = (0.0, -0.0, float("inf"), float("-inf"), 5e-324, 2.0**53, 0.1)
ODD_INTS = (0, 1, -1, 2**53 + 1, INT64_MAX, INT64_MIN)


def _float_of_bits(bits: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return number


nans = st.integers(1, 2**51 - 1).map(lambda payload: _float_of_bits(0x7FF8 << 48 | payload))
"""NaN with a payload, which must come back."""
floats64 = st.one_of(st.sampled_from(ODD_FLOATS), nans, st.floats(allow_nan=False, width=64))
ints64 = st.one_of(st.sampled_from(ODD_INTS), st.integers(INT64_MIN, INT64_MAX))
names = st.one_of(st.sampled_from(NAMES), st.text(st.characters(codec="utf-8"), min_size=1, max_size=5))
texts = st.one_of(st.sampled_from(("", "1", "1.0", "0.10", "nan", "inf", "1e3", "abc", "ABC", "\0", "😀")), names)
param_values: st.SearchStrategy[ParamValue] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    ints64,
    floats64,
    texts,
    st.sampled_from((1, 1.0, "1", True)),
)
maybe_texts = st.one_of(st.none(), texts)
times_ms = st.integers(1, 9)


class Statement(NamedTuple):
    """A call of one method of a tenant writer. Its last argument is a stamp that no other statement has."""

    method: str
    values: tuple[Any, ...]
    stamp: Stamp
    named: dict[str, Any] = {}  # noqa: RUF012  (never changed)

    def apply(self, writer: TenantWriter) -> None:
        getattr(writer, self.method)(*self.values, self.stamp, **self.named)


run_ids = st.sampled_from(RUN_IDS)
attempt_ids = st.sampled_from(ATTEMPTS)
digests = st.sampled_from((None, "0" * 64, "f" * 64))


def _attempts() -> st.SearchStrategy[Attempt]:
    return st.builds(
        Attempt,
        attempt_ids,
        times_ms,
        user_id=maybe_texts,
        host=maybe_texts,
        pid=st.one_of(st.none(), st.integers(0, 2**31)),
        resumed=st.booleans(),
    )


def _starts() -> st.SearchStrategy[RunStart]:
    return st.builds(
        RunStart,
        st.sampled_from(EXPERIMENTS),
        name=maybe_texts,
        description=maybe_texts,
        user_id=maybe_texts,
        parent_run_id=st.one_of(st.none(), run_ids),
        forked_from=st.one_of(st.none(), run_ids),
        fork_step=st.one_of(st.none(), ints64),
        content_digest=digests,
    )


def _artifacts() -> st.SearchStrategy[Artifact]:
    return st.builds(
        Artifact,
        st.sampled_from(("model.pt", "a/../b", "nul\0")),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 2)),
        digests,
        st.sampled_from((None, "s3://bucket/a")),
        st.one_of(st.none(), st.just("text/plain")),
        times_ms,
    )


def _dataset_uses() -> st.SearchStrategy[DatasetUse]:
    """Few, so that they are described in several ways, and several of a run have the same name."""
    some = st.sampled_from((None, "1", "2.10", "a\nb"))
    datasets = st.builds(
        Dataset,
        st.sampled_from(("train", "a.b", "nul\0\x1b")),
        st.sampled_from(("1", "2")),
        some,
        some,
        st.one_of(some, st.just("long" * 300)),
        some,
        some,
    )
    contexts = st.sampled_from(("", "training", "evaluation"))
    return st.builds(DatasetUse, datasets, contexts, st.dictionaries(st.sampled_from("ab"), texts, max_size=2))


def _model_uses() -> st.SearchStrategy[ModelUse]:
    steps = st.one_of(st.none(), st.integers(0, 3))
    return st.builds(ModelUse, st.sampled_from(MODELS), st.sampled_from(("input", "output")), steps)


def _artifact_uses() -> st.SearchStrategy[ArtifactUse]:
    versions = st.one_of(st.none(), st.integers(1, 3))
    return st.builds(
        ArtifactUse, run_ids, st.sampled_from(("model.pt", "nul\0")), st.sampled_from(("0" * 64, "f" * 64)), versions
    )


def _version_uses() -> st.SearchStrategy[VersionUse]:
    return st.builds(VersionUse, st.sampled_from(("0" * 32, "e" * 32)), texts)


_lifecycles = st.sampled_from(("active", "deleted"))
_tags = st.dictionaries(names, maybe_texts, max_size=3)
_BODIES: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "rename_experiment": st.tuples(st.sampled_from(EXPERIMENTS), st.sampled_from((*EXPERIMENTS, "new"))),
    "ensure_experiment": st.tuples(st.sampled_from(EXPERIMENTS)),
    "start_attempt": st.tuples(run_ids, _attempts(), _starts()),
    "end_attempt": st.tuples(
        run_ids, attempt_ids, st.sampled_from(("finished", "failed", "killed")), st.one_of(st.none(), texts)
    ),
    "lose_attempt": st.tuples(run_ids, attempt_ids),
    "regain_attempt": st.tuples(run_ids, attempt_ids),
    "set_params": st.tuples(run_ids, attempt_ids, st.dictionaries(names, param_values, max_size=4)),
    "set_tags": st.tuples(run_ids, _tags),
    "set_note": st.tuples(run_ids, texts),
    "set_name": st.tuples(run_ids, texts),
    "set_document": st.tuples(run_ids, names, st.sampled_from(DOCUMENTS)),
    "set_lifecycle": st.tuples(run_ids, _lifecycles),
    "set_lock": st.tuples(run_ids, st.booleans()),
    "define_metric": st.tuples(
        run_ids,
        st.builds(MetricDefinition, names, st.sampled_from((None, "min", "max")), maybe_texts, maybe_texts),
    ),
    "add_artifact": st.tuples(run_ids, _artifacts()),
    "add_loss": st.tuples(run_ids, st.sampled_from(("full", "over_limit")), st.integers(1, 2**40)),
}
_BODIES["set_capture"] = st.tuples(
    run_ids, attempt_ids, st.sampled_from(("code", "code", "x", "resources")), st.sampled_from(CODES)
)
_BODIES["use_dataset"] = st.tuples(run_ids, _dataset_uses())
_BODIES["use_artifact"] = st.tuples(run_ids, _artifact_uses())
_BODIES["use_version"] = st.tuples(run_ids, _version_uses())
_BODIES["use_model"] = st.tuples(run_ids, _model_uses())
_model_files = st.builds(ModelFile, st.sampled_from(("0" * 64, "e" * 64)), st.integers(0, 2), maybe_texts)
_BODIES["set_loose_file"] = st.tuples(names, st.one_of(st.none(), _model_files))
_model_settings = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "experiment": st.sampled_from(EXPERIMENTS),
        "run_id": run_ids,
        "model_type": texts,
        "path": texts,
        "params": st.dictionaries(names, texts, max_size=2),
        "tags": _tags,
        "status": st.sampled_from(("pending", "ready", "failed")),
        "lifecycle": _lifecycles,
        "files": st.dictionaries(names, st.one_of(st.none(), _model_files), max_size=2),
    },
)
_experiment_settings = st.fixed_dictionaries(
    {},
    optional={
        "description": texts,
        "artifact_location": texts,
        "tags": _tags,
        "lifecycle": _lifecycles,
    },
)


@st.composite
def statements(draw: st.DrawFn, next_seq: Callable[[], int]) -> Statement:
    """One statement; `next_seq` numbers them, so that a stamp is given once."""
    stamp = Stamp(draw(times_ms), draw(st.sampled_from(WRITERS)), next_seq())
    method = draw(st.sampled_from((*_BODIES, "set_experiment", "set_logged_model")))
    if method == "set_logged_model":
        return Statement(method, (draw(st.sampled_from(MODELS)),), stamp, draw(_model_settings))
    if method == "set_experiment":
        return Statement(method, (draw(st.sampled_from(EXPERIMENTS)),), stamp, draw(_experiment_settings))
    return Statement(method, draw(_BODIES[method]), stamp)


# -- points ------------------------------------------------------------------------------------------------


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Few keys, so that series meet in several layouts, with both types of steps and of values."""
    keys = draw(
        st.lists(
            st.builds(
                SeriesKey, st.sampled_from(NAMES[:3]), st.sampled_from(LABELS), st.sampled_from(("float64", "int64"))
            ),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    return Layout(draw(st.sampled_from(("int64", "float64"))), tuple(keys))


def _column(draw: st.DrawFn, value_type: str, rows: int, seed: int) -> Numbers:
    """A few drawn numbers at the front, then noise: thousands of drawn ones would be slow and no wiser."""
    drawn = draw(st.lists(floats64 if value_type == "float64" else ints64, max_size=min(rows, 5)))
    noise = np.random.default_rng(seed)
    column: Numbers = noise.normal(size=rows) if value_type == "float64" else noise.integers(-5, 5, rows)
    column[: len(drawn)] = np.array(drawn, column.dtype)
    return column


@st.composite
def blocks(draw: st.DrawFn, first_seq: int, rows: int, every: int = 1) -> Block:
    """Rows of a random layout with sequence numbers first_seq, first_seq + every ..."""
    layout = draw(layouts())
    seed = draw(st.integers(0, 2**16))
    step = np.arange(rows).astype(layout.step_type) + draw(st.integers(-3, 3))
    if draw(st.booleans()):
        odd = _column(draw, layout.step_type, min(rows, 5), seed)
        step[: len(odd)] = odd
    return Block(
        layout,
        np.arange(rows) * every + first_seq,
        step,
        np.random.default_rng(seed).integers(0, 50, rows),
        tuple(_column(draw, key.value_type, rows, seed + place) for place, key in enumerate(layout.series)),
    )


# -- questions ---------------------------------------------------------------------------------------------

# The mean is left out: it may differ by rounding.
aggregates = st.sampled_from(("last", "last", "first", "min", "max", "count"))
JSON_PATHS = tuple(f"{name}{leaf}" for name in NAMES[:4] for leaf in ("", ".score", ".0", ".1", ".b.c", ".b"))
DATASET_FIELDS = ("name", "version", "digest", "context", "source", "train.version", "a.b.context", "nul\0\x1b.source")
fields = st.one_of(
    st.builds(Field, st.just("attribute"), st.sampled_from(ATTRIBUTES)),
    st.builds(Field, st.sampled_from(("param", "tag")), names),
    st.builds(Field, st.just("metric"), st.sampled_from(NAMES[:3]), aggregates),
    st.builds(Field, st.just("json"), st.sampled_from(JSON_PATHS)),
    st.builds(Field, st.just("dataset"), st.sampled_from(DATASET_FIELDS)),
    st.builds(Field, st.just("git"), st.sampled_from(GIT_PROPERTIES)),
)
scalars: st.SearchStrategy[Scalar] = st.one_of(
    texts,
    floats64,
    ints64,
    st.integers(-(2**70), 2**70),
    st.sampled_from((*EXPERIMENTS, *RUN_IDS, "running", "1970-01-01")),
)
like_patterns = st.one_of(st.text(st.sampled_from("%_aA1.0b*("), max_size=6), texts)
expressions = st.sampled_from(("", "a", "^1", "[0-9]+$", "(?i)ABC", "a|b", ".", "\\.", "x{3}", "^$"))


def comparisons(
    scalars: st.SearchStrategy[Scalar] = scalars, of: st.SearchStrategy[Field] = fields
) -> st.SearchStrategy[Comparison]:
    return st.one_of(
        st.builds(Comparison, of, st.sampled_from(ORDERING_OPERATORS), scalars),
        st.builds(
            Comparison, of, st.sampled_from(("in", "not in")), st.lists(scalars, min_size=1, max_size=3).map(tuple)
        ),
        st.builds(Comparison, of, st.sampled_from(("between", "not between")), st.tuples(scalars, scalars)),
        st.builds(Comparison, of, st.sampled_from(("like", "not like", "ilike", "not ilike")), like_patterns),
        st.builds(Comparison, of, st.sampled_from(("matches", "not matches")), expressions),
        st.builds(Comparison, of, st.just("^="), texts),
        st.builds(Comparison, of, st.sampled_from(NULL_OPERATORS), st.none()),
    )


def filters(leaves: st.SearchStrategy[Comparison] | None = None) -> st.SearchStrategy[Filter]:
    """Trees as the parser makes them: And and Or of two parts or more."""
    return st.recursive(
        comparisons() if leaves is None else leaves,
        lambda parts: st.one_of(
            st.builds(Not, parts),
            st.builds(And, st.lists(parts, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )


maybe_filters = st.one_of(st.none(), filters())
lifecycles = st.sampled_from(("active", "deleted", None))
maybe_experiments = st.one_of(st.none(), st.lists(st.sampled_from((*EXPERIMENTS, "none")), max_size=3).map(tuple))
queries = st.builds(
    RunQuery,
    filter=maybe_filters,
    order=st.lists(st.builds(Order, fields, st.booleans()), max_size=3).map(tuple),
    lifecycle=lifecycles,
    limit=st.sampled_from((1, 2, 100)),
    offset=st.sampled_from((0, 1, 50)),
    experiments=maybe_experiments,
)
group_queries = st.builds(
    GroupQuery,
    by=st.lists(fields, max_size=2).map(tuple),
    metrics=st.lists(fields, max_size=2).map(tuple),
    filter=maybe_filters,
    lifecycle=lifecycles,
    experiments=maybe_experiments,
    limit=st.sampled_from((0, 1, 100)),
)
model_fields = st.one_of(
    st.builds(Field, st.just("attribute"), st.sampled_from((*MODEL_TEXTS, *MODEL_TIMES))),
    st.builds(Field, st.sampled_from(("param", "tag")), names),
    st.builds(Field, st.just("metric"), st.sampled_from(NAMES[:3])),
)
model_queries = st.builds(
    ModelQuery,
    experiments=maybe_experiments,
    filter=st.one_of(st.none(), filters(comparisons(of=model_fields))),
    order=st.lists(
        st.builds(
            ModelOrder,
            model_fields,
            st.booleans(),
            st.sampled_from((None, None, "train", "x")),
            st.sampled_from((None, None, "1")),
        ),
        max_size=2,
    ).map(tuple),
    datasets=st.sampled_from(((), (), (("train", None),), (("train", "1"), ("x", "1")))),
    lifecycle=lifecycles,
)
step_bounds = st.one_of(st.none(), st.integers(-4, 1_200), st.floats(-4, 1_200), ints64, st.sampled_from(ODD_FLOATS))
