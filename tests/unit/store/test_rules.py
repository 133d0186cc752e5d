"""Rules that both stores share; the suite asks them in any order, here are their corners."""

import hashlib

import numpy as np

from lineal.model.entities import Attempt, Layout, SeriesKey, Stamp
from lineal.model.limits import BLOCK_ROWS, SERIES_PER_RUN_MAX_COUNT
from lineal.model.values import ParamValue
from lineal.series.columns import Block
from lineal.store.audit import digest_of
from lineal.store.contracts import RunStart
from lineal.store.rules import AttemptFacts, Ending, Opening, attribute_of, rank, run_of, started, typed_text
from lineal.store.sql.blocks import CHUNKS_OF_BLOCK, MERGED_ROWS
from lineal.store.sql.fresh import after, in_order, join_parts
from lineal.store.sql.mounts import is_on_network
from lineal.store.sql.names import labels_of, labels_text, pack_series, unpack_series


def test_typed_text_tells_types_apart() -> None:
    values: list[ParamValue] = [
        1,
        1.0,
        True,
        "1",
        "True",
        None,
        "None",
        0.0,
        -0.0,
        "1.0",
        "i1",
        float("nan"),
        "nan",
        2**200,
    ]
    assert len({typed_text(value) for value in values}) == len(values)
    assert typed_text(float("nan")) == typed_text(-float("nan"))


def test_digests_are_of_canonical_json() -> None:
    expected = hashlib.sha256(b'{"a":{"b":1,"c":null},"z":"\\u00e9"}').digest()
    assert digest_of({"z": "é", "a": {"c": None, "b": 1}}) == expected


def test_attempts_that_never_started_come_first() -> None:
    opening = Opening(Attempt("b", 5), RunStart("e"), Stamp(5, "w", 1))
    facts = [
        AttemptFacts("z"),
        AttemptFacts("b", opening),
        AttemptFacts("a", ending=Ending("failed", None, Stamp(9, "w", 2))),
    ]
    assert [f.attempt_id for f in sorted(facts, key=lambda f: rank(f, f.attempt_id))] == ["a", "z", "b"]
    assert [f.attempt_id for f in started(facts)] == ["b"]


def test_a_run_known_by_mention_only() -> None:
    run = run_of("0123456789", [], None, "deleted", lambda name: (f"id of {name}", name))
    assert (run.name, run.experiment_id, run.status, run.lifecycle) == (
        "01234567",
        "id of Default",
        "running",
        "deleted",
    )
    assert attribute_of(run, "duration") is None and attribute_of(run, "experiment") == "Default"


def test_names_as_numbers() -> None:
    labels = (("dataset", "é\0"), ("rank", "0"))
    assert labels_of(labels_text(labels)) == labels and labels_of(labels_text(())) == ()
    assert unpack_series(pack_series([1, 2**32 - 1])) == [1, 2**32 - 1] and pack_series([1]) == b"\1\0\0\0"
    assert SERIES_PER_RUN_MAX_COUNT < CHUNKS_OF_BLOCK and MERGED_ROWS[-1] <= BLOCK_ROWS


def block(*seqs: int) -> Block:
    array = np.array(seqs, np.int64)
    return Block(Layout("int64", (SeriesKey("x", (), "int64"),)), array, array, array, (array,))


def test_rows_in_order_of_logging() -> None:
    assert in_order(block(1, 2, 3)).seq is not None
    parts = join_parts([(7, block(5, 6)), (8, block(1)), (7, block(2, 3))])
    assert parts[7].values[0].tolist() == [2, 3, 5, 6] and parts[8].seq.tolist() == [1]
    assert after(parts[7], 3).seq.tolist() == [5, 6] and after(parts[7], None) is parts[7]
    assert len(after(parts[7], 6)) == 0


MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 0:41 / /home/local\\040disk rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/buckets rw - fuse.s3fs s3fs rw
"""


def test_network_file_systems(tmp_path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    found = {
        path: is_on_network(type(tmp_path)(path), table)
        for path in ("/home/a/x.db", "/home", "/homes/x.db", "/home/local disk/x.db", "/mnt/buckets/x.db", "/x.db")
    }
    assert [path for path, on_network in found.items() if on_network] == ["/home/a/x.db", "/home", "/mnt/buckets/x.db"]
    assert not is_on_network(tmp_path, tmp_path / "none")
