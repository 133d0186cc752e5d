"""What a client may have uploaded as its code and circumstances cannot cost a difference more than it is worth."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
import zipfile
from typing import Any

import pytest

from lineal.model.limits import DIFF_ARCHIVE_MAX_BYTES, DIFF_LINES_MAX_COUNT, DIFF_ROWS_MAX_COUNT, MIB
from lineal.store.circumstance_difference import PackageRows, facts, packages
from lineal.store.code_difference import code_patch
from lineal.store.code_trees import tree_of


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return bytearray(packed.getvalue())


def tree(content: bytes) -> Any:
    digest = hashlib.sha256(content).hexdigest()
    code = {"kind": "snapshot", "digest": digest, "snapshot": {"archive": {"path": "x", "digest": digest}}}
    return tree_of(code, lambda _, max_bytes: content if len(content) <= max_bytes else None)


def damaged(method: int) -> bytes:
    content = archive({"a.py": b"x" * 1_000}, method)
    content[34 + 4] ^= 0xFF
    return bytes(content)


def encrypted() -> bytes:
    content = archive({"a.py": b"x"})
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


def lying() -> bytes:
    """It says of its file that it is of one byte."""
    content = archive({"a.py": b"\0" * 4 * MIB})
    place = content.index(b"PK\1\2") + 24
    content[place : place + 4] = (1).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        *(damaged(method) for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED)),
        bytes(archive({"a.py": b"x" * 9}, zipfile.ZIP_LZMA)),
        encrypted(),
        lying(),
        b"no archive",
        bytes(archive({"a.py": b"\n" * (DIFF_LINES_MAX_COUNT + 1)})),
        bytes(archive({"a": b"1" * (DIFF_ARCHIVE_MAX_BYTES // 2), "b": b"1" * (DIFF_ARCHIVE_MAX_BYTES // 2 + 1)})),
    ],
)
def test_an_archive_that_cannot_be_read_or_is_too_much_is_not_known(content: bytes) -> None:
    found = tree(content)
    assert found.files == {} and "not here, or too large" in found.missing[0]


def test_a_patch_of_too_many_lines_is_not_read() -> None:
    content = b"diff --git a/a b/a\n" + b"+\n" * DIFF_LINES_MAX_COUNT
    code = {"commit": "a", "is_dirty": True, "patch": {"digest": hashlib.sha256(content).hexdigest()}}
    found = tree_of(code, lambda _, __: content)
    assert found.files == {} and "too large to be read" in found.missing[0]


def test_small_uploads_are_not_unfolded_to_gigabytes() -> None:
    trees = [tree(bytes(archive({"a.py": (letter + "\n").encode() * (15 * MIB)}))) for letter in "ab"]
    assert [len(one.missing) for one in trees] == [1, 1]
    trees = [tree(bytes(archive({"a.py": letter.encode() * (5 * MIB)}))) for letter in "ab"]
    assert "Binary files" in code_patch(*trees).text


def nested(name: str, count: int) -> dict[str, Any]:
    return {name: {f"{number:06}": number for number in range(count)}}


def test_names_and_rows_of_facts_are_bounded_while_they_are_made() -> None:
    contents = {"a": {"environment": nested("K" * 300_000, 1_000)}, "b": {"environment": nested("K" * 300_000, 999)}}
    tracemalloc.start()
    found = facts("environment", contents)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 1_000 and [fact.differs for fact in found[:2]] == [True, False]
    assert max(len(fact.name) for fact in found) < 250 and peak < 20 * MIB


def test_what_is_beyond_the_rows_is_one_fact() -> None:
    content = nested("k", DIFF_ROWS_MAX_COUNT + 10)
    same = {"a": {"hardware": content}, "b": {"hardware": nested("k", DIFF_ROWS_MAX_COUNT + 10)}}
    assert not any(fact.differs for fact in facts("hardware", same))
    other = {"a": {"hardware": content}, "b": {"hardware": {"k": {**content["k"], "zz": 1}}}}
    found = facts("hardware", other)
    assert [fact.name for fact in found if fact.differs] == ["(all of it)"] and len(found) == DIFF_ROWS_MAX_COUNT + 1


def test_packages_are_bounded() -> None:
    many = {f"p{number}": "1" for number in range(DIFF_ROWS_MAX_COUNT + 5)}
    contents: dict[str, Any] = {"a": {"environment": {"packages": many}}, "b": {"environment": {"packages": {}}}}
    found = packages(contents)
    assert len(found.found) == DIFF_ROWS_MAX_COUNT and "first 10,000 packages" in found.unknown


def test_packages_beyond_what_is_named_are_not_missing() -> None:
    def of(packages: dict[str, str], left_out: int, lock: str) -> dict[str, Any]:
        said = {"packages": packages, "lock": {"digest": lock}} | ({"packages_left_out": left_out} if left_out else {})
        return {"environment": said}

    large = of({"a": "1", "b": "1", "c": "1"}, 2, "x")
    small = of({"a": "2", "c": "1", "d": "1", "z": "1"}, 0, "y")
    for first, second in ((large, small), (small, large)):
        found = packages({"one": first, "other": second})
        assert found.found[0].change == "changed"
        assert [row.name for row in found.found] == ["a", "b"]
        assert found.unknown.startswith("Packages after c are not compared")
    assert packages({"one": large, "other": large}) == PackageRows(())
    assert packages({"one": small, "other": of({"a": "2", "c": "1", "d": "1"}, 0, "w")}).unknown == ""
    # Nothing that is named differs, and yet something does.
    found = packages({"one": large, "other": of({"a": "1", "b": "1", "c": "1"}, 2, "w")})
    assert found.found == () and found.unknown
