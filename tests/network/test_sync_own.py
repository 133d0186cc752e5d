"""`lineal sync --to`: runs of a folder that knew no server arrive there whole, once, and what is new of them later."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner, Result

import lineal
from lineal.cli.main import lineal as command
from lineal.ingest import retell_points, told
from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.model.frozen import replace
from lineal.query.parser import parse
from lineal.record.records import (
    AliasSet,
    ArtifactUsed,
    CaptureSet,
    ConsoleAppended,
    DatasetUsed,
    ModelLogged,
    ModelRenamed,
    ModelSet,
    ModelUsed,
    ModelVersionCreated,
    ModelVersionSet,
    ModelVersionUsed,
    Record,
    StageSet,
)
from lineal.server.hosted import HostedSource
from lineal.store.console import ConsoleQuery
from lineal.store.contracts import RunQuery, TenantReader
from lineal.store.registry import By, ModelsQuery, TransitionsQuery, VersionsQuery
from tests.network.conftest import detail_of, points_of, url_of
from tests.network.programs import LOGS_AND_WAITS, read_line, start

RANK = """
import sys, lineal
with lineal.init(run_id=sys.argv[2], resume="must", url=sys.argv[1]) as run:
    for step in range(50):
        run.log({"loss": step, "of_rank": step}, step=step)
