"""`run.log_dataset` of everything that it takes, and what is recorded of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lineal
from lineal.client.datasets.describe import describe
from lineal.client.datasets.hashing import digest_of_json, digest_of_parts
from lineal.client.datasets.places import is_uri, public_source, public_uri
from lineal.client.datasets.progress import Progress
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.lineage import Dataset, DatasetUse

CSV = b"x,y\n1,2\n3,4\n"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_bytes(CSV)
    return path


def uses_of(run_id: str, url: Path) -> list[DatasetUse]:
    with lineal.open_store(url) as store:
        store.refresh()
        return store.reader().list_dataset_uses([run_id])[0]


def test_a_file_whole(tmp_path: Path, csv: Path) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        said = run.log_dataset("train", csv, version="v2.1", context="training", tags={"split": 1})
    [use] = uses_of(run.run_id, tmp_path / "here")
    assert (
        use.dataset
        == said
        == Dataset(
            "train",
            hashlib.sha256(CSV).hexdigest(),
            "v2.1",
            "local",
            str(csv),
            json.dumps({"columns": [{"name": "x"}, {"name": "y"}]}),
            json.dumps({"size_bytes": 12, "row_count": 2, "column_count": 2}),
        )
    )
    assert (use.context, use.tags) == ("training", {"split": "1"})
    found = lineal.runs("datasets.train.version = 'v2.1' and datasets.context = 'training'", url=tmp_path / "here")
    assert [one.run_id for one in found] == [run.run_id]


def test_the_current_run_is_meant_without_one(tmp_path: Path, csv: Path) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        lineal.log_dataset("train", csv)
    assert [use.dataset.name for use in uses_of(run.run_id, tmp_path / "here")] == ["train"]


def test_the_same_bytes_have_one_digest_wherever_they_are(tmp_path: Path, csv: Path) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        run.log_artifact(csv)
        first = run.log_dataset("a", csv)
        second = run.log_dataset("b", csv.as_uri())
    assert first is not None and second is not None
    [artifact] = lineal.get_run(run.run_id, url=tmp_path / "here").artifacts
    assert artifact.digest == first.digest == second.digest


@pytest.mark.parametrize(
    ("data", "source_type", "profile"),
    [
        (np.zeros((3, 2)), "numpy", {"row_count": 3, "column_count": 2, "size_bytes": 48}),
        (pd.DataFrame({"a": [1, 2]}), "pandas", {"row_count": 2, "column_count": 1}),
        (pd.Series([1, 2], name="a"), "pandas", {"row_count": 2, "column_count": 1}),
        (pl.DataFrame({"a": [1, 2]}), "polars", {"row_count": 2, "column_count": 1}),
        (pl.LazyFrame({"a": [1, 2]}), "polars", {"row_count": 2, "column_count": 1}),
        ((np.zeros((3, 2)), np.zeros(3)), "collection", {"part_count": 2, "row_count": 3}),
        ({"x": np.zeros(3), "y": np.zeros(4)}, "collection", {"part_count": 2}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_in_memory(tmp_path: Path, data: Any, source_type: str, profile: dict[str, Any]) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        said = run.log_dataset("train", data, source="make_data.py")
    assert said is not None and said.profile is not None
    assert (said.source_type, said.source) == (source_type, "make_data.py")
    assert json.loads(said.profile) == profile
    [use] = uses_of(run.run_id, tmp_path / "here")
    assert use.dataset == said


def test_frames_of_two_libraries_are_one_dataset(tmp_path: Path) -> None:
    values = {"a": [1, 2], "t": ["x", None]}
    one, two = describe(pd.DataFrame(values), str(tmp_path)), describe(pl.DataFrame(values), str(tmp_path))
    assert one.digest == two.digest and one.schema == two.schema
    assert json.loads(one.schema or "") == {
        "columns": [{"name": "a", "type": "int64"}, {"name": "t", "type": "string", "missing": 1}]
    }


def test_a_collection_is_a_folder_of_its_parts(tmp_path: Path, csv: Path) -> None:
    x = np.arange(4)
    digest = describe(x, str(tmp_path)).digest
    whole = describe({"x": x, "train.csv": csv}, str(tmp_path))
    assert whole.digest == digest_of_parts([("x", digest), ("train.csv", hashlib.sha256(CSV).hexdigest())])
    assert describe((x, x), str(tmp_path)).digest == digest_of_parts([("0", digest), ("1", digest)])


def test_a_folder_and_a_pattern(tmp_path: Path, csv: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.csv").write_bytes(b"1")
    found = describe(str(tmp_path / "more"), str(tmp_path))
    assert json.loads(found.profile or "") == {"size_bytes": 1, "file_count": 1}
    pattern = describe(str(tmp_path / "more" / "*.csv"), str(tmp_path))
    assert (pattern.digest, pattern.source) == (found.digest, str(tmp_path / "more" / "*.csv"))


# -- addresses -------------------------------------------------------------------------------------------------


def test_an_address_is_never_read(tmp_path: Path) -> None:
    uri = "s3://user:secret@bucket/train.parquet?X-Amz-Signature=abc&versionId=7"
    with lineal.init("digits", url=tmp_path / "here") as run:
        said = run.log_dataset("train", uri, version="3")
        given = run.log_dataset("train", uri, digest="sha256:" + "ab" * 32)
    assert said is not None and given is not None
    clean = "s3://bucket/train.parquet?versionId=7"
    assert (said.source_type, said.source) == ("s3", clean)
    assert said.digest == "uri:" + digest_of_json(["lineal-uri", 1, clean, "3"])
    assert (given.digest, given.source, given.version) == ("ab" * 32, clean, None)
    assert describe(uri, str(tmp_path), "3").digest == said.digest != describe(uri, str(tmp_path), "4").digest
    assert public_uri("https://h/a?b=c#d") == "https://h/a?b=c#d"
    assert public_uri("https://h/a?Sig=1&x=%20") == "https://h/a?x=%20"


def test_a_digest_that_is_given_is_believed(tmp_path: Path) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        here = run.log_dataset("train", tmp_path / "not-there.bin", digest="d1")
        nowhere = run.log_dataset("val", digest="d2", source="the archive")
    assert here is not None and (here.digest, here.source) == ("d1", str(tmp_path / "not-there.bin"))
    assert nowhere is not None and (nowhere.source_type, nowhere.source) == ("given", "the archive")


# -- rows and columns of files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "rows", "columns"),
    [
        ("a.csv", b"x,y\n1,2\n3,4", 2, ["x", "y"]),
        ("a.csv", b'x,"y, z"\n1,"a\nb"\n', 1, ["x", "y, z"]),
        ("a.tsv", "\ufeffä\tb\n1\t2\n".encode(), 1, ["ä", "b"]),
        ("a.csv", b"", 0, None),
        ("a.csv", b"\xff\xfe\n1\n", None, None),
        ("a.jsonl", b"{}\n{}\n", 2, None),
        ("a.bin", b"x,y\n", None, None),
        ("a.npy", b"nonsense", None, None),
    ],
)
def test_rows_and_columns_of_texts(
    tmp_path: Path, name: str, content: bytes, rows: int | None, columns: list[str] | None
) -> None:
    (tmp_path / name).write_bytes(content)
    found = describe(tmp_path / name, str(tmp_path))
    assert json.loads(found.profile or "").get("row_count") == rows
    said = None if found.schema is None else [one["name"] for one in json.loads(found.schema)["columns"]]
    assert said == columns


def test_rows_and_columns_of_arrays_and_parquet(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 2), "f4"))
    found = describe(tmp_path / "a.npy", str(tmp_path))
    assert json.loads(found.profile or "")["row_count"] == 5
    assert json.loads(found.schema or "") == {"dtype": "<f4", "shape": [5, 2]}
    pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}).write_parquet(tmp_path / "a.parquet")
    found = describe(tmp_path / "a.parquet", str(tmp_path))
    assert json.loads(found.profile or "") | {"size_bytes": 0} == {"size_bytes": 0, "row_count": 3, "column_count": 2}
    assert [one["name"] for one in json.loads(found.schema or "")["columns"]] == ["a", "b"]


# -- refusals --------------------------------------------------------------------------------------------------


def test_mistakes_are_refused_and_record_nothing(tmp_path: Path) -> None:
    with lineal.init("digits", url=tmp_path / "here") as run:
        for data, error in (
            (tmp_path / "nothing.csv", NotFound),
            (str(tmp_path / "*.nothing"), NotFound),
            (None, InvalidInput),
            (object(), InvalidInput),
            (7, InvalidInput),
            ((), InvalidInput),
            ([1, 2], InvalidInput),
            (pd.DataFrame({"x": [object()]}), InvalidInput),
        ):
            with pytest.raises(error):
                run.log_dataset("train", data)
        wrong: tuple[dict[str, Any], ...] = (
            {"context": "x" * 300},
            {"version": "x" * 2_000},
            {"digest": "x" * 300},
            {"digest": ""},
        )
        for options in wrong:
            with pytest.raises(InvalidInput):
                run.log_dataset("train", np.zeros(1), **options)
        with pytest.raises(InvalidInput):
            run.log_dataset("", np.zeros(1))
    assert uses_of(run.run_id, tmp_path / "here") == []
    assert lineal.get_run(run.run_id, url=tmp_path / "here").losses == {}


def test_data_that_is_written_to_meanwhile_is_said_to_be(
    tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    advance = Progress.advance

    def written_to(self: Progress, count: int) -> None:
        if csv.stat().st_size < 1_000:
            csv.write_bytes(csv.read_bytes() + b"1" * 1_000)
        advance(self, count)

    with lineal.init("x", url=tmp_path / "nb") as run:
        run.log_dataset("still", csv)
        monkeypatch.setattr(Progress, "advance", written_to)
        run.log_dataset("moving", csv)
        run.log_dataset("folder", csv.parent)
    said = {use.dataset.name: json.loads(use.dataset.profile or "") for use in uses_of(run.run_id, tmp_path / "nb")}
    assert {name: profile.get("changed_count") for name, profile in said.items()} == {
        "still": None,
        "moving": 1,
        "folder": None,
    }
    assert caplog.text.count("was written to while it was read") == 1


def test_a_disk_that_refuses_is_a_loss_and_no_error(tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(csv))

    monkeypatch.setattr("lineal.client.datasets.places.digest_found", refuse)
    with lineal.init("digits", url=tmp_path / "here") as run:
        assert run.log_dataset("train", csv) is None
    assert lineal.get_run(run.run_id, url=tmp_path / "here").losses == {"dataset_not_read": 1}


def test_nothing_is_imported_that_the_user_did_not_import(tmp_path: Path, csv: Path) -> None:
    program = (
        "import sys, lineal\n"
        f"with lineal.init('digits', url={str(tmp_path / 'here')!r}) as run: print(run.log_dataset('train', {str(csv)!r}).digest)\n"
        "print(sorted({'numpy', 'pandas', 'polars', 'pyarrow', 'torch', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[:2] == [hashlib.sha256(CSV).hexdigest(), "[]"]


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    parts = {1: np.zeros(2), "1": np.zeros(3)}
    with pytest.raises(InvalidInput, match="'1'"):
        describe(parts, str(tmp_path))


@pytest.mark.parametrize(
    ("source", "clean"),
    [
        ("postgresql://h/db?user=a&pwd=hunter2", "postgresql://h/db?user=a"),
        ("jdbc:postgresql://u:hunter2@h/x", "jdbc:postgresql://h/x"),
        ("jdbc:postgresql://h/x?user=a&password=hunter2&ssl=true", "jdbc:postgresql://h/x?user=a&ssl=true"),
        ("jdbc:sqlserver://h:1433;databaseName=x;user=sa;password={hun;ter2};encrypt=true",
         "jdbc:sqlserver://h:1433;databaseName=x;user=sa;encrypt=true"),
        ("jdbc:sqlserver://h:1433;password=hun@ter2/;encrypt=true", "jdbc:sqlserver://h:1433;encrypt=true"),
        ("mysql://u:hun;ter2@h/db", "mysql://h/db"),
        ("jdbc:oracle:thin:scott/hunter2@//h:1521/x", "jdbc:oracle:thin:@//h:1521/x"),
        ("https://h/x?pass=hunter2", "https://h/x"),
        ("https://h/x?passwd=hunter2&a=1", "https://h/x?a=1"),
        ("https://h/x?a=1&token=hunter2#part", "https://h/x?a=1#part"),
        ("https://h/x?accesstoken=hunter2", "https://h/x"),
        ("https://h/x?key=hunter2", "https://h/x"),
        ("https://h/x?client_secret=hunter2", "https://h/x"),
        ("https://h/x?AWSAccessKeyId=hunter2&Signature=hunter2&Expires=1&v=1", "https://h/x?v=1"),
        ("https://h/x?sv=1&SIG=hunter2", "https://h/x?sv=1"),
        ("https://h/x?p%61ssword=hunter2", "https://h/x"),
        ("https://h/x?q=a%26token%3Dhunter2", "https://h/x"),
        ("https://h/x?next=https%3A%2F%2Fu%3Ahunter2%40h", "https://h/x"),
        ("s3://h/x?v=1#token=hunter2", "s3://h/x?v=1"),
        ("s3://h/x#a=1&access_token=hunter2", "s3://h/x#a=1"),
        ("s3://h/x#/page?token=hunter2", "s3://h/x"),
        ("mysql+pymysql://root:hun@ter2@h/db", "mysql+pymysql://h/db"),
        ("mysql://root:hun/ter2@h/db", "mysql://h/db"),
        ("mysql://root:hun#ter2@h/db", "mysql://h/db"),
        ("mysql://root:hun?ter2@h/db", "mysql://h/db"),
        ("https://h/ghp_hunter2hunter2hunter2hunter2/x", "https://h/[masked]/x"),
        ("host=h dbname=x password=hunter2", "host=h dbname=x password=[masked]"),
        ("Server=h;Uid=sa;Pwd=hunter2;", "Server=h;Uid=sa;Pwd=[masked];"),
        ('{"path": "/data", "api_key": "hunter2"}', '{"path": "/data", "api_key": "[masked]"}'),
    ],
)  # fmt: skip
def test_secrets_in_sources_are_not_recorded(tmp_path: Path, source: str, clean: str) -> None:
    assert public_source(source) == clean
    assert public_source(clean) == clean
    with lineal.init("digits", url=tmp_path / "here") as run:
        said = [run.log_dataset("a", digest="d", source=source)]
        if is_uri(source):
            said += [run.log_dataset("b", source), run.log_dataset("c", source, digest="d")]
    assert [one and one.source for one in said] == [clean] * len(said)


@pytest.mark.parametrize(
    "source",
    [
        "https://h:8080/a@b?x=%20&author=me&max_tokens=5#design=1",
        "s3://bucket/key=1/token=a/x.parquet",
        "s3://bucket/a@b:c",
        "postgresql://h1:1,h2:2/db?sslmode=require&mail=a@b",
        "http://[::1]:80/a",
        "abfss://h/a;b=1",
        "/data/key=1/x.csv",
        "the archive",
        "see key: README",
        "C:\\data\\x.csv",
    ],
)
def test_what_is_no_secret_stays(source: str) -> None:
    assert public_source(source) == source
