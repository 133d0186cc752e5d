"""Datasets and logged models from a journal to whoever reads: REST, the SDK, the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.client.outgoing import TENANT_STREAM
from lineal.ingest.apply import Context, apply
from lineal.journal.layout import Folder
from lineal.model.entities import Stamp
from lineal.model.errors import Damaged
from lineal.model.lineage import Dataset, DatasetUse, ModelUse
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import (
    AttemptStarted,
    DatasetUsed,
    ModelLogged,
    ModelUsed,
    Record,
    RunLockSet,
    SegmentOpened,
    SegmentSealed,
)
from lineal.server.hosted import HostedSource
from lineal.store.lineage import ModelQuery, counts_in
from lineal.store.memory import MemoryStore
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)

TIME_NS = 1_764_000_000_000_000_000
TRAIN = DatasetUsed("train", "d1", "2.1", "local", "data.csv", '{"x":"long"}', '{"num_rows":3}', "training", {"k": "v"})
RECORDS: list[Record] = [
    AttemptStarted("a1", "digits", "mlp"),
    TRAIN,
    DatasetUsed("other", "d2"),
    ModelLogged("m-1", "mlp", "digits", "r1", status="ready"),
    ModelUsed("m-1", "output", 3),
]
DATASETS = [
    {
        "name": "train",
        "digest": "d1",
        "version": "2.1",
        "source_type": "local",
        "source": "data.csv",
        "context": "training",
        "tags": {"k": "v"},
    },
    {
        "name": "other",
        "digest": "d2",
        "version": None,
        "source_type": None,
        "source": None,
        "context": None,
        "tags": {},
    },
]


def segment(run_id: str | None, writer: str, records: Sequence[Record]) -> bytes:
    opened = SegmentOpened("default", run_id, writer, "a1", run_id is not None, 1)
    frames = [MAGIC, encode_frame(opened, 0, TIME_NS) * 2]
    frames += [encode_frame(record, seq, TIME_NS) for seq, record in enumerate(records, 1)]
    return b"".join([*frames, encode_frame(SegmentSealed(len(records)), 0, TIME_NS)])


def post(client: httpx.Client, run_id: str | None, writer: str, records: Sequence[Record]) -> None:
    answer = client.post(
        f"/journals/{run_id or TENANT_STREAM}/{writer}",
        content=segment(run_id, writer, records),
        params={"offset": 0, "segment": 1, "final": "true"},
        headers={"content-type": "application/octet-stream"},
    )
    assert answer.status_code == 200, answer.text


def without(found: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    return [{key: value for key, value in one.items() if key != name} for one in found]


def test_a_journal_that_arrives_twice_says_them_once(hosted: httpx.Client, source: HostedSource) -> None:  # noqa: F811
    post(hosted, "r1", "a" * 15, RECORDS)
    post(hosted, "r1", "a" * 15, RECORDS)
    post(hosted, "r1", "b" * 15, RECORDS[1:])  # another writer says the same
    detail = json_of(hosted.get("/runs/r1"))
    assert [(one.pop("row_count"), one.pop("column_count")) for one in detail["datasets"]] == [(3, None), (None, None)]
    assert without(detail["datasets"], "used_at") == DATASETS
    assert without(detail["models"], "used_at") == [{"model_id": "m-1", "role": "output", "step": 3}]
    assert {one["used_at"] for one in detail["datasets"]} == {"2025-11-24T16:00:00.000Z"}
    assert detail["losses"] == {}
    with source.opened() as store:
        reader = store.tenant("default")
        [[use, _]] = reader.list_dataset_uses(["r1"])
        assert (use.dataset.schema, use.dataset.profile) == (TRAIN.schema, TRAIN.profile)
        [model] = reader.list_logged_models(ModelQuery()).models
        assert (model.model_id, model.source_run_id, model.status) == ("m-1", "r1", "ready")


def test_filters_over_http_find_them(hosted: httpx.Client) -> None:  # noqa: F811
    post(hosted, "r1", "a" * 15, RECORDS)
    post(hosted, "r2", "b" * 15, [AttemptStarted("a1", "digits")])
    for condition, expected in (("datasets.train.version = '2.1'", ["r1"]), ("datasets.name is null", ["r2"])):
        found = json_of(hosted.post("/runs/search", json={"filter": condition}))
        assert [run["run_id"] for run in found["runs"]] == expected


def test_the_sdk_reads_them_through_the_server(hosted: httpx.Client) -> None:  # noqa: F811
    post(hosted, "r1", "a" * 15, RECORDS)
    with lineal.open_store(str(hosted.base_url).removesuffix("/api/v1/")) as store:
        details = store.get_run("r1").details
    time_ms = TIME_NS // 1_000_000
    assert details.datasets == [
        DatasetUse(Dataset("train", "d1", "2.1", "local", "data.csv"), "training", {"k": "v"}, time_ms),
        DatasetUse(Dataset("other", "d2"), "", {}, time_ms),
    ]
    assert details.models == [ModelUse("m-1", "output", 3, time_ms)]


def test_the_command_line_shows_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "notebook")
    folder.ensure()
    Path(folder.segment("a" * 15, 1)).write_bytes(segment("r1", "a" * 15, RECORDS))
    result = CliRunner().invoke(command, ["runs", "show", "r1", "--json", "--url", str(tmp_path / "notebook")])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.output)
    assert without(shown["datasets"], "time") == DATASETS
    assert without(shown["models"], "time") == [{"model_id": "m-1", "role": "output", "step": 3}]


def test_a_locked_run_keeps_what_it_had(hosted: httpx.Client) -> None:  # noqa: F811
    post(hosted, "r1", "a" * 15, RECORDS[:2])
    post(hosted, None, "c" * 15, [RunLockSet("r1", True)])
    post(hosted, "r1", "b" * 15, RECORDS[2:])
    detail = json_of(hosted.get("/runs/r1"))
    assert [one["name"] for one in detail["datasets"]] == ["train"] and detail["models"] == []
    assert detail["losses"] == {"locked": 3}


def test_a_model_may_be_said_beside_runs_but_not_a_use(hosted: httpx.Client, source: HostedSource) -> None:  # noqa: F811
    post(
        hosted,
        None,
        "c" * 15,
        [ModelLogged("m-2", "tree", "digits", tags={"k": "v"}), ModelLogged("m-2", status="failed")],
    )
    with source.opened() as store:
        model = store.tenant("default").get_logged_model("m-2")
    assert (model.name, model.tags, model.status, model.source_run_id) == ("tree", {"k": "v"}, "failed", None)
    with MemoryStore().begin() as transaction:
        for record in (TRAIN, ModelUsed("m-1", "input")):
            with pytest.raises(Damaged):
                apply(Context(transaction.tenant("default"), None), record, Stamp(1, "w", 1))


@pytest.mark.parametrize(
    "file",
    [
        [],
        ["a" * 64, 1],
        ["a" * 63, 1, None],
        ["A" * 64, 1, None],
        ["a" * 64, -1, None],
        ["a" * 64, True, None],
        [1, 1, None],
    ],
)
def test_a_models_file_that_is_none_is_damage_and_changes_nothing(file: list[object]) -> None:
    store = MemoryStore()
    with store.begin() as transaction:
        writer = transaction.tenant("default")
        with pytest.raises(Damaged):
            apply(Context(writer, None), ModelLogged("m-1", "mlp", files={"x": file}), Stamp(1, "w", 1))
        assert writer.find_logged_model("m-1") is None


def test_counts_are_read_from_any_profile() -> None:
    assert (
        counts_in(None)
        == counts_in("")
        == counts_in("no json")
        == counts_in("[1]")
        == counts_in("[" * 10_000)
        == (None, None)
    )
    assert counts_in('{"row_count":2,"column_count":3}') == (2, 3)
    assert counts_in('{"num_rows":-1,"column_count":"3"}') == counts_in('{"row_count":true}') == (None, None)