print("done", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "own" / ".lineal"


def sync(folder: Path, server: httpx.Client, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["sync", str(folder), "--to", url_of(server), *arguments])


def states(result: Result) -> dict[str, str]:
    [one] = json.loads(result.stdout)["servers"]
    return {run["run_id"]: run["state"] for run in one["runs"] if run["run_id"]}


def record(folder: Path, steps: int = 300) -> str:
    with lineal.init(
        "digits", "mlp", params={"lr": 0.1, "layers": [64, 32], "n": 2**53 + 1, "on": True}, tags={"a": "b"}, url=folder
    ) as run:
        for step in range(steps):
            run.log({"loss": 1 / (step + 1), "count": 2**53 + step}, step=step)
            if step % 7 == 0:
                run.log({"nan": float("nan"), "loss": -step}, step=step + 0.5)
        run.log({"weird": float("-inf")})
        run.set_note("*hi*")
        run.set_json("review", {"score": 3})
        run.define_metric("loss", goal="min")
        run.log_text("one", "notes.txt")
        run.log_text("two", "notes.txt")
        run.log_params({"lr": 0.2})  # a conflict
    return run.run_id


def reader_of(source: HostedSource, tenant: str = "default") -> TenantReader:
    with source.opened() as store:
        return store.tenant(tenant)


def same(here: TenantReader, there: TenantReader, run_id: str) -> None:
    """All that two stores know of a run but what differs by its nature: writers' names, and when a tag was set."""
    one, other = here.get_details(run_id), there.get_details(run_id)
    assert one.run.name == other.run.name and one.run.status == other.run.status
    assert (
        one.run.started_ms,
        one.run.ended_ms,
        one.run.experiment_name,
        one.run.parent_run_id,
        one.run.is_locked,
    ) == (
        other.run.started_ms,
        other.run.ended_ms,
        other.run.experiment_name,
        other.run.parent_run_id,
        other.run.is_locked,
    )
    assert {name: repr(value) for name, value in one.params.items()} == {
        name: repr(value) for name, value in other.params.items()
    }
    assert (one.tags, one.note, one.attempts, one.artifacts, one.metric_definitions, one.losses) == (
        other.tags,
        other.note,
        other.attempts,
        other.artifacts,
        other.metric_definitions,
        other.losses,
    )
    assert [(each.attempt_id, each.name, each.kept, each.refused) for each in one.conflicts] == [
        (each.attempt_id, each.name, each.kept, each.refused) for each in other.conflicts
    ]
    assert here.list_dataset_uses([run_id]) == there.list_dataset_uses([run_id])
    assert one.models == other.models
    for used in one.models:
        assert here.get_logged_model(used.model_id) == there.get_logged_model(used.model_id)
    assert one.document_names == other.document_names
    for name in one.document_names:
        assert here.get_document(run_id, name) == there.get_document(run_id, name)
    keys = [info.key for info in here.list_series(run_id)]
    assert keys == [info.key for info in there.list_series(run_id)]
    for key in keys:
        pieces, others = (
            [
                (piece.attempt_id, piece.value_type, piece.columns)
                for piece in reader.read_points(run_id, key.name, key.labels)
            ]
            for reader in (here, there)
        )
        assert sorted(one[:2] for one in pieces) == sorted(one[:2] for one in others)
        rows, other_rows = (
            sorted(
                (attempt, kind, *row)
                for attempt, kind, columns in some
                for row in zip(
                    columns.time_ms.tolist(),
                    columns.step.tolist(),
                    np.ascontiguousarray(columns.value).view(np.int64).tolist(),
                    strict=True,
                )
            )
            for some in (pieces, others)
        )
        assert rows == other_rows


def test_what_a_folder_knows_arrives_whole_and_once(server: httpx.Client, source: HostedSource, folder: Path) -> None:
    run_ids = [record(folder), record(folder, 20)]
    lineal.init("other", url=folder, parent_run_id=run_ids[0]).finish(status="failed")
    with lineal.open_store(folder) as own:
        assert len(own.runs()) == 3  # taken in: no journal is left
        assert not list((folder / "journals").glob("*.seg"))
        result = sync(folder, server, "--json")
        assert result.exit_code == 0, result.output
        assert len(states(result)) == 3 and set(states(result).values()) == {"whole"}
        for run in own.runs():
            same(own.reader(), reader_of(source), run.run_id)
    assert server.get(f"/experiments/runs/{run_ids[0]}/artifacts/notes.txt").content == b"two"
    before = source_points(server, run_ids[0])
    for _ in range(2):
        again = sync(folder, server)
        assert again.exit_code == 0 and "Nothing is new of 3 runs" in again.output
    assert source_points(server, run_ids[0]) == before
    with lineal.open_store(folder) as own:  # and they are here as before
        assert len(own.runs()) == 3 and own.find_blob(own.get_run(run_ids[0]).artifacts[0].digest or "") is not None


def source_points(server: httpx.Client, run_id: str) -> list[tuple[float, float]]:
    return points_of(server, run_id, "loss")


def test_a_run_that_waits_in_its_journal_is_sent_as_well(server: httpx.Client, folder: Path) -> None:
    """Nobody has asked this folder anything: its journals are still there."""
    run_id = record(folder)
    assert list((folder / "journals").glob("*.seg"))
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    assert detail_of(server, run_id)["status"] == "finished"


def test_what_is_new_of_a_run_is_sent_later(server: httpx.Client, source: HostedSource, folder: Path) -> None:
    run_id = record(folder)
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    with lineal.init(run_id=run_id, resume="must", url=folder, params={"lr": 0.5, "more": 1}) as run:
        for step in range(300, 400):
            run.log({"loss": step, "late": step}, step=step)
        run.log_text("three", "notes.txt")
        run.set_tags({"a": None, "c": "d"})
        run.set_note("")
    with lineal.open_store(folder) as own:
        assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
        own.refresh()
        same(own.reader(), reader_of(source), run_id)
        assert CliRunner().invoke(command, ["runs", "tag", run_id[:8], "x=y", "--url", str(folder)]).exit_code == 0
        assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
        own.refresh()
        same(own.reader(), reader_of(source), run_id)
    assert server.get(f"/experiments/runs/{run_id}/artifacts/notes.txt").content == b"three"
    assert detail_of(server, run_id)["tags"] == {"c": "d", "x": "y"}


def test_a_killed_run_is_lost_there_too_and_one_that_runs_waits(
    server: httpx.Client, source: HostedSource, folder: Path
) -> None:
    with start(LOGS_AND_WAITS, str(folder), 50) as process:
        run_id = read_line(process)
        while read_line(process) != "done":
            pass
        first = sync(folder, server, "--json")
        assert first.exit_code == 1 and states(first) == {run_id: "waits"}
        assert "not sent yet" in first.stderr and server.get(f"/runs/{run_id}").status_code == 404
        process.kill()
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    assert detail_of(server, run_id)["status"] == "lost"
    with lineal.open_store(folder) as own:
        same(own.reader(), reader_of(source), run_id)
    assert points_of(server, run_id, "step") == [(step, step) for step in range(50)]


def test_a_locked_run_is_locked_there_when_it_is_whole(
    server: httpx.Client, source: HostedSource, folder: Path
) -> None:
    run_id = record(folder)
    assert CliRunner().invoke(command, ["runs", "lock", run_id, "--url", str(folder)]).exit_code == 0
    for _ in range(2):
        assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
        with lineal.open_store(folder) as own:
            same(own.reader(), reader_of(source), run_id)
    assert detail_of(server, run_id)["locked"] is True


def test_datasets_and_logged_models_arrive_and_what_is_new_of_them(
    server: httpx.Client, source: HostedSource, folder: Path
) -> None:
    run_id = record(folder, 20)
    train = DatasetUsed("train", "d1", "2", "local", "a.csv", '{"x":"long"}', '{"rows":3}', "training", {"k": "v"})
    made = ModelLogged("m-1", "mlp", "digits", run_id, "torch", "models/m-1", {"lr": "0.1"}, {"a": "b", "c": "d"})
    taken: list[Record] = [
        ArtifactUsed("r0", "a/b.csv", "ab" * 32, 2),
        ModelVersionUsed("0123456789abcdef" * 2, "digits"),
    ]
    say_in(folder, run_id, [train, made, ModelUsed("m-1", "output", 3), *taken])
    later = ModelLogged("m-1", tags={"a": None}, status="ready")
    news: list[list[Record]] = [[], [DatasetUsed("train", "d2"), later], [ModelLogged("m-1", lifecycle="deleted")]]
    for more in news:
        if more:
            say_in(folder, run_id, more)
        with lineal.open_store(folder) as own:
            assert set(states(sync(folder, server, "--json")).values()) == {"whole"}
            details = own.reader().get_details(run_id)
            assert details.models and details.artifact_uses and details.version_uses
            same(own.reader(), reader_of(source), run_id)
            assert "Nothing is new" in sync(folder, server).output
    assert reader_of(source).get_logged_model("m-1").tags == {"c": "d"}


def test_a_console_arrives_and_what_is_printed_later(server: httpx.Client, source: HostedSource, folder: Path) -> None:
    run_id = record(folder, 3)
    printed: list[Record] = [ConsoleAppended("a1", "o" * 300, [10**12] + [1] * 299, "\n".join(["x" * 500] * 300))] * 2
    say_in(folder, run_id, [*printed, ConsoleAppended("a0", "e", [10**12], "other attempt")])
    say_in(folder, run_id, [ConsoleAppended("a1", "o", [10**12], "of a rank", rank) for rank in (1, 2)])
    news: list[list[Record]] = [[], [ConsoleAppended("a1", "b", [10**12], "later 🦊")], []]
    for more in news:
        if more:
            say_in(folder, run_id, more)
        assert set(states(sync(folder, server, "--json")).values()) == {"whole"}
        with lineal.open_store(str(folder)) as own:
            here = own.get_run(run_id).console()
        there = reader_of(source).read_console(run_id, ConsoleQuery(limit=10_000)).lines
        assert len(here) == len(there) >= 603
        assert sorted(line[1:] for line in here) == sorted(line[1:] for line in there)
        assert [line.rank for line in there if line.text == "of a rank"] == [1, 2]
        assert [line.text for line in there if (line.attempt_id, line.rank) == ("a1", 0)][600:] == [
            *(["later 🦊"] if len(here) > 603 else [])
        ]


def test_captures_arrive_and_what_is_new_of_them(server: httpx.Client, source: HostedSource, folder: Path) -> None:
    run_id = record(folder, 20)
    say_in(folder, run_id, [CaptureSet("a1", "code", {"commit": "ab" * 20, "is_dirty": True, "x": [1.5, math.inf]})])
    news: list[list[Record]] = [
        [],
        [CaptureSet("a1", "resources", {"wall_s": 0.1})],
        [CaptureSet("a0", "code", {"commit": "c"})],
    ]
    for more in news:
        if more:
            say_in(folder, run_id, more)
        with lineal.open_store(folder) as own:
            assert set(states(sync(folder, server, "--json")).values()) == {"whole"}
            here, there = own.reader().list_captures(run_id), reader_of(source).list_captures(run_id)
            assert here == there and len(here) >= 1
            assert "Nothing is new" in sync(folder, server).output
    assert reader_of(source).list_runs(RunQuery(filter=parse("git.commit ^= 'abab'"))).total == 1


def registry_of(reader: TenantReader) -> list[tuple[Any, ...]]:
    registry = reader.registry()
    models = registry.list_models(ModelsQuery()).models
    versions = registry.list_versions(VersionsQuery(order=(By("created"),))).versions
    return [
        *((model.name, model.description, model.tags, model.aliases) for model in models),
        *((replace(one, updated_ms=0), registry.get_content(one.version_id)) for one in versions),
        *(row[1:2] + row[5:] for model in models for row in registry.list_transitions(TransitionsQuery(model.name))),
    ]


def test_registered_models_arrive_with_their_history(server: httpx.Client, source: HostedSource, folder: Path) -> None:
    run_id = record(folder, 20)
    one, two, gone = ("1" * 32, "2" * 32, "3" * 32)
    files = [["m/model.pt", 5, "a" * 64]]
    made = ModelVersionCreated(one, "digits", run_id, path="m", files=files, signature={"x": [1.5]}, tags={"k": "v"})
    said: list[Record] = [
        ModelSet("digits", "reads digits", {"a": "b", "c": "d"}),
        made,
        ModelVersionCreated(two, "digits", description="second"),
        StageSet(one, "production", why="first"),
        StageSet(two, "production", archive_existing=True, why="better"),
        AliasSet("digits", "champion", one),
        AliasSet("digits", "champion", two, "better"),
    ]
    say_in(folder, None, said)
    rounds: list[list[Record]] = [
        [],
        [ModelVersionSet(one, tags={"k": None, "l": "m"}, status="failed"), ModelSet("digits", tags={"a": None})],
        [AliasSet("digits", "champion", None, "withdrawn"), ModelRenamed("digits", "scans")],
        [ModelVersionCreated(gone, "scans"), ModelVersionSet(gone, lifecycle="deleted"), ModelVersionSet(two, "")],
    ]
    for more in rounds:
        if more:
            say_in(folder, None, more)
        with lineal.open_store(folder) as own:
            assert set(states(sync(folder, server, "--json")).values()) <= {"whole"}
            here, there = registry_of(own.reader()), registry_of(reader_of(source))
        assert here == there and len(here) >= 8
    rows = said_of_models(reader_of(source))
    sync(folder, server)
    assert said_of_models(reader_of(source)) == rows, "nothing is told twice"


def test_a_version_that_is_another_number_there_is_named(
    server: httpx.Client, source: HostedSource, folder: Path, tmp_path: Path
) -> None:
    """And what two folders say of one name, both in their first telling, is said both times."""
    other = tmp_path / "other" / ".lineal"
    one, two = ("1" * 32, "2" * 32)
    for place, version, tag in ((other, one, "theirs"), (folder, two, "ours")):
        record(place, 5)
        say_in(place, None, [ModelVersionCreated(version, "digits"), ModelSet("digits", tags={tag: "x"})])
        result = sync(place, server)
        assert result.exit_code == 0 and ("version digits/1 is digits/2 there" in result.stderr) == (place == folder)
    found = reader_of(source).registry().find_version(two)
    assert found is not None and found.version == 2
    assert reader_of(source).registry().get_model("digits").tags == {"theirs": "x", "ours": "x"}


def said_of_models(reader: TenantReader) -> list[tuple[Any, ...]]:
    kinds = ("model.", "version.", "stage.", "alias.")
    rows = [row[:8] for row in reader.list_audit() if row.action.startswith(kinds)]
    assert rows
    return rows


def say_in(folder: Path, run_id: str | None, records: list[Record]) -> None:
    """As another writer of the run."""
    journal = Journal(Folder(folder), Identity("default", run_id, "", False, "host", "boot", {}))
    for one in records:
        journal.append(one, barrier=False)
    assert journal.close()


def test_deleted_runs_stay_here(server: httpx.Client, folder: Path) -> None:
    run_id = record(folder, 5)
    assert CliRunner().invoke(command, ["runs", "delete", run_id, "--yes", "--url", str(folder)]).exit_code == 0
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    assert server.get(f"/runs/{run_id}").status_code == 404


def test_a_run_that_the_server_has_from_elsewhere_is_left_alone(
    server: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    run_id = record(folder, 50)
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    before = points_of(server, run_id, "loss")
    for path in (folder / "servers").rglob("told/*"):
        path.unlink()
    result = sync(folder, server, "--json")
    assert result.exit_code == 1 and states(result)[run_id] == "refused"
    assert points_of(server, run_id, "loss") == before


@pytest.mark.parametrize("moment", ["before the mark", "after the mark"])
def test_a_telling_that_is_broken_off_counts_whole_or_not_at_all(
    server: httpx.Client, source: HostedSource, folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    run_id = record(folder)
    keep = told.Marks.keep

    def breaks_off(self: told.Marks, *arguments: Any) -> None:
        if moment == "after the mark":
            monkeypatch.setattr(told.Marks, "_publish", lambda *_: None)
            keep(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(told.Marks, "keep", breaks_off)
        sync(folder, server)
    monkeypatch.undo()
    os.environ["LINEAL_FOLDER"] = str(folder)
    try:
        assert server.get(f"/runs/{run_id}").status_code == 404
        assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    finally:
        del os.environ["LINEAL_FOLDER"]
    with lineal.open_store(folder) as own:
        same(own.reader(), reader_of(source), run_id)
    assert not list((folder / "servers").rglob("*.told"))


def test_long_runs_of_many_segments_and_ranks(
    server: httpx.Client, source: HostedSource, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = record(folder, 1_000)
    for rank in ("1", "2"):
        with start(RANK, str(folder), run_id, RANK=rank, WORLD_SIZE="3") as process:
            assert read_line(process) == "done"
    monkeypatch.setattr(told, "SEGMENT_MAX_BYTES", 4_000)
    monkeypatch.setattr(retell_points, "_FRAMES_BYTES", 1_000)
    monkeypatch.setattr(retell_points, "_HELD_MAX_COUNT", 1_500)
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    [outbox] = (folder / "servers").iterdir()
    assert len(list((outbox / "journals" / "sent").glob("*.seg"))) > 10
    with lineal.open_store(folder) as own:
        assert {info.key.labels for info in own.reader().list_series(run_id)} > {()}
        same(own.reader(), reader_of(source), run_id)


def test_bytes_that_are_gone_are_said_and_the_run_is_sent(server: httpx.Client, folder: Path) -> None:
    run_id = record(folder, 20)
    with lineal.open_store(folder) as own:
        path = own.find_blob(own.get_run(run_id).artifacts[0].digest or "")
    assert path is not None
    Path(path).unlink()
    result = sync(folder, server, "--json")
    assert result.exit_code == 1 and states(result) == {run_id: "damaged"} and "notes.txt" in result.stderr
    assert detail_of(server, run_id)["status"] == "finished"


def test_points_that_came_between_others_are_not_guessed(server: httpx.Client, folder: Path) -> None:
    """As if damaged definitions had been found later: what was sent and what was not cannot be told apart any more."""
    run_id = record(folder, 20)
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    for path in (folder / "servers").rglob("told/*"):
        mark = json.loads(path.read_text())
        for known in mark["points"].values():
            known[1] += 1
        path.write_text(json.dumps(mark))
    result = sync(folder, server, "--json")
    assert result.exit_code == 1 and states(result)[run_id] == "refused" and "later between others" in result.stderr


def test_experiments_keep_what_is_said_of_them(server: httpx.Client, folder: Path) -> None:
    record(folder, 5)
    tracker = lineal.ExperimentTracker(tracking_uri=str(folder))
    tracker.create_experiment(
        lineal.ExperimentConfig(name="described", description="what it is for", tags={"team": "a"})
    )
    with lineal.init("described", url=folder):
        pass
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    found = {one["name"]: one for one in server.get("/experiments").json()["experiments"]}
    assert found["described"]["description"] == "what it is for" and found["described"]["tags"] == {"team": "a"}


def test_what_was_recorded_without_a_tenant_goes_to_the_one_that_is_named(
    server: httpx.Client, source: HostedSource, folder: Path
) -> None:
    run_id = record(folder, 5)
    with lineal.init("digits", "with a model", url=folder) as run:
        run.log_model("digits", {"w": np.arange(3.0)})
    with lineal.init("digits", "elsewhere", url=folder, tenant="other") as other:
        other.log({"loss": 1.0})
    result = sync(folder, server, "--tenant", "vision")
    assert result.exit_code == 0, result.output
    with lineal.open_store(folder) as own:
        same(own.reader(), reader_of(source, "vision"), run_id)
    there = reader_of(source, "vision")
    assert {each.run_id for each in there.list_runs(RunQuery()).runs} == {run_id, run.run_id}
    assert there.registry().find_model("digits") is not None
    assert [each.run_id for each in reader_of(source, "other").list_runs(RunQuery()).runs] == [other.run_id]
    assert not reader_of(source).list_runs(RunQuery()).runs
    files = server.get(f"/experiments/runs/{run_id}/artifacts/notes.txt", headers={"X-Tenant-ID": "vision"})
    assert files.content == b"two"
    again = sync(folder, server, "--tenant", "vision")
    assert again.exit_code == 0 and "Nothing is new of 3 runs" in again.output
    # a server has a run once, wherever it is
    apart = sync(folder, server)
    assert apart.exit_code == 1 and "the server has a run of this id" in apart.output
    assert not reader_of(source).list_runs(RunQuery()).runs
    mixed = sync(folder, server, "--tenant", "other")
    assert mixed.exit_code == 2 and "of its own" in mixed.output
    assert CliRunner().invoke(command, ["sync", str(folder), "--tenant", "vision"]).exit_code == 2


def test_words_that_do_not_go_together(server: httpx.Client, folder: Path, tmp_path: Path) -> None:
    record(folder, 5)
    assert sync(folder, server, "--url", url_of(server)).exit_code == 2
    assert sync(tmp_path / "absent", server).exit_code == 3
    assert (result := sync(folder, server)).exit_code == 0, result.output + result.stderr
    [outbox] = (folder / "servers").iterdir()
    assert sync(outbox, server).exit_code == 2
    away = CliRunner().invoke(command, ["sync", str(folder), "--to", "http://localhost:9"])
    assert away.exit_code == 5
