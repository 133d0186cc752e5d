"""Registered models through both doors: journals of a folder, and works of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal import api
from lineal.ingest.desk import Desk, Said
from lineal.ingest.follow import Follower
from lineal.ingest.group_commit import GroupCommit, Work
from lineal.journal.layout import Folder
from lineal.local import LocalStore
from lineal.model.errors import Conflict
from lineal.model.registry import VersionContent, VersionFile, new_version_id
from lineal.record.records import (
    AliasSet,
    ModelRenamed,
    ModelSet,
    ModelVersionCreated,
    ModelVersionSet,
    Record,
    SegmentSealed,
    StageSet,
)
from lineal.store.contracts import Store
from lineal.store.open import open_store
from lineal.store.registry import RegistryReader, TransitionsQuery, VersionsQuery
from tests.unit.ingest.journals import put, said, segment_bytes, whole_run, writer_id

ONE, TWO = "1" * 32, "2" * 32
FILES: list[list[Any]] = [["m/model.pt", 5, "a" * 64], ["m/config", None, None]]


def told(registry: RegistryReader) -> list[tuple[object, ...]]:
    versions = registry.list_versions(VersionsQuery()).versions
    return [(v.name, v.version, v.version_id, v.run_id, v.stage, v.aliases, v.tags) for v in versions]


def test_a_folder_keeps_a_registry(tmp_path: Path) -> None:
    folder = tmp_path / "notebook"
    with lineal.init(url=folder) as run:
        run.log({"loss": 1.0})
    version_id = new_version_id()
    made = ModelVersionCreated(
        version_id, "digits", run.run_id, files=FILES, signature={"in": [1]}, input_example=[1.5], format="pickle"
    )
    api.say_outside(None, [ModelSet("digits", "reads digits", {"team": "a"}), made], folder, None)
    said_later: list[Record] = [
        StageSet(version_id, "production", archive_existing=True, why="best of two"),
        AliasSet("digits", "champion", version_id, "best of two"),
        ModelVersionSet(version_id, "# Good", {"k": "v"}, status="ready"),
    ]
    api.say_outside(None, said_later, folder, None)
    with LocalStore(folder) as store:
        store.refresh()
        registry = store.reader().registry()
        assert told(registry) == [("digits", 1, version_id, run.run_id, "production", ("champion",), {"k": "v"})]
        version = registry.get_version("digits", 1)
        assert (version.format, version.description, version.status) == ("pickle", "# Good", "ready")
        files = tuple(VersionFile(*file) for file in FILES)
        assert registry.get_content(version_id) == VersionContent(files, '{"in":[1]}', "[1.5]")
        assert registry.get_model("digits").description == "reads digits"
        rows = registry.list_transitions(TransitionsQuery("digits"))
        assert [(row.kind, row.after, row.why) for row in rows] == [
            ("alias", "1", "best of two"),
            ("stage", "production", "best of two"),
        ]
    api.say_outside(None, [ModelRenamed("digits", "scans"), ModelSet("scans", lifecycle="deleted")], folder, None)
    with LocalStore(folder) as store:
        store.refresh()
        assert store.reader().registry().get_model("scans").lifecycle == "deleted"


def test_a_runs_own_journal_makes_a_version_of_that_run(tmp_path: Path) -> None:
    version = ModelVersionCreated(ONE, "digits", run_id="another", path="m", files=FILES)
    put(tmp_path, whole_run())
    put(tmp_path, segment_bytes(said(version, 1), said(SegmentSealed(1), 0), writer=writer_id(2)), writer=writer_id(2))
    kept = {path: path.read_bytes() for path in (tmp_path / "journals").iterdir() if path.is_file()}
    assert len(kept) == 2
    with closing(open_store("memory:")) as store:
        follow(tmp_path, store)
        registry = store.tenant("default").registry()
        assert told(registry) == [("digits", 1, ONE, "r", "none", (), {})]
        for path, content in kept.items():
            path.write_bytes(content)
        follow(tmp_path, store)
        assert told(registry) == [("digits", 1, ONE, "r", "none", (), {})]


@pytest.mark.parametrize(
    "record",
    [
        ModelVersionCreated(ONE, "a/b"),
        ModelVersionCreated(ONE, "digits", files=[["m", 1]]),
        ModelVersionCreated(ONE, "digits", files=[[5, 1, None]]),
        ModelVersionCreated("short", "digits"),
        ModelSet(".."),
        ModelRenamed("digits", ""),
        AliasSet("digits", "latest", ONE),
        AliasSet("digits", "champion", "one"),
        StageSet(ONE, "released"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_stepped_over(tmp_path: Path, record: Record) -> None:
    frames = [said(record, 1), said(ModelSet("words"), 2), said(SegmentSealed(2), 0)]
    put(tmp_path, segment_bytes(*frames, run_id=None, primary=False))
    with closing(open_store("memory:")) as store:
        follow(tmp_path, store)
        registry = store.tenant("default").registry()
        assert registry.find_model("words") is not None and registry.find_model("digits") is None
        assert told(registry) == []


def follow(root: Path, store: Store) -> None:
    Follower(Folder(root), store).catch_up()


# -- the door of requests --------------------------------------------------------------------------------------


@pytest.fixture(params=["memory:", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/lineal.db"
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def group(store: Store) -> Iterator[GroupCommit]:
    with closing(GroupCommit(store)) as group:
        yield group


def creating(name: str, version_id: str) -> Work:
    """Refuses a name in use, as of the transaction, and answers with the number."""

    def work(desk: Desk) -> Said:
        registry = desk.writer.registry()
        known = registry.find_model(name)
        if known is not None and known.lifecycle == "active":
            raise Conflict(f"there is a model {name!r}")
        desk.say_of_tenant([ModelSet(name, is_new=True), ModelVersionCreated(version_id, name)])
        made = registry.find_version(version_id)
        assert made is not None
        return Said(201, str(made.version).encode())

    return work


def test_works_of_one_transaction_see_what_those_before_them_said(store: Store, group: GroupCommit) -> None:
    done = [group.submit("acme", creating("digits", version_id), actor="alice") for version_id in (ONE, TWO)]
    assert done[0].result() == Said(201, b"1")
    with pytest.raises(Conflict):
        done[1].result()
    registry = store.tenant("acme").registry()
    assert [row[:3] for row in told(registry)] == [("digits", 1, ONE)]

    def stage(desk: Desk) -> Said:
        desk.say_of_tenant([StageSet(ONE, "production"), ModelSet("digits", lifecycle="deleted")])
        return Said(200, b"")

    group.submit("acme", stage, actor="bob").result()
    [row] = registry.list_transitions(TransitionsQuery("digits"))
    assert (row.actor, row.before, row.after) == ("bob", "none", "production")
    audit = [one for one in store.tenant("acme").list_audit() if one.action == "stage.set"]
    assert [(one.time_ms, one.writer, one.seq, one.actor) for one in audit] == [(*row[1:4], "bob")]
    assert group.submit("acme", creating("digits", TWO)).result() == Said(201, b"2")
