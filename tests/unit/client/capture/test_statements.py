"""What a look found is made into records once for all runs that share it, and no more is kept of it than that takes."""

import gc
import weakref

import lineal
from lineal.client.capture.code import Code
from lineal.client.capture.statements import is_at_hand, say
from lineal.record.records import CaptureSet
from tests.unit.client.capture.said import records


class Files(dict):
    """Which can be watched."""


def test_the_files_of_a_look_are_not_kept(tmp_path):
    """Megabytes of source, for as long as the training goes on."""
    files = Files({"snapshot.archive": ("source.zip", b"bytes of a zip")})
    found, kept = Code({"kind": "snapshot", "snapshot": {"files": []}}, files), weakref.ref(files)
    with lineal.init(url=tmp_path) as run:
        assert not is_at_hand(run, "code", found)
        say(run, "code", found)
        assert is_at_hand(run, "code", found)
        say(run, "code", found)
        del found, files
        gc.collect()
        assert kept() is None
    one, other = (said for said in records(tmp_path) if isinstance(said, CaptureSet))
    assert one == other and one.content["snapshot"]["archive"]["size_bytes"] == 14


def test_equal_looks_are_two(tmp_path):
    """What was found anew may have other files, whatever it says."""
    with lineal.init(url=tmp_path) as run:
        for number in range(2):
            found = Code({"kind": "snapshot"}, {"snapshot.archive": ("source.zip", b"zip %d" % number)})
            assert not is_at_hand(run, "code", found)
            assert say(run, "code", found)["snapshot.archive"].size_bytes == 5
    one, other = (said.content["snapshot"]["archive"] for said in records(tmp_path) if isinstance(said, CaptureSet))
    assert one["digest"] != other["digest"]
